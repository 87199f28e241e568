package ledger

import (
	"cmp"
	"iter"
	"slices"
	"time"

	"cloudsso_exporter/internal/task"
)

// Remembered lists the tasks in memory that the filter shows and q asks for, all
// of them for the zero Query, the newest first by StartTime. It may be ranged over
// while refreshes go on.
func (s *Snapshot) Remembered(q task.Query) iter.Seq[Record] {
	return func(yield func(Record) bool) {
		for _, h := range s.history {
			if h.number < pageOf(millis(q.From)) {
				return
			}
			if !h.mayAnswer(q) {
				continue
			}
			var records []*record // no more than are asked for is sorted and copied
			for _, r := range h.records {
				if r.answers(q) && s.shows(r) {
					records = append(records, r)
				}
			}
			slices.SortFunc(records, func(a, b *record) int {
				return cmp.Or(cmp.Compare(b.start, a.start), cmp.Compare(b.id, a.id))
			})
			for _, r := range records {
				if !yield(r.saved()) {
					return
				}
			}
		}
	}
}

// mayAnswer reports whether the page may have a task that q asks for. Its counts say so without a look at the tasks.
func (p page) mayAnswer(q task.Query) bool {
	for _, c := range p.counts {
		if c.what.Value().answers(q) {
			return true
		}
	}
	return false
}

func (w what) answers(q task.Query) bool {
	return (q.Type == "" || q.Type == w.typ) && (q.Status == "" || q.Status == w.status)
}

// answers reports whether q asks for r. It makes no Task of r and looks up only
// what is asked for: a million tasks are gone through for one answer.
func (r *record) answers(q task.Query) bool {
	return r.start >= millis(q.From) && r.what.Value().answers(q) &&
		(q.AccessConfigurationID == "" || q.AccessConfigurationID == r.ac.Value().id) &&
		(q.TargetID == "" || q.TargetID == r.target.Value().id) &&
		(q.TargetType == "" || q.TargetType == r.target.Value().kind) &&
		(q.PrincipalID == "" || q.PrincipalID == r.principal.Value().id) &&
		(q.PrincipalType == "" || q.PrincipalType == r.principal.Value().kind)
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
		for _, c := range h.counts {
			hours[i].Tasks[c.what.Value().status] += c.n
		}
	}
	return hours
}
