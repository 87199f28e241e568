package refresh

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"cloudsso_exporter/internal/histogram"
)

// requestBounds and refreshBounds are classic buckets, in seconds.
func requestBounds() []float64 {
	return []float64{0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30}
}

func refreshBounds() []float64 {
	return []float64{0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800}
}

// codeLimit is how many different codes are told apart; the rest become "other".
const codeLimit = 32

// Meter counts a directory's API requests, and knows for how long there are none.
// It outlives the clients that a reload replaces. It is safe for concurrent use.
type Meter struct {
	mu       sync.Mutex
	counted  int // in requests, altogether
	requests []Requests
	duration *histogram.Histogram
	paused   time.Time     // local time before which no request is made
	moved    chan struct{} // closed when paused changes
}

// NewMeter returns a meter that begins at created. The codes of a healthy and of
// a throttled directory are there from the start.
func NewMeter(created time.Time) *Meter {
	return &Meter{
		moved: make(chan struct{}),
		requests: []Requests{
			{Action: "ListTasks", Code: "OK"},
			{Action: "ListTasks", Code: "Throttling.User"},
		},
		duration: histogram.New(requestBounds(), created),
	}
}

// Observe counts one HTTP attempt.
func (m *Meter) Observe(action, code string, took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counted++
	m.duration.Observe(took)
	match := func(code string) func(Requests) bool {
		return func(r Requests) bool { return r.Action == action && r.Code == code }
	}
	i := slices.IndexFunc(m.requests, match(code))
	if i < 0 && len(m.requests) >= codeLimit {
		code = "other"
		i = slices.IndexFunc(m.requests, match(code))
	}
	if i < 0 {
		i = len(m.requests)
		m.requests = append(m.requests, Requests{Action: action, Code: code})
	}
	m.requests[i].N++
}

// Pause tells those who wait that no request is made before until, local time.
func (m *Meter) Pause(until time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.paused = until
	close(m.moved)
	m.moved = make(chan struct{})
}

// pause is how long no request is made, and a channel that is closed when that changes.
func (m *Meter) pause() (until time.Time, moved <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.paused, m.moved
}

// total is how many requests have been counted.
func (m *Meter) total() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.counted
}

// read returns copies of what has been counted, requests sorted.
func (m *Meter) read() ([]Requests, *histogram.Histogram) {
	m.mu.Lock()
	defer m.mu.Unlock()
	requests := slices.Clone(m.requests)
	slices.SortFunc(requests, func(a, b Requests) int {
		return cmp.Or(cmp.Compare(a.Action, b.Action), cmp.Compare(a.Code, b.Code))
	})
	return requests, m.duration.Clone()
}
