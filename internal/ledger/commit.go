package ledger

import (
	"iter"
	"maps"
	"reflect"
	"slices"
	"time"
)

// unsaved is what has changed since the last durable change.
type unsaved struct {
	all     bool                // nothing has been made durable yet
	records map[string]struct{} // ids to be put, or forgotten when not among records
	slots   map[string]struct{}
	streaks map[streakKey]struct{}
	meta    Meta // as it was last made durable
}

func newUnsaved() unsaved {
	return unsaved{records: map[string]struct{}{}, slots: map[string]struct{}{}, streaks: map[streakKey]struct{}{}}
}

// durableMeta is the meta with the lists that are kept elsewhere.
func (l *Ledger) durableMeta() Meta {
	m := l.meta
	m.Types, m.Statuses = l.labels.types, l.labels.statuses
	m.LastEnd = l.lastEnds()
	return m
}

// Changed reports whether anything but the time of the last complete refresh
// and the walk has changed since the last commit.
func (l *Ledger) Changed() bool {
	now, then := l.durableMeta(), l.unsaved.meta
	then.From, then.At, then.Walk = now.From, now.At, now.Walk
	return l.unsaved.all || len(l.unsaved.records)+len(l.touched)+len(l.unsaved.slots)+len(l.unsaved.streaks) > 0 ||
		!reflect.DeepEqual(now, then)
}

// Change lists everything that has changed since the last commit.
func (l *Ledger) Change() Change {
	if l.unsaved.all {
		return l.Everything()
	}
	c := Change{Meta: l.durableMeta(), Put: l.saved(maps.Keys(l.unsaved.records))}
	for id := range l.unsaved.records {
		if _, ok := l.records[id]; !ok {
			c.Forgotten = append(c.Forgotten, id)
		}
	}
	for id := range l.touched {
		if s, ok := l.series[id]; ok {
			c.Series = append(c.Series, s.save())
		} else {
			c.Dropped = append(c.Dropped, id)
		}
	}
	for reason := range l.unsaved.slots {
		if last, ok := l.slots[reason]; ok {
			c.Slots = append(c.Slots, Slot{reason, last})
		} else {
			c.Freed = append(c.Freed, reason)
		}
	}
	for key := range l.unsaved.streaks {
		if s, ok := l.streaks[key]; ok {
			c.Streaks = append(c.Streaks, s)
		}
	}
	return c
}

// Everything is the whole state as one change, for a file that begins with it.
// It costs as much as there are tasks, but no memory: Put reads them one by one.
func (l *Ledger) Everything() Change {
	c := Change{Meta: l.durableMeta(), Put: l.saved(maps.Keys(l.records)), Streaks: slices.Collect(maps.Values(l.streaks))}
	for _, s := range l.series {
		c.Series = append(c.Series, s.save())
	}
	for reason, last := range l.slots {
		c.Slots = append(c.Slots, Slot{reason, last})
	}
	return c
}

// saved gives the records of those ids that are remembered.
func (l *Ledger) saved(ids iter.Seq[string]) iter.Seq[Record] {
	return func(yield func(Record) bool) {
		for id := range ids {
			if r, ok := l.records[id]; ok && !yield(r.saved()) {
				return
			}
		}
	}
}

// Committed says that the last Change, or Everything, is durable, as of now:
// counters show it from here on.
func (l *Ledger) Committed(now time.Time) {
	l.unsaved = newUnsaved()
	l.unsaved.meta = l.durableMeta()
	clear(l.touched)
	l.freeze(now.Add(l.set.Hold))
}

// Release ends the holds of counter series that are over at now. It shows once it is committed.
func (l *Ledger) Release(now time.Time) { l.release(now) }
