package ledger

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"cloudsso_exporter/internal/task"
)

// historyPage is a page as it was at a snapshot; nothing in it ever changes.
type historyPage struct {
	number  int64
	page    page
	records []*record
}

func (p pages) history() []historyPage {
	all := make([]historyPage, 0, len(p.values))
	for number, page := range p.values {
		all = append(all, historyPage{number, page, p.members[number]})
	}
	slices.SortFunc(all, func(a, b historyPage) int { return cmp.Compare(b.number, a.number) })
	return all
}

// Remembered lists the tasks in memory that the filter shows, the newest first by
// StartTime. It may be ranged over while refreshes go on.
func (s *Snapshot) Remembered() iter.Seq[Record] {
	return func(yield func(Record) bool) {
		for _, h := range s.history {
			records := slices.Clone(h.records)
			slices.SortFunc(records, func(a, b *record) int {
				return cmp.Or(cmp.Compare(b.start, a.start), cmp.Compare(b.id, a.id))
			})
			for _, r := range records {
				if s.shows(r) && !yield(r.saved()) {
					return
				}
			}
		}
	}
}

// Hour is the tasks that started within one hour.
type Hour struct {
	Start time.Time
	Tasks map[task.Status]int
}

// Hours counts the tasks of the past so many hours by outcome, the oldest first.
// The last hour is the one that is under way.
func (s *Snapshot) Hours(n int) []Hour {
	const perHour = int64(time.Hour/time.Millisecond) / pageSpan
	last := pageOf(millis(s.At)) / perHour
	hours := make([]Hour, n)
	for i := range hours {
		at := last - int64(n-1-i)
		hours[i] = Hour{moment(at * perHour * pageSpan), map[task.Status]int{}}
	}
	for _, h := range s.history {
		i := h.number/perHour - last + int64(n) - 1
		if i < 0 || i >= int64(n) {
			continue
		}
		for key, tasks := range h.page.counts {
			hours[i].Tasks[key.what.Value().status] += tasks
		}
	}
	return hours
}
