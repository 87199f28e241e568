package command

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"cloudsso_exporter/internal/simulator"
	"cloudsso_exporter/internal/task"
)

// The past week of a directory at a step of a minute: one task in twenty fails and is retried.
func BenchmarkBackfill(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprintf("tasks=%d", n), func(b *testing.B) {
			for b.Loop() {
				r := newRig(b, simulator.Options{})
				records := spread(0, n, rigBegins.Add(-167*time.Hour), 166*time.Hour)
				for i := range records {
					records[i].End = records[i].Start.Add(time.Duration(25+i%70) * time.Second)
					switch i % 20 {
					case 0:
						records[i].Status, records[i].FailureReason = task.Failed, "EntityAlreadyExists.Role"
					case 4: // the retry
						of := records[i-4]
						records[i].TargetID, records[i].PrincipalID, records[i].AccessConfigurationID = of.TargetID, of.PrincipalID, of.AccessConfigurationID
					}
				}
				r.api.Directory("d-0000").Schedule(records...)
				base, highest := liveHeap(), peak()
				path := filepath.Join(b.TempDir(), "config.yaml")
				if err := os.WriteFile(path, []byte(withKey(unlimited+directories(1))), 0o600); err != nil {
					b.Fatal(err)
				}
				var out written
				c := Backfill{Step: time.Minute, Listing: Listing{Source: Source{File: path}, Now: r.time, Transport: r, Out: &out, Err: io.Discard}}
				began := time.Now()
				if err := c.Run(b.Context()); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(time.Since(began).Seconds(), "s/week")
				b.ReportMetric(float64(highest()-base)/1e6, "MB-at-most")
				b.ReportMetric(float64(out)/1e6, "MB-written")
			}
		})
	}
}

// written counts what is written.
type written int

func (n *written) Write(b []byte) (int, error) {
	*n += written(len(b))
	return len(b), nil
}
