// Package ledger remembers what has been seen of a directory's tasks: it merges
// answers by task id, counts each task once for ever, and forgets a task when no
// list can bring it back.
//
// It stores facts: what the API said of a task, and what was promised because of
// it. Numbers are functions of facts, settings and time. To stay fast they are
// computed by group, pages of tasks that started within the same minutes and
// provisionings (an access configuration on a target), and a group is computed again
// from its records when one of them changed. No number is ever patched.
//
// The package is pure: no I/O, no clock, no logging. Time comes in with each call
// and is API time. What it learns is durable only once its Change is committed;
// counters in a Snapshot never run ahead of that.
package ledger

import (
	"iter"
	"time"

	"cloudsso_exporter/internal/reason"
	"cloudsso_exporter/internal/task"
)

// Retention is how far back the API lists tasks, by StartTime.
const Retention = 7 * 24 * time.Hour

// memory is how long a finished task is remembered so that no late or repeated
// answer counts it again: as long as the API can list it, and a margin.
const memory = Retention + time.Hour

// slack is how far from the API's clock ours may be without being corrected: a
// task that started so little ahead of us is not in the future.
const slack = 5 * time.Second

// Settings are what the configuration says of a directory's tasks.
type Settings struct {
	Window      time.Duration // what the window gauges count
	Filter      task.Filter
	Reasons     reason.Classifier
	ReasonLimit int           // distinct reasons, those of rules included, "other" not
	MaxAge      time.Duration // of an unresolved failure since its latest task ended
	Hold        time.Duration // a counter series born late is shown at 0 for so long
}

// Ledger is the memory of one directory. Not safe for concurrent use.
type Ledger struct {
	set  Settings
	meta Meta

	// Facts.
	records map[string]*record // by task id; a record never changes, another takes its place
	lastEnd map[statusKey]int64
	labels  labels
	slots   slots
	streaks map[streakKey]Streak
	counters

	// Derived from records.
	pages         pages
	provisionings provisionings
	unresolved    []failing // DeleteAccessAssignment first, then the newest

	incomplete bool // the state was damaged: nothing is shown before the next refresh

	replaced map[string]*record // by id, what records held when the groups were last computed; nil: they never were
	unsaved  unsaved
}

// New returns the ledger of a directory of which nothing is known.
func New(set Settings) *Ledger {
	l := &Ledger{
		set:      set,
		records:  map[string]*record{},
		lastEnd:  map[statusKey]int64{},
		slots:    slots{},
		streaks:  map[streakKey]Streak{},
		counters: newCounters(),
		unsaved:  newUnsaved(),
	}
	l.unsaved.all = true
	l.pages, l.provisionings = newPages(nil), newProvisionings(nil)
	return l
}

// Restore returns the ledger that replay gives back, as of its last complete
// refresh and under the window and filter that were read then; Configure brings
// in those that hold now. whole is false where the state had a damaged end: then
// nothing is shown before the next refresh. Series on hold begin their hold again
// with the first commit: nobody knows whether their 0 has been seen.
func Restore(set Settings, load func(replay func(Change) error) (whole bool, err error)) (*Ledger, error) {
	l := New(set)
	whole, err := load(l.replay)
	if err != nil || !l.Complete() {
		return New(set), err
	}
	l.incomplete = !whole
	l.set.Filter, l.set.Window = l.meta.CoverageUnder, min(set.Window, l.meta.Window)
	l.regroup()
	l.ensureSeries(l.meta.From)
	l.freeze(time.Time{})
	l.unsaved = newUnsaved()
	l.unsaved.meta = l.durableMeta()
	return l, nil
}

// replay takes in a change that was committed.
func (l *Ledger) replay(c Change) error {
	l.meta = c.Meta
	l.labels = labels{types: c.Meta.Types, statuses: c.Meta.Statuses}
	clear(l.lastEnd)
	for _, e := range c.Meta.LastEnd {
		l.lastEnd[statusKey{e.Type, e.Status}] = millis(e.At)
	}
	for r := range c.Put {
		l.records[r.ID] = restoreRecord(r)
	}
	for _, id := range c.Forgotten {
		delete(l.records, id)
	}
	for _, s := range c.Series {
		l.series[s.SeriesID] = &series{Series: s}
	}
	for _, id := range c.Dropped {
		delete(l.series, id)
	}
	for _, s := range c.Slots {
		l.slots[s.Reason] = s.Last
	}
	for _, reason := range c.Freed {
		delete(l.slots, reason)
	}
	for _, s := range c.Streaks {
		l.streaks[s.key()] = s
	}
	return nil
}

// Walk is how far the slow reading beside the refreshes has come.
func (l *Ledger) Walk() Walk { return l.meta.Walk }

// SetWalk notes how far it has come. It is made durable with whatever comes next.
func (l *Ledger) SetWalk(w Walk) { l.meta.Walk = w }

// Len is how many tasks are remembered.
func (l *Ledger) Len() int { return len(l.records) }

// Knows reports whether t says nothing that is not remembered.
func (l *Ledger) Knows(t task.Task) bool {
	r, known := l.records[t.ID]
	return known && r.sameAnswer(newRecord(t))
}

// Complete reports whether there has been a complete refresh.
func (l *Ledger) Complete() bool { return !l.meta.From.IsZero() }

// Configure takes over new settings. What only a changed filter or a wider
// window shows needs a full read; NeedsFull says so from here on.
func (l *Ledger) Configure(set Settings) {
	refiltered := l.set.Filter != set.Filter
	l.set = set
	if !l.Complete() {
		return
	}
	if refiltered {
		l.regroup()
	}
	l.ensureSeries(l.meta.From)
}

// NeedsFull reports whether all that is listed has to be read: because nothing
// is known, or because the settings show more than has been read.
func (l *Ledger) NeedsFull() bool {
	return !l.Complete() || l.set.Filter != l.meta.CoverageUnder || l.set.Window > l.meta.Window
}

// put makes r what is remembered of its task.
func (l *Ledger) put(r *record) {
	l.replace(r.id)
	l.records[r.id] = r
}

// forget drops a task for good.
func (l *Ledger) forget(id string) {
	l.replace(id)
	delete(l.records, id)
}

func (l *Ledger) replace(id string) {
	if _, ok := l.replaced[id]; !ok && l.replaced != nil {
		l.replaced[id] = l.records[id]
	}
	if !l.unsaved.all {
		l.unsaved.records[id] = struct{}{}
	}
}

// derive computes the groups again in which a record has changed.
func (l *Ledger) derive() {
	switch {
	case l.replaced == nil:
		l.regroup()
	case len(l.replaced) > 0:
		l.group(func(yield func(change) bool) {
			for id, old := range l.replaced {
				if !yield(change{old, l.records[id]}) {
					return
				}
			}
		})
	}
}

// regroup computes all groups: for the first time, or as the filter is another.
func (l *Ledger) regroup() {
	shows := func(r *record) bool { return l.set.Filter.Matches(r.task()) }
	if l.set.Filter == (task.Filter{}) {
		shows = func(*record) bool { return true }
	}
	l.pages, l.provisionings = newPages(shows), newProvisionings(shows)
	l.group(func(yield func(change) bool) {
		for _, r := range l.records {
			if !yield(change{nil, r}) {
				return
			}
		}
	})
}

func (l *Ledger) group(changes iter.Seq[change]) {
	l.pages.update(changes)
	l.provisionings.update(changes)
	l.unresolved = l.provisionings.unresolved()
	l.replaced = map[string]*record{} // one that was cleared would stay as large as it ever was
}

// findLastEnd finds the newest ends among what the filter shows.
func (l *Ledger) findLastEnd() {
	clear(l.lastEnd)
	for _, r := range l.records {
		l.noteEnd(r)
	}
}

func (l *Ledger) noteEnd(r *record) {
	if r.finished && l.set.Filter.Matches(r.task()) {
		key := l.labels.key(r.what.Value())
		l.lastEnd[key] = max(l.lastEnd[key], r.end)
	}
}
