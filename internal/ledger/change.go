package ledger

import (
	"iter"
	"time"

	"cloudsso_exporter/internal/histogram"
	"cloudsso_exporter/internal/task"
)

// Change is what one commit makes durable: the facts that are new or different
// since the last durable one. Applied in order to nothing, changes give back the
// whole state; so does the one change that Everything returns.
type Change struct {
	Meta      Meta
	Put       iter.Seq[Record] // new or different, in no particular order
	Forgotten []string         // task ids
	Series    []Series         // new or different
	Dropped   []SeriesID
	Slots     []Slot // new or different
	Freed     []string
	Streaks   []Streak // new or different
}

// Meta is what is durable of a directory apart from lists. All times are API time.
type Meta struct {
	From          time.Time     // where the next refresh has to look from: the start of the last complete one
	At            time.Time     // when the last complete refresh was whole
	Window        time.Duration // the window it was read with
	CoverageFrom  time.Time     // tasks started since then are events when first seen, older ones are baseline
	CoverageUnder task.Filter   // the filter under which that holds
	Types         []task.Type   // unknown types that have a label of their own, in order of first sight
	Statuses      []task.Status // unknown statuses likewise
	LastEnd       []StatusTime  // end of the newest finished task seen
	Walk          Walk
}

// Walk is how far a slow reading of all that is listed has come, which refreshes
// make beside their own. It is kept here so that a restart goes on with it.
type Walk struct {
	Rested time.Time // when the next walk may begin, API time
	Credit float64   // calls it may make
	Pace   float64   // 1: spread over all refreshes; n: over an nth of them
	From   time.Time // its Filter
	Token  string    // of its next page
	Active bool
}

// Record is what is remembered of a task: what the API said last, and what was
// promised because of it. Moments are kept to the millisecond.
type Record struct {
	task.Task        // FailureReason is the text as the API wrote it, cut to its first 512 bytes
	Reason    string // the bounded reason; empty unless it failed
	GivenUp   bool   // a failure that is no longer followed
}

// Metric is a counter metric of this package.
type Metric string

// The counter metrics.
const (
	Started   Metric = "started"   // by type
	Finished  Metric = "finished"  // by type and status
	Failures  Metric = "failures"  // by type and reason
	Durations Metric = "durations" // by type and status; a histogram
	Expired   Metric = "expired"   // unresolved failures given up, by type
	Overflow  Metric = "overflow"  // failed tasks folded into "other"
)

// SeriesID names one series among a directory's counters.
type SeriesID struct {
	Metric Metric
	Type   task.Type
	Label  string // status or reason
}

// Series is one counter series. In a Snapshot a held one is at 0; in a Change it has its true value.
type Series struct {
	SeriesID
	Value     uint64
	Created   time.Time            // API time; never moves
	Held      bool                 // shown at 0 until its hold is over
	Histogram *histogram.Histogram // of Durations, else nil
}

// Slot is a failure reason that has a label of its own.
type Slot struct {
	Reason string
	Last   time.Time // its latest failure, API time; freed 30 days later
}

// Streak is a subject's failures of one task type since its latest success, as
// it is shown. Its labels are fixed when it begins.
type Streak struct {
	Labels   task.Task // type, ids, names and path of its first task; nothing else
	Resolved time.Time // when it was seen to be resolved or given up, API time; zero while it fails
}
