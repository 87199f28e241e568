package ledger

import (
	"cmp"
	"slices"
	"time"

	"cloudsso_exporter/internal/histogram"
	"cloudsso_exporter/internal/task"
)

// durationBounds are the classic buckets of the task duration, in seconds.
func durationBounds() []float64 { return []float64{1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600} }

// counters are the event counters of a directory. A series born after the first
// complete refresh is on hold at first: shown at 0, so that everyone who scrapes
// sees the 0 and increase() counts its first event.
type counters struct {
	series  map[SeriesID]*series
	touched map[SeriesID]struct{} // to be put, or dropped when not among series
	shown   []Series              // as of the last commit
}

type series struct {
	Series
	until  time.Time            // of the hold; zero until its birth is shown
	frozen *histogram.Histogram // its published copy
}

func newCounters() counters {
	return counters{series: map[SeriesID]*series{}, touched: map[SeriesID]struct{}{}}
}

// get returns the series; a new one is born at created, perhaps on hold.
func (c *counters) get(id SeriesID, created time.Time, held bool) *series {
	s, ok := c.series[id]
	if !ok {
		s = &series{Series: Series{SeriesID: id, Created: created, Held: held}}
		if id.Metric == Durations {
			s.Histogram = histogram.New(durationBounds(), created)
		}
		c.series[id] = s
		c.touched[id] = struct{}{}
	}
	return s
}

func (c *counters) drop(gone func(SeriesID) bool) {
	for id := range c.series {
		if gone(id) {
			delete(c.series, id)
			c.touched[id] = struct{}{}
		}
	}
}

// release ends the holds that are over. It takes a commit for that to show.
func (c *counters) release(now time.Time) {
	for id, s := range c.series {
		if s.Held && !s.until.IsZero() && !now.Before(s.until) {
			s.Held = false
			c.touched[id] = struct{}{}
		}
	}
}

// NextRelease is when the next hold of a series is over, zero when none is on hold.
func (c *counters) NextRelease() time.Time {
	var next time.Time
	for _, s := range c.series {
		if s.Held && !s.until.IsZero() && (next.IsZero() || s.until.Before(next)) {
			next = s.until
		}
	}
	return next
}

// freeze makes what is now durable what is shown. The hold of a series born
// since then lasts until the given time; zero leaves that open.
func (c *counters) freeze(until time.Time) {
	c.shown = make([]Series, 0, len(c.series))
	for _, s := range c.series {
		if s.Held && s.until.IsZero() {
			s.until = until
		}
		c.shown = append(c.shown, s.show())
	}
	slices.SortFunc(c.shown, func(a, b Series) int { return compareIDs(a.SeriesID, b.SeriesID) })
}

// show is the series as it is shown.
func (s *series) show() Series {
	shown := s.Series
	switch {
	case s.Held:
		shown.Value = 0
		if s.Histogram != nil {
			shown.Histogram = histogram.New(s.Histogram.Bounds, s.Created)
		}
	case s.Histogram != nil:
		if s.frozen == nil || s.frozen.Count != s.Histogram.Count {
			s.frozen = s.Histogram.Clone()
		}
		shown.Histogram = s.frozen
	}
	return shown
}

// save is the series as it is made durable.
func (s *series) save() Series {
	saved := s.Series
	if s.Histogram != nil {
		saved.Histogram = s.Histogram.Clone()
	}
	return saved
}

func compareIDs(a, b SeriesID) int {
	return cmp.Or(cmp.Compare(a.Metric, b.Metric), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Label, b.Label))
}

// ensureSeries makes the series that are there from the first complete refresh
// on, those of rules that were added since included. The very first are as old
// as the refresh that makes them, which began at began.
func (l *Ledger) ensureSeries(began time.Time) {
	born, held := l.meta.At, l.set.Hold > 0
	if len(l.series) == 0 {
		born, held = began, false
	}
	ensure := func(m Metric, t task.Type, label string) {
		l.get(SeriesID{Metric: m, Type: t, Label: label}, born, held)
	}
	for _, t := range task.Types() {
		ensure(Started, t, "")
		ensure(Expired, t, "")
		for _, s := range []task.Status{task.Success, task.Failed} {
			ensure(Finished, t, string(s))
			ensure(Durations, t, string(s))
		}
		for _, r := range l.ruleReasons() {
			ensure(Failures, t, r)
		}
	}
	ensure(Overflow, "", "")
}
