package refresh

import (
	"time"

	"cloudsso_exporter/internal/ledger"
)

// ghosts are followed tasks that not even a query for them alone lists: the API
// has forgotten them early. They are asked for ever more rarely, until they are
// so old that nothing could be listed of them.
type ghosts map[string]ghost

type ghost struct {
	wait time.Duration // between the last query and the next
	next time.Time     // API time
}

const maxGhostWait = time.Hour

// quiet reports whether the task needs no query at now.
func (g ghosts) quiet(id string, now time.Time) bool { return now.Before(g[id].next) }

// note takes in which of the followed tasks were asked for at now and are not among those seen.
func (g ghosts) note(asked []ledger.Running, seen func(id string) bool, now time.Time) {
	for _, r := range asked {
		if seen(r.ID) {
			delete(g, r.ID)
			continue
		}
		wait := min(max(2*g[r.ID].wait, time.Minute), maxGhostWait)
		g[r.ID] = ghost{wait: wait, next: now.Add(wait)}
	}
}

// keep forgets all but the followed tasks.
func (g ghosts) keep(running []ledger.Running) {
	if len(g) == 0 {
		return
	}
	followed := make(map[string]bool, len(running))
	for _, r := range running {
		followed[r.ID] = true
	}
	for id := range g {
		if !followed[id] {
			delete(g, id)
		}
	}
}
