package window

import (
	"slices"
	"testing"
)

// file is a state file in memory.
type file struct {
	meta     Meta
	tasks    map[string]SavedTask
	counters map[CounterID]SavedCounter
	places   []Place
}

func (f *file) commit(t *testing.T, ch Changes) {
	t.Helper()
	if f.tasks == nil {
		f.tasks, f.counters = map[string]SavedTask{}, map[CounterID]SavedCounter{}
	}
	f.meta, f.places = ch.Meta, slices.Clone(ch.Places)
	for _, p := range ch.Put {
		f.tasks[p.ID] = p
	}
	for _, id := range ch.Delete {
		delete(f.tasks, id)
	}
	for _, c := range ch.Counters {
		if old, ok := f.counters[c.CounterID]; ok && old.Value > c.Value {
			t.Errorf("counter %v goes back from %d to %d", c.CounterID, old.Value, c.Value)
		}
		f.counters[c.CounterID] = c
	}
	for _, id := range ch.DropCounters {
		delete(f.counters, id)
	}
}

func (f *file) load() *Saved {
	s := &Saved{Meta: f.meta, Places: slices.Clone(f.places)}
	for _, id := range sortedKeys(f.tasks) {
		s.Tasks = append(s.Tasks, f.tasks[id])
	}
	for _, c := range f.counters {
		if c.Histogram != nil {
			c.Histogram = c.Histogram.Clone()
		}
		s.Counters = append(s.Counters, c)
	}
	return s
}

func sortedKeys(m map[string]SavedTask) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
