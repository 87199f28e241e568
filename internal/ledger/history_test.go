package ledger

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"cloudsso_exporter/internal/task"
)

// TestAgainstModel plays random histories: tasks that are listed late, twice, out
// of date and in any order; changes of filter and window; a state folder that cannot
// be written for a while; restarts at any moment. After each refresh all gauges
// and all counter series have to be what the model says.
func TestAgainstModel(t *testing.T) {
	if seed := flagValue("seed"); seed != 0 {
		playHistory(t, seed)
		return
	}
	histories := flagValue("histories")
	if testing.Short() {
		histories /= 5
	}
	for seed := uint64(1); seed <= histories; seed++ {
		playHistory(t, seed)
		if t.Failed() {
			t.Fatalf("replay with: go test ./internal/ledger -run TestAgainstModel -seed %d", seed)
		}
	}
}

var (
	_ = flag.Uint64("seed", 0, "play this random history only")
	_ = flag.Uint64("histories", 200, "how many random histories are played")
)

func flagValue(name string) uint64 {
	return flag.Lookup(name).Value.(flag.Getter).Get().(uint64)
}

type history struct {
	*testing.T
	rng   *rand.Rand
	world *world
	set   Settings
	model *model
	win   *Ledger
	file  *file
	saved known // the model's file
}

func playHistory(t *testing.T, seed uint64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, 1))
	h := &history{T: t, rng: rng, world: &world{rng: rng, now: noon}, file: &file{}}
	h.set = Settings{
		ReasonLimit: 50,
		MaxAge:      []time.Duration{2 * days, 400 * days}[rng.IntN(2)],
		Hold:        []time.Duration{0, 2 * minutes, hours}[rng.IntN(3)],
	}
	h.configure()
	h.model, h.win = newModel(h.set), New(h.set)
	broken := false // the state folder
	for step := 0; step < 30 && !t.Failed(); step++ {
		for range rng.IntN(12) {
			h.world.start()
		}
		pause := time.Duration(rng.IntN(300)) * time.Second
		if rng.IntN(15) == 0 {
			pause = time.Duration(rng.IntN(60)) * time.Hour
		}
		h.world.now = h.world.now.Add(pause)
		if rng.IntN(12) == 0 {
			h.configure()
			h.win.Configure(h.set)
			h.model.set = h.set
		}
		h.refresh()
		if rng.IntN(5) == 0 {
			broken = !broken
		}
		if !broken {
			h.commit()
		}
		if rng.IntN(8) == 0 {
			h.restart()
		}
		if h.win.Complete() && !h.win.NeedsFull() {
			h.compare(step)
		}
	}
	if t.Failed() {
		t.Logf("seed %d", seed)
	}
}

func (h *history) configure() {
	h.set.Window = []time.Duration{hours, 26 * hours, Retention}[h.rng.IntN(3)]
	h.set.Filter = []task.Filter{{}, {}, {TargetType: "RD-Account", TargetID: "1000"}, {AccessConfigurationID: "ac-0"}}[h.rng.IntN(4)]
}

func (h *history) refresh() {
	now, full := h.world.now, h.win.NeedsFull()
	c := Span{Began: now.Add(-10 * time.Second), At: now}
	if full {
		c.Since = now.Add(-Retention)
	}
	list := h.world.list(full, h.win.From(), h.set.Filter)
	h.model.apply(list, c)
	b := NewBatch()
	for page := range slices.Chunk(list, 20) {
		b.Add(page)
	}
	h.win.Apply(b, c)
}

func (h *history) commit() {
	h.Helper()
	if h.rng.IntN(10) == 0 { // it had been lost
		*h.file = file{}
		h.file.commit(h.T, h.win.Everything())
	} else {
		h.file.commit(h.T, h.win.Change())
	}
	h.win.Committed(h.world.now)
	h.model.show(h.world.now)
	h.saved = h.model.clone()
}

func (h *history) restart() {
	if h.file.tasks == nil {
		h.model, h.win = newModel(h.set), New(h.set)
		return
	}
	h.win = restore(h.T, h.set, h.file)
	h.model.restart(h.saved)
}

func (h *history) compare(step int) {
	h.Helper()
	s := h.win.Snapshot()
	if want, got := h.model.gauges(), shownGauges(s); !maps.Equal(want, got) {
		h.Errorf("step %d, gauges at %s (-model +ledger):\n%s", step, h.world.now, gocmp.Diff(want, got))
	}
	if want, got := h.model.shown, shownCounters(s.Counters); !maps.Equal(want, got) {
		h.Errorf("step %d, counters at %s (-model +ledger):\n%s", step, h.world.now, gocmp.Diff(want, got))
	}
}

func gauges(n map[string]int, at map[string]time.Time) map[string]string {
	all := map[string]string{}
	for name, n := range n {
		all[name] = fmt.Sprint(n)
	}
	for name, at := range at {
		all[name] = at.UTC().Format(time.RFC3339Nano)
	}
	return all
}

func shownGauges(s *Snapshot) map[string]string {
	n, at := map[string]int{}, map[string]time.Time{}
	for _, c := range s.Tasks {
		if c.N > 0 {
			n[key("tasks", string(c.Type), string(c.Status))] = c.N
		}
	}
	for _, c := range s.Failed {
		n[key("failed", string(c.Type), c.Reason)] = c.N
	}
	for _, c := range s.Unresolved {
		n[key("unresolved", string(c.Type), c.Reason)] = c.N
	}
	for _, e := range s.LastEnd {
		at[key("end", string(e.Type), string(e.Status))] = e.At
	}
	for _, o := range s.OldestInProgress {
		at[key("oldest", string(o.Type))] = o.At
	}
	for _, f := range s.Failures {
		at[key("since", f.Latest.ID)] = f.Since
	}
	return gauges(n, at)
}

func shownCounters(shown []Series) map[string]sample {
	all := map[string]sample{}
	for _, s := range shown {
		if s.Metric == Overflow {
			continue
		}
		name := key(string(s.Metric), string(s.Type))
		if s.Label != "" {
			name = key(name, s.Label)
		}
		all[name] = sample{int(s.Value), s.Created}
		if s.Histogram != nil {
			all[name] = sample{int(s.Histogram.Count), s.Histogram.Created}
		}
	}
	return all
}
