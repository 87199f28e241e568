package server

import (
	"net/http"
	"strconv"
	"time"
)

// What a scrape may wait.
const (
	timeoutHeader  = "X-Prometheus-Scrape-Timeout-Seconds"
	defaultBudget  = 10 * time.Second // without a header that makes sense
	longestTimeout = 60 * time.Second // that a header is believed
)

// budget is how long a scrape may wait for a refresh: the timeout that Prometheus
// sends less the offset, which leaves time for the answer to travel. Where the
// offset is all there is, a tenth of the timeout is left.
func budget(h http.Header, offset time.Duration) time.Duration {
	seconds, err := strconv.ParseFloat(h.Get(timeoutHeader), 64)
	if err != nil || !(seconds > 0) {
		return defaultBudget
	}
	timeout := longestTimeout
	if seconds < longestTimeout.Seconds() {
		timeout = time.Duration(seconds * float64(time.Second))
	}
	if timeout <= offset {
		return timeout / 10
	}
	return timeout - offset
}
