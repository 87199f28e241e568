package simulator

import (
	"cmp"
	"strings"
	"time"

	"cloudsso_exporter/internal/task"
)

// Record is the whole life of a task: how it ends, and when ListTasks shows
// what of it. Until its End it is shown InProgress, without EndTime and
// FailureReason; with a zero End it runs for ever.
type Record struct {
	task.Task
	Listed time.Time // when it is first listed; zero: from its start on

	frozen bool  // shown as it is at any time
	made   bool  // by the generator
	gone   bool  // about to be taken out
	rank   int64 // its place in the order of the directory
}

// at returns what the API says of the task at now, in whole seconds; false
// while it is not listed.
func (r *Record) at(now time.Time) (task.Task, bool) {
	t := r.Task
	status, ok := r.status(now)
	if !ok {
		return t, false
	}
	t.Status = status
	if !r.frozen && status == task.InProgress {
		t.End = time.Time{}
	}
	if t.Status != task.Failed {
		t.FailureReason = ""
	}
	t.Start, t.End = wholeSeconds(t.Start), wholeSeconds(t.End)
	return t, true
}

// status is the Status at now; false while the task is not listed.
func (r *Record) status(now time.Time) (task.Status, bool) {
	switch {
	case now.Before(r.listed()):
		return "", false
	case !r.frozen && (r.End.IsZero() || now.Before(r.End)):
		return task.InProgress, true
	default:
		return r.Status, true
	}
}

// listed is when the task is first listed; zero: always was.
func (r *Record) listed() time.Time {
	if r.Listed.IsZero() && !r.frozen {
		return r.Start
	}
	return r.Listed
}

func wholeSeconds(t time.Time) time.Time {
	return t.UTC().Truncate(time.Second)
}

// Order is the order of a list. The reference promises none.
type Order int

// The orders.
const (
	NewestFirst Order = iota
	OldestFirst
	Shuffled // random, but the same in every read
)

// rank is where a directory keeps the record: the smaller, the earlier. The
// newest come last, where adding is cheap; NewestFirst reads backwards.
func (o Order) rank(r *Record, seed uint64) int64 {
	if o == Shuffled {
		return int64(hash(seed, r.ID))
	}
	return r.Start.Unix()
}

// byRank is the order in which a directory keeps its records.
func byRank(a, b *Record) int {
	return cmp.Or(cmp.Compare(a.rank, b.rank), strings.Compare(a.ID, b.ID))
}

func byListed(a, b *Record) int { return a.listed().Compare(b.listed()) }
