package ledger

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"cloudsso_exporter/internal/task"
)

// After every commit a restart shows the same, and so does one from a file that
// was written anew as a whole.
func TestRestoredShowsTheSame(t *testing.T) {
	for _, hold := range []time.Duration{0, 2 * minutes} {
		t.Run(fmt.Sprint("hold ", hold), func(t *testing.T) {
			set := plain
			set.Window, set.Hold, set.ReasonLimit = 26*hours, hold, 3
			set.Reasons.Rules = rules("mine")
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
					got := restore(t, set, s.file).Snapshot()
					if diff := gocmp.Diff(want, got, cmpopts.IgnoreUnexported(Snapshot{})); diff != "" {
						t.Fatalf("restored (-want +got):\n%s", diff)
					}
				}
				whole := &file{}
				whole.commit(t, s.Everything())
				if diff := gocmp.Diff(s.file, whole, gocmp.AllowUnexported(file{}, streakKey{}), currentStreaks(s.Ledger)); diff != "" {
					t.Fatalf("written as a whole (-piece by piece +whole):\n%s", diff)
				}
			}
		})
	}
}

// currentStreaks leaves out the streaks that are no longer shown: only the whole state is without them.
func currentStreaks(l *Ledger) gocmp.Option {
	return gocmp.Transformer("current", func(all map[streakKey]Streak) []Streak {
		var current []Streak
		for _, key := range slices.SortedFunc(maps.Keys(all), func(a, b streakKey) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) }) {
			if _, ok := l.streaks[key]; ok {
				current = append(current, all[key])
			}
		}
		return current
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
	ch := s.Change()
	if len(changed(ch)) != 20 || len(ch.Forgotten) != 0 || len(ch.Series) != 3 || !s.Changed() {
		t.Errorf("%d put, %d forgotten, %d series; want 20, 0, 3", len(changed(ch)), len(ch.Forgotten), len(ch.Series))
	}
	wantEqual(t, "changes stay until they are committed", 20, len(changed(s.Change())))
	s.commit(minutes)
	ch = s.Change()
	wantEqual(t, "after the commit", 0, len(changed(ch))+len(ch.Forgotten)+len(ch.Series)+len(ch.Dropped))
	s.read(2*minutes, old[:100]...)
	wantEqual(t, "changed by a refresh that has seen nothing new", false, s.Changed())
	s.read(8 * days)
	wantEqual(t, "forgotten", 10_020, len(s.Change().Forgotten))
}

func TestNothingIsKnownBeforeTheFirstRefresh(t *testing.T) {
	w := New(plain)
	if w.Snapshot() != nil || w.Complete() || !w.NeedsFull() || !w.From().IsZero() || len(w.Running()) != 0 {
		t.Error("a new ledger knows something")
	}
	w.Configure(only("1", plain))
	if w.Complete() || len(w.Change().Series) != 0 {
		t.Error("settings alone make no series")
	}
}
