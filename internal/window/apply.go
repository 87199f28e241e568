package window

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"cloudsso_exporter/internal/task"
)

// Report says what of an applied batch an operator may want to read.
type Report struct {
	Oddities map[Oddity]string // one task id of each kind seen
	GivenUp  []Failure         // unresolved failures that became too old
}

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

// Apply takes in a whole batch: after it, the window is as of c.At. Each task
// counts at most once as started and once as finished, whatever is read again.
// The batch is used up.
func (w *Window) Apply(b *Batch, c Cut) Report {
	first, began := !w.Complete(), c.Began
	if !c.First.IsZero() {
		began = c.First
	}
	a := application{
		Window: w, at: millis(c.At), born: w.meta.At, first: first,
		oddities: map[Oddity]string{}, fresh: map[string]struct{}{}, startless: map[string]struct{}{},
	}
	for _, answer := range sorted(b.answers) {
		a.absorb(answer.record, answer.text)
	}
	w.pass(a.at)
	gone := a.giveUp()
	w.pass(a.at) // what was only kept as unresolved may go now
	w.dropFreed(c.At)
	w.cover(c)
	w.ensureSeries(began)
	w.counters.release(c.At)
	if first { // nothing has been counted: that needs no commit to be true
		w.counters.freeze(c.At.Add(w.set.Hold))
	}
	return Report{Oddities: a.oddities, GivenUp: gone}
}

// sorted puts answers in an order that does not depend on how they were listed:
// reasons get their places in the order tasks ended.
func sorted(answers map[string]*answer) []*answer {
	all := make([]*answer, 0, len(answers))
	for _, a := range answers {
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b *answer) int { return compareEnd(a.record, b.record) })
	return all
}

// cover notes what is now known, and from where the next refresh has to look.
func (w *Window) cover(c Cut) {
	switch {
	case c.Since.IsZero():
	case !w.Complete(), w.set.Filter != w.meta.CoverageUnder:
		w.meta.CoverageFrom, w.meta.CoverageUnder = c.Since, w.set.Filter
	case c.Since.Before(w.meta.CoverageFrom):
		w.meta.CoverageFrom = c.Since
	}
	if !c.Since.IsZero() || w.set.Window < w.meta.Window {
		w.meta.Window = w.set.Window
	}
	w.meta.From, w.meta.At = c.Began, c.At
}

// application is one Apply under way.
type application struct {
	*Window
	at        int64
	born      time.Time // created timestamp of series that appear now
	first     bool
	oddities  map[Oddity]string
	fresh     map[string]struct{} // ids of failures first seen now
	startless map[string]struct{} // ids of tasks whose start is not known
}

// absorb merges one answer with what is known.
func (a *application) absorb(r *record, text string) {
	a.check(r)
	old, known := a.records[r.id]
	switch {
	case !known:
		a.insert(r, text)
	case old.finished && !r.finished:
		a.odd(WentBack, r)
	case old.sameAnswer(r) && !old.hidden:
	case old.sameCourse(r) && !old.hidden: // a renaming: nothing that is derived is by name
		old.ac, old.target, old.principal = r.ac, r.target, r.principal
		a.listed = nil
		a.changed[old.id] = struct{}{}
	default:
		a.replace(old, r, text)
	}
}

func (a *application) insert(r *record, text string) {
	baseline := a.baseline(r)
	a.classifyFailed(r, text, baseline)
	if !baseline {
		a.count(Started, r, "").value++
		if r.finished {
			a.countFinished(r)
		}
	}
	a.records[r.id] = r
	a.changed[r.id] = struct{}{}
	a.show(r, a.at)
}

// replace makes a known task what r says of it.
func (a *application) replace(old, r *record, text string) {
	if old.typ != r.typ {
		a.odd(ChangedType, r)
	}
	if old.finished && old.status != r.status {
		a.odd(ChangedOutcome, r)
	}
	ended := r.finished && !old.finished
	r.reason = old.reason
	r.givenUp = old.givenUp && old.start <= old.ended() // else for what it said wrongly
	a.classifyFailed(r, text, !ended)
	a.hide(old)
	due := old.due
	*old = *r
	old.due = due
	a.changed[old.id] = struct{}{}
	if ended {
		a.countFinished(old)
	}
	a.show(old, a.at)
}

// baseline reports whether a task never seen before is no event: it is from
// before the first complete refresh, or only the settings show it now.
func (a *application) baseline(r *record) bool {
	return a.first ||
		r.start < millis(a.meta.CoverageFrom) ||
		a.set.Filter != a.meta.CoverageUnder && !a.meta.CoverageUnder.Matches(r.task())
}

// classifyFailed gives a failed task its reason unless it has one already.
func (a *application) classifyFailed(r *record, text string, silent bool) {
	if !r.failed() || r.reason.Value() != "" {
		return
	}
	t := r.task()
	t.FailureReason = text
	label, folded := a.classify(t, min(r.ended(), a.at))
	if folded && !silent { // like every counter, not for what was there before
		a.count(Overflow, nil, "").value++
	}
	r.reason = intern(label)
	a.fresh[r.id] = struct{}{}
}

func (a *application) countFinished(r *record) {
	key := a.statusKey(r)
	a.count(Finished, r, string(key.status)).value++
	if key.status == task.Failed {
		a.count(Failures, r, r.reason.Value()).value++
	}
	d := a.count(Durations, r, string(key.status)) // at 0 when there is nothing to observe
	if _, unknown := a.startless[r.id]; !unknown && r.end >= r.start {
		d.histogram.Observe(time.Duration(r.end-r.start) * time.Millisecond)
	}
}

// count returns the series to count in.
func (a *application) count(m Metric, r *record, label string) *series {
	id := CounterID{Metric: m, Label: label}
	if r != nil {
		id.Type = a.labels.typ(task.Type(r.typ.Value()))
	}
	a.counters.changed[id] = struct{}{}
	return a.counters.get(id, a.born, !a.first && a.set.Hold > 0)
}

// giveUp lets go of failures that are too old, and counts those that were known
// as unresolved before.
func (a *application) giveUp() []Failure {
	var gone []Failure
	for _, s := range a.Window.giveUp(a.at) {
		if _, fresh := a.fresh[s.latest().id]; !fresh {
			a.count(Expired, s.latest(), "").value++
			gone = append(gone, a.failure(s))
		}
	}
	return gone
}

// check mends what is wrong in itself in an answer.
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
	if !slices.Contains(task.Types(), task.Type(r.typ.Value())) {
		a.odd(UnknownType, r)
	}
	if !slices.Contains(task.Statuses(), task.Status(r.status.Value())) {
		a.odd(UnknownStatus, r)
	}
}

func (a *application) odd(o Oddity, r *record) {
	if old, ok := a.oddities[o]; !ok || strings.Compare(r.id, old) < 0 {
		a.oddities[o] = r.id
	}
}
