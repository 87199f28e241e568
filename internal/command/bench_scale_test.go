package command

import (
	"fmt"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	"cloudsso_exporter/internal/simulator"
	"cloudsso_exporter/internal/task"
)

// The program as users run it, with a state folder and scraped over HTTP with
// gzip, for directories of several sizes: the first read and its commit, steady
// refreshes, cached scrapes and a restart.
func BenchmarkScale(b *testing.B) {
	for _, size := range []struct{ directories, tasks int }{
		{1, 1_000}, {1, 5_000}, {1, 10_000}, {1, 100_000}, {1, 200_000}, {1, 1_000_000}, {200, 5_000},
	} {
		b.Run(fmt.Sprintf("%dx%d", size.directories, size.tasks), func(b *testing.B) {
			for b.Loop() {
				s := newScale(b, size.directories, size.tasks)
				s.firstRead()
				s.steady()
				s.idle()
				s.restart()
				runtime.KeepAlive(s)
			}
		})
	}
}

// scale is a program that watches so many directories of so many tasks each.
type scale struct {
	*rig
	folder, yaml       string
	directories, tasks int
	base               int64 // heap without the program, in bytes
}

func newScale(b *testing.B, count, tasks int) *scale {
	s := &scale{rig: newRig(b, simulator.Options{}), directories: count, tasks: tasks}
	s.folder, s.yaml = filepath.Join(b.TempDir(), "state"), unlimited+directories(count)
	for i := range count {
		s.put(numbered(i), 0, tasks, rigBegins.Add(-160*time.Hour), 159*time.Hour)
	}
	s.base = liveHeap()
	return s
}

func numbered(i int) string { return fmt.Sprintf("d-%04d", i) }

// firstRead reads all there is and commits it for the first time.
func (s *scale) firstRead() {
	defer debug.SetGCPercent(debug.SetGCPercent(10)) // often, so that the height is seen
	highest := peak()
	began := time.Now()
	s.start(s.yaml, s.folder)
	s.refresh(s.tasks)
	s.ReportMetric(time.Since(began).Seconds(), "s/first-read")
	most, after := float64(highest()-s.base), float64(liveHeap()-s.base)
	s.ReportMetric(most/1e6, "MB-at-most")
	s.ReportMetric(after/1e6, "MB-after")
	s.ReportMetric(most/after, "×after")
	s.ReportMetric(after/float64(s.directories*s.tasks), "B/task")
}

// steady scrapes once a minute and once more, with three new tasks a minute in each directory.
func (s *scale) steady() {
	const rounds, fresh = 60, 3
	s.calls()
	var due, cached []time.Duration
	written, synced, calls := int64(0), 0, map[int]bool{}
	for range rounds {
		s.pass(time.Minute)
		for i := range s.directories {
			s.put(numbered(i), s.tasks, fresh, s.time().Add(-30*time.Second), 30*time.Second)
		}
		s.tasks += fresh
		before := s.sizes()
		due = append(due, s.scrape())
		cached = append(cached, s.scrape())
		for path, size := range s.sizes() {
			if size > before[path] { // or the file was compacted
				written += size - before[path]
				synced++
			}
		}
		calls[s.calls()] = true
	}
	s.refresh(s.tasks)
	each := float64(rounds * s.directories)
	s.ReportMetric(float64(written)/each, "B-written/refresh")
	s.ReportMetric(float64(synced)/each, "fsyncs/refresh")
	s.ReportMetric(float64(slices.Max(slices.Collect(maps.Keys(calls))))/float64(s.directories), "calls/refresh")
	s.ReportMetric(median(due).Seconds()*1e3, "ms/refreshing-scrape")
	s.ReportMetric(median(cached).Seconds()*1e3, "ms/cached-scrape")
	s.ReportMetric(cached[len(cached)*99/100].Seconds()*1e3, "ms/cached-scrape-p99")
	s.ReportMetric(float64(median(due))/float64(median(cached)), "×cached")
}

// idle refreshes while nothing happens, for less than time alone is committed after.
func (s *scale) idle() {
	s.pass(5 * time.Minute) // which commits the time
	s.refresh(s.tasks)
	before := s.sizes()
	for range 4 {
		s.pass(time.Minute)
		s.refresh(s.tasks)
	}
	written := int64(0)
	for path, size := range s.sizes() {
		written += size - before[path]
	}
	s.ReportMetric(float64(written)/4/float64(s.directories), "B-written/idle-refresh")
}

// restart stops the program and starts it again, up to the answer to the first scrape.
func (s *scale) restart() {
	s.stop()
	s.pass(time.Minute)
	began := time.Now()
	s.start(s.yaml, s.folder)
	s.ReportMetric(time.Since(began).Seconds(), "s/listening")
	s.scrape()
	s.ReportMetric(time.Since(began).Seconds(), "s/first-scrape")
	s.refresh(s.tasks)
	s.stop()
}

// sizes are those of the state files, by path.
func (s *scale) sizes() map[string]int64 { return s.stateFiles(s.folder) }

func (r *rig) stateFiles(folder string) map[string]int64 {
	files, err := filepath.Glob(filepath.Join(folder, "*.state"))
	if err != nil {
		r.Fatal(err)
	}
	sizes := map[string]int64{}
	for _, path := range files {
		info, err := os.Stat(path)
		if err != nil {
			r.Fatal(err)
		}
		sizes[path] = info.Size()
	}
	return sizes
}

// Nothing grows over 10,000 refreshes 10 minutes apart, each with a commit and
// one in ten with a scrape, in a directory where three tasks start meanwhile and
// some fail for good. Before they are counted, all that is kept for a time (tasks
// for 7 days, unresolved failures and reasons for 30) has been kept for as long.
func BenchmarkGrowth(b *testing.B) {
	const warm, refreshes, apart = 6_000, 10_000, 10 * time.Minute
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
			for _, size := range r.stateFiles(path) {
				file += size
			}
			return liveHeap(), settled(), file
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
