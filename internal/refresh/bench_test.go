package refresh

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strconv"
	"testing"
	"time"

	"cloudsso_exporter/internal/task"
)

// bulkAPI lists any number of finished tasks, sorted by start, fast.
type bulkAPI struct {
	now   time.Time
	tasks []task.Task
	calls int
}

func (b *bulkAPI) Now() time.Time { return b.now }

func (b *bulkAPI) Pages(_ context.Context, q task.Query, p task.Paging) iter.Seq2[task.Page, error] {
	first, _ := slices.BinarySearchFunc(b.tasks, q.From, func(t task.Task, from time.Time) int { return t.Start.Compare(from) })
	list := b.tasks[first:]
	if q.Status == task.InProgress {
		list = nil
	}
	return func(yield func(task.Page, error) bool) {
		offset, _ := strconv.Atoi(p.Token)
		for next := "-"; next != ""; {
			if !p.NoRetry { // the walk for drift counts apart
				b.calls++
			}
			end := min(offset+pageSize, len(list))
			page := task.Page{Tasks: list[offset:end]}
			if offset = end; end < len(list) {
				page.Next = strconv.Itoa(end)
			}
			next = page.Next
			if !yield(page, nil) {
				return
			}
		}
	}
}

// add starts n tasks that end at once, spread evenly up to now.
func (b *bulkAPI) add(n int, over time.Duration) {
	from := b.now.Add(-over)
	for i := range n {
		at := from.Add(time.Duration(float64(over) * float64(i+1) / float64(n))).Truncate(time.Second)
		number := len(b.tasks)
		b.tasks = append(b.tasks, task.Task{
			ID: fmt.Sprintf("t-%08d", number), Type: task.CreateAccessAssignment, Status: task.Success, Start: at, End: at,
			AccessConfigurationID: fmt.Sprintf("ac-%d", number/500%40), TargetType: "RD-Account", TargetID: strconv.Itoa(number % 500),
			PrincipalType: "User", PrincipalID: fmt.Sprintf("u-%d", number%2000),
		})
	}
}

// steady is a directory with a window of so many tasks.
type steady struct {
	api *bulkAPI
	d   *Directory
}

func newSteady(b *testing.B, tasks int) *steady {
	s := &steady{api: &bulkAPI{now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}}
	s.api.add(tasks, 6*24*time.Hour)
	s.api.now = s.api.now.Add(10 * time.Minute)
	set := Settings{DirectoryID: "d-1"}
	set.Window, set.ReasonLimit, set.MaxAge = 7*24*time.Hour, 50, 30*24*time.Hour
	s.d = NewDirectory(set, s.api, NewMeter(s.api.now), nil, s.api.Now, slog.New(slog.DiscardHandler))
	s.attempt(b)
	if !s.d.State().Up {
		b.Fatal(s.d.State().Error)
	}
	return s
}

func (s *steady) refresh(b *testing.B, n int) (took time.Duration, calls int) {
	for range n {
		s.api.now = s.api.now.Add(time.Minute)
		s.api.add(3, 30*time.Second)
		t, c := s.attempt(b)
		took += t
		calls += c
	}
	return took / time.Duration(n), calls
}

// attempt makes a refresh; the walk for drift that follows it counts apart.
func (s *steady) attempt(b *testing.B) (took time.Duration, calls int) {
	s.api.calls = 0
	f := newFlight(s.api.now)
	ended := make(chan struct{})
	began := time.Now()
	go func() {
		s.d.attempt(b.Context(), f)
		close(ended)
	}()
	<-f.answered
	took, calls = time.Since(began), s.api.calls
	<-ended
	return took, calls
}

// A steady refresh costs the same, in calls and in CPU, however large the window:
// the median from the second hour on, when the walk for drift is under way.
func BenchmarkSteadyRefresh(b *testing.B) {
	sizes := []int{1_000, 10_000, 100_000, 1_000_000}
	directories := make([]*steady, len(sizes))
	for i, n := range sizes {
		directories[i] = newSteady(b, n)
		directories[i].refresh(b, 70)
	}
	const rounds = 200
	took := make([][]time.Duration, len(sizes))
	calls := make([]int, len(sizes))
	for b.Loop() {
		for range rounds {
			for i, d := range directories {
				t, c := d.refresh(b, 1)
				calls[i] += c
				took[i] = append(took[i], t)
			}
		}
	}
	median := func(i int) time.Duration {
		slices.Sort(took[i])
		return took[i][len(took[i])/2]
	}
	for i, n := range sizes {
		b.ReportMetric(median(i).Seconds()*1e3, fmt.Sprintf("ms/refresh-%d", n))
		b.ReportMetric(float64(calls[i])/float64(b.N*rounds), fmt.Sprintf("calls/refresh-%d", n))
	}
	ratio := float64(median(3)) / float64(median(1))
	b.ReportMetric(ratio, "ratio-1M-10k")
	if ratio > 1.5 || median(3) > 5*time.Millisecond {
		b.Errorf("a refresh of 1,000,000 tasks takes %v, %.2f times as long as one of 10,000: at most 5ms and 1.5", median(3), ratio)
	}
}
