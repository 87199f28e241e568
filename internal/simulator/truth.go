package simulator

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"cloudsso_exporter/internal/task"
)

// The truth about a directory, counted in the plainest way and apart from any
// client: from the records, not from what was listed or asked.

// TypeStatus is what tasks are counted by.
type TypeStatus struct {
	Type   task.Type
	Status task.Status
}

// all yields every record that started at or after from, those of the generator
// up to until. Call with the lock held.
func (d *Directory) all(from, until time.Time) iter.Seq[*Record] {
	return func(yield func(*Record) bool) {
		for _, r := range startedSince(d.sorted, from) {
			if !yield(r) {
				return
			}
		}
		if d.made.generate == nil {
			return
		}
		// Straight from the generator, so that a mistake in what is kept of it shows.
		for r := range d.made.generate(from, until) {
			if !yield(&r) {
				return
			}
		}
	}
}

// Tasks returns what the API knows at now of the tasks that started at or after
// from, by the StartTime listed, those that are not listed yet left out; by start,
// then id.
func (d *Directory) Tasks(from, now time.Time) []task.Task {
	d.mu.Lock()
	defer d.mu.Unlock()
	records := slices.SortedFunc(d.all(from, now), byStart)
	tasks := make([]task.Task, 0, len(records))
	for _, r := range records {
		if t, ok := r.at(now); ok && !t.Start.Before(from) {
			tasks = append(tasks, t)
		}
	}
	return tasks
}

// Count counts tasks by type and status.
func Count(tasks []task.Task) map[TypeStatus]int {
	counts := map[TypeStatus]int{}
	for _, t := range tasks {
		counts[TypeStatus{t.Type, t.Status}]++
	}
	return counts
}

// InWindow counts the tasks that started within [from, now] by type and status.
func (d *Directory) InWindow(from, now time.Time) map[TypeStatus]int {
	return Count(slices.DeleteFunc(d.Tasks(from, now), func(t task.Task) bool { return t.Start.After(now) }))
}

// Started returns, as they stand at until, the tasks that are listed then and
// were not at after, by the clock: those put by hand count by their StartTime.
func (d *Directory) Started(after, until time.Time) []task.Task {
	return d.became(after, until, (*Record).appeared)
}

// Finished returns the tasks that were first listed as finished within (after, until].
func (d *Directory) Finished(after, until time.Time) []task.Task {
	return d.became(after, until, func(r *Record) time.Time {
		switch {
		case r.End.IsZero(), r.frozen && r.Status == task.InProgress:
			return time.Time{}
		case r.End.Before(r.appeared()):
			return r.appeared()
		default:
			return r.End
		}
	})
}

// appeared is when the task is first listed or, put by hand, when it started.
func (r *Record) appeared() time.Time {
	if r.frozen {
		return r.Start
	}
	return r.listed()
}

// longestLife is how long a task can have run at most for Started and Finished
// to know of it.
const longestLife = 60 * 24 * time.Hour

func (d *Directory) became(after, until time.Time, when func(*Record) time.Time) []task.Task {
	d.mu.Lock()
	defer d.mu.Unlock()
	var tasks []task.Task
	for r := range d.all(after.Add(-longestLife), until) {
		at := when(r)
		if at.IsZero() || !at.After(after) || at.After(until) {
			continue
		}
		if t, ok := r.at(until); ok {
			tasks = append(tasks, t)
		}
	}
	return tasks
}

// Streak is a subject whose latest finished task failed.
type Streak struct {
	Last  task.Task // its latest finished task
	Since time.Time // end of the first failure of its type after the last success

	began map[task.Type]time.Time // ends of the first failures by type
}

// Unresolved returns the subjects that are failed at now, judged by the tasks
// that started at or after from. The latest finished task (by end, start, id)
// decides; a successful de-provisioning settles the earlier failed assignments
// of its access configuration on its target as well.
func (d *Directory) Unresolved(from, now time.Time) map[task.Subject]Streak {
	tasks := d.Tasks(from, now)
	var finished []*task.Task
	for i := range tasks {
		if tasks[i].Finished() {
			finished = append(finished, &tasks[i])
		}
	}
	slices.SortFunc(finished, func(a, b *task.Task) int {
		return cmp.Or(a.End.Compare(b.End), a.Start.Compare(b.Start), cmp.Compare(a.ID, b.ID))
	})
	streaks := map[task.Subject]Streak{}
	for _, t := range finished {
		subject := t.Subject()
		streak, failing := streaks[subject]
		switch t.Status {
		case task.Failed:
			if !failing {
				streak.began = map[task.Type]time.Time{}
			}
			if streak.began[t.Type].IsZero() {
				streak.began[t.Type] = t.End
			}
			streaks[subject] = Streak{*t, streak.began[t.Type], streak.began}
		default:
			delete(streaks, subject)
		}
		if t.Status != task.Success || t.Type != task.DeprovisionAccessConfiguration {
			continue
		}
		for s := range streaks {
			if s.Kind == task.Assignment && s.AccessConfigurationID == t.AccessConfigurationID && s.TargetID == t.TargetID {
				delete(streaks, s)
			}
		}
	}
	return streaks
}
