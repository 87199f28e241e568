package store

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"cloudsso_exporter/internal/ledger"
)

// BenchmarkState writes, loads and appends to a state of a million tasks.
func BenchmarkState(b *testing.B) {
	records := tasks(0, 1_000_000)
	all := func() ledger.Change { return ledger.Change{Put: slices.Values(records)} }
	for b.Loop() {
		path := b.TempDir()
		s := open(b, path)
		if err := s.Commit("d-1", ledger.Change{}, all); err != nil {
			b.Fatal(err)
		}
		info, err := os.Stat(filepath.Join(path, fileName("d-1")))
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(info.Size())/float64(len(records)), "B/task")
		n := 0
		if whole, err := s.Load("d-1", func(c ledger.Change) error {
			for range c.Put {
				n++
			}
			return nil
		}); !whole || err != nil || n != len(records) {
			b.Fatal(whole, err, n)
		}
		s.Close()
	}
}
