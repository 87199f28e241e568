package server

import (
	"net/http"
	"slices"
	"sync"
	"time"

	"cloudsso_exporter/internal/refresh"
)

// readyAfter is when the exporter is ready although directories have not been
// tried yet: what there is of the others is worth a scrape.
const readyAfter = 30 * time.Second

// latch is whether the exporter is ready. Once it is, it stays so: directories
// that a reload adds take no others out of service.
type latch struct {
	deadline time.Time

	mu     sync.Mutex
	opened bool
}

// look opens the latch if the first attempt of each directory has ended, or the
// deadline has passed. It reports whether the latch is open.
func (l *latch) look(now time.Time, states []*refresh.State) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	waiting := slices.ContainsFunc(states, func(s *refresh.State) bool { return !s.Attempted })
	l.opened = l.opened || !waiting || !now.Before(l.deadline)
	return l.opened
}

func (s *server) readiness(w http.ResponseWriter, _ *http.Request) {
	if !s.ready.look(s.Now(), s.Refresher.States()) {
		plain(w, http.StatusServiceUnavailable, "Not ready: the first refresh of a directory is still running.")
		return
	}
	plain(w, http.StatusOK, "cloudsso_exporter is ready.")
}
