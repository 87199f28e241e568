package command

import (
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"cloudsso_exporter/internal/simulator"
	"cloudsso_exporter/internal/task"
)

// 200 directories with 5,000 tasks each in one process.
func BenchmarkManyDirectories(b *testing.B) {
	const count, each, perTask = 200, 5_000, 300
	for b.Loop() {
		r := newRig(b, simulator.Options{})
		for i := range count {
			r.put(fmt.Sprintf("d-%04d", i), 0, each, rigBegins.Add(-160*time.Hour), 159*time.Hour)
		}
		highest := peak()
		began := time.Now()
		r.start(unlimited+directories(count), "")
		r.refresh(each)
		b.ReportMetric(time.Since(began).Seconds(), "s/first-read")
		most, least := highest(), liveHeap()

		r.scrape()
		var cached []time.Duration
		for range 200 {
			cached = append(cached, r.scrape())
		}
		b.ReportMetric(median(cached).Seconds()*1e3, "ms/cached-scrape")
		b.ReportMetric(cached[len(cached)*99/100].Seconds()*1e3, "ms/cached-scrape-p99")

		var due []time.Duration
		for i := range 20 {
			r.pass(time.Minute)
			for d := range count {
				r.put(fmt.Sprintf("d-%04d", d), each+3*i, 3, r.time().Add(-30*time.Second), 30*time.Second)
			}
			due = append(due, r.scrape())
		}
		b.ReportMetric(median(due).Seconds()*1e3, "ms/refreshing-scrape")
		r.refresh(each + 3*len(due))

		r.stop()
		base := liveHeap() // the simulated API's
		b.ReportMetric(float64(most-base)/1e6, "MB-at-most")
		b.ReportMetric(float64(least-base)/1e6, "MB-after")
		if per := float64(least-base) / count / each; per > perTask {
			b.Errorf("%.0f bytes of heap a task, at most %d", per, perTask)
		}
		runtime.KeepAlive(r)
	}
}

// Nothing grows over 10,000 refreshes 10 minutes apart, each with a commit and
// one in ten with a scrape, in a directory where three tasks start meanwhile and
// some fail for good. Before they are counted, all that is kept for a time (tasks
// for 7 days, unresolved failures and reasons for 30) has been kept for as long.
func BenchmarkGrowth(b *testing.B) {
	const warm, refreshes, apart = 5_000, 10_000, 10 * time.Minute
	const mostHeap, mostFile = 1.1, 2 // a file grows by doubling: one step is as little as it can be
	for b.Loop() {
		r := newRig(b, simulator.Options{})
		r.api.Directory("d-0000").Generate(threeEvery(apart))
		path := filepath.Join(b.TempDir(), "state")
		r.start(unlimited+directories(1), path)
		r.group.Await(b.Context())
		run := func(n int) (heap int64, goroutines int, file int64) {
			for i := range n {
				r.pass(apart)
				if r.group.Await(b.Context()); i%10 == 0 {
					r.scrape()
				}
				r.api.ForgetCalls()
			}
			if s := r.group.States()[0]; !s.Up || s.FailedAttempts > 0 || sum(s) < 3_000 {
				b.Fatalf("%d refreshes failed; %d tasks: %s", s.FailedAttempts, sum(s), s.Error)
			}
			info, err := os.Stat(path)
			if err != nil {
				b.Fatal(err)
			}
			return liveHeap(), settled(), info.Size()
		}
		heap0, goroutines0, file0 := run(warm)
		began := time.Now()
		heap1, goroutines1, file1 := run(refreshes)
		b.ReportMetric(float64(time.Since(began).Microseconds())/refreshes, "µs/refresh")
		heap, file := float64(heap1)/float64(heap0), float64(file1)/float64(file0)
		b.ReportMetric(heap, "×heap")
		b.ReportMetric(file, "×file")
		b.ReportMetric(float64(goroutines1-goroutines0), "goroutines-more")
		if heap > mostHeap || file > mostFile || goroutines1 > goroutines0 {
			b.Errorf("over %d refreshes the heap went from %d to %d bytes, the state folder from %d to %d, goroutines from %d to %d",
				refreshes, heap0, heap1, file0, file1, goroutines0, goroutines1)
		}
		r.stop()
	}
}

// threeEvery is three tasks a period, which end within 9 s; one in 50 fails.
func threeEvery(period time.Duration) simulator.Generator {
	return func(from, until time.Time) iter.Seq[simulator.Record] {
		return func(yield func(simulator.Record) bool) {
			for at := from.Truncate(period); !at.After(until); at = at.Add(period) {
				for i := range 3 {
					start := at.Add(period * time.Duration(i) / 3)
					if start.Before(from) || start.After(until) {
						continue
					}
					number := int(at.UnixNano()/int64(period))*3 + i
					record := quick(number, start)
					record.End = record.Start.Add(time.Duration(number%10) * time.Second)
					if number%50 == 7 {
						record.Status, record.FailureReason = task.Failed, fmt.Sprintf("No permission for the account %d.", number)
					}
					if !yield(record) {
						return
					}
				}
			}
		}
	}
}

// settled is the number of goroutines once those that are about to end have ended.
func settled() int {
	least := runtime.NumGoroutine()
	for range 50 {
		time.Sleep(2 * time.Millisecond)
		least = min(least, runtime.NumGoroutine())
	}
	return least
}

// A start with the state of 100,000 tasks, up to the answer to the first scrape.
func BenchmarkStart100k(b *testing.B) {
	const tasks, most = 100_000, time.Second
	path := filepath.Join(b.TempDir(), "state")
	r := newRig(b, simulator.Options{})
	r.put("d-0000", 0, tasks, rigBegins.Add(-160*time.Hour), 159*time.Hour)
	yaml := unlimited + directories(1)
	r.start(yaml, path)
	r.refresh(tasks)
	r.stop()
	var shown, answered []time.Duration
	for b.Loop() {
		r.pass(time.Minute)
		began := time.Now()
		r.start(yaml, path)
		if s := r.group.States()[0]; s.Snapshot == nil || sum(s) != tasks {
			b.Fatal("the state of the run before is not shown at once")
		}
		shown = append(shown, time.Since(began))
		r.scrape()
		answered = append(answered, time.Since(began))
		r.stop()
	}
	b.ReportMetric(median(shown).Seconds(), "s/state-shown")
	b.ReportMetric(median(answered).Seconds(), "s/first-scrape")
	if took := slices.Min(answered); took > most {
		b.Errorf("the first scrape after a start is answered after %v, at most %v", took, most)
	}
}
