package ledger

import (
	"cmp"
	"slices"
	"time"

	"cloudsso_exporter/internal/task"
)

// Snapshot is what is known of a directory after one complete refresh: gauges
// and counters, whole. It is immutable and may be shared.
type Snapshot struct {
	At     time.Time     // API time of the refresh
	Window time.Duration // what the window gauges count

	// State. Slices are sorted by their labels unless said otherwise.
	Tasks            []StatusCount // started within the window; every type and status of the reference, then others seen
	Failed           []ReasonCount // failed tasks in the window
	LastEnd          []StatusTime  // end of the newest finished task seen, also of one that has left the window
	OldestInProgress []TypeTime    // start of the oldest running task, also beyond the window
	Unresolved       []ReasonCount // subjects whose latest finished task failed, by that task
	Failures         []Failure     // all of them one by one: DeleteAccessAssignment first, then the newest
	Resolved         []Streak      // resolved or given up within the last hour, the latest first

	Running []task.Task // tasks in progress that are followed, the oldest first

	// Events, by id: what is durable, which lags behind the gauges while the state cannot be written.
	Counters []Series

	history []numberedPage // the newest first
	shows   func(*record) bool
}

// StatusCount is a number of tasks of one type and status.
type StatusCount struct {
	Type   task.Type
	Status task.Status
	N      int
}

// ReasonCount is a number of tasks or subjects of one type and failure reason.
type ReasonCount struct {
	Type   task.Type
	Reason string
	N      int
}

// StatusTime is a moment, API time, of one type and status.
type StatusTime struct {
	Type   task.Type
	Status task.Status
	At     time.Time
}

// TypeTime is a moment, API time, of one type.
type TypeTime struct {
	Type task.Type
	At   time.Time
}

// Failure is an unresolved failure: a subject whose latest finished task failed.
type Failure struct {
	Latest   task.Task // FailureReason is the text as the API wrote it; its Type is bounded like a label
	Labels   task.Task // of its streak: type, ids, names and path as they were when it began
	Reason   string    // the bounded reason of Latest
	Since    time.Time // end of the first failed task of the streak, API time
	Attempts int       // failed tasks in the streak that are remembered
}

// Snapshot returns what is known: gauges as of the last Apply, counters as of
// the last Committed. It is nil before the first complete refresh, and after the
// state was damaged before the next one.
func (l *Ledger) Snapshot() *Snapshot {
	if !l.Complete() || l.incomplete {
		return nil
	}
	at := millis(l.meta.At)
	s := &Snapshot{
		At:       l.meta.At,
		Window:   l.set.Window,
		LastEnd:  l.lastEnds(),
		Failures: l.failures(),
		Resolved: l.resolved(),
		Counters: l.shown,
		history:  l.pages.sorted,
		shows:    l.pages.shows,
	}
	tasks, failed := map[statusKey]int{}, map[reasonKey]int{}
	for _, typ := range task.Types() {
		for _, status := range task.Statuses() {
			tasks[statusKey{typ, status}] = 0
		}
	}
	for key, n := range l.pages.count(at-l.set.Window.Milliseconds(), at+slack.Milliseconds()) {
		labels := l.labels.key(key.what.Value())
		tasks[labels] += n
		if key.reason != "" {
			failed[reasonKey{labels.typ, key.reason}] += n
		}
	}
	for key, n := range tasks {
		s.Tasks = append(s.Tasks, StatusCount{key.typ, key.status, n})
	}
	slices.SortFunc(s.Tasks, func(a, b StatusCount) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Status, b.Status))
	})
	s.Failed = reasonCounts(failed)
	unresolved := map[reasonKey]int{}
	for _, f := range s.Failures {
		unresolved[reasonKey{f.Latest.Type, f.Reason}]++
	}
	s.Unresolved = reasonCounts(unresolved)
	oldest := map[task.Type]int64{}
	for _, r := range l.running() {
		s.Running = append(s.Running, r.task())
		typ := l.labels.typ(r.what.Value().typ)
		if _, ok := oldest[typ]; !ok { // they come in order
			oldest[typ] = r.start
			s.OldestInProgress = append(s.OldestInProgress, TypeTime{typ, moment(r.start)})
		}
	}
	slices.SortFunc(s.OldestInProgress, func(a, b TypeTime) int { return cmp.Compare(a.Type, b.Type) })
	return s
}

type reasonKey struct {
	typ    task.Type
	reason string
}

func reasonCounts(counts map[reasonKey]int) []ReasonCount {
	var all []ReasonCount
	for key, n := range counts {
		all = append(all, ReasonCount{key.typ, key.reason, n})
	}
	slices.SortFunc(all, func(a, b ReasonCount) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Reason, b.Reason))
	})
	return all
}

func (l *Ledger) lastEnds() []StatusTime {
	var all []StatusTime
	for key, end := range l.lastEnd {
		if end != 0 {
			all = append(all, StatusTime{key.typ, key.status, moment(end)})
		}
	}
	slices.SortFunc(all, func(a, b StatusTime) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Status, b.Status))
	})
	return all
}
