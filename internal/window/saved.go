package window

import (
	"time"

	"cloudsso_exporter/internal/histogram"
	"cloudsso_exporter/internal/task"
)

// Saved is the durable state of a directory, as a state file gives it back.
type Saved struct {
	Meta     Meta
	Tasks    []SavedTask
	Counters []SavedCounter
	Places   []Place
}

// Meta is what is durable of a directory apart from tasks and counters.
// All times are API time.
type Meta struct {
	From          time.Time     // where the next refresh has to look from: the start of the last complete one
	At            time.Time     // when the last complete refresh was cut
	Window        time.Duration // the window it was cut with
	CoverageFrom  time.Time     // tasks started since then are events when first seen, older ones are baseline
	CoverageUnder task.Filter   // the filter under which that holds
	Types         []task.Type   // unknown types that have a label of their own, in order of first sight
	Statuses      []task.Status // unknown statuses likewise
}

// SavedTask is a task as it is remembered: without paths, its raw failure
// reason replaced by the bounded one.
type SavedTask struct {
	task.Task        // FailureReason is empty
	Reason    string // the bounded reason, once it failed
	Hidden    bool   // the filter does not show it: counted, but in no gauge
	GivenUp   bool   // a failure that is not followed any more
}

// CounterID names one series among a directory's counters.
type CounterID struct {
	Metric Metric
	Type   task.Type
	Label  string // status or reason
}

// Metric is a counter metric of this package.
type Metric string

// The counter metrics.
const (
	Started   Metric = "started"
	Finished  Metric = "finished"
	Failures  Metric = "failures"
	Durations Metric = "durations"
	Expired   Metric = "expired"
	Overflow  Metric = "overflow"
)

// SavedCounter is one series with its true value, shown or not.
type SavedCounter struct {
	CounterID
	Value     uint64
	Created   time.Time            // API time
	Held      bool                 // shown at 0 until its hold is over
	Histogram *histogram.Histogram // of Durations, else nil
}

// Place is a failure reason that has a label of its own.
type Place struct {
	Reason string
	Last   time.Time // its latest failure, API time; freed 30 days later
}

// Changes is what is to be made durable in one transaction: everything that
// changed since the last Changes that was committed.
type Changes struct {
	Meta         Meta
	Put          []SavedTask // new or changed
	Delete       []string    // task ids forgotten
	Counters     []SavedCounter
	DropCounters []CounterID
	Places       []Place // all of them, in order of first sight
}
