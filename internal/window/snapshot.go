package window

import (
	"time"

	"cloudsso_exporter/internal/histogram"
	"cloudsso_exporter/internal/task"
)

// Snapshot is what is known of a directory after one complete refresh: gauges
// and counters, whole. It is immutable and may be shared.
type Snapshot struct {
	At     time.Time     // API time at which the window was cut
	Window time.Duration // what the window gauges count

	// State. Slices are sorted by their labels unless said otherwise.
	Tasks            []StatusCount // started within the window; every type and status of the reference, then others seen
	Failed           []ReasonCount // failed tasks in the window
	LastEnd          []StatusTime  // end of the newest finished task in the window
	OldestInProgress []TypeTime    // start of the oldest running task, also beyond the window
	Unresolved       []ReasonCount // subjects whose latest finished task failed, by that task
	Failures         []Failure     // all of them one by one: DeleteAccessAssignment first, then the newest

	// Events: what is durable, which lags behind the gauges while the state file cannot be written.
	Counters *Counters
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
	Latest task.Task // without paths and raw reason; its Type is bounded like a label
	Reason string    // its bounded reason
	Since  time.Time // end of the first failed task of the streak, API time
}

// Counters are the event counters of a directory, each in order of its labels.
// Values are what a scrape shows: a series on hold has its value at 0.
type Counters struct {
	Started   []Counter // by type
	Finished  []Counter // by type and status
	Failures  []Counter // by type and reason
	Durations []Duration
	Expired   []Counter // unresolved failures given up, by type
	Overflow  Counter   // failed tasks folded into "other"; no labels
}

// Counter is one series of a counter.
type Counter struct {
	Type    task.Type
	Label   string // status or reason, where the counter has such a label
	Value   uint64
	Created time.Time // API time; never moves
}

// Duration is one series of the task duration histogram; its histogram is shared and never changes.
type Duration struct {
	Type      task.Type
	Status    task.Status
	Histogram *histogram.Histogram
}
