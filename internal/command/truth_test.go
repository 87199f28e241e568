package command

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"cloudsso_exporter/internal/simulator"
	"cloudsso_exporter/internal/task"
)

// The truth about a directory, counted in the plainest way from what the API knows,
// and apart from the exporter.

// typeStatus is what tasks are counted by.
type typeStatus struct {
	Type   task.Type
	Status task.Status
}

// inWindow counts the tasks that started within [from, now].
func inWindow(d *simulator.Directory, from, now time.Time) map[typeStatus]int {
	counts := map[typeStatus]int{}
	for _, t := range d.Tasks(from, now) {
		if !t.Start.After(now) {
			counts[typeStatus{t.Type, t.Status}]++
		}
	}
	return counts
}

// streak is a subject whose latest finished task failed.
type streak struct {
	last  task.Task
	began map[task.Type]time.Time // ends of the first failures by type
}

// since is when the failures of the last one's type began.
func (s streak) since() time.Time { return s.began[s.last.Type] }

// unresolved returns the subjects that are failed at now, judged by the tasks that
// started at or after from. The latest finished task (by end, start, id) decides; a
// successful de-provisioning settles the earlier failed assignments of its access
// configuration on its target as well.
func unresolved(d *simulator.Directory, from, now time.Time) map[task.Subject]streak {
	finished := slices.DeleteFunc(d.Tasks(from, now), func(t task.Task) bool { return !t.Finished() })
	slices.SortFunc(finished, func(a, b task.Task) int {
		return cmp.Or(a.End.Compare(b.End), a.Start.Compare(b.Start), cmp.Compare(a.ID, b.ID))
	})
	streaks := map[task.Subject]streak{}
	for _, t := range finished {
		subject := t.Subject()
		if t.Status == task.Failed {
			began := streaks[subject].began
			if began == nil {
				began = map[task.Type]time.Time{}
			}
			if began[t.Type].IsZero() {
				began[t.Type] = t.End
			}
			streaks[subject] = streak{t, began}
			continue
		}
		delete(streaks, subject)
		if t.Status == task.Success && t.Type == task.DeprovisionAccessConfiguration {
			maps.DeleteFunc(streaks, func(s task.Subject, _ streak) bool {
				return s.Kind == task.Assignment && s.AccessConfigurationID == subject.AccessConfigurationID &&
					s.TargetID == subject.TargetID && s.OriginTargetID == subject.OriginTargetID
			})
		}
	}
	return streaks
}
