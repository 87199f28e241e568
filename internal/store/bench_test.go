package store

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"cloudsso_exporter/internal/window"
)

// filled returns a store with one directory of n tasks, on the disk of the temporary folder.
func filled(b *testing.B, n int) (*Store, string) {
	path := filepath.Join(b.TempDir(), "state.db")
	s := mustOpen(b, path)
	mustCommit(b, s, "d-1", someChanges(n))
	return s, path
}

// What a commit writes must not depend on how much there is. The tasks are spread over
// all of it, the worst case: each is on a page of its own, below a branch of its own.
func BenchmarkCommit20(b *testing.B) {
	sizes := []int{1_000, 100_000}
	var took [2]time.Duration
	commits := func(s *Store, size, round int) time.Duration {
		ch := window.Changes{Counters: someCounters(9), Places: []window.Place{{Reason: "x"}}}
		for i := range 20 {
			ch.Put = append(ch.Put, someTask((round*20+i)*(size/1000)%size)) // spread over the whole state
		}
		start := time.Now()
		mustCommit(b, s, "d-1", ch)
		return time.Since(start)
	}
	var stores [2]*Store
	for i, n := range sizes {
		stores[i], _ = filled(b, n)
	}
	rounds := 0
	for b.Loop() {
		for i, s := range stores { // in turn, so that both see the same disk
			took[i] += commits(s, sizes[i], rounds)
		}
		rounds++
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(took[0].Microseconds())/float64(rounds)/1e3, "ms-into-1k")
	b.ReportMetric(float64(took[1].Microseconds())/float64(rounds)/1e3, "ms-into-100k")
	ratio := float64(took[1]) / float64(took[0])
	b.ReportMetric(ratio, "ratio-100k/1k")
	if rounds >= 100 && ratio > 3 {
		b.Errorf("a commit into 100,000 tasks takes %.1f times one into 1,000; at most 3", ratio)
	}
}

// From a closed file to the tasks in memory.
func BenchmarkOpenAndLoad100k(b *testing.B) {
	s, path := filled(b, 100_000)
	s.Close()
	var opened time.Duration
	for b.Loop() {
		start := time.Now()
		s := mustOpen(b, path)
		opened += time.Since(start)
		saved, err := s.Load("d-1")
		if err != nil || len(saved.Tasks) != 100_000 {
			b.Fatal(err)
		}
		s.Close()
	}
	b.ReportMetric(opened.Seconds()*1e3/float64(b.N), "ms-open")
	b.ReportMetric(b.Elapsed().Seconds()*1e3/float64(b.N), "ms-open+load")
}

func BenchmarkFirstCommit100k(b *testing.B) {
	s := mustOpen(b, filepath.Join(b.TempDir(), "state.db"))
	ch := someChanges(100_000)
	i := 0
	for b.Loop() {
		mustCommit(b, s, fmt.Sprintf("d-%d", i), ch)
		i++
	}
}

// All directories of a large exporter after one scrape: with and without shared transactions.
func BenchmarkCommit200Directories(b *testing.B) {
	const directories = 200
	run := func(b *testing.B, commit func(s *Store, i int)) {
		s := mustOpen(b, filepath.Join(b.TempDir(), "state.db"))
		for i := range directories {
			commit(s, i)
		}
		for b.Loop() {
			var wg sync.WaitGroup
			for i := range directories {
				wg.Go(func() { commit(s, i) })
			}
			wg.Wait()
		}
		b.ReportMetric(b.Elapsed().Seconds()*1e3/float64(b.N), "ms-all")
	}
	ch := someChanges(20)
	b.Run("shared", func(b *testing.B) {
		run(b, func(s *Store, i int) { mustCommit(b, s, fmt.Sprintf("d-%d", i), ch) })
	})
	b.Run("alone", func(b *testing.B) {
		run(b, func(s *Store, i int) {
			c, err := s.encode(fmt.Sprintf("d-%d", i), ch)
			if err != nil {
				b.Fatal(err)
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			s.commit([]*changeset{c})
			if c.err != nil {
				b.Fatal(c.err)
			}
		})
	})
}
