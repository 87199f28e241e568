package simulator

import (
	"iter"
	"time"
)

// Generator yields, in any order, the records that start within [from, until].
// It must be pure: whatever is asked for, the record of a task is the same.
type Generator func(from, until time.Time) iter.Seq[Record]

// made is how much of the generator is among the records of a directory.
type made struct {
	generate    Generator // nil: none
	from, until time.Time
}

const (
	madeAhead  = 10 * time.Minute         // of the clock, so that most pages find all made
	madeBehind = maxWindow + 24*time.Hour // the clock, which may be set back by a day
)

// Generate lists the generator's tasks beside those put by hand; nil: no more.
func (d *Directory) Generate(g Generator) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.forgetMade(func(*Record) bool { return true })
	d.made = made{generate: g}
}

func (d *Directory) forgetMade(old func(*Record) bool) {
	for _, records := range [][]*Record{d.listed, d.waiting} {
		for _, r := range records {
			r.gone = r.made && old(r)
		}
	}
	d.takeOut()
}

// makeUp makes what can be listed at now and was not made yet, and from time to
// time forgets what no longer can. Call with the lock held.
func (d *Directory) makeUp(now time.Time) {
	m := &d.made
	if m.generate == nil {
		return
	}
	oldest := now.Add(-madeBehind)
	if now.Add(-maxWindow).Before(m.from) || m.from.IsZero() { // the first time, or far back: all is made anew
		d.forgetMade(func(*Record) bool { return true })
		m.from, m.until = oldest, oldest.Add(-1)
	}
	if !now.After(m.until) {
		return
	}
	from := m.until.Add(1)
	if from.Before(oldest) {
		from = oldest
	}
	var fresh []*Record
	for r := range m.generate(from, now.Add(madeAhead)) {
		r.made, r.rank = true, d.order.rank(&r, d.seed)
		fresh = append(fresh, &r)
	}
	m.until = now.Add(madeAhead)
	d.place(fresh)
	if oldest.Sub(m.from) > 24*time.Hour {
		d.forgetMade(func(r *Record) bool { return r.Start.Before(oldest) })
		m.from = oldest
	}
}
