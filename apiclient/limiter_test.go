package apiclient

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"cloudsso_exporter/internal/simulator"
	"cloudsso_exporter/internal/task"
)

// One directory reads 200 pages; nine others ask for one page each, later. With
// the limit shared in order none waits for more than one call of each.
func TestLimiterIsSharedFairly(t *testing.T) {
	bubble(t, 4000, simulator.Options{}, func(t *testing.T, s *simulator.Server, conf Config) {
		conf.Limiter = rate.NewLimiter(5, 10)
		conf.PageTimeout = 10 * time.Minute
		var wg sync.WaitGroup
		began := time.Now()
		wg.Go(func() {
			if ids, _, err := read(New(conf), since(localNow()), task.Paging{}); err != nil || len(ids) != 4000 {
				t.Errorf("%d tasks, %v", len(ids), err)
			}
		})
		time.Sleep(10 * time.Second)
		for range 9 {
			wg.Go(func() {
				asked := time.Now()
				for _, err := range New(conf).Pages(t.Context(), since(localNow()), task.Paging{}) {
					if err != nil {
						t.Error(err)
					}
					break
				}
				if took := time.Since(asked); took > 2*time.Second {
					t.Errorf("a quiet directory waited %s", took)
				}
			})
		}
		wg.Wait()
		// 10 at once, then 5 a second.
		if took, want := time.Since(began), (209-10)*200*time.Millisecond; took < want || took > want+time.Second {
			t.Errorf("209 calls took %s, want %s", took, want)
		}
	})
}

func TestLimiterThatCannotMakeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := note(sends(200, nil, emptyPage))
		n.Limiter = rate.NewLimiter(rate.Every(90*time.Second), 1)
		var seen attempts
		n.Observe = seen.Observe
		c := New(n.Config)
		began := time.Now()
		if _, _, err := read(c, task.Query{}, task.Paging{}); err != nil {
			t.Fatal(err)
		}
		for range 3 { // and takes no place in the queue
			_, _, err := read(c, task.Query{}, task.Paging{})
			if failed := asError(t, err); failed.Kind != task.ErrorThrottled || !strings.Contains(err.Error(), "api.rate_limit") || failed.RefusesQuery() {
				t.Errorf("%v", err)
			}
		}
		if time.Since(began) != 0 || seen.String() != "OK" {
			t.Errorf("%s, observed %q", time.Since(began), seen.String())
		}
		time.Sleep(45 * time.Second)
		if _, _, err := read(c, task.Query{}, task.Paging{}); err != nil || time.Since(began) != 90*time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		if len(n.pauses) != 1 || n.pauses[0] != 45*time.Second {
			t.Errorf("pauses told of: %v", n.pauses)
		}
	})
}
