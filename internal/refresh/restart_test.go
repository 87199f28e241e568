package refresh

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"cloudsso_exporter/internal/ledger"
	"cloudsso_exporter/internal/task"
)

// keepingStore keeps what was committed, each change in turn.
type keepingStore struct {
	changes []ledger.Change
	damaged bool
}

func (k *keepingStore) Load(_ string, replay func(ledger.Change) error) (bool, error) {
	for _, c := range k.changes {
		if err := replay(c); err != nil {
			return false, err
		}
	}
	return !k.damaged, nil
}

func (k *keepingStore) Commit(_ string, c ledger.Change, _ func() ledger.Change) error {
	c.Put = slices.Values(slices.Collect(c.Put))
	k.changes = append(k.changes, c)
	return nil
}

// A restart with settings that show more than has been read, while the API is
// down: the last complete snapshot is shown as it was.
func TestRestartShowsWhatIsWhole(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Settings)
	}{
		{"the same settings", func(*Settings) {}},
		{"a wider window", func(s *Settings) { s.Window = 7 * 24 * time.Hour }},
		{"another filter", func(s *Settings) { s.Filter.AccessConfigurationID = "ac-other" }},
	} {
		synctest.Test(t, func(t *testing.T) {
			api, file := &fakeAPI{}, &keepingStore{}
			fill(api, 100, time.Now()) // over 6 days
			set := Settings{}
			set.Window = 24 * time.Hour
			g, d := newGroup(t, api, set, file)
			before := scrape(t, g, time.Second)
			d.Close()
			api.fail = func(int, task.Query) error { return apiError{kind: task.ErrorNetwork} }
			c.change(&set)
			g, _ = newGroup(t, api, set, file)
			s := scrape(t, g, time.Second)
			if s.Up || total(s) != total(before) || total(s) == 0 || !s.LastSuccess.Equal(before.LastSuccess) {
				t.Errorf("%s: %d tasks of %d, as of %v", c.name, total(s), total(before), s.LastSuccess)
			}
			api.fail = nil
			time.Sleep(time.Minute)
			if s = scrape(t, g, time.Second); !s.Up || s.Snapshot.Window != set.Window || started(s) != 0 {
				t.Errorf("%s: afterwards up %v, window %v, %d counted", c.name, s.Up, s.Snapshot.Window, started(s))
			}
		})
	}
}

// What a reload takes over as it was is not asked before it is due, nor what it
// is about to configure anew with the settings that go.
func TestSetBeginsWhatIsNew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &fakeAPI{}
		g, d := newGroup(t, api, Settings{CacheTTL: time.Second}, nil)
		scrape(t, g, time.Second)
		time.Sleep(time.Minute)
		if n := api.take(); n != 1 {
			t.Fatalf("%d calls at first", n)
		}
		g.Set([]*Directory{d})
		synctest.Wait()
		if n := api.take(); n != 0 {
			t.Errorf("%d calls for a directory that was there before", n)
		}
	})
}

// A long read after a gap keeps its pages when it is interrupted and goes on, as a first read does.
func TestReadAfterAGapGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, store := &fakeAPI{}, &keepingStore{}
		fill(api, 30, time.Now())
		g, d := newGroup(t, api, Settings{}, store)
		scrape(t, g, time.Second)
		d.Close()
		for i := range 3000 {
			api.add(newTask(fmt.Sprint("gap-", i), time.Now().Add(time.Duration(i)*time.Second), time.Second))
		}
		time.Sleep(time.Hour)
		api.take()
		api.fail = func(call int, _ task.Query) error {
			if call%60 == 0 {
				return apiError{kind: task.ErrorOther}
			}
			return nil
		}
		g, _ = newGroup(t, api, Settings{}, store)
		var calls int
		progress := false
		for attempts := 1; ; attempts++ {
			s := scrape(t, g, time.Second)
			if s.Up {
				calls = len(api.calls)
				if total(s) != 3030 || started(s) != 3000 {
					t.Errorf("%d tasks, %d counted as started", total(s), started(s))
				}
				break
			}
			progress = progress || s.Progress != nil && s.Progress.Pages > 0
			if attempts == 10 {
				t.Fatalf("not read after %d attempts: %s", attempts, s.Error)
			}
			time.Sleep(time.Minute)
		}
		if calls > 170 || !progress { // 150 pages
			t.Errorf("%d calls, progress shown: %t", calls, progress)
		}
	})
}
