package refresh

import (
	"time"

	"cloudsso_exporter/internal/histogram"
	"cloudsso_exporter/internal/ledger"
	"cloudsso_exporter/internal/task"
)

// State is what there is to say of one directory at one moment. It is immutable
// and may be shared; a Directory publishes a new one whenever something changed.
type State struct {
	DirectoryID string
	Name        string // for people; may be empty
	Region      string
	Window      time.Duration // as configured
	CacheTTL    time.Duration // as configured
	Shown       int           // unresolved failures shown one series each, at most
	HideNames   bool          // ids only, no names of people and accounts

	Attempted   bool           // a refresh attempt has ended since the start
	Up          bool           // the last one succeeded
	ErrorKind   task.ErrorKind // of the last failure, while not Up
	Error       string         // what failed and what to do, for people; no secrets
	LastSuccess time.Time      // when Snapshot was true, API time; zero before the first complete refresh
	LastAttempt time.Time      // when the last attempt began, API time; zero before the first
	Offset      time.Duration  // by how much the API's clock is ahead of the local one, as far as known
	NextAttempt time.Time      // the earliest next attempt, API time; a scrape triggers it
	Progress    *Progress      // of the full read under way or cut off; nil when there is none

	Snapshot *ledger.Snapshot // of the last complete refresh; nil before the first

	// The exporter's own counters for this directory.
	Succeeded, FailedAttempts uint64 // refreshes by result
	Duration                  *histogram.Histogram
	Requests                  []Requests
	RequestDuration           *histogram.Histogram // of one attempt of a ListTasks call
}

// Requests is the number of HTTP attempts that ended with one code.
type Requests struct {
	Action string // the API's operation: ListTasks
	Code   string // OK, the API's error code, or timeout, network, invalid_response
	N      uint64
}

// Progress is how far a full read has come.
type Progress struct {
	Pages int
	Tasks int
	Since time.Time // when it began, API time
}
