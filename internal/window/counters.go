package window

import (
	"cmp"
	"iter"
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
	series  map[CounterID]*series
	changed map[CounterID]struct{} // to be put, or deleted when not among series
	shown   *Counters              // as of the last commit
}

type series struct {
	value     uint64
	created   time.Time
	held      bool
	until     time.Time            // of the hold; zero until its birth is published
	histogram *histogram.Histogram // of Durations
	frozen    *histogram.Histogram // its published copy
}

func newCounters() counters {
	return counters{series: map[CounterID]*series{}, changed: map[CounterID]struct{}{}}
}

func (c *counters) restore(saved []SavedCounter, until time.Time) {
	for _, s := range saved {
		c.series[s.CounterID] = &series{
			value: s.Value, created: s.Created, held: s.Held, until: until, histogram: s.Histogram,
		}
	}
}

// get returns the series; a new one is born at created, perhaps on hold.
func (c *counters) get(id CounterID, created time.Time, held bool) *series {
	s, ok := c.series[id]
	if !ok {
		s = &series{created: created, held: held}
		if id.Metric == Durations {
			s.histogram = histogram.New(durationBounds(), created)
		}
		c.series[id] = s
		c.changed[id] = struct{}{}
	}
	return s
}

func (c *counters) drop(m Metric, gone func(label string) bool) {
	for id := range c.series {
		if id.Metric == m && gone(id.Label) {
			delete(c.series, id)
			c.changed[id] = struct{}{}
		}
	}
}

// release ends the holds that are over. It takes a commit for that to show.
func (c *counters) release(now time.Time) {
	for id, s := range c.series {
		if s.held && !s.until.IsZero() && !now.Before(s.until) {
			s.held = false
			c.changed[id] = struct{}{}
		}
	}
}

// nextRelease is when the next hold is over, zero when nothing is on hold.
func (c *counters) nextRelease() time.Time {
	var next time.Time
	for _, s := range c.series {
		if s.held && !s.until.IsZero() && (next.IsZero() || s.until.Before(next)) {
			next = s.until
		}
	}
	return next
}

// freeze makes what is now durable what is shown. The hold of a series born
// since then lasts until the given time.
func (c *counters) freeze(until time.Time) {
	out := &Counters{}
	for id, s := range c.series {
		if s.held && s.until.IsZero() {
			s.until = until
		}
		if id.Metric == Durations {
			out.Durations = append(out.Durations, Duration{Type: id.Type, Status: task.Status(id.Label), Histogram: s.freeze()})
			continue
		}
		one := Counter{Type: id.Type, Label: id.Label, Value: s.value, Created: s.created}
		if s.held {
			one.Value = 0
		}
		switch id.Metric {
		case Started:
			out.Started = append(out.Started, one)
		case Finished:
			out.Finished = append(out.Finished, one)
		case Failures:
			out.Failures = append(out.Failures, one)
		case Expired:
			out.Expired = append(out.Expired, one)
		case Overflow:
			out.Overflow = one
		}
	}
	byLabels := func(a, b Counter) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Label, b.Label))
	}
	for _, s := range [][]Counter{out.Started, out.Finished, out.Failures, out.Expired} {
		slices.SortFunc(s, byLabels)
	}
	slices.SortFunc(out.Durations, func(a, b Duration) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Status, b.Status))
	})
	c.shown = out
}

// freeze is the histogram as it is shown.
func (s *series) freeze() *histogram.Histogram {
	if s.held {
		return histogram.New(s.histogram.Bounds, s.created)
	}
	if s.frozen == nil || s.frozen.Count != s.histogram.Count {
		s.frozen = s.histogram.Clone()
	}
	return s.frozen
}

// saved lists the series of ids, and those ids that have none any more.
func (c *counters) saved(ids iter.Seq[CounterID]) (put []SavedCounter, drop []CounterID) {
	for _, id := range slices.SortedFunc(ids, compareIDs) {
		s, ok := c.series[id]
		if !ok {
			drop = append(drop, id)
			continue
		}
		one := SavedCounter{CounterID: id, Value: s.value, Created: s.created, Held: s.held}
		if s.histogram != nil {
			one.Histogram = s.histogram.Clone()
		}
		put = append(put, one)
	}
	return put, drop
}

func compareIDs(a, b CounterID) int {
	return cmp.Or(cmp.Compare(a.Metric, b.Metric), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Label, b.Label))
}
