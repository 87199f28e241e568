package ledger

import (
	"time"

	"cloudsso_exporter/internal/task"
)

// EventKind says what happened.
type EventKind string

// The kinds of event.
const (
	TaskFailed      EventKind = "task failed"
	TaskSucceeded   EventKind = "task succeeded"
	FailureResolved EventKind = "failure resolved"
	FailureGivenUp  EventKind = "failure given up"
)

// Event is something that was counted or that ended a streak of failures.
type Event struct {
	Kind     EventKind
	Task     task.Task // that ended; of a streak, its latest failed task
	Reason   string    // bounded, of a failed task
	Attempts int       // failed tasks of the streak so far
	Since    time.Time // of a streak: when it began, API time
	By       task.Task // the task that resolved it
}

// finished is the event of a task that was counted as finished.
func (a *application) finished(r *record) Event {
	e := Event{Kind: TaskSucceeded, Task: r.task()}
	if !r.failed() {
		return e
	}
	e.Kind, e.Reason = TaskFailed, r.reason()
	subject := e.Task.Subject()
	var open []failing
	for _, other := range a.provisionings.members[r.provisioning()] { // in the order they ended, as one of them failed
		if other.finished && a.provisionings.shows(other) {
			open = settle(open, other)
		}
		if other == r {
			break
		}
	}
	for _, f := range open {
		if f.subject == subject {
			e.Attempts, e.Since = len(f.streak()), moment(f.streak()[0].ended())
		}
	}
	return e
}

// resolved is the event of a streak that ended, if a task ended it.
func (l *Ledger) resolvedBy(f failing) (Event, bool) {
	for _, r := range l.provisionings.members[f.latest().provisioning()] {
		if r.finished && !r.failed() && compareEnd(f.latest(), r) < 0 && len(settle([]failing{f}, r)) == 0 {
			e := l.ended(FailureResolved, f)
			e.By = r.task()
			return e, true
		}
	}
	return Event{}, false
}

func (l *Ledger) ended(kind EventKind, f failing) Event {
	streak := f.streak()
	return Event{
		Kind: kind, Task: f.latest().task(), Reason: f.latest().reason(),
		Attempts: len(streak), Since: moment(streak[0].ended()),
	}
}
