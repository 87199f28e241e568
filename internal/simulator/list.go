package simulator

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"cloudsso_exporter/internal/task"
)

// Order is the order of a list. The reference promises none.
type Order int

// The orders.
const (
	NewestFirst Order = iota
	OldestFirst
	Shuffled   // random, but the same in every read
	Reshuffled // random, another one in every read; the pages of one read agree
)

// rank is the place of a task in an order.
type rank struct {
	Value int64  `json:"v"`
	ID    string `json:"i"`
}

func (a rank) compare(b rank) int {
	return cmp.Or(cmp.Compare(a.Value, b.Value), strings.Compare(a.ID, b.ID))
}

// ranked is a task in a list.
type ranked struct {
	value  int64
	record *Record
}

func (r ranked) rank() rank { return rank{r.value, r.record.ID} }

func (r ranked) compare(other ranked) int { return r.rank().compare(other.rank()) }

// list is the answer to a query before it's cut into pages. It is kept, and moved
// on as the clock goes, so that the next page is cheap.
type list struct {
	key     listKey
	version uint64
	now     time.Time // what it is the answer of
	entries []ranked  // in order
	pending []change  // yet to come, by time
}

type listKey struct {
	want  wanted
	from  int64
	order Order
	seed  uint64
}

// change is when a record may come into the list or leave it.
type change struct {
	at     time.Time
	record *Record
}

const (
	keptLists = 4 // the last used ones
	// A task that ended this long ago is taken off the open ones; a clock that is
	// set back by less finds it there.
	openSlack = 3 * time.Hour
)

// list returns all that q asks for, in order. Call with the lock held; the slice
// is good until it is given back.
func (d *Directory) list(q query, now time.Time, order Order) []ranked {
	d.makeUp(now)
	key := listKey{want: q.want, from: q.from.Unix(), order: order, seed: q.at.Seed}
	var l *list
	if i := slices.IndexFunc(d.lists, func(l *list) bool { return l.key == key }); i >= 0 {
		l = d.lists[i]
		d.lists = slices.Delete(d.lists, i, i+1)
	}
	if l == nil || l.version != d.version || now.Before(l.now) {
		l = d.newList(key, q.from, now)
	}
	l.advance(now)
	d.lists = slices.Insert(d.lists, 0, l)
	d.lists = d.lists[:min(len(d.lists), keptLists)]
	return l.entries
}

func (d *Directory) newList(key listKey, from, now time.Time) *list {
	l := &list{key: key, version: d.version, now: now}
	if key.want.status == task.InProgress {
		d.closeEnded(now)
		l.take(maps.Keys(d.open))
	} else {
		l.take(slices.Values(startedSince(d.sorted, from)))
		l.take(slices.Values(startedSince(d.made.records, from)))
	}
	return l
}

// take puts those of the records that are asked for into the list.
func (l *list) take(records iter.Seq[*Record]) {
	anyStatus := l.key.want
	anyStatus.status = ""
	for r := range records {
		if wholeSeconds(r.Start).Unix() < l.key.from || !anyStatus.matches(&r.Task) {
			continue
		}
		if next, ok := l.next(r); ok {
			l.pending = append(l.pending, change{next, r})
		}
		if l.shows(r) {
			l.entries = append(l.entries, l.rank(r))
		}
	}
	slices.SortFunc(l.entries, ranked.compare)
	slices.SortFunc(l.pending, func(a, b change) int { return a.at.Compare(b.at) })
}

// closeEnded takes those that ended long ago off the open ones, and puts them
// back when the clock has been.
func (d *Directory) closeEnded(now time.Time) {
	if d.closed.Sub(now) > openSlack {
		for _, r := range slices.Concat(d.sorted, d.made.records) {
			if r.canChange() {
				d.open[r] = struct{}{}
			}
		}
		d.closed = now
	}
	if now.After(d.closed) {
		d.closed = now
	}
	for r := range d.open {
		if !r.frozen && !r.End.IsZero() && now.Sub(r.End) > openSlack {
			delete(d.open, r)
		}
	}
}

// shows reports whether a record that is asked for is in the list now.
func (l *list) shows(r *Record) bool {
	status, ok := r.status(l.now)
	return ok && fits(l.key.want.status, status)
}

// next is when the record may come or go next; false when it never does.
func (l *list) next(r *Record) (time.Time, bool) {
	at, ok := r.changes(l.now)
	if l.key.want.status == "" && !l.now.Before(r.listed()) {
		return at, false // its end changes nothing
	}
	return at, ok
}

func (l *list) rank(r *Record) ranked {
	return ranked{l.key.order.value(r, l.key.seed), r}
}

// advance moves the list on to a later time.
func (l *list) advance(now time.Time) {
	l.now = now
	for len(l.pending) > 0 && !l.pending[0].at.After(now) {
		r := l.pending[0].record
		l.pending = l.pending[1:]
		i, there := slices.BinarySearchFunc(l.entries, l.rank(r), ranked.compare)
		switch shows := l.shows(r); {
		case shows && !there:
			l.entries = slices.Insert(l.entries, i, l.rank(r))
		case there && !shows:
			l.entries = slices.Delete(l.entries, i, i+1)
		}
		if at, ok := l.next(r); ok {
			i, _ := slices.BinarySearchFunc(l.pending, at, func(c change, at time.Time) int { return c.at.Compare(at) })
			l.pending = slices.Insert(l.pending, i, change{at, r})
		}
	}
}

// value is where the order puts the record: the smaller, the earlier.
func (o Order) value(r *Record, seed uint64) int64 {
	switch o {
	case OldestFirst:
		return r.Start.Unix()
	case Shuffled, Reshuffled:
		return int64(hash(seed, r.ID))
	default:
		return -r.Start.Unix()
	}
}
