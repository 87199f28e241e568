package simulator

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"cloudsso_exporter/internal/task"
)

// Directory is a simulated directory and its tasks. It keeps a task that was put
// by hand until somebody removes it, and is safe for concurrent use.
type Directory struct {
	id    string
	order Order
	seed  uint64 // of a random order

	mu      sync.Mutex
	byID    map[string]*Record // put by hand; records never change, they are replaced
	made    made               // by the generator
	now     time.Time          // the time that the following are of
	listed  []*Record          // by rank
	running []*Record          // those of the listed that run, by rank
	waiting []*Record          // not listed yet; the next one first
}

// ID returns the id of the directory.
func (d *Directory) ID() string { return d.id }

// Put lists the tasks from now on, just as they are, whatever the clock says
// and however wrong they may be. A task with the id of another replaces it.
// Many at once are cheap.
func (d *Directory) Put(tasks ...task.Task) {
	records := make([]Record, len(tasks))
	for i, t := range tasks {
		records[i] = Record{Task: t, frozen: true}
	}
	d.add(records)
}

// Schedule adds tasks that appear and end as the API's clock goes. A task with
// the id of another replaces it.
func (d *Directory) Schedule(records ...Record) {
	d.add(slices.Clone(records))
}

// Remove takes tasks put by hand off the list; unknown ids are ignored.
func (d *Directory) Remove(ids ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, id := range ids {
		if r, ok := d.byID[id]; ok {
			r.gone = true
			delete(d.byID, id)
		}
	}
	d.takeOut()
}

// add takes the records over: they must not change afterwards.
func (d *Directory) add(records []Record) {
	d.mu.Lock()
	defer d.mu.Unlock()
	fresh := make([]*Record, 0, len(records))
	replaced := false
	for i := range records {
		r := &records[i]
		r.rank = d.order.rank(r, d.seed)
		if old, ok := d.byID[r.ID]; ok {
			old.gone, replaced = true, true
		}
		d.byID[r.ID] = r
		fresh = append(fresh, r)
	}
	if replaced { // of two with one id in a batch the latter counts
		d.takeOut()
		fresh = slices.DeleteFunc(fresh, func(r *Record) bool { return r.gone })
	}
	d.place(fresh)
}

// takeOut drops the records marked as gone.
func (d *Directory) takeOut() {
	for _, records := range []*[]*Record{&d.listed, &d.running, &d.waiting} {
		*records = slices.DeleteFunc(*records, func(r *Record) bool { return r.gone })
	}
}

// place puts records where they belong at d.now.
func (d *Directory) place(records []*Record) {
	var listed, running, waiting []*Record
	for _, r := range records {
		status, ok := r.status(d.now)
		if !ok {
			waiting = append(waiting, r)
			continue
		}
		listed = append(listed, r)
		if status == task.InProgress {
			running = append(running, r)
		}
	}
	d.listed = insert(d.listed, listed, byRank)
	d.running = insert(d.running, running, byRank)
	d.waiting = insert(d.waiting, waiting, byListed)
}

// insert puts records into sorted ones: a few each in its place, which is at the
// end in the usual case, many by sorting.
func insert(sorted, fresh []*Record, compare func(a, b *Record) int) []*Record {
	const few = 100
	if len(fresh) > few {
		sorted = append(sorted, fresh...)
		slices.SortFunc(sorted, compare)
		return sorted
	}
	for _, r := range fresh {
		at, _ := slices.BinarySearchFunc(sorted, r, compare)
		sorted = slices.Insert(sorted, at, r)
	}
	return sorted
}

// advance makes the lists those of now.
func (d *Directory) advance(now time.Time) {
	d.makeUp(now)
	if now.Before(d.now) { // set back: what was listed may not be any more
		all := slices.Concat(d.listed, d.waiting)
		d.listed, d.running, d.waiting, d.now = nil, nil, nil, now
		d.place(all)
		return
	}
	d.now = now
	due := 0
	for due < len(d.waiting) && !now.Before(d.waiting[due].listed()) {
		due++
	}
	appeared := d.waiting[:due]
	d.waiting = d.waiting[due:]
	d.place(appeared)
	d.running = slices.DeleteFunc(d.running, func(r *Record) bool {
		status, _ := r.status(now)
		return status != task.InProgress
	})
}

// list returns all that q asks for, by rank. Call with the lock held; the slice
// is good until it is given back.
func (d *Directory) list(q query, now time.Time) []*Record {
	d.advance(now)
	records := d.listed
	if q.want.status == task.InProgress {
		records = d.running
	}
	from := q.from.Unix()
	if d.order != Shuffled {
		at, _ := slices.BinarySearchFunc(records, from, func(r *Record, from int64) int { return cmp.Or(cmp.Compare(r.rank, from), 1) })
		records = records[at:]
		if q.want == (wanted{}) {
			return records
		}
	}
	var matching []*Record
	for _, r := range records {
		if status, _ := r.status(now); r.Start.Unix() >= from && q.want.matches(&r.Task, status) {
			matching = append(matching, r)
		}
	}
	return matching
}

// Tasks returns what the API knows at now of the tasks that started at or after
// from, by start, then id. It goes by what was put, scheduled and generated, not by
// what is kept for listing, so that a mistake there shows.
func (d *Directory) Tasks(from, now time.Time) []task.Task {
	d.mu.Lock()
	defer d.mu.Unlock()
	var tasks []task.Task
	add := func(r *Record) {
		if t, ok := r.at(now); ok && !t.Start.Before(from) {
			tasks = append(tasks, t)
		}
	}
	for _, r := range d.byID {
		add(r)
	}
	if d.made.generate != nil {
		for r := range d.made.generate(from, now) {
			add(&r)
		}
	}
	slices.SortFunc(tasks, func(a, b task.Task) int { return cmp.Or(a.Start.Compare(b.Start), strings.Compare(a.ID, b.ID)) })
	return tasks
}
