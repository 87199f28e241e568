package refresh

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cloudsso_exporter/internal/ledger"
	"cloudsso_exporter/internal/task"
)

func newGroup(t *testing.T, api *fakeAPI, set Settings, store Store) (*Group, *Directory) {
	t.Helper()
	return newLoggingGroup(t, api, set, store, slog.DiscardHandler)
}

func newLoggingGroup(t *testing.T, api *fakeAPI, set Settings, store Store, log slog.Handler) (*Group, *Directory) {
	t.Helper()
	set.DirectoryID = "d-1"
	if set.Window == 0 {
		set.Window = 7 * 24 * time.Hour
	}
	set.ReasonLimit, set.MaxAge = 50, 30*24*time.Hour
	d := NewDirectory(set, api, NewMeter(time.Now()), store, api.local, slog.New(log))
	g := new(Group)
	g.Set([]*Directory{d})
	t.Cleanup(d.Close)
	return g, d
}

// ofMetric are the counter series of a metric.
func ofMetric(s *State, m ledger.Metric) []ledger.Series {
	return slices.DeleteFunc(slices.Clone(s.Snapshot.Counters), func(c ledger.Series) bool { return c.Metric != m })
}

// started is how many CreateAccessAssignment tasks have been counted as started.
func started(s *State) uint64 { return ofMetric(s, ledger.Started)[0].Value }

// scrape awaits as the server does.
func scrape(t *testing.T, g *Group, budget time.Duration) *State {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), budget)
	defer cancel()
	return g.Await(ctx)[0]
}

func total(s *State) int {
	n := 0
	if s.Snapshot != nil {
		for _, c := range s.Snapshot.Tasks {
			n += c.N
		}
	}
	return n
}

func fill(api *fakeAPI, n int, now time.Time) {
	for i := range n {
		api.add(newTask(fmt.Sprintf("t-%05d", i), now.Add(-time.Duration(i+1)*6*24*time.Hour/time.Duration(n)), time.Second))
	}
}

func TestScrapesShareOneRefresh(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &fakeAPI{slow: func(context.Context, int) { time.Sleep(100 * time.Millisecond) }}
		fill(api, 347, time.Now())
		g, _ := newGroup(t, api, Settings{CacheTTL: 55 * time.Second}, nil)
		if ttl := g.States()[0].CacheTTL; ttl != 55*time.Second {
			t.Errorf("the state says cache_ttl %v", ttl)
		}
		var wg sync.WaitGroup
		for range 25 {
			wg.Go(func() {
				if n := total(scrape(t, g, 9*time.Second)); n != 347 {
					t.Errorf("%d tasks, want 347", n)
				}
			})
		}
		wg.Wait()
		if n := api.take(); n != 18+1 { // and one for what started meanwhile
			t.Errorf("%d calls for 18 pages", n)
		}
		time.Sleep(53 * time.Second) // and nearly 2 for the first read
		scrape(t, g, time.Second)
		if n := api.take(); n != 0 {
			t.Errorf("%d calls within cache_ttl", n)
		}
		time.Sleep(2 * time.Second) // cache_ttl counts from the start of the attempt
		scrape(t, g, time.Second)
		if n := api.take(); n != 1 {
			t.Errorf("%d calls of a steady refresh", n)
		}
	})
}

func TestScrapeIsServedWithinItsBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &fakeAPI{slow: func(ctx context.Context, _ int) {
			select {
			case <-ctx.Done():
			case <-time.After(20 * time.Second):
			}
		}}
		fill(api, 30, time.Now())
		g, _ := newGroup(t, api, Settings{}, nil)
		began := time.Now()
		if s := scrape(t, g, 1500*time.Millisecond); s.Snapshot != nil || s.Attempted {
			t.Errorf("shows something before the first complete read: %+v", s)
		}
		if took := time.Since(began); took != 1500*time.Millisecond {
			t.Errorf("took %v", took)
		}
		time.Sleep(10 * time.Second)
		began = time.Now()
		scrape(t, g, 9*time.Second)
		if took := time.Since(began); took != 0 {
			t.Errorf("waited %v for an attempt that has already taken longer than that", took)
		}
		time.Sleep(time.Minute) // the refresh goes on
		if n := total(g.States()[0]); n != 30 {
			t.Errorf("%d tasks, want 30", n)
		}
	})
}

// A scrape that cannot wait for the end of a client's pause does not wait at all;
// one that can waits for the answer.
func TestLongPauseIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &fakeAPI{}
		g, d := newGroup(t, api, Settings{CacheTTL: time.Minute}, nil)
		scrape(t, g, 10*time.Second)
		time.Sleep(time.Minute)
		api.slow = func(context.Context, int) {
			time.Sleep(time.Second)
			d.Meter().Pause(time.Now().Add(30 * time.Second))
			time.Sleep(30 * time.Second)
		}
		for budget, want := range map[time.Duration]time.Duration{10 * time.Second: time.Second, 40 * time.Second: 31 * time.Second} {
			began := time.Now()
			scrape(t, g, budget)
			if took := time.Since(began); took != want {
				t.Errorf("a scrape of %s took %s, want %s", budget, took, want)
			}
			time.Sleep(time.Minute + 30*time.Second)
		}
	})
}

func TestFailureChangesNothingAndHealsWhole(t *testing.T) {
	for _, page := range []int{1, 2, 3} {
		synctest.Test(t, func(t *testing.T) {
			api := &fakeAPI{}
			fill(api, 30, time.Now())
			g, _ := newGroup(t, api, Settings{}, nil)
			before := scrape(t, g, time.Second)
			if !before.Up || total(before) != 30 {
				t.Fatalf("%+v", before)
			}
			time.Sleep(time.Minute)
			for i := range 50 {
				api.add(newTask(fmt.Sprint("new-", i), time.Now(), time.Second))
			}
			api.take()
			api.fail = func(call int, _ task.Query) error {
				if call == page {
					return apiError{kind: task.ErrorThrottled}
				}
				return nil
			}
			s := scrape(t, g, time.Second)
			if s.Up || s.ErrorKind != task.ErrorThrottled || s.Snapshot.At != before.Snapshot.At || total(s) != 30 ||
				s.LastSuccess != before.LastSuccess || s.FailedAttempts != 1 {
				t.Errorf("after a failure at page %d: %+v", page, s)
			}
			if started(s) != 0 {
				t.Error("a counter moved")
			}
			s = scrape(t, g, time.Second)
			if !s.Up || total(s) != 80 || s.ErrorKind != "" || started(s) != 50 {
				t.Errorf("afterwards: %+v, %+v", s, started(s))
			}
		})
	}
}

func TestOutageThinsOutAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &fakeAPI{}
		fill(api, 30, time.Now())
		g, _ := newGroup(t, api, Settings{CacheTTL: 10 * time.Second}, nil)
		scrape(t, g, time.Second)
		time.Sleep(15 * time.Second)
		api.fail = func(int, task.Query) error { return apiError{kind: task.ErrorNetwork} }
		api.take()
		for range 4 * 60 {
			scrape(t, g, time.Second)
			time.Sleep(15 * time.Second)
		}
		if n := api.take(); n < 59 || n > 62 {
			t.Errorf("%d calls in an hour of outage", n)
		}
		if api.probes < 57 {
			t.Errorf("%d of them without retry", api.probes)
		}
		api.fail = nil
		for i := range 50 {
			api.add(newTask(fmt.Sprint("new-", i), time.Now(), time.Second))
		}
		time.Sleep(time.Minute)
		if s := scrape(t, g, time.Second); !s.Up || total(s) != 80 {
			t.Errorf("not healed in one refresh: %+v", s)
		}
	})
}

func TestReadLongerThanTheFiltersSlack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &fakeAPI{strict: true, slow: func(context.Context, int) { time.Sleep(10 * time.Second) }}
		fill(api, 2000, time.Now()) // 1000 s
		g, _ := newGroup(t, api, Settings{}, nil)
		s := scrape(t, g, 3*time.Hour)
		if !s.Up || total(s) != 2000 {
			t.Errorf("%v, %v: %d tasks", s.Up, s.Error, total(s))
		}
		if n := api.take(); n > 100+100/2 {
			t.Errorf("%d calls for 100 pages", n)
		}
	})
}

func TestCutOffFirstReadGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &fakeAPI{}
		fill(api, 400, time.Now())
		api.fail = func(call int, _ task.Query) error {
			if call == 15 {
				return apiError{kind: task.ErrorNetwork}
			}
			return nil
		}
		g, _ := newGroup(t, api, Settings{}, nil)
		s := scrape(t, g, time.Second)
		if s.Snapshot != nil || s.Progress == nil || s.Progress.Pages != 14 {
			t.Fatalf("%+v, progress %+v", s, s.Progress)
		}
		api.take()
		s = scrape(t, g, time.Second)
		if n := api.take(); !s.Up || total(s) != 400 || n != 7 {
			t.Errorf("%d tasks after %d more calls", total(s), n)
		}
		if s.Progress != nil {
			t.Error("still shows progress")
		}
	})
}

func TestLocalClockOffByAnHour(t *testing.T) {
	for _, skew := range []time.Duration{-time.Hour, time.Hour, 0} {
		synctest.Test(t, func(t *testing.T) {
			api := &fakeAPI{strict: true, skew: skew}
			now := time.Now()
			fill(api, 30, now)
			api.add(newTask("oldest", now.Add(-7*24*time.Hour+10*time.Minute), time.Second))
			g, _ := newGroup(t, api, Settings{}, nil)
			s := scrape(t, g, time.Second)
			if total(s) != 31 || !s.Up {
				t.Errorf("skew %v: %d tasks, %s", skew, total(s), s.Error)
			}
			if off := s.LastSuccess.Sub(now); off.Abs() > time.Second {
				t.Errorf("skew %v: last success is off by %v", skew, off)
			}
			time.Sleep(time.Minute)
			api.add(newTask("new", time.Now(), time.Second))
			if s := scrape(t, g, time.Second); total(s) != 32 {
				t.Errorf("skew %v: %d tasks, want 32", skew, total(s))
			}
		})
	}
}

func TestLocalClockJumps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &fakeAPI{strict: true}
		fill(api, 30, time.Now())
		g, d := newGroup(t, api, Settings{}, nil)
		scrape(t, g, time.Second)
		for i, skew := range []time.Duration{-time.Hour, time.Hour, 0} {
			api.mu.Lock()
			api.skew = skew // what has been learned no longer holds
			api.mu.Unlock()
			time.Sleep(time.Minute)
			api.add(newTask(fmt.Sprint("new-", i), time.Now(), time.Second))
			d.mu.Lock()
			d.started = time.Time{} // the monotonic clock would have it due
			d.mu.Unlock()
			s := scrape(t, g, time.Second)
			if total(s) != 31+i || started(s) != uint64(i+1) {
				t.Errorf("skew %v: %d tasks, started %+v", skew, total(s), started(s))
			}
			if off := time.Since(s.LastSuccess); off.Abs() > time.Second {
				t.Errorf("skew %v: last success is off by %v", skew, off)
			}
		}
	})
}

// brokenStore fails while told to.
type brokenStore struct {
	mu     sync.Mutex
	broken bool
}

func (b *brokenStore) Load(string, func(ledger.Change) error) (bool, error) { return true, nil }
func (b *brokenStore) Commit(string, ledger.Change, func() ledger.Change) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.broken {
		return errors.New("no space left on device")
	}
	return nil
}

func TestFullDiskHoldsCountersOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, disk := &fakeAPI{}, &brokenStore{}
		fill(api, 30, time.Now())
		g, _ := newGroup(t, api, Settings{}, disk)
		scrape(t, g, time.Second)
		time.Sleep(time.Minute)
		disk.broken = true
		api.add(newTask("new", time.Now(), time.Second))
		s := scrape(t, g, time.Second)
		if s.Up || s.ErrorKind != task.ErrorStorage || total(s) != 31 || started(s) != 0 {
			t.Errorf("full disk: %+v, %d tasks", s, total(s))
		}
		disk.broken = false
		s = scrape(t, g, time.Second)
		if !s.Up || total(s) != 31 || started(s) != 1 {
			t.Errorf("healed: %+v", s)
		}
	})
}
