package refresh

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"cloudsso_exporter/internal/ledger"
	"cloudsso_exporter/internal/task"
)

// FuzzMakePlan makes up what is known and checks what every plan has to hold: no
// Filter that the API refuses, everything new listed, every followed task that can still
// be listed either listed or asked for, and no more calls than the formula says.
func FuzzMakePlan(f *testing.F) {
	f.Add(int64(60), int64(300), 3, false, []byte{1, 2, 3})
	f.Add(int64(-1), int64(300), 10_000, true, []byte{})
	f.Add(int64(8*24*3600), int64(1800), 100_000, false, []byte{255, 254, 0, 7})
	f.Add(int64(0), int64(0), 0, true, []byte{200})
	f.Fuzz(func(t *testing.T, sinceLast, margin int64, tasks int, full bool, running []byte) {
		sinceLast = min(max(sinceLast, -1), 30*24*3600)
		margin = min(max(margin, 0), int64(maxMargin/time.Second))
		tasks = min(max(tasks, 0), 2_000_000)
		k := Known{
			Full:   full || sinceLast < 0,
			Margin: time.Duration(margin) * time.Second,
			StartedSince: func(at time.Time) int { // evenly over a week
				return int(float64(tasks) * max(0, float64(planNow.Sub(at))/float64(listed)))
			},
		}
		if sinceLast >= 0 {
			k.From = ago(time.Duration(sinceLast) * time.Second)
		}
		for i, b := range running {
			k.Running = append(k.Running, ledger.Running{
				ID: fmt.Sprint(i), Start: ago(time.Duration(b) * 47 * time.Minute), Type: task.Types()[i%4],
				Subject: task.Filter{AccessConfigurationID: "ac-1"},
			})
		}
		slices.SortFunc(k.Running, func(a, b ledger.Running) int { return a.Start.Compare(b.Start) })

		p := MakePlan(k, planNow)
		if len(p.Queries) == 0 || len(p.Queries) > 2 {
			t.Fatalf("%d queries", len(p.Queries))
		}
		cost := 0
		for _, q := range p.Queries {
			if q.From.Before(ago(listed)) {
				t.Errorf("a Filter from %v, older than the API lists", planNow.Sub(q.From))
			}
			if q.Status == "" {
				cost += calls(k.StartedSince(q.From))
			} else {
				cost += calls(len(k.Running))
			}
		}
		if first := p.Queries[0]; first.Status != "" || first.From.After(p.Since) {
			t.Errorf("the first query is %+v, all that started since %v has to be listed", first, p.Since)
		}
		if !k.From.IsZero() && p.Since.After(k.From.Add(-Overlap)) && p.Since.After(p.Listed) {
			t.Errorf("since %v leaves a gap after %v", p.Since, k.From)
		}
		if k.Full && p.Since.After(p.Listed) {
			t.Errorf("a full read since %v, listed since %v", p.Since, p.Listed)
		}
		if !k.Full {
			limit := calls(k.StartedSince(k.From.Add(-Overlap).Truncate(time.Second))) + calls(len(k.Running))
			if cost > limit {
				t.Errorf("%d calls, at most %d", cost, limit)
			}
		}

		missing := p.Missing(k, func(string) bool { return false })
		asked := Stragglers(k, missing)
		if len(asked) > len(missing) {
			t.Errorf("%d queries for %d missing tasks", len(asked), len(missing))
		}
		for _, r := range k.Running {
			if r.Start.Before(p.Listed) || !r.Start.Before(p.Since) {
				continue // cannot be listed, or is
			}
			if !slices.ContainsFunc(asked, func(q task.Query) bool {
				return !q.From.After(r.Start) && (q.Type == "" || q.Type == r.Type)
			}) {
				t.Errorf("nothing asks for %v", r)
			}
		}
	})
}
