package window

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"cloudsso_exporter/internal/task"
)

// Release ends the holds of counter series that are over at now. What it changed
// shows once it is committed.
func (w *Window) Release(now time.Time) { w.counters.release(now) }

// NextRelease is when the next hold of a series is over, zero when none is on hold.
func (w *Window) NextRelease() time.Time { return w.counters.nextRelease() }

// Changes lists everything that changed since the last commit, as one transaction.
func (w *Window) Changes() Changes {
	ch := w.unchanged()
	for id := range w.changed {
		if r, ok := w.records[id]; ok {
			ch.Put = append(ch.Put, r.saved())
		} else {
			ch.Delete = append(ch.Delete, id)
		}
	}
	ch.Counters, ch.DropCounters = w.counters.saved(maps.Keys(w.counters.changed))
	return ch
}

// unchanged is what is written each time, whatever has changed.
func (w *Window) unchanged() Changes {
	ch := Changes{Meta: w.meta, Places: slices.Clone(w.places.all)}
	ch.Meta.Types, ch.Meta.Statuses = w.labels.types, w.labels.statuses
	return ch
}

// Everything lists the whole state as one transaction, for a state file that has
// lost what was committed before. It costs as much as the window is large.
func (w *Window) Everything() Changes {
	ch := w.unchanged()
	for _, r := range w.records {
		ch.Put = append(ch.Put, r.saved())
	}
	ch.Counters, _ = w.counters.saved(maps.Keys(w.counters.series))
	return ch
}

// Committed says that the last Changes are durable, as of now: counters show
// them from here on.
func (w *Window) Committed(now time.Time) {
	w.changed = map[string]struct{}{} // one that was cleared would stay as large as the first read
	clear(w.counters.changed)
	w.counters.freeze(now.Add(w.set.Hold))
}

// Snapshot returns what is known: gauges as of the last Apply, counters as of the last Committed.
// It is nil before the first complete refresh.
func (w *Window) Snapshot() *Snapshot {
	if !w.Complete() {
		return nil
	}
	s := &Snapshot{
		At:       w.meta.At,
		Window:   w.set.Window,
		Failures: w.unresolved(),
		Counters: w.counters.shown,
	}
	if s.Counters == nil { // nothing has ever been durable
		s.Counters = &Counters{}
	}
	for _, typ := range task.Types() {
		for _, status := range task.Statuses() {
			s.Tasks = append(s.Tasks, StatusCount{typ, status, w.tasks[statusKey{typ, status}]})
		}
	}
	for key, n := range w.tasks {
		if !slices.Contains(task.Types(), key.typ) || !slices.Contains(task.Statuses(), key.status) {
			s.Tasks = append(s.Tasks, StatusCount{key.typ, key.status, n})
		}
	}
	for key, n := range w.failed {
		s.Failed = append(s.Failed, ReasonCount{key.typ, key.reason, n})
	}
	for key, end := range w.lastEnd {
		s.LastEnd = append(s.LastEnd, StatusTime{key.typ, key.status, moment(end)})
	}
	unresolved := map[reasonKey]int{}
	for _, f := range s.Failures {
		unresolved[reasonKey{f.Latest.Type, f.Reason}]++
	}
	for key, n := range unresolved {
		s.Unresolved = append(s.Unresolved, ReasonCount{key.typ, key.reason, n})
	}
	oldest := map[task.Type]int64{}
	for r := range w.running {
		typ := w.labels.typ(task.Type(r.typ.Value()))
		if at, ok := oldest[typ]; !ok || r.start < at {
			oldest[typ] = r.start
		}
	}
	for typ, at := range oldest {
		s.OldestInProgress = append(s.OldestInProgress, TypeTime{typ, moment(at)})
	}
	s.sort()
	return s
}

func (s *Snapshot) sort() {
	slices.SortFunc(s.Tasks, func(a, b StatusCount) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Status, b.Status))
	})
	slices.SortFunc(s.LastEnd, func(a, b StatusTime) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Status, b.Status))
	})
	for _, counts := range [][]ReasonCount{s.Failed, s.Unresolved} {
		slices.SortFunc(counts, func(a, b ReasonCount) int {
			return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Reason, b.Reason))
		})
	}
	slices.SortFunc(s.OldestInProgress, func(a, b TypeTime) int { return cmp.Compare(a.Type, b.Type) })
}

// ensureSeries makes the series that are there from the first complete refresh
// on, those of rules that were added since included. The very first are as old
// as the refresh that makes them, which began at began.
func (w *Window) ensureSeries(began time.Time) {
	if !w.Complete() {
		return
	}
	born, held := w.meta.At, w.set.Hold > 0
	if len(w.counters.series) == 0 {
		born, held = began, false
	}
	ensure := func(m Metric, t task.Type, label string) {
		w.counters.get(CounterID{Metric: m, Type: t, Label: label}, born, held)
	}
	for _, t := range task.Types() {
		ensure(Started, t, "")
		ensure(Expired, t, "")
		for _, s := range []task.Status{task.Success, task.Failed} {
			ensure(Finished, t, string(s))
			ensure(Durations, t, string(s))
		}
		for _, r := range w.ruleReasons() {
			ensure(Failures, t, r)
		}
	}
	ensure(Overflow, "", "")
}
