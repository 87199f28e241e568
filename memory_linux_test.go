package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"cloudsso_exporter/internal/task"
)

// What deploy/kubernetes allows the program, and what it then says it holds.
const (
	memoryLimit   = 256 << 20
	goMemoryLimit = "204MiB"
	tasksInLimit  = 500_000
)

// With the memory of the manifest the program reads, commits and restarts with as many tasks as the manifest says.
func BenchmarkMemoryLimit(b *testing.B) {
	b.Setenv("GOMEMLIMIT", goMemoryLimit)
	for b.Loop() {
		_, directory, config := api(b, "api: {rate_limit: 100000, burst: 100000}\n")
		tasks := make([]task.Task, tasksInLimit)
		for n := range tasks {
			status := task.Success
			if n%20 == 0 {
				status = task.Failed
			}
			t := newTask(n, status, time.Now().Add(-time.Hour-time.Duration(n)*(6*24*time.Hour/tasksInLimit)))
			t.TargetID, t.PrincipalID = fmt.Sprint(1000+n%500), fmt.Sprintf("u-%d", n%5000)
			tasks[n] = t
		}
		directory.Put(tasks...)
		args := []string{"--config.file=" + config, "--storage.path=" + filepath.Join(b.TempDir(), "state")}
		most := 0
		for _, run := range []string{"first-read", "restart"} {
			r := start(b, args...)
			for r.shown(b) != tasksInLimit {
				time.Sleep(100 * time.Millisecond)
			}
			resident := r.highestResident(b)
			b.ReportMetric(float64(resident)/(1<<20), "MiB-"+run)
			most = max(most, resident)
			r.stop(b, syscall.SIGTERM)
		}
		if most > memoryLimit {
			b.Errorf("%d tasks take %d MiB at their height, more than the limit of %d", tasksInLimit, most>>20, memoryLimit>>20)
		}
	}
}

// shown is how many tasks the window gauges count.
func (r *running) shown(tb testing.TB) (sum int) {
	for _, v := range r.series(tb, "cloudsso_tasks") {
		var n int
		fmt.Sscan(v, &n)
		sum += n
	}
	return sum
}

// highestResident is the most memory that the process has held, in bytes.
func (r *running) highestResident(tb testing.TB) int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.Process.Pid))
	if err != nil {
		tb.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if found, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kB := 0
			fmt.Sscan(found, &kB)
			return kB << 10
		}
	}
	tb.Fatal("no VmHWM")
	return 0
}
