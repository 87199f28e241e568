package ledger

import (
	"cmp"
	"iter"
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
	sorted []numberedPage // the newest first; another slice takes its place, so that snapshots can have it
	shows  func(*record) bool
}

// numberedPage is a page with its records; nothing in it ever changes.
type numberedPage struct {
	number int64
	page
	records []*record
}

// page is what is computed of the records that started within one pageSpan. It counts what the filter shows.
type page struct {
	tasks   int
	counts  []count // a slice, as a map takes more than the few records of a page
	running []*record
}

type count struct {
	countKey
	n int
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
			p, counts := page{}, map[countKey]int{}
			for _, r := range records {
				if !shows(r) {
					continue
				}
				p.tasks++
				counts[r.countKey()]++
				if !r.finished {
					p.running = append(p.running, r)
				}
			}
			p.counts = make([]count, 0, len(counts))
			for key, n := range counts {
				p.counts = append(p.counts, count{key, n})
			}
			return p, p.tasks > 0
		})}
}

func (p *pages) update(changes iter.Seq[change]) {
	sorted := slices.Clone(p.sorted)
	for _, number := range p.groups.update(changes) {
		at, known := slices.BinarySearchFunc(sorted, number, func(n numberedPage, number int64) int { return cmp.Compare(number, n.number) })
		if known {
			sorted = slices.Delete(sorted, at, at+1)
		}
		if page, ok := p.values[number]; ok {
			sorted = slices.Insert(sorted, at, numberedPage{number, page, p.members[number]})
		}
	}
	p.sorted = sorted
}

// within lists the pages of tasks that started in [from, to], Unix milliseconds.
// Of the first and the last one not all may have.
func (p *pages) within(from, to int64) iter.Seq2[numberedPage, bool] {
	first, last := pageOf(from), pageOf(to)
	return func(yield func(page numberedPage, whole bool) bool) {
		for _, n := range p.sorted {
			if n.number < first || n.number <= last && !yield(n, n.number > first && n.number < last) {
				return
			}
		}
	}
}

func pageOf(ms int64) int64 { return int64(math.Floor(float64(ms) / pageSpan)) }

// count counts the tasks that started in [from, to], Unix milliseconds.
func (p *pages) count(from, to int64) map[countKey]int {
	sum := map[countKey]int{}
	for page, whole := range p.within(from, to) {
		if whole {
			for _, c := range page.counts {
				sum[c.countKey] += c.n
			}
			continue
		}
		for _, r := range page.records {
			if r.start >= from && r.start <= to && p.shows(r) {
				sum[r.countKey()]++
			}
		}
	}
	return sum
}

// number is how many tasks started in [from, to], Unix milliseconds.
func (p *pages) number(from, to int64) int {
	n := 0
	for page, whole := range p.within(from, to) {
		if whole {
			n += page.tasks
			continue
		}
		for _, r := range page.records {
			if r.start >= from && r.start <= to && p.shows(r) {
				n++
			}
		}
	}
	return n
}

// running lists the tasks that are running as far as known and started at or after from, the oldest first.
func (p *pages) running(from int64) []*record {
	var all []*record
	for page := range p.within(from, math.MaxInt64) {
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
func (p *pages) before(ms int64) []*record {
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
