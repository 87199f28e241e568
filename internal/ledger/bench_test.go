package ledger

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"cloudsso_exporter/internal/task"
)

var benchNow = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// companyTask is one of a company of 500 accounts, 40 access configurations and 5,000 people.
func companyTask(i int, rng *rand.Rand, start time.Time) task.Task {
	target, principal, ac := rng.IntN(500), rng.IntN(5000), rng.IntN(40)
	if i%50 == 0 { // what fails fails again
		target, principal, ac = rng.IntN(10), rng.IntN(10), 0
	}
	t := task.Task{
		ID: fmt.Sprintf("t-sh5k4gesm6twl%08d", i), Type: task.Types()[i%4], Status: task.Success,
		Start: start, End: start.Add(time.Duration(1+rng.IntN(60)) * time.Second),
		AccessConfigurationID:   fmt.Sprintf("ac-00jhtfl8thteu6uj%04d", ac),
		AccessConfigurationName: fmt.Sprintf("Access-%d", ac),
		TargetType:              "RD-Account",
		TargetID:                fmt.Sprintf("114240524784%04d", target),
		TargetName:              fmt.Sprintf("account-%d", target),
	}
	if t.Type.Kind() == task.Assignment {
		t.PrincipalType = "User"
		t.PrincipalID = fmt.Sprintf("u-00q8wbq42wiltcrk%04d", principal)
		t.PrincipalName = fmt.Sprintf("user%d@corp.example", principal)
	}
	if i%50 == 0 {
		t.Status, t.FailureReason = task.Failed, "EntityAlreadyExists.Role: the role already exists"
	}
	return t
}

// filled is a ledger of n finished tasks of a company over 6 days.
func filled(n int) *Ledger { return filledWith(n, companyTask) }

func filledWith(n int, one func(int, *rand.Rand, time.Time) task.Task) *Ledger {
	w := New(Settings{Window: Retention, ReasonLimit: 50, MaxAge: 30 * 24 * time.Hour, Hold: 2 * time.Minute})
	rng := rand.New(rand.NewPCG(1, 1))
	b := NewBatch()
	for i := range n {
		start := benchNow.Add(-6*24*time.Hour + time.Duration(float64(i)/float64(n)*float64(6*24*time.Hour))).Truncate(time.Second)
		b.Add([]task.Task{one(i, rng, start)})
	}
	w.Apply(b, Span{Began: benchNow, At: benchNow, Since: benchNow.Add(-Retention)})
	w.Committed(benchNow)
	return w
}

func heapInUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func BenchmarkHeapPerTask(b *testing.B) {
	const n = 1_000_000
	for name, c := range map[string]struct {
		tasks func(int, *rand.Rand, time.Time) task.Task
		most  float64
	}{
		"usual":      {companyTask, 250},
		"long-texts": {wordyTask, 300},
	} {
		b.Run(name, func(b *testing.B) {
			for range b.N {
				before := heapInUse()
				w := filledWith(n, c.tasks)
				per := float64(heapInUse()-before) / n
				b.ReportMetric(per, "B/task")
				if per > c.most {
					b.Errorf("%.0f bytes of heap a finished task, at most %v", per, c.most)
				}
				runtime.KeepAlive(w)
			}
		})
	}
}

// wordyTask is one of a company where 5 % of the tasks fail, each with a long text of its own.
func wordyTask(i int, rng *rand.Rand, start time.Time) task.Task {
	t := companyTask(i, rng, start)
	if i%20 == 0 {
		t.Status = task.Failed
		t.FailureReason = fmt.Sprintf("NoPermission: RequestId %d: %s", i, strings.Repeat("You are not authorized to do this action. ", 12))
	}
	return t
}

// BenchmarkPage takes a page of new tasks, a second after the one before, into a
// small and a large window by turns, so that what else the machine does slows both.
func BenchmarkPage(b *testing.B) {
	const small, large, most = 10_000, 1_000_000, 1.5
	steady := map[int]*steadyWindow{}
	for _, n := range []int{small, large} {
		steady[n] = &steadyWindow{Ledger: filled(n), rng: rand.New(rand.NewPCG(2, 2)), id: n, now: benchNow}
	}
	took := map[int][]time.Duration{}
	for range max(b.N, 300) {
		for n, w := range steady {
			took[n] = append(took[n], w.page())
		}
	}
	typical := func(n int) float64 {
		slices.Sort(took[n])
		return float64(took[n][len(took[n])/2])
	}
	b.ReportMetric(typical(small)/1000, "µs/small-page")
	b.ReportMetric(typical(large)/1000, "µs/page")
	ratio := typical(large) / typical(small)
	b.ReportMetric(ratio, "ratio")
	if ratio > most {
		b.Errorf("a page into %d tasks takes %.2f times as long as into %d, at most %v", large, ratio, small, most)
	}
}

type steadyWindow struct {
	*Ledger
	rng *rand.Rand
	id  int
	now time.Time
}

// page applies and shows a page, with all that a refresh asks, and says how long it took.
func (w *steadyWindow) page() time.Duration {
	w.now = w.now.Add(time.Second)
	var tasks []task.Task
	for range 20 {
		tasks = append(tasks, companyTask(w.id, w.rng, w.now.Add(-time.Minute)))
		w.id++
	}
	began := time.Now()
	batch := NewBatch()
	batch.Add(tasks)
	w.Running()
	w.StartedSince(w.now.Add(-time.Hour))
	w.Apply(batch, Span{Began: w.now, At: w.now})
	w.Change()
	w.Committed(w.now)
	w.NextRelease()
	w.Snapshot()
	return time.Since(began)
}

// BenchmarkLeavingTogether takes in pages while 2,000 failures that started in
// one second leave a window of a day among 100,000 tasks, and while nothing leaves.
func BenchmarkLeavingTogether(b *testing.B) {
	const tasks, together, most = 100_000, 2_000, 1.5
	window := 24 * time.Hour
	rng := rand.New(rand.NewPCG(3, 3))
	w := &steadyWindow{Ledger: filled(tasks), rng: rng, id: 2 * tasks, now: benchNow}
	set := w.set
	set.Window = window
	w.Configure(set)
	batch := NewBatch()
	for i := range together {
		t := companyTask(50*i, rng, benchNow.Add(-window+10*time.Second)) // each 50th fails
		t.ID = fmt.Sprintf("together-%d", i)
		batch.Add([]task.Task{t})
	}
	w.Apply(batch, Span{Began: benchNow, At: benchNow, Since: benchNow.Add(-Retention)})
	w.Committed(benchNow)
	var leaving, other []time.Duration
	for i := range 400 {
		if took := w.page(); i >= 5 && i < 15 {
			leaving = append(leaving, took)
		} else if i >= 15 {
			other = append(other, took)
		}
	}
	slices.Sort(leaving)
	slices.Sort(other)
	slowest, usual := leaving[len(leaving)-1], other[len(other)/2]
	ratio := float64(leaving[len(leaving)/2]) / float64(usual)
	b.ReportMetric(float64(slowest.Microseconds()), "µs/slowest")
	b.ReportMetric(ratio, "ratio")
	if ratio > most {
		b.Errorf("a page takes %.2f times as long while failures leave together, at most %v", ratio, most)
	}
}
