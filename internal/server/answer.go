package server

import (
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A client has to read an answer within answerWithin once it is ready, and has
// longestRequest from its request on, waiting for a refresh included.
const (
	answerWithin   = 10 * time.Second
	longestRequest = longestTimeout + 30*time.Second
)

// mustReadWithin ends the connection of a client that has not read its answer in
// time. Connections go by the real clock. Tests answer without one.
func mustReadWithin(w http.ResponseWriter, within time.Duration) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(within))
}

// answer is a response to a client that may leave before its end, which is no
// error of ours.
type answer struct {
	http.ResponseWriter
	log  *slog.Logger
	gone bool
}

// Write implements io.Writer.
func (a *answer) Write(p []byte) (int, error) {
	if a.gone {
		return len(p), nil
	}
	n, err := a.ResponseWriter.Write(p)
	if err != nil {
		a.gone = true
		a.log.Debug("the scraper left before its answer was complete", "err", err)
		return len(p), nil
	}
	return n, nil
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// refusesGzip reports whether the client names gzip only to rule it out.
func refusesGzip(h http.Header) bool {
	for part := range strings.SplitSeq(h.Get("Accept-Encoding"), ",") {
		name, weight, _ := strings.Cut(strings.ReplaceAll(part, " ", ""), ";q=")
		if q, err := strconv.ParseFloat(weight, 64); name == "gzip" && err == nil && q == 0 {
			return true
		}
	}
	return false
}
