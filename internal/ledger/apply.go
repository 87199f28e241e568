package ledger

import (
	"time"

	"cloudsso_exporter/internal/task"
)

// Span says what a batch stands for once it is whole. All times are API time.
type Span struct {
	Began time.Time // when its reading began: the next refresh looks from here
	First time.Time // when the refresh began, if that was earlier; zero: Began
	At    time.Time // when it was whole: what the window gauges are as of
	Since time.Time // of a full read: every task listed since then is in the batch; zero otherwise
}

// Report says what of an applied batch an operator may want to read.
type Report struct {
	Oddities map[Oddity]string // one task id of each kind seen
	Events   []Event           // what ended, in that order; then streaks that did. Nothing of the baseline
}

// Apply takes in a whole batch: after it, the ledger is as of s.At. Each task
// counts at most once as started and once as finished, whatever is read again.
// The batch is used up.
func (l *Ledger) Apply(b *Batch, s Span) Report {
	first, began := !l.Complete(), s.Began
	if !s.First.IsZero() {
		began = s.First
	}
	a := application{
		Ledger: l, at: millis(s.At), born: l.meta.At, first: first,
		oddities: map[Oddity]string{}, fresh: map[string]struct{}{}, startless: map[string]struct{}{},
	}
	for _, r := range b.takeOut() {
		a.absorb(r)
	}
	before := l.unresolved
	l.derive()
	for _, r := range a.ended {
		a.events = append(a.events, a.finished(r))
	}
	a.giveUp()
	l.derive()
	l.forgetOld(a.at)
	l.derive()
	a.events = append(a.events, l.followStreaks(s.At, before)...)
	l.freeOldSlots(s.At)
	l.cover(s)
	l.incomplete = false
	l.ensureSeries(began)
	l.release(s.At)
	if first { // nothing has been counted: that needs no commit to be true
		l.freeze(s.At.Add(l.set.Hold))
	}
	return Report{Oddities: a.oddities, Events: a.events}
}

// cover notes what is now known, and from where the next refresh has to look.
func (l *Ledger) cover(s Span) {
	switch {
	case s.Since.IsZero():
	case !l.Complete(), l.set.Filter != l.meta.CoverageUnder:
		l.meta.CoverageFrom, l.meta.CoverageUnder = s.Since, l.set.Filter
		l.findLastEnd()
	case s.Since.Before(l.meta.CoverageFrom):
		l.meta.CoverageFrom = s.Since
	}
	if !s.Since.IsZero() || l.set.Window < l.meta.Window {
		l.meta.Window = l.set.Window
	}
	l.meta.From, l.meta.At = s.Began, s.At
}

// From is where the next refresh has to look from: the start of the last
// complete one, zero before the first. A failure that the filter did not show
// until now may have been resolved unseen: then it is the end of the oldest such.
func (l *Ledger) From() time.Time {
	from := l.meta.From
	if !l.Complete() || l.set.Filter == l.meta.CoverageUnder {
		return from
	}
	for _, f := range l.unresolved {
		first := f.records[0]
		if at := moment(first.ended()); at.Before(from) && !l.meta.CoverageUnder.Matches(first.task()) {
			from = at
		}
	}
	return from
}

// application is one Apply under way.
type application struct {
	*Ledger
	at        int64
	born      time.Time // created timestamp of series that appear now
	first     bool
	oddities  map[Oddity]string
	fresh     map[string]struct{} // ids of failures first seen now
	startless map[string]struct{} // ids of tasks whose start is not known
	ended     []*record           // counted as finished
	events    []Event
}

// absorb merges one answer with what is known. The record is the batch's own until it is put.
func (a *application) absorb(r *record) {
	a.check(r)
	old, known := a.records[r.id]
	ended := r.finished
	switch {
	case known && old.finished && !r.finished:
		a.odd(WentBack, r)
		return
	case known && old.sameAnswer(r):
		return
	case known:
		a.compare(old, r)
		r.givenUp = old.givenUp
		ended = ended && !old.finished
	}
	a.labels.key(r.what.Value()) // labels are given in the order of first sight
	silent := known && !ended || !known && a.baseline(r)
	a.classifyFailed(r, silent)
	a.put(r)
	a.noteEnd(r)
	if silent {
		return
	}
	if !known {
		a.count(Started, r, "").Value++
	}
	if ended {
		a.countFinished(r)
	}
}

// compare reports in what r contradicts what is known of the task, and takes over what is decided once.
func (a *application) compare(old, r *record) {
	if old.what.Value().typ != r.what.Value().typ {
		a.odd(ChangedType, r)
	}
	if old.finished && old.what.Value().status != r.what.Value().status {
		a.odd(ChangedOutcome, r)
	}
	if r.failed() && old.failed() {
		r.failure = old.failure
	}
}

// baseline reports whether a task never seen before is no event: it is from
// before the first complete refresh, or only the settings show it now.
func (a *application) baseline(r *record) bool {
	return a.first ||
		r.start < millis(a.meta.CoverageFrom) ||
		a.set.Filter != a.meta.CoverageUnder && !a.meta.CoverageUnder.Matches(r.task())
}

// classifyFailed gives a failed task its reason unless it has one already.
func (a *application) classifyFailed(r *record, silent bool) {
	if !r.failed() || r.failure.reason != "" {
		return
	}
	label, folded := a.classify(r.task(), moment(min(r.ended(), a.at)))
	if folded && !silent { // like every counter, not for what was there before
		a.count(Overflow, nil, "").Value++
	}
	r.failure = &failure{reason: label, text: truncate(r.failure.text, maxFailureText)}
	if a.set.Reasons.CodesOnly { // the text may hold names
		r.failure.text = ""
	}
	a.fresh[r.id] = struct{}{}
}

func (a *application) countFinished(r *record) {
	a.ended = append(a.ended, r)
	status := a.labels.key(r.what.Value()).status
	a.count(Finished, r, string(status)).Value++
	if status == task.Failed {
		a.count(Failures, r, r.failure.reason).Value++
	}
	d := a.count(Durations, r, string(status)) // at 0 when there is nothing to observe
	if _, unknown := a.startless[r.id]; !unknown && r.end >= r.start {
		d.Histogram.Observe(time.Duration(r.end-r.start) * time.Millisecond)
	}
}

// count returns the series to count in.
func (a *application) count(m Metric, r *record, label string) *series {
	id := SeriesID{Metric: m, Label: label}
	if r != nil {
		id.Type = a.labels.typ(r.what.Value().typ)
	}
	a.touched[id] = struct{}{}
	return a.get(id, a.born, !a.first && a.set.Hold > 0)
}

// giveUp lets go of failures that are too old, and counts those that were known
// as unresolved before.
func (a *application) giveUp() {
	for _, f := range a.Ledger.giveUp(a.at - a.set.MaxAge.Milliseconds()) {
		if _, fresh := a.fresh[f.latest().id]; !fresh {
			a.count(Expired, f.latest(), "").Value++
			a.events = append(a.events, a.Ledger.ended(FailureGivenUp, f))
		}
	}
}
