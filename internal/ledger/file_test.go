package ledger

import (
	"maps"
	"slices"
	"testing"
)

// file is the state of a directory in memory, as committed.
type file struct {
	meta    Meta
	tasks   map[string]Record
	series  map[SeriesID]Series
	slots   map[string]Slot
	streaks map[streakKey]Streak
}

func (f *file) commit(t *testing.T, c Change) {
	t.Helper()
	if f.tasks == nil {
		*f = file{tasks: map[string]Record{}, series: map[SeriesID]Series{}, slots: map[string]Slot{}, streaks: map[streakKey]Streak{}}
	}
	f.meta = c.Meta
	for r := range c.Put {
		f.tasks[r.ID] = r
	}
	for _, id := range c.Forgotten {
		delete(f.tasks, id)
	}
	for _, s := range c.Series {
		if old, ok := f.series[s.SeriesID]; ok && old.Value > s.Value {
			t.Errorf("counter %v goes back from %d to %d", s.SeriesID, old.Value, s.Value)
		}
		f.series[s.SeriesID] = s
	}
	for _, id := range c.Dropped {
		delete(f.series, id)
	}
	for _, s := range c.Slots {
		f.slots[s.Reason] = s
	}
	for _, reason := range c.Freed {
		delete(f.slots, reason)
	}
	for _, s := range c.Streaks {
		f.streaks[s.key()] = s
	}
}

// load replays the state as one change.
func (f *file) load(replay func(Change) error) (bool, error) {
	c := Change{
		Meta: f.meta, Put: maps.Values(f.tasks),
		Slots: slices.Collect(maps.Values(f.slots)), Streaks: slices.Collect(maps.Values(f.streaks)),
	}
	for _, s := range f.series {
		if s.Histogram != nil {
			s.Histogram = s.Histogram.Clone()
		}
		c.Series = append(c.Series, s)
	}
	return true, replay(c)
}

// restore goes on from what f has.
func restore(t *testing.T, set Settings, f *file) *Ledger {
	t.Helper()
	l, err := Restore(set, f.load)
	if err != nil {
		t.Fatal(err)
	}
	l.Configure(set)
	return l
}

// ofMetric are the shown series of a metric.
func ofMetric(all []Series, m Metric) []Series {
	return slices.DeleteFunc(slices.Clone(all), func(s Series) bool { return s.Metric != m })
}

func changed(c Change) []Record { return slices.Collect(c.Put) }
