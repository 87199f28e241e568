package simulator

import (
	"net/url"
	"slices"
	"sync"
	"time"
)

// What a Call's Code is, beside the API's error codes and "HTTP 502" for an
// answer that is none of the API.
const (
	codeOK       = "OK"
	codeCanceled = "canceled" // the client gave up
	codeCut      = "cut"      // the connection broke inside the answer
	codeHangUp   = "hang up"  // the connection broke before it
)

// Call is one call that was served.
type Call struct {
	Number  int // 1 is the first valid one; 0 for one refused for its signature or parameters
	Time    time.Time
	Params  url.Values // read only; nil when the signature was refused
	Page    int        // of the read it belongs to, from 1
	Attempt int        // 1, and one more while the same call did not get a good answer
	Code    string     // how it ended
	Fault   string     // name of the fault, if any
}

const (
	maxCalls    = 10_000 // remembered one by one
	maxAttempts = 10_000 // calls that still want a good answer
)

// callLog counts calls and remembers the last. The zero value works.
type callLog struct {
	mu       sync.Mutex
	numbers  int
	total    int
	attempts map[string]int // by parameters
	calls    []Call
}

// begin gives the call its number and attempt.
func (l *callLog) begin(c Call) Call {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.numbers++
	c.Number = l.numbers
	if l.attempts == nil || len(l.attempts) >= maxAttempts {
		l.attempts = map[string]int{}
	}
	id := c.Params.Encode()
	l.attempts[id]++
	c.Attempt = l.attempts[id]
	return c
}

// end notes how the call ended.
func (l *callLog) end(c Call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.Number > 0 && c.Code == codeOK && c.Fault == "" {
		delete(l.attempts, c.Params.Encode())
	}
	l.total++
	if len(l.calls) == 2*maxCalls {
		l.calls = slices.Clone(l.calls[maxCalls:])
	}
	l.calls = append(l.calls, c)
}

// Calls returns the last calls served, 10,000 or more where there were as many,
// in the order in which they ended.
func (s *Server) Calls() []Call {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return slices.Clone(s.log.calls)
}

// Total returns how many calls were served since the start or the last ForgetCalls.
func (s *Server) Total() int {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return s.log.total
}

// ForgetCalls empties the log. Numbers and attempts go on.
func (s *Server) ForgetCalls() {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.log.calls, s.log.total = nil, 0
}
