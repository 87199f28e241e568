package ledger

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"cloudsso_exporter/internal/task"
)

// model keeps every task it has ever been shown and computes everything anew
// each time, in the most naive way there is.
type model struct {
	set   Settings
	shown map[string]sample // counters as of the last commit
	known                   // what a state folder keeps
}

// known is a value: a clone of it is a state folder.
type known struct {
	seen    map[string]task.Task // merged
	counted map[string]bool      // finished
	givenUp map[string]bool
	ends    map[string]time.Time // newest seen
	series  map[string]modelSeries
	at      time.Time // of the last complete refresh; zero before the first
	from    time.Time // of what is covered
	under   task.Filter
}

type modelSeries struct {
	value   int
	created time.Time
	held    bool
	until   time.Time // zero until the birth is shown
}

// sample is a counter series as a scrape shows it.
type sample struct {
	Value   int
	Created time.Time
}

func (k known) clone() known {
	k.seen, k.counted, k.givenUp, k.ends, k.series = maps.Clone(k.seen), maps.Clone(k.counted), maps.Clone(k.givenUp), maps.Clone(k.ends), maps.Clone(k.series)
	return k
}

func newModel(set Settings) *model {
	return &model{set: set, shown: map[string]sample{}, known: known{
		seen: map[string]task.Task{}, counted: map[string]bool{}, givenUp: map[string]bool{}, ends: map[string]time.Time{}, series: map[string]modelSeries{},
	}}
}

func key(parts ...string) string { return strings.Join(parts, " ") }

// count adds n to a series, which may be born of it.
func (m *model) count(n int, born time.Time, held bool, name string) {
	s, ok := m.series[name]
	if !ok {
		s = modelSeries{created: born, held: held && m.set.Hold > 0}
	}
	s.value += n
	m.series[name] = s
}

func (m *model) apply(tasks []task.Task, c Span) {
	first, born := m.at.IsZero(), m.at
	if first {
		born = c.Began
		for _, typ := range task.Types() {
			names := []string{key("started", string(typ)), key("expired", string(typ))}
			for _, status := range []string{"Success", "Failed"} {
				names = append(names, key("finished", string(typ), status), key("durations", string(typ), status))
			}
			for _, name := range names {
				m.count(0, born, false, name)
			}
		}
	}
	fresh := m.merge(tasks, first, born)
	maps.DeleteFunc(m.seen, func(_ string, t task.Task) bool { // nobody watches what the filter hides
		return !m.set.Filter.Matches(t) && !later(t.Start, t.End).Add(Retention+time.Hour).After(c.At)
	})
	for _, all := range m.streaks() {
		latest := all[len(all)-1]
		if !latest.End.Add(m.set.MaxAge).Before(c.At) {
			continue
		}
		for _, t := range all {
			m.givenUp[t.ID] = true
		}
		if !fresh[latest.ID] {
			m.count(1, born, true, key("expired", string(latest.Type)))
		}
	}
	if !c.Since.IsZero() && m.under != m.set.Filter { // what is remembered under the new filter
		m.ends = map[string]time.Time{}
		kept := map[string]bool{}
		for _, all := range m.streaks() {
			for _, t := range all {
				kept[t.ID] = true
			}
		}
		for _, t := range m.visible() {
			if kept[t.ID] || later(t.Start, t.End).Add(memory).After(c.At) {
				m.noteEnd(t)
			}
		}
	}
	switch {
	case c.Since.IsZero():
	case first || m.under != m.set.Filter:
		m.from, m.under = c.Since, m.set.Filter
	case c.Since.Before(m.from):
		m.from = c.Since
	}
	m.at = c.At
	for name, s := range m.series {
		if s.held && !s.until.IsZero() && !c.At.Before(s.until) {
			s.held = false
			m.series[name] = s
		}
	}
	if first {
		m.show(c.At)
	}
}

// merge takes in the tasks and returns the failures that are new.
func (m *model) merge(tasks []task.Task, first bool, born time.Time) map[string]bool {
	merged := map[string]task.Task{}
	for _, t := range tasks {
		if old, ok := merged[t.ID]; ok && old.Finished() && !t.Finished() {
			continue
		}
		merged[t.ID] = t
	}
	fresh := map[string]bool{}
	for id, t := range merged {
		old, known := m.seen[id]
		if known && old.Finished() && !t.Finished() {
			continue
		}
		baseline := first || !known && (t.Start.Before(m.from) || !m.under.Matches(t))
		if !known && !baseline {
			m.count(1, born, true, key("started", string(t.Type)))
		}
		if t.Finished() && !m.counted[id] {
			m.counted[id] = true
			fresh[id] = true
			if !baseline {
				m.count(1, born, true, key("finished", string(t.Type), string(t.Status)))
				m.count(1, born, true, key("durations", string(t.Type), string(t.Status)))
				if t.Status == task.Failed {
					m.count(1, born, true, key("failures", string(t.Type), t.FailureReason))
				}
			}
		}
		m.seen[id] = t
		if m.set.Filter.Matches(t) {
			m.noteEnd(t)
		}
	}
	return fresh
}

func (m *model) noteEnd(t task.Task) {
	if t.Finished() {
		name := key("end", string(t.Type), string(t.Status))
		m.ends[name] = later(m.ends[name], t.End)
	}
}

// show is a commit: what is known is what scrapes see.
func (m *model) show(now time.Time) {
	m.shown = map[string]sample{}
	for name, s := range m.series {
		if s.held && s.until.IsZero() {
			s.until = now.Add(m.set.Hold)
			m.series[name] = s
		}
		one := sample{s.value, s.created}
		if s.held {
			one.Value = 0
		}
		m.shown[name] = one
	}
}

// restart goes on from what was known. Holds begin again with the next commit.
func (m *model) restart(k known) {
	m.known = k.clone()
	m.show(m.at)
	for name, s := range m.series {
		s.until = time.Time{}
		m.series[name] = s
	}
}

func (m *model) visible() []task.Task {
	var all []task.Task
	for _, t := range m.seen {
		if m.set.Filter.Matches(t) {
			all = append(all, t)
		}
	}
	return all
}

// gauges are all that is shown of the window and beyond it, each under its name.
func (m *model) gauges() map[string]string {
	n, ends, oldest := map[string]int{}, map[string]time.Time{}, map[string]time.Time{}
	for _, t := range m.visible() {
		if !t.Finished() && !t.Start.Before(m.at.Add(-Retention)) {
			name := key("oldest", string(t.Type))
			if at, ok := oldest[name]; !ok || t.Start.Before(at) {
				oldest[name] = t.Start
			}
		}
		if t.Start.Before(m.at.Add(-m.set.Window)) {
			continue
		}
		n[key("tasks", string(t.Type), string(t.Status))]++
		if t.Status == task.Failed {
			n[key("failed", string(t.Type), t.FailureReason)]++
		}
	}
	maps.Copy(ends, m.ends)
	for _, all := range m.streaks() {
		latest := all[len(all)-1]
		if m.givenUp[latest.ID] {
			continue
		}
		n[key("unresolved", string(latest.Type), latest.FailureReason)]++
		first := slices.IndexFunc(all, func(t task.Task) bool { return t.Type == latest.Type })
		ends[key("since", latest.ID)] = all[first].End
	}
	maps.Copy(ends, oldest)
	return gauges(n, ends)
}

// streaks goes through all that ever ended in the order it ended.
func (m *model) streaks() map[task.Subject][]task.Task {
	all := slices.DeleteFunc(m.visible(), func(t task.Task) bool { return !t.Finished() || m.givenUp[t.ID] })
	slices.SortFunc(all, func(a, b task.Task) int {
		return cmp.Or(a.End.Compare(b.End), a.Start.Compare(b.Start), cmp.Compare(a.ID, b.ID))
	})
	open := map[task.Subject][]task.Task{}
	for _, t := range all {
		s := t.Subject()
		if t.Status == task.Failed {
			open[s] = append(open[s], t)
			continue
		}
		delete(open, s)
		if t.Type == task.DeprovisionAccessConfiguration {
			maps.DeleteFunc(open, func(o task.Subject, _ []task.Task) bool {
				return o.AccessConfigurationID == s.AccessConfigurationID && o.TargetID == s.TargetID && o.OriginTargetID == s.OriginTargetID
			})
		}
	}
	return open
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
