package collector

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"

	"cloudsso_exporter/internal/refresh"
	"cloudsso_exporter/internal/task"
)

// collected lists the metrics that the collector gives out for states.
func collected(c *Collector, states ...*refresh.State) map[prometheus.Metric]bool {
	ch := make(chan prometheus.Metric)
	go func() {
		defer close(ch)
		c.For(states).Collect(ch)
	}()
	all := map[prometheus.Metric]bool{}
	for m := range ch {
		all[m] = true
	}
	return all
}

// Between two refreshes nothing is made anew; after a request, only what counts requests.
func TestMemo(t *testing.T) {
	c, s := New(), succeeded()
	first := collected(c, s)
	kept := func(states ...*refresh.State) (n int) {
		for m := range collected(c, states...) {
			if first[m] {
				n++
			}
		}
		return n
	}
	if n := kept(s); n != len(first) {
		t.Errorf("the same State again: %d of %d metrics are kept", n, len(first))
	}
	requested := *s
	requested.Requests = append([]refresh.Requests{}, s.Requests...)
	fast := 0
	for m := range first {
		if slices.ContainsFunc(c.table[c.slow:], func(d description) bool { return d.desc == m.Desc() }) {
			fast++
		}
	}
	if n := kept(&requested); n != len(first)-fast {
		t.Errorf("another State of the same snapshot: %d of %d metrics are kept, want %d", n, len(first), len(first)-fast)
	}
	if kept(); len(c.memo) != 0 {
		t.Errorf("directories that are gone are remembered: %v", c.memo)
	}
}

// Whatever changes shows, however much of it is remembered.
func TestMemoIsNeverStale(t *testing.T) {
	for name, change := range map[string]func(*refresh.State){
		"snapshot": func(s *refresh.State) { s.Snapshot = snapshot(); s.Snapshot.Tasks[0].N = 99 },
		"none":     func(s *refresh.State) { s.Snapshot = nil },
		"name":     func(s *refresh.State) { s.Name = "renamed" },
		"region":   func(s *refresh.State) { s.Region = "elsewhere" },
		"window":   func(s *refresh.State) { s.Window = time.Hour },
		"shown":    func(s *refresh.State) { s.Shown = 1 },
		"names":    func(s *refresh.State) { s.HideNames = true },
		"up":       func(s *refresh.State) { s.Up, s.ErrorKind = false, task.ErrorTimeout },
		"success":  func(s *refresh.State) { s.LastSuccess = at(time.Hour) },
		"requests": func(s *refresh.State) { s.Requests = s.Requests[:1] },
	} {
		c, old := New(), succeeded()
		scrape := func(c *Collector, s *refresh.State) string {
			return string(text(t, gather(t, c.For([]*refresh.State{s})), expfmt.NewFormat(expfmt.TypeTextPlain)))
		}
		before := scrape(c, old)
		changed := *old
		change(&changed)
		got, want := scrape(c, &changed), scrape(New(), &changed)
		if got != want || got == before {
			t.Errorf("%s: what is shown is not of the State given:\n%s", name, got)
		}
		if scrape(c, old) != before {
			t.Errorf("%s: going back shows something else", name)
		}
	}
}

// Scrapes at once, of States that differ, each see their own.
func TestScrapesAtOnce(t *testing.T) {
	c := New()
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			s := succeeded()
			s.Succeeded = uint64(i)
			for range 20 {
				registry := prometheus.NewPedanticRegistry()
				registry.MustRegister(c.For([]*refresh.State{s, started()}))
				if n, err := testutil.GatherAndCount(registry, "cloudsso_tasks"); err != nil || n != 12 {
					t.Errorf("%d series, %v", n, err)
				}
				families, _ := registry.Gather()
				for _, f := range families {
					for _, m := range f.Metric {
						if f.GetName() == "cloudsso_refreshes_total" && label(m, "result") == "success" && m.GetCounter().GetValue() != float64(i) {
							t.Errorf("scrape %d shows %v successes", i, m.GetCounter().GetValue())
						}
					}
				}
			}
		})
	}
	wg.Wait()
}
