package store

import (
	"iter"
	"maps"
	"slices"

	"cloudsso_exporter/internal/histogram"
	"cloudsso_exporter/internal/ledger"
	"cloudsso_exporter/internal/task"
)

// frame is a change of a directory. When it is read, change.Put reads on and can be ranged over once.
func (c *coder) frame(directoryID *string, change *ledger.Change) {
	c.string(directoryID)
	c.meta(&change.Meta)
	list(c, &change.Forgotten, c.string)
	list(c, &change.Series, c.series)
	list(c, &change.Dropped, c.seriesID)
	list(c, &change.Slots, func(s *ledger.Slot) { c.string(&s.Reason); c.time(&s.Last) })
	list(c, &change.Freed, c.string)
	list(c, &change.Streaks, func(s *ledger.Streak) { c.task(&s.Labels); c.time(&s.Resolved) })
	if c.reads() {
		change.Put = c.records()
		return
	}
	more := true
	if change.Put != nil {
		for r := range change.Put {
			c.bool(&more)
			c.record(&r)
		}
	}
	more = false
	c.bool(&more)
}

// records reads records until there are no more.
func (c *coder) records() iter.Seq[ledger.Record] {
	return func(yield func(ledger.Record) bool) {
		for more := true; ; {
			var r ledger.Record
			c.bool(&more)
			if !more || c.err != nil {
				return
			}
			c.record(&r)
			if c.err != nil || !yield(r) {
				return
			}
		}
	}
}

func (c *coder) record(r *ledger.Record) {
	c.task(&r.Task)
	interned(c, &r.Reason)
	c.bool(&r.GivenUp)
}

func (c *coder) task(t *task.Task) {
	c.string(&t.ID)
	interned(c, &t.Type)
	interned(c, &t.Status)
	c.time(&t.Start)
	c.time(&t.End)
	interned(c, &t.FailureReason)
	for _, text := range []*string{
		&t.AccessConfigurationID, &t.AccessConfigurationName,
		&t.TargetType, &t.TargetID, &t.TargetName, &t.TargetPath, &t.TargetPathName,
		&t.PrincipalType, &t.PrincipalID, &t.PrincipalName, &t.OriginTargetID,
	} {
		interned(c, text)
	}
}

func (c *coder) meta(m *ledger.Meta) {
	c.time(&m.From)
	c.time(&m.At)
	c.duration(&m.Window)
	c.time(&m.CoverageFrom)
	for _, text := range []*string{
		&m.CoverageUnder.AccessConfigurationID, &m.CoverageUnder.TargetType, &m.CoverageUnder.TargetID,
		&m.CoverageUnder.PrincipalType, &m.CoverageUnder.PrincipalID,
	} {
		c.string(text)
	}
	list(c, &m.Types, func(t *task.Type) { interned(c, t) })
	list(c, &m.Statuses, func(s *task.Status) { interned(c, s) })
	list(c, &m.LastEnd, func(e *ledger.StatusTime) { interned(c, &e.Type); interned(c, &e.Status); c.time(&e.At) })
	c.time(&m.Walk.Rested)
	c.float(&m.Walk.Credit)
	c.float(&m.Walk.Pace)
	c.time(&m.Walk.From)
	c.string(&m.Walk.Token)
	c.bool(&m.Walk.Active)
}

func (c *coder) seriesID(id *ledger.SeriesID) {
	interned(c, &id.Metric)
	interned(c, &id.Type)
	interned(c, &id.Label)
}

func (c *coder) series(s *ledger.Series) {
	c.seriesID(&s.SeriesID)
	c.uint(&s.Value)
	c.time(&s.Created)
	c.bool(&s.Held)
	has := s.Histogram != nil
	c.bool(&has)
	if has {
		if c.reads() {
			s.Histogram = &histogram.Histogram{}
		}
		c.histogram(s.Histogram)
	}
}

// bucket is one native bucket.
type bucket struct {
	index int64
	count uint64
}

func (c *coder) histogram(h *histogram.Histogram) {
	c.time(&h.Created)
	c.uint(&h.Count)
	c.float(&h.Sum)
	list(c, &h.Bounds, c.float)
	list(c, &h.Classic, c.uint)
	c.uint(&h.Zero)
	var native []bucket
	for _, i := range slices.Sorted(maps.Keys(h.Native)) {
		native = append(native, bucket{int64(i), h.Native[i]})
	}
	list(c, &native, func(b *bucket) { c.int(&b.index); c.uint(&b.count) })
	if c.reads() {
		h.Native = map[int]uint64{}
		for _, b := range native {
			h.Native[int(b.index)] = b.count
		}
	}
}
