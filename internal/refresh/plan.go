package refresh

import (
	"slices"
	"time"

	"cloudsso_exporter/internal/ledger"
	"cloudsso_exporter/internal/task"
)

// pageSize is how many tasks the API lists at most in one answer.
const pageSize = 20

// listed is how far back the API lists tasks.
const listed = ledger.Retention

// Overlap is how far before the start of the last complete refresh the next one
// looks: a task that is listed no later than this after its start is never missed.
const Overlap = 2 * time.Minute

// Known is what a plan is made from.
type Known struct {
	From         time.Time             // start of the last complete refresh; zero before the first
	Full         bool                  // all that is listed has to be read
	Running      []ledger.Running      // followed tasks, the oldest first
	StartedSince func(t time.Time) int // estimate of the known tasks that started since t
	Margin       time.Duration         // kept from the oldest StartTime the API takes
}

// Plan is what a refresh asks, in this order. Afterwards it looks for the
// missing: followed tasks that started before Since and were in no answer.
type Plan struct {
	Queries []task.Query
	Since   time.Time // tasks that started since then are all listed by the queries, whatever their status
	Listed  time.Time // what started before cannot be listed any more
	Full    bool      // everything that can be listed is
}

// MakePlan decides what to ask at now, API time. It is pure.
//
// A steady refresh asks for what started since the last one, with an overlap,
// and, when tasks are followed that started before that, for the running ones.
// Or, where that costs no more calls, for everything since the oldest of them.
func MakePlan(k Known, now time.Time) Plan {
	p := Plan{Listed: now.Add(k.Margin - listed).Truncate(time.Second)}
	since := later(k.From.Add(-Overlap).Truncate(time.Second), p.Listed)

	if k.Full { // however short the window: what failed before it may still stand, and what started before it still run
		p.Full, p.Since = true, p.Listed
		p.Queries = []task.Query{{From: p.Listed}}
		return p
	}

	p.Since = since
	p.Queries = []task.Query{{From: since}}
	old := startedBetween(k.Running, p.Listed, since)
	if len(old) == 0 {
		return p
	}
	oldest := old[0].Start.Truncate(time.Second)
	apart := calls(k.StartedSince(since)) + calls(len(k.Running))
	if calls(k.StartedSince(oldest)) <= apart {
		p.Since = oldest
		p.Queries[0].From = oldest
		return p
	}
	p.Queries = append(p.Queries, task.Query{Status: task.InProgress, From: oldest})
	return p
}

// Missing are the followed tasks that the plan's queries do not list for certain
// and that are not among those seen: they have probably ended.
func (p Plan) Missing(k Known, seen func(id string) bool) []ledger.Running {
	var missing []ledger.Running
	for _, r := range startedBetween(k.Running, p.Listed, p.Since) {
		if !seen(r.ID) {
			missing = append(missing, r)
		}
	}
	return missing
}

// Stragglers are the queries for missing tasks: each by all that is known of it,
// or for everything since the oldest where that costs less.
func Stragglers(k Known, missing []ledger.Running) []task.Query {
	if len(missing) == 0 {
		return nil
	}
	oldest := missing[0].Start.Truncate(time.Second)
	if calls(k.StartedSince(oldest)) <= len(missing) {
		return []task.Query{{From: oldest}}
	}
	queries := make([]task.Query, len(missing))
	for i, r := range missing {
		queries[i] = task.Query{Filter: r.Subject, From: r.Start.Truncate(time.Second)}
		if slices.Contains(task.Types(), r.Type) { // the API takes no other
			queries[i].Type = r.Type
		}
	}
	return queries
}

// startedBetween picks from tasks sorted by start those in [from, to).
func startedBetween(running []ledger.Running, from, to time.Time) []ledger.Running {
	var in []ledger.Running
	for _, r := range running {
		if !r.Start.Before(from) && r.Start.Before(to) {
			in = append(in, r)
		}
	}
	return in
}

// calls is how many calls it takes to list n tasks.
func calls(n int) int { return max(1, (n+pageSize-1)/pageSize) }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
