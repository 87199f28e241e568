package command

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"syscall"
	"testing"
	"time"

	"cloudsso_exporter/internal/config"
	"cloudsso_exporter/internal/task"
)

type counter struct{ n int64 }

func (c *counter) Write(b []byte) (int, error) { c.n += int64(len(b)); return len(b), nil }

// week is n tasks of the 167 hours before now: one in twenty fails, most are retried with success.
func week(n int, now time.Time) (tasks []task.Task) {
	rng := rand.New(rand.NewPCG(7, 7))
	for i := range n {
		r := quick(i, now.Add(-time.Duration(rng.Int64N(int64(167*time.Hour)))))
		r.End = r.Start.Add(time.Duration(25+rng.IntN(70)) * time.Second)
		if rng.IntN(20) == 0 {
			r.Status, r.FailureReason = task.Failed, "EntityAlreadyExists.Role"
			retry := r.Task
			retry.ID, retry.Status, retry.FailureReason, retry.Start, retry.End = r.ID+"-again", task.Success, "", r.End.Add(time.Minute), r.End.Add(2*time.Minute)
			if rng.IntN(20) > 0 {
				tasks = append(tasks, retry)
			}
		}
		tasks = append(tasks, r.Task)
	}
	return tasks
}

func cpu() float64 {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

func BenchmarkBackfill(b *testing.B) {
	for _, n := range []int{10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			conf, err := config.Parse("test.yaml", []byte(withKey(directories(1))), config.Outside{})
			if err != nil {
				b.Fatal(err)
			}
			now := time.Date(2026, 11, 24, 12, 0, 30, 0, time.UTC)
			tasks := week(n, now)
			for b.Loop() {
				c := Backfill{Step: time.Minute}
				p := newPast(c.Step, nil)
				began := cpu()
				err := c.replay(b.Context(), (&exporter{}).settings(conf, conf.Directories[0]), tasks, now.Add(-168*time.Hour), now, p.add)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(cpu()-began, "replay-cpu-s")
				var m runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&m)
				b.ReportMetric(float64(m.HeapAlloc)/1e6, "heap-MB")
				began = cpu()
				var out counter
				w := bufio.NewWriter(io.Writer(&out))
				if err := p.write(b.Context(), w); err != nil {
					b.Fatal(err)
				}
				w.Flush()
				b.ReportMetric(cpu()-began, "write-cpu-s")
				b.ReportMetric(float64(out.n)/1e6, "MB")
			}
		})
	}
}
