// Package window remembers what has been seen of a directory's tasks: it merges
// answers by task id, counts each task once for ever, lets tasks leave a sliding
// window as time passes, follows failures until they are resolved, and gives out
// immutable snapshots.
//
// It is pure: no I/O, no clock, no logging. Time comes in with each call and is
// API time. What it learns is durable only once its Changes are committed;
// counters in a Snapshot never run ahead of that.
package window

import (
	"time"

	"cloudsso_exporter/internal/reason"
	"cloudsso_exporter/internal/task"
)

// Listed is how far back the API lists tasks, by StartTime.
const Listed = 7 * 24 * time.Hour

// memory is how long a finished task is remembered so that no late or repeated
// answer counts it again: as long as the API can list it, and a margin.
const memory = Listed + time.Hour

// slack is how far from the API's clock ours may be without being corrected: a
// task that started so little ahead of us is not in the future.
const slack = 5 * time.Second

// Settings are what the configuration says of a directory's window.
type Settings struct {
	Window      time.Duration
	Filter      task.Filter
	Rules       []reason.Rule
	ReasonLimit int           // distinct reasons, those of rules included, "other" not
	MaxAge      time.Duration // of an unresolved failure since its latest task ended
	Hold        time.Duration // a counter series born late is shown at 0 for so long
}

// Window is the memory of one directory. Not safe for concurrent use.
type Window struct {
	set  Settings
	meta Meta

	records map[string]*record
	agenda  agenda
	minutes map[int64]int // visible tasks by the minute they started in, for estimates

	tasks   map[statusKey]int
	failed  map[reasonKey]int
	lastEnd map[statusKey]int64
	running map[*record]struct{}
	subjects

	labels   labels
	places   places
	counters counters

	changed map[string]struct{} // ids of records to be put or deleted
}

type statusKey struct {
	typ    task.Type
	status task.Status
}

type reasonKey struct {
	typ    task.Type
	reason string
}

// New returns the window of a directory of which nothing is known.
func New(set Settings) *Window {
	w := &Window{
		set:      set,
		records:  map[string]*record{},
		changed:  map[string]struct{}{},
		counters: newCounters(),
	}
	w.clear()
	return w
}

// clear forgets everything derived from the records.
func (w *Window) clear() {
	w.agenda = nil
	w.minutes = map[int64]int{}
	w.tasks = map[statusKey]int{}
	w.failed = map[reasonKey]int{}
	w.lastEnd = map[statusKey]int64{}
	w.running = map[*record]struct{}{}
	w.subjects = newSubjects()
	for _, r := range w.records {
		r.due, r.inWindow, r.running, r.failing = 0, false, false, false
	}
}

// Restore returns the window as it was saved, cut as it was at the last complete
// refresh. now is when the series still on hold begin their hold anew: nobody
// knows whether their 0 has been seen.
func Restore(set Settings, saved *Saved, now time.Time) *Window {
	w := New(set)
	w.meta = saved.Meta
	w.labels = labels{types: saved.Meta.Types, statuses: saved.Meta.Statuses}
	w.places.restore(saved.Places)
	w.counters.restore(saved.Counters, now.Add(set.Hold))
	for _, s := range saved.Tasks {
		w.records[s.ID] = restoreRecord(s)
	}
	w.refilter() // the settings may have been others when it was saved
	w.rebuild()
	w.ensureSeries(w.meta.From)
	w.counters.freeze(now.Add(set.Hold))
	return w
}

// Complete reports whether there has been a complete refresh.
func (w *Window) Complete() bool { return !w.meta.From.IsZero() }

// Configure takes over new settings. What only a changed filter or a wider
// window shows needs a full read; NeedsFull says so from here on.
func (w *Window) Configure(set Settings) {
	old := w.set
	w.set = set
	if !w.Complete() {
		return
	}
	if old.Filter != set.Filter {
		w.refilter()
	}
	if old.Filter != set.Filter || old.Window != set.Window {
		w.rebuild()
	}
	w.ensureSeries(w.meta.From)
}

// refilter hides what the filter does not show, and shows again what it does.
func (w *Window) refilter() {
	for id, r := range w.records {
		if hidden := !w.set.Filter.Matches(r.task()); hidden != r.hidden {
			r.hidden = hidden
			w.changed[id] = struct{}{}
		}
	}
}

// rebuild derives everything anew from the records, as of the last cut.
func (w *Window) rebuild() {
	w.clear()
	now := millis(w.meta.At)
	for _, r := range w.records {
		w.show(r, now)
	}
}

// NeedsFull reports whether everything in the window has to be read: because
// nothing is known, or because the settings show more than has been read.
func (w *Window) NeedsFull() bool {
	return !w.Complete() || w.set.Filter != w.meta.CoverageUnder || w.set.Window > w.meta.Window
}
