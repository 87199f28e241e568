package command

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"cloudsso_exporter/internal/refresh"
	"cloudsso_exporter/internal/simulator"
)

// The first read of 100,000 tasks takes no longer than the latency of its calls, or the rate limit, makes it.
func TestFirstReadIsBoundByLatencyAndRate(t *testing.T) {
	for _, rate := range []float64{5, 1000} {
		synctest.Test(t, func(t *testing.T) {
			const latency, calls = 20 * time.Millisecond, 5000
			l := newLab(t, fmt.Sprintf("api: {rate_limit: %v, burst: 10}\n%s", rate, directories(1)), simulator.Options{Latency: latency})
			l.api.Directory("d-0000").Schedule(spread(0, 20*calls, time.Now().Add(-160*time.Hour), 159*time.Hour)...)
			began := time.Now()
			l.start()
			for !l.group.States()[0].Up {
				time.Sleep(time.Second)
			}
			took := time.Since(began)
			bound := max(calls*latency, time.Duration(calls/rate*float64(time.Second)))
			if ratio := float64(took) / float64(bound); ratio > 1.2 {
				t.Errorf("%v a second: took %v, %.2f times what latency and rate make it", rate, took, ratio)
			} else {
				t.Logf("%v a second: took %v, %.2f times what latency and rate make it", rate, took, ratio)
			}
			l.stop()
		})
	}
}

// A whole exporter at scale, the rate limit raised: how long the first read takes, and what a task costs in memory.
func BenchmarkScale(b *testing.B) {
	for _, c := range []struct{ directories, tasks int }{{200, 5_000}, {1, 1_000_000}} {
		b.Run(fmt.Sprintf("%d directories, %d tasks each", c.directories, c.tasks), func(b *testing.B) {
			for b.Loop() {
				l := &lab{TB: b, yaml: "api: {rate_limit: 1e6, burst: 1000000}\n" + directories(c.directories), now: time.Now}
				l.api = simulator.New(simulator.Options{Keys: []simulator.Key{labKey}})
				now := time.Now()
				for i := range c.directories {
					l.api.Directory(fmt.Sprintf("d-%04d", i)).Schedule(spread(i*c.tasks, c.tasks, now.Add(-160*time.Hour), 159*time.Hour)...)
				}
				before := heap()
				began := time.Now()
				l.start()
				for up := false; !up; time.Sleep(10 * time.Millisecond) {
					up = !slices.ContainsFunc(l.group.States(), func(s *refresh.State) bool { return !s.Up })
				}
				b.ReportMetric(time.Since(began).Seconds(), "s-first-read")
				b.ReportMetric(float64(heap()-before)/float64(c.directories*c.tasks), "B-of-heap/task")
				if err := l.close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
