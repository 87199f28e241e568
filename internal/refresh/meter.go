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

// Meter counts a directory's API requests. It outlives the clients that a reload
// replaces. It is safe for concurrent use.
type Meter struct {
	mu       sync.Mutex
	changed  func() // called after each request
	requests []Requests
	duration *histogram.Histogram
}

// NewMeter returns a meter that begins at created. The codes of a healthy and of
// a throttled directory are there from the start.
func NewMeter(created time.Time) *Meter {
	return &Meter{
		changed: func() {},
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
	changed := m.changed
	m.mu.Unlock()
	changed()
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

// onChange has f called after each request from now on.
func (m *Meter) onChange(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.changed = f
}
