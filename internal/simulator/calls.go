package simulator

import (
	"maps"
	"net/url"
	"slices"
	"sync"
	"time"
)

// What a Call's Code is, beside the API's error codes and "HTTP 502" for an
// answer that is none of the API.
const (
	CodeOK       = "OK"
	codeCanceled = "canceled" // the client gave up
	codeCut      = "cut"      // the connection broke inside the answer
	codeHangUp   = "hang up"  // the connection broke before it
)

// Call is one call that was served.
type Call struct {
	Number  int // 1 is the first valid one; 0 for one refused for its signature or parameters
	Time    time.Time
	Action  string
	Params  url.Values // read only; nil when the signature was refused
	Page    int        // of the read it belongs to, from 1
	Attempt int        // 1, and one more while the same call did not get a good answer
	Code    string     // how it ended
	Fault   string     // name of the fault, if any
}

// Directory returns the DirectoryId of the call.
func (c Call) Directory() string { return c.Params.Get("DirectoryId") }

const (
	maxCalls    = 10_000 // remembered one by one
	maxAttempts = 10_000 // calls that still want a good answer
)

// callLog counts calls and remembers the last. The zero value works.
type callLog struct {
	mu       sync.Mutex
	numbers  int
	attempts map[string]int // by parameters
	counts   map[string]int // by code
	calls    []Call         // a ring when full
	next     int            // where the next one goes in a full ring
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
	if c.Number > 0 && c.Code == CodeOK && c.Fault == "" {
		delete(l.attempts, c.Params.Encode())
	}
	if l.counts == nil {
		l.counts = map[string]int{}
	}
	l.counts[c.Code]++
	if len(l.calls) < maxCalls {
		l.calls = append(l.calls, c)
		return
	}
	l.calls[l.next] = c
	l.next = (l.next + 1) % maxCalls
}

// Calls returns the last calls served, 10,000 at most, in the order in which
// they ended.
func (s *Server) Calls() []Call {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return slices.Concat(s.log.calls[s.log.next:], s.log.calls[:s.log.next])
}

// Counts returns how many calls ended with which code, since the start or the
// last ForgetCalls.
func (s *Server) Counts() map[string]int {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	counts := maps.Clone(s.log.counts)
	if counts == nil {
		counts = map[string]int{}
	}
	return counts
}

// Total returns how many calls were served, of any code.
func (s *Server) Total() int {
	total := 0
	for _, n := range s.Counts() {
		total += n
	}
	return total
}

// ForgetCalls empties the log and the counts. Numbers and attempts go on.
func (s *Server) ForgetCalls() {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	s.log.calls, s.log.next, s.log.counts = nil, 0, nil
}
