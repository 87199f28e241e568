package window

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"cloudsso_exporter/internal/task"
)

// After every commit a restart shows the same, and so does one from a file that
// was written anew as a whole.
func TestRestoredShowsTheSame(t *testing.T) {
	for _, hold := range []time.Duration{0, 2 * minutes} {
		t.Run(fmt.Sprint("hold ", hold), func(t *testing.T) {
			set := plain
			set.Window, set.Hold, set.ReasonLimit = 26*hours, hold, 3
			set.Rules = rules("mine")
			rng := rand.New(rand.NewPCG(1, 2))
			s := begin(t, set)
			w := &world{rng: rng, now: noon}
			for i := range 80 {
				for range rng.IntN(8) {
					w.start()
				}
				w.now = w.now.Add(time.Duration(rng.IntN(200)) * minutes)
				s.refresh(w.now.Sub(noon), w.list(i == 0, noon, task.Filter{})...)
				want := s.Snapshot()
				if s.NextRelease().IsZero() {
					got := Restore(set, s.file.load(), w.now).Snapshot()
					if diff := gocmp.Diff(want, got); diff != "" {
						t.Fatalf("restored (-want +got):\n%s", diff)
					}
				}
				whole := &file{}
				whole.commit(t, s.Everything())
				if diff := gocmp.Diff(s.file.load(), whole.load(), sortCounters()); diff != "" {
					t.Fatalf("written as a whole (-piece by piece +whole):\n%s", diff)
				}
			}
		})
	}
}

func sortCounters() gocmp.Option {
	return gocmp.Transformer("byID", func(all []SavedCounter) map[CounterID]SavedCounter {
		m := map[CounterID]SavedCounter{}
		for _, c := range all {
			m[c.CounterID] = c
		}
		return m
	})
}

func TestChangesListWhatChanged(t *testing.T) {
	s := begin(t, plain)
	var old []task.Task
	for i := range 10_000 {
		old = append(old, on(fmt.Sprint(i%100), succeeded(create, fmt.Sprint("t", i), -time.Duration(i)*time.Second, 0)))
	}
	s.refresh(0, old...)
	var page []task.Task
	for i := range 20 {
		page = append(page, on("1", succeeded(create, fmt.Sprint("new", i), 0, minutes)))
	}
	s.read(minutes, append(page, old[:100]...)...)
	ch := s.Changes()
	if len(ch.Put) != 20 || len(ch.Delete) != 0 || len(ch.Counters) != 3 {
		t.Errorf("%d put, %d deleted, %d counters; want 20, 0, 3", len(ch.Put), len(ch.Delete), len(ch.Counters))
	}
	wantEqual(t, "changes stay until they are committed", 20, len(s.Changes().Put))
	s.commit(minutes)
	ch = s.Changes()
	wantEqual(t, "after the commit", 0, len(ch.Put)+len(ch.Delete)+len(ch.Counters)+len(ch.DropCounters))
	s.read(8 * days)
	wantEqual(t, "deleted when it is forgotten", 10_020, len(s.Changes().Delete))
}

func TestNothingIsKnownBeforeTheFirstRefresh(t *testing.T) {
	w := New(plain)
	if w.Snapshot() != nil || w.Complete() || !w.NeedsFull() || !w.From().IsZero() || len(w.Running()) != 0 {
		t.Error("a new window knows something")
	}
	w.Configure(only("1", plain))
	if w.Complete() || len(w.Changes().Counters) != 0 {
		t.Error("settings alone make no series")
	}
}
