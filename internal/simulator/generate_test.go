package simulator

import (
	"fmt"
	"iter"
	"testing"
	"time"

	"cloudsso_exporter/internal/task"
)

const beat = 10 * time.Second

// steady makes a task that starts with every beat and runs for five.
func steady(from, until time.Time) iter.Seq[Record] {
	return func(yield func(Record) bool) {
		for at := from.Add(beat - 1).Truncate(beat); !at.After(until); at = at.Add(beat) {
			r := Record{Task: task.Task{ID: fmt.Sprint("t-", at.Unix()), Type: task.CreateAccessAssignment, Status: task.Success, Start: at, End: at.Add(5 * beat)}}
			if !yield(r) {
				return
			}
		}
	}
}

// What is kept of a generator has no gaps, wherever the clock goes.
func TestNothingIsMissedAsTheClockGoes(t *testing.T) {
	s, clock := newTestServer(t, Options{})
	d := s.Directory(testDirectory)
	d.Generate(steady)
	for _, step := range []time.Duration{
		0, 1, -1, 10 * time.Minute, 1, 11*time.Minute + 9500*time.Millisecond, 11 * time.Minute, 11 * time.Minute,
		25 * time.Hour, -23 * time.Hour, 3 * 24 * time.Hour, -2 * 24 * time.Hour, 20 * 24 * time.Hour, -20 * 24 * time.Hour, -20 * 24 * time.Hour, time.Second,
	} {
		clock.now = clock.now.Add(step)
		newest := clock.now.Truncate(beat)
		d.mu.Lock()
		from := newest.Add(-week)
		all := d.list(query{from: from}, clock.now)
		running := d.list(query{from: from, want: wanted{status: task.InProgress}}, clock.now)
		if n := len(all); n != int(week/beat)+1 || !all[0].Start.Equal(from) || !all[n-1].Start.Equal(newest) {
			t.Errorf("step %s: %d tasks, want one every 10 s of 7 days", step, n)
		}
		if len(running) != 5 || !running[4].Start.Equal(newest) {
			t.Errorf("step %s: %d run, want 5", step, len(running))
		}
		if n := len(d.listed) + len(d.waiting); n > 2*int(madeBehind/beat) {
			t.Errorf("step %s: %d records are kept", step, n)
		}
		d.mu.Unlock()
	}
	d.Generate(nil)
	if a := ask(s, "DirectoryId", testDirectory); len(a.Tasks) != 0 || len(d.running) != 0 || len(d.waiting) != 0 {
		t.Errorf("without a generator: %d tasks, %d running, %d waiting", len(a.Tasks), len(d.running), len(d.waiting))
	}
}
