package apiclient

import (
	"net/http"
	"sync"
	"time"
)

// tolerance is how far API time may be off before it is learned again. The Date
// header has a resolution of a second and takes a while to arrive.
const tolerance = 5 * time.Second

// doubtful is how far API time may be off before a second answer has to confirm
// it: one wrong Date must not move a number.
const doubtful = time.Minute

// clock tells API time. Until the first answer that is the local time; from then
// on it is the time of an answer plus what has passed since, so that setting the
// local clock while the process runs moves nothing. What has passed is taken
// from monotonic readings; a local clock without them is followed, plus the
// offset learned. A clock may be used by several goroutines at once.
type clock struct {
	local func() time.Time

	mu      sync.Mutex
	learned bool
	at      time.Time // local, with its monotonic reading, when api was right
	api     time.Time

	doubted   time.Time // of the last answer, if it was far from API time; else zero
	doubtedAt time.Time // local, when it arrived
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
	if !c.learned {
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
	if near(date, api, took, doubtful) {
		c.doubted = time.Time{}
	} else {
		expected := c.doubted.Add(local.Sub(c.doubtedAt))
		confirmed := !c.doubted.IsZero() && near(date, expected, took, doubtful)
		c.doubted, c.doubtedAt = date, local
		if !confirmed {
			return true
		}
	}
	if near(date, api, took, tolerance) {
		if c.learned {
			return false
		}
	} else if api = date; near(date, local, took, tolerance) {
		api = local.Round(0).UTC() // the local clock is right
	}
	c.learned, c.at, c.api = true, local, api
	return false
}

// near reports whether the time may be now, but for the tolerance, although an
// answer that took a while says date.
func near(date, now time.Time, took, tolerance time.Duration) bool {
	behind := now.Round(0).Sub(date)
	return -tolerance < behind && behind < tolerance+took
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
