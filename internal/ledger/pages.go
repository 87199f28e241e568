package ledger

import (
	"cmp"
	"math"
	"slices"
	"time"
	"unique"

	"cloudsso_exporter/internal/task"
)

// pageSpan is how long the tasks of a page may have started apart, in milliseconds.
const pageSpan = 10 * 60 * 1000

// pages are the records by when they started.
type pages struct {
	groups[int64, page]
	shows func(*record) bool
}

// page is what is computed of the records that started within one pageSpan. It counts what the filter shows.
type page struct {
	tasks   int
	counts  map[countKey]int
	running []*record
}

// countKey is what tasks are told apart by in the window gauges.
type countKey struct {
	what   unique.Handle[what]
	reason string // of a failed one
}

func (r *record) countKey() countKey {
	key := countKey{what: r.what}
	if r.failed() {
		key.reason = r.reason()
	}
	return key
}

func newPages(shows func(*record) bool) pages {
	return pages{shows: shows, groups: newGroups(
		func(r *record) int64 { return pageOf(r.start) },
		func(records []*record) (page, bool) {
			p := page{counts: map[countKey]int{}}
			for _, r := range records {
				if !shows(r) {
					continue
				}
				p.tasks++
				p.counts[r.countKey()]++
				if !r.finished {
					p.running = append(p.running, r)
				}
			}
			return p, p.tasks > 0
		})}
}

func pageOf(ms int64) int64 { return int64(math.Floor(float64(ms) / pageSpan)) }

// count counts the tasks that started in [from, to], Unix milliseconds.
func (p pages) count(from, to int64) map[countKey]int {
	sum := map[countKey]int{}
	first, last := pageOf(from), pageOf(to)
	for key, page := range p.values {
		switch {
		case key < first || key > last:
		case key == first || key == last:
			for _, r := range p.members[key] {
				if r.start >= from && r.start <= to && p.shows(r) {
					sum[r.countKey()]++
				}
			}
		default:
			for k, n := range page.counts {
				sum[k] += n
			}
		}
	}
	return sum
}

// number is how many tasks started in [from, to], Unix milliseconds.
func (p pages) number(from, to int64) int {
	n := 0
	first, last := pageOf(from), pageOf(to)
	for key, page := range p.values {
		switch {
		case key < first || key > last:
		case key == first || key == last:
			for _, r := range p.members[key] {
				if r.start >= from && r.start <= to && p.shows(r) {
					n++
				}
			}
		default:
			n += page.tasks
		}
	}
	return n
}

// running lists the tasks that are running as far as known and started at or after from, the oldest first.
func (p pages) running(from int64) []*record {
	var all []*record
	for key, page := range p.values {
		if key < pageOf(from) {
			continue
		}
		for _, r := range page.running {
			if r.start >= from {
				all = append(all, r)
			}
		}
	}
	slices.SortFunc(all, func(a, b *record) int {
		return cmp.Or(cmp.Compare(a.start, b.start), cmp.Compare(a.id, b.id))
	})
	return all
}

// before lists the records of the pages that end before ms, hidden ones included.
func (p pages) before(ms int64) []*record {
	var all []*record
	for key, records := range p.members {
		if key < pageOf(ms) {
			all = append(all, records...)
		}
	}
	return all
}

// Running is a task that has not ended as far as known.
type Running struct {
	ID      string
	Start   time.Time
	Type    task.Type
	Subject task.Filter // narrows a query to its tasks
}

// Running lists the tasks that are followed: those running that the API can still list, the oldest first.
func (l *Ledger) Running() []Running {
	records := l.running()
	all := make([]Running, len(records))
	for i, r := range records {
		all[i] = Running{ID: r.id, Start: moment(r.start), Type: r.what.Value().typ, Subject: r.narrow()}
	}
	return all
}

func (l *Ledger) running() []*record {
	return l.pages.running(millis(l.meta.At) - Retention.Milliseconds())
}

// narrow is the narrowest filter that lists the task. Half a pair is left out: the API does not take it.
func (r *record) narrow() task.Filter {
	t := r.task()
	f := task.Filter{AccessConfigurationID: t.AccessConfigurationID}
	if t.TargetID != "" && t.TargetType != "" {
		f.TargetID, f.TargetType = t.TargetID, t.TargetType
	}
	if t.PrincipalID != "" && t.PrincipalType != "" {
		f.PrincipalID, f.PrincipalType = t.PrincipalID, t.PrincipalType
	}
	return f
}

// StartedSince is how many known tasks that can be listed started at or after t
// and not after the last complete refresh.
func (l *Ledger) StartedSince(t time.Time) int {
	at := millis(l.meta.At)
	return l.pages.number(max(millis(t), at-Retention.Milliseconds()), at)
}
