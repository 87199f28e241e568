package command

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"cloudsso_exporter/internal/ledger"
	"cloudsso_exporter/internal/simulator"
	"cloudsso_exporter/internal/task"
)

// 347 random tasks, listed in any order while others arrive between the pages:
// every gauge is what is counted apart once they have ended.
func TestGaugesInAnyOrder(t *testing.T) {
	for _, order := range []simulator.Order{simulator.NewestFirst, simulator.OldestFirst, simulator.Shuffled} {
		for _, cursors := range []bool{false, true} {
			t.Run(fmt.Sprintf("order %v, cursors %v", order, cursors), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					rng := rand.New(rand.NewPCG(7, uint64(order)))
					l := newLab(t, "new_series_hold: 0s\nfailure_reasons: {rules: [{match: No Permission, reason: no_permission}, {match: Exists, reason: exists}]}\n"+directories(1),
						simulator.Options{Order: order, Cursors: cursors, RandomSeed: 3, Latency: 300 * time.Millisecond})
					d := l.api.Directory("d-0000")
					began := time.Now()
					var all []simulator.Record
					for i := range 347 {
						all = append(all, random(rng, i, began.Add(-time.Duration(rng.Int64N(int64(160*time.Hour))))))
					}
					for i := range 200 { // during the first read and after it
						all = append(all, random(rng, 1000+i, began.Add(time.Duration(rng.Int64N(int64(3*time.Minute))))))
					}
					d.Schedule(all...)
					l.start()
					for range 10 {
						s := l.scrape()[0]
						if !s.Up {
							t.Fatal(s.Error)
						}
						time.Sleep(time.Minute)
						if time.Since(began) < 6*time.Minute {
							continue // something may end between its page and the last one
						}
						if diff := gocmp.Diff(gaugesOf(d.Tasks(began.Add(-7*24*time.Hour), s.Snapshot.At)), gauges(s.Snapshot)); diff != "" {
							t.Errorf("(- counted apart, + shown):\n%s", diff)
						}
					}
					l.stop()
				})
			})
		}
	}
}

// random is a task of any kind; some run for hours.
func random(rng *rand.Rand, n int, start time.Time) simulator.Record {
	r := quick(n, start)
	r.Type = task.Types()[rng.IntN(4)]
	r.End = r.Start.Add(time.Duration(rng.IntN(100)) * time.Second)
	switch rng.IntN(6) {
	case 0:
		r.Status, r.FailureReason = task.Failed, "No Permission."
	case 1:
		r.Status, r.FailureReason = task.Failed, "EntityAlreadyExists.Role"
	case 2:
		r.End = r.Start.Add(time.Duration(rng.IntN(200)) * time.Hour)
	}
	return r
}

// gaugesOf counts tasks as they stand, in the plainest way.
func gaugesOf(tasks []task.Task) map[string]float64 {
	g := map[string]float64{}
	for _, t := range tasks {
		g[fmt.Sprintf("tasks %s %s", t.Type, t.Status)]++
		if t.Status == task.Failed {
			label := map[string]string{"No Permission.": "no_permission", "EntityAlreadyExists.Role": "exists"}[t.FailureReason]
			g[fmt.Sprintf("failed %s %s", t.Type, label)]++
		}
		if t.Status == task.InProgress {
			key := fmt.Sprintf("oldest %s", t.Type)
			if at, ok := g[key]; !ok || float64(t.Start.Unix()) < at {
				g[key] = float64(t.Start.Unix())
			}
			continue
		}
		key := fmt.Sprintf("end %s %s", t.Type, t.Status)
		g[key] = max(g[key], float64(t.End.Unix()))
	}
	return g
}

// gauges are what a snapshot shows, by the same names.
func gauges(s *ledger.Snapshot) map[string]float64 {
	g := map[string]float64{}
	for _, c := range s.Tasks {
		if c.N > 0 {
			g[fmt.Sprintf("tasks %s %s", c.Type, c.Status)] = float64(c.N)
		}
	}
	for _, c := range s.Failed {
		g[fmt.Sprintf("failed %s %s", c.Type, c.Reason)] = float64(c.N)
	}
	for _, c := range s.LastEnd {
		g[fmt.Sprintf("end %s %s", c.Type, c.Status)] = float64(c.At.Unix())
	}
	for _, c := range s.OldestInProgress {
		g[fmt.Sprintf("oldest %s", c.Type)] = float64(c.At.Unix())
	}
	return g
}
