package apiclient

import (
	"net/http"
	"sync"
	"time"
)

const (
	// tolerance is how far API time may be off before it is learned again. The Date
	// header has a resolution of a second and takes a while to arrive.
	tolerance = 5 * time.Second
	// doubtful is how far API time may be off before a second answer has to confirm
	// it: one wrong Date must not move a number.
	doubtful = time.Minute
)

// clock tells API time. Until the first answer that is the local time; from then
// on it is the time of an answer plus what has passed since, so that setting the
// local clock while the process runs moves nothing. What has passed is taken
// from monotonic readings; a local clock without them is followed, plus the
// offset learned. A clock may be used by several goroutines at once.
type clock struct {
	local func() time.Time

	mu     sync.Mutex
	at     time.Time // local, with its monotonic reading, when api was right; zero before the first answer
	api    time.Time
	behind time.Duration // by which API time was behind the last answer, if that was far off; else 0
}

// now returns API time in UTC. It carries no monotonic reading: a difference of
// two times has to follow what was learned between them.
func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.apiAt(c.local())
}

// apiAt is API time at the local time given. It needs mu.
func (c *clock) apiAt(local time.Time) time.Time {
	if c.at.IsZero() {
		return local.Round(0).UTC()
	}
	return c.api.Add(local.Sub(c.at)) // of monotonic readings, when both have one
}

// learn takes the time of an answer that has just arrived, took after it was
// asked for. Within the tolerance of what now says it changes nothing, so that
// API time does not jitter. It reports whether the time is in doubt: it is not
// believed before the next answer confirms it.
func (c *clock) learn(date time.Time, took time.Duration) (doubt bool) {
	if date.IsZero() {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	local := c.local()
	api := c.apiAt(local)
	behind, doubted := date.Sub(api), c.behind
	c.behind = 0
	if !near(behind, took, doubtful) && (doubted == 0 || !near(behind-doubted, took, doubtful)) {
		c.behind = behind
		return true
	}
	if near(behind, took, tolerance) {
		if !c.at.IsZero() {
			return false
		}
	} else if api = date; near(date.Sub(local.Round(0)), took, tolerance) {
		api = local.Round(0).UTC() // the local clock is right
	}
	c.at, c.api = local, api
	return false
}

// near reports whether a clock is right, but for the tolerance, that is behind an
// answer by so much. The answer's date may be as old as the answer took.
func near(behind, took, tolerance time.Duration) bool {
	return -tolerance-took < behind && behind < tolerance
}

// dateOf returns the time an answer was made, zero when its Date is missing or
// invalid, such as that of a clock that was never set.
func dateOf(h http.Header) time.Time {
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil || date.Year() < 1990 || date.Year() > 2200 {
		return time.Time{}
	}
	return date.UTC()
}
