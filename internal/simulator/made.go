package simulator

import (
	"iter"
	"slices"
	"time"
)

// Generator yields, in any order, the records that start within [from, until].
// It must be pure: whatever is asked for, the record of a task is the same.
type Generator func(from, until time.Time) iter.Seq[Record]

// made are the records of the generator that can be listed now, kept so that
// they are not made anew for every page, and let go when nothing can list them.
type made struct {
	generate    Generator // nil: none
	records     []*Record // by start
	from, until time.Time // what they cover; zero: nothing yet
}

const (
	madeAhead  = 10 * time.Minute         // of the clock, so that most pages find all made
	madeBehind = maxWindow + 24*time.Hour // the clock, which may be set back by a day
)

// Generate lists the generator's tasks beside those put by hand; nil: no more.
func (d *Directory) Generate(g Generator) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.forgetMade()
	d.made = made{generate: g}
	d.version++
}

func (d *Directory) forgetMade() {
	for _, r := range d.made.records {
		delete(d.open, r)
	}
	d.made.records, d.made.from, d.made.until = nil, time.Time{}, time.Time{}
}

// makeUp makes what can be listed at now and was not made yet. Call with the
// lock held.
func (d *Directory) makeUp(now time.Time) {
	m := &d.made
	if m.generate == nil || !now.After(m.until) && !now.Before(m.from.Add(maxWindow)) {
		return
	}
	// Far from what is there, after a jump of the clock, it is made anew.
	if now.After(m.until.Add(maxWindow)) || now.Before(m.from.Add(maxWindow)) {
		d.forgetMade()
		d.version++
		m.from = now.Add(-madeBehind)
		m.until = m.from.Add(-1)
	}
	var fresh []*Record
	for r := range m.generate(m.until.Add(1), now.Add(madeAhead)) {
		fresh = append(fresh, &r)
		if r.canChange() {
			d.open[&r] = struct{}{}
		}
	}
	m.until = now.Add(madeAhead)
	m.records = insertAll(m.records, fresh)
	for _, l := range d.lists {
		if l.version == d.version {
			l.take(slices.Values(fresh))
		}
	}
	d.closeEnded(now)
	cut := now.Add(-madeBehind)
	if old := len(m.records) - len(startedSince(m.records, cut)); old > len(m.records)/4 {
		for _, r := range m.records[:old] {
			delete(d.open, r)
		}
		m.records, m.from = slices.Clone(m.records[old:]), cut
	}
}
