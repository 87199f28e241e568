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
	id string

	mu      sync.Mutex
	byID    map[string]*Record   // put by hand
	sorted  []*Record            // the same by start; records never change, they are replaced
	made    made                 // by the generator
	open    map[*Record]struct{} // of both kinds, those that run or change by themselves
	closed  time.Time            // the latest time at which ended ones were taken off these
	version uint64               // of the records of both kinds
	lists   []*list              // the last used first
}

func newDirectory(id string) *Directory {
	return &Directory{id: id, byID: map[string]*Record{}, open: map[*Record]struct{}{}}
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
	gone := map[*Record]struct{}{}
	for _, id := range ids {
		if r, ok := d.byID[id]; ok {
			delete(d.byID, id)
			delete(d.open, r)
			gone[r] = struct{}{}
		}
	}
	d.drop(gone)
	d.version++
}

// add takes the records over: they must not change afterwards.
func (d *Directory) add(records []Record) {
	d.mu.Lock()
	defer d.mu.Unlock()
	last := make(map[string]int, len(records)) // of two with one id in a batch the latter counts
	for i := range records {
		last[records[i].ID] = i
	}
	var fresh []*Record
	gone := map[*Record]struct{}{}
	for i := range records {
		r := &records[i]
		if last[r.ID] != i {
			continue
		}
		known, ok := d.byID[r.ID]
		d.byID[r.ID] = r
		if ok {
			delete(d.open, known)
		}
		if r.canChange() {
			d.open[r] = struct{}{}
		}
		if ok && known.Start.Equal(r.Start) {
			at, _ := slices.BinarySearchFunc(d.sorted, known, byStart)
			d.sorted[at] = r
			continue
		}
		if ok {
			gone[known] = struct{}{}
		}
		fresh = append(fresh, r)
	}
	d.drop(gone)
	d.sorted = insertAll(d.sorted, fresh)
	d.version++
}

// drop takes records off the sorted ones.
func (d *Directory) drop(gone map[*Record]struct{}) {
	if len(gone) > few {
		d.sorted = slices.DeleteFunc(d.sorted, func(r *Record) bool {
			_, ok := gone[r]
			return ok
		})
		return
	}
	for r := range gone {
		at, _ := slices.BinarySearchFunc(d.sorted, r, byStart)
		d.sorted = slices.Delete(d.sorted, at, at+1)
	}
}

// few records are put in their places or taken out one by one; for more it is
// cheaper to go over all.
const few = 100

// insertAll puts fresh records into sorted ones.
func insertAll(sorted, fresh []*Record) []*Record {
	if len(fresh) > few {
		sorted = append(sorted, fresh...)
		slices.SortFunc(sorted, byStart)
		return sorted
	}
	for _, r := range fresh {
		at, _ := slices.BinarySearchFunc(sorted, r, byStart)
		sorted = slices.Insert(sorted, at, r)
	}
	return sorted
}

func byStart(a, b *Record) int {
	return cmp.Or(a.Start.Compare(b.Start), strings.Compare(a.ID, b.ID))
}

// startedSince returns those of the sorted records that started at or after from.
func startedSince(sorted []*Record, from time.Time) []*Record {
	at, _ := slices.BinarySearchFunc(sorted, from, func(r *Record, from time.Time) int {
		return cmp.Or(r.Start.Compare(from), 1) // before the first with this start
	})
	return sorted[at:]
}
