package refresh

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"cloudsso_exporter/internal/task"
)

// A task that is listed hours after it started is seen within a walk or two, for
// a 500th of the calls that reading the window each time would make.
func TestWalkFindsWhatWasListedLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &fakeAPI{strict: true}
		fill(api, 2000, time.Now()) // 100 pages
		g, _ := newGroup(t, api, Settings{}, nil)
		scrape(t, g, time.Second)
		time.Sleep(6 * time.Hour)
		scrape(t, g, time.Second)
		late := newTask("late", time.Now().Add(-5*time.Hour), time.Second)
		late.Status, late.FailureReason = task.Failed, "No Permission."
		api.add(late)
		api.take()
		const refreshes = 1100 // two walks, and an hour before them
		found := 0
		for i := range refreshes {
			time.Sleep(time.Minute)
			s := scrape(t, g, time.Second)
			if !s.Up {
				t.Fatal(s.Error)
			}
			if failed := s.Snapshot.Failed; found == 0 && len(failed) == 1 && failed[0].N == 1 {
				found = i + 1
			}
		}
		if found == 0 || found > 500+500+60 {
			t.Errorf("found after %d refreshes", found)
		}
		if n := api.take() - refreshes; n < 190 || n > 221 {
			t.Errorf("%d calls of the walk in %d refreshes of 100 pages", n, refreshes)
		}
	})
}

// A process that restarts more often than a walk lasts finds it all the same.
func TestWalkGoesOnOverRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, store := &fakeAPI{strict: true}, &keepingStore{}
		fill(api, 400, time.Now()) // 20 pages: a walk takes 500 refreshes
		g, d := newGroup(t, api, Settings{}, store)
		scrape(t, g, time.Second)
		time.Sleep(10 * time.Minute)
		api.add(newTask("late", time.Now().Add(-9*time.Minute), time.Second))
		for i := range 1200 {
			time.Sleep(time.Minute)
			if i%400 == 399 {
				d.Close()
				g, d = newGroup(t, api, Settings{}, store)
			}
			if total(scrape(t, g, time.Second)) == 401 {
				return
			}
		}
		t.Error("never found")
	})
}

// A window of one page is walked an hour after a full read.
func TestWalkOfOnePage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &fakeAPI{strict: true}
		fill(api, 10, time.Now())
		g, _ := newGroup(t, api, Settings{}, nil)
		scrape(t, g, time.Second)
		time.Sleep(10 * time.Minute)
		api.add(newTask("late", time.Now().Add(-9*time.Minute), time.Second))
		for range 55 {
			time.Sleep(time.Minute)
			if total(scrape(t, g, time.Second)) == 11 {
				return
			}
		}
		t.Error("not found within an hour")
	})
}

// A walk whose Filter or token is refused on the way is made in fewer refreshes.
func TestWalkThatIsRefusedHurries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &fakeAPI{}
		fill(api, 1000, time.Now()) // 50 pages
		g, _ := newGroup(t, api, Settings{}, nil)
		scrape(t, g, time.Second)
		begun := map[string]time.Time{} // of each walk, by its Filter
		whole := 0
		api.fail = func(_ int, q task.Query) error {
			from := q.From.String()
			if time.Since(q.From) < time.Hour {
				return nil
			}
			if _, ok := begun[from]; !ok {
				begun[from] = time.Now()
			}
			if time.Since(begun[from]) > 10*time.Minute { // a token is good for so long
				return apiError{task.ErrorOther, true}
			}
			return nil
		}
		api.add(newTask("late", time.Now().Add(-5*24*time.Hour), time.Second))
		for range 2500 {
			time.Sleep(time.Minute)
			if s := scrape(t, g, time.Second); !s.Up {
				t.Fatal(s.Error)
			} else if total(s) == 1001 {
				whole++
			}
		}
		if whole == 0 {
			t.Error("no walk ever found the late task")
		}
	})
}

// The walk goes on after the answer: no scrape waits for it, and the next attempt does not either.
func TestNobodyWaitsForTheWalk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &fakeAPI{}
		fill(api, 4000, time.Now()) // 200 pages, two a refresh
		g, d := newGroup(t, api, Settings{CacheTTL: 55 * time.Second}, nil)
		scrape(t, g, time.Second)
		time.Sleep(time.Hour)
		var walking atomic.Int64
		api.slow = func(ctx context.Context, call int) {
			api.mu.Lock()
			walks := time.Since(api.calls[call-1].From) > 2*time.Hour
			api.mu.Unlock()
			if walks {
				walking.Add(1)
				select {
				case <-ctx.Done():
				case <-time.After(10 * time.Minute):
				}
			}
		}
		for i := range 20 {
			time.Sleep(time.Minute)
			api.add(newTask(fmt.Sprint("new-", i), time.Now(), time.Second))
			began := time.Now()
			if s := scrape(t, g, 9*time.Second); total(s) != 4001+i {
				t.Errorf("%d tasks, want %d", total(s), 4001+i)
			}
			if took := time.Since(began); took > 0 {
				t.Errorf("waited %v", took)
			}
		}
		if walking.Load() == 0 {
			t.Error("no walk")
		}
		began := time.Now()
		d.Close()
		if took := time.Since(began); took > 0 {
			t.Errorf("Close took %v", took)
		}
	})
}
