package ledger

import (
	"cmp"
	"slices"
	"strings"

	"cloudsso_exporter/internal/task"
)

// Oddity is a way in which an answer contradicts itself or an earlier one.
type Oddity string

// The oddities. None of them stops anything; what is done instead is said here.
const (
	WentBack        Oddity = "a finished task is listed as unfinished again; it stays finished"
	ChangedOutcome  Oddity = "a finished task is listed with another status; the gauges follow, the counters do not"
	ChangedType     Oddity = "a task is listed with another type; the gauges follow, the counters do not"
	NoStart         Oddity = "a task has no valid StartTime; its EndTime or the time it was first seen stands in, its duration is not counted"
	NoEnd           Oddity = "a finished task has no valid EndTime; its duration is not counted"
	EndsBeforeStart Oddity = "a task ends before it starts; its duration is not counted"
	InTheFuture     Oddity = "a task starts or ends in the future; it counts in the window once its time has come"
	UnknownType     Oddity = "a task has a type that the reference does not know; it is passed through"
	UnknownStatus   Oddity = "a task has a status that the reference does not know; it is passed through"
)

// check corrects what is wrong in itself in an answer.
func (a *application) check(r *record) {
	old, known := a.records[r.id]
	if r.start == 0 {
		a.odd(NoStart, r)
		r.start = cmp.Or(r.end, a.at)
		if known {
			r.start = old.start
		} else {
			a.startless[r.id] = struct{}{}
		}
	}
	if soon := a.at + slack.Milliseconds(); r.start > soon || r.end > soon {
		a.odd(InTheFuture, r)
		r.end = min(r.end, a.at) // it has ended by now
		if known && r.end == a.at && old.end != 0 {
			r.end = old.end // and had when it was first listed so
		}
	}
	switch {
	case r.finished && r.end == 0:
		a.odd(NoEnd, r)
	case r.finished && r.end < r.start:
		a.odd(EndsBeforeStart, r)
	}
	if !slices.Contains(task.Types(), r.what.Value().typ) {
		a.odd(UnknownType, r)
	}
	if !slices.Contains(task.Statuses(), r.what.Value().status) {
		a.odd(UnknownStatus, r)
	}
}

func (a *application) odd(o Oddity, r *record) {
	if old, ok := a.oddities[o]; !ok || strings.Compare(r.id, old) < 0 {
		a.oddities[o] = r.id
	}
}
