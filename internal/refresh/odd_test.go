package refresh

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"cloudsso_exporter/internal/ledger"
	"cloudsso_exporter/internal/reason"
	"cloudsso_exporter/internal/task"
)

func (f *fakeAPI) remove(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tasks = slices.DeleteFunc(f.tasks, func(t task.Task) bool { return t.ID == id })
}

func TestForgottenTaskIsAskedForEverMoreRarely(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &fakeAPI{}
		fill(api, 400, time.Now())
		api.add(newTask("ghost", time.Now().Add(-72*time.Hour), 1000*time.Hour))
		api.add(newTask("other", time.Now().Add(-71*time.Hour), 1000*time.Hour))
		g, _ := newGroup(t, api, Settings{}, nil)
		scrape(t, g, time.Second)
		api.remove("ghost")
		narrow := func() int {
			return len(slices.DeleteFunc(api.calls, func(q task.Query) bool { return q.Filter == (task.Filter{}) }))
		}
		api.take()
		for range 60 {
			time.Sleep(time.Minute)
			if s := scrape(t, g, time.Second); !s.Up {
				t.Fatal(s.Error)
			}
		}
		if n := narrow(); n < 5 || n > 8 { // 0, 1, 3, 7, 15, 31 minutes later
			t.Errorf("%d narrow queries within an hour", n)
		}
		api.take()
		for range 60 * 10 {
			time.Sleep(time.Minute)
			scrape(t, g, time.Second)
		}
		if n := narrow(); n < 9 || n > 11 {
			t.Errorf("%d narrow queries within 10 hours more", n)
		}
	})
}

func TestRefusedNarrowQueryIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &fakeAPI{}
		fill(api, 400, time.Now())
		api.add(newTask("ghost", time.Now().Add(-72*time.Hour), 1000*time.Hour))
		g, _ := newGroup(t, api, Settings{}, nil)
		scrape(t, g, time.Second)
		api.remove("ghost")
		api.fail = func(_ int, q task.Query) error {
			if q.Filter != (task.Filter{}) {
				return apiError{kind: task.ErrorNotFound} // its access configuration was deleted
			}
			return nil
		}
		api.take()
		time.Sleep(time.Minute)
		if s := scrape(t, g, time.Second); !s.Up {
			t.Error(s.Error)
		}
		if n := api.take(); n != 3 {
			t.Errorf("%d calls", n)
		}
	})
}

func TestRefusalOfTheFirstCallIsOneCall(t *testing.T) {
	for _, refusal := range []apiError{{task.ErrorNotFound, false}, {task.ErrorOther, true}, {task.ErrorPermission, false}} {
		synctest.Test(t, func(t *testing.T) {
			api := &fakeAPI{fail: func(int, task.Query) error { return refusal }}
			g, _ := newGroup(t, api, Settings{CacheTTL: time.Hour}, nil)
			if s := scrape(t, g, time.Second); s.Up || s.ErrorKind != refusal.kind {
				t.Errorf("%+v", s)
			}
			if n := api.take(); n != 1 {
				t.Errorf("%v: %d calls", refusal, n)
			}
		})
	}
}

// An API that is stricter than 7 days is asked for less at each refresh, until it answers; another configuration begins anew.
func TestMarginGrowsWhileTheFirstCallIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const strict = 100 * time.Minute
		api := &fakeAPI{}
		refuse := func(_ int, q task.Query) error {
			if q.From.Before(time.Now().Add(strict - 7*24*time.Hour)) {
				return apiError{kind: task.ErrorOther, refuses: true}
			}
			return nil
		}
		api.fail = refuse
		fill(api, 100, time.Now()) // over 6 days
		g, _ := newGroup(t, api, Settings{}, nil)
		refreshes := 1
		for ; !scrape(t, g, time.Second).Up && refreshes < 20; refreshes++ {
			time.Sleep(time.Minute)
		}
		if s := g.States()[0]; refreshes != 4 || total(s) != 100 { // 5, 30, 60, 120 minutes
			t.Errorf("%d refreshes, %d tasks: %s", refreshes, total(s), s.Error)
		}
	})
}

// What failed before a short window still stands, since its first failure; what resolved it before the window did so.
func TestFailuresOfBeforeAShortWindowStand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failed := func(id, target string, ago time.Duration) task.Task {
			made := newTask(id, time.Now().Add(-ago), time.Second)
			made.Status, made.FailureReason, made.TargetID, made.PrincipalID = task.Failed, "No Permission.", target, "u-1"
			return made
		}
		put := failed("put right", "1", 20*time.Hour)
		put.Status, put.FailureReason = task.Success, ""
		api := &fakeAPI{}
		api.add(failed("a", "1", 30*time.Hour), put, failed("b", "2", 140*time.Hour), failed("c", "2", 10*time.Minute))
		g, _ := newGroup(t, api, Settings{Settings: ledger.Settings{Window: time.Hour}}, nil)
		s := scrape(t, g, time.Second)
		if n := total(s); n != 1 {
			t.Errorf("%d tasks in the window", n)
		}
		stand := s.Snapshot.Failures
		if len(stand) != 1 || stand[0].Latest.ID != "c" || !stand[0].Since.Equal(time.Now().Add(time.Second-140*time.Hour)) {
			t.Errorf("%+v", stand)
		}
	})
}

func TestWiderWindowShowsWhenItIsWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &fakeAPI{}
		fill(api, 100, time.Now()) // over 6 days
		set := Settings{CacheTTL: time.Second}
		set.Window = 24 * time.Hour
		g, d := newGroup(t, api, set, nil)
		narrow := total(scrape(t, g, time.Second))
		if narrow < 10 || narrow > 20 {
			t.Fatalf("%d tasks in a day", narrow)
		}
		api.fail = func(int, task.Query) error { return apiError{kind: task.ErrorThrottled} }
		wider := d.set
		wider.Window = 7 * 24 * time.Hour
		d.Configure(wider, api)
		if s := scrape(t, g, time.Second); s.Up || total(s) != narrow || s.Window != wider.Window {
			t.Errorf("shows %d tasks of a window that has not been read", total(s))
		}
		api.fail = nil
		time.Sleep(time.Minute)
		s := scrape(t, g, time.Second)
		if !s.Up || total(s) != 100 {
			t.Errorf("%d tasks, %s", total(s), s.Error)
		}
		if got := started(s); got != 0 {
			t.Errorf("what only the wider window shows counts %d", got)
		}
	})
}

// A series born late is at 0 for its hold, and a scrape ends the hold without a call.
func TestHoldEndsBetweenAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &fakeAPI{}
		fill(api, 3, time.Now())
		set := Settings{CacheTTL: time.Hour}
		set.Hold = 2 * time.Minute
		set.Reasons.Rules = []reason.Rule{}
		g, d := newGroup(t, api, set, nil)
		scrape(t, g, time.Second)
		time.Sleep(time.Hour)
		failed := newTask("failed", time.Now(), 0)
		failed.Status, failed.FailureReason = task.Failed, "No Permission."
		api.add(failed)
		failures := func(s *State) (sum uint64, series int) {
			for _, c := range ofMetric(s, ledger.Failures) {
				sum += c.Value
			}
			return sum, len(ofMetric(s, ledger.Failures))
		}
		if sum, series := failures(scrape(t, g, time.Second)); sum != 0 || series != 1 {
			t.Errorf("born as %d in %d series", sum, series)
		}
		api.take()
		time.Sleep(119 * time.Second)
		if sum, _ := failures(scrape(t, g, time.Second)); sum != 0 {
			t.Error("the hold is over early")
		}
		time.Sleep(time.Second)
		if sum, _ := failures(scrape(t, g, time.Second)); sum != 1 {
			t.Error("the hold is not over")
		}
		if n := api.take(); n != 0 {
			t.Errorf("%d calls", n)
		}
		d.Close()
	})
}

func TestFirstSeriesAreCreatedWhenTheFirstRefreshBegan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &fakeAPI{slow: func(context.Context, int) { time.Sleep(time.Second) }}
		fill(api, 100, time.Now())
		began := time.Now()
		g, _ := newGroup(t, api, Settings{}, nil)
		s := scrape(t, g, time.Minute)
		for _, c := range ofMetric(s, ledger.Started) {
			if !c.Created.Equal(began) {
				t.Errorf("%s created %v after the refresh began", c.Type, c.Created.Sub(began))
			}
		}
	})
}

// A refusal at a later page that has nothing to do with the Filter's age must
// not cost the oldest tasks for ever.
func TestRefusalOfALaterPageKeepsTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &fakeAPI{}
		fill(api, 100, time.Now()) // over 6 days
		api.fail = func(call int, _ task.Query) error {
			if call%2 == 0 {
				return apiError{kind: task.ErrorOther, refuses: true}
			}
			return nil
		}
		g, _ := newGroup(t, api, Settings{}, nil)
		s := scrape(t, g, time.Second)
		if n := api.take(); s.Up || n > 4 {
			t.Errorf("up %v, %d calls", s.Up, n)
		}
		api.fail = nil
		time.Sleep(time.Minute)
		if s = scrape(t, g, time.Second); !s.Up || total(s) != 100 {
			t.Errorf("%d tasks of 100, %s", total(s), s.Error)
		}
	})
}
