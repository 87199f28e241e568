package window

import (
	"cmp"
	"slices"
	"time"

	"cloudsso_exporter/internal/task"
)

// Running is a task that has not ended as far as known.
type Running struct {
	ID      string
	Start   time.Time
	Type    task.Type
	Subject task.Filter // narrows a query to its tasks
}

// From is where the next refresh has to look from: the start of the last
// complete one, zero before the first. A failure that the filter did not show
// until now may have been resolved unseen: then it is the end of the oldest such.
func (w *Window) From() time.Time {
	from := w.meta.From
	if !w.Complete() || w.set.Filter == w.meta.CoverageUnder {
		return from
	}
	for _, bySubject := range w.failures {
		for _, all := range bySubject {
			first := all.first()
			if at := moment(first.ended()); at.Before(from) && !w.meta.CoverageUnder.Matches(first.task()) {
				from = at
			}
		}
	}
	return from
}

// Running lists the tasks that are followed, the oldest first.
func (w *Window) Running() []Running {
	all := make([]Running, 0, len(w.running))
	for r := range w.running {
		all = append(all, Running{
			ID: r.id, Start: moment(r.start), Type: task.Type(r.typ.Value()), Subject: r.narrow(),
		})
	}
	slices.SortFunc(all, func(a, b Running) int {
		return cmp.Or(a.Start.Compare(b.Start), cmp.Compare(a.ID, b.ID))
	})
	return all
}

// narrow is the narrowest filter that lists the task. Half a pair is left out: the API does not take it.
func (r *record) narrow() task.Filter {
	target, principal := r.target.Value(), r.principal.Value()
	f := task.Filter{AccessConfigurationID: r.ac.Value().id}
	if target.id != "" && target.kind != "" {
		f.TargetID, f.TargetType = target.id, target.kind
	}
	if principal.id != "" && principal.kind != "" {
		f.PrincipalID, f.PrincipalType = principal.id, principal.kind
	}
	return f
}

// StartedSince estimates, to the minute, how many known tasks that can be listed
// started at or after t and not after the last cut.
func (w *Window) StartedSince(t time.Time) int {
	n := 0
	for m := minute(max(millis(t), millis(w.meta.At)-Listed.Milliseconds())); m <= minute(millis(w.meta.At)); m++ {
		n += w.minutes[m]
	}
	return n
}
