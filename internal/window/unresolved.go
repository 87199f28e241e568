package window

import (
	"maps"
	"math"
	"slices"
	"unique"

	"cloudsso_exporter/internal/task"
)

// subjects follows which subjects' latest finished task failed.
//
// What decides is the order in which tasks ended, not the order in which they
// become known. So two things are enough for each subject, however late and
// disordered answers come: its latest success, and every failure after that.
type subjects struct {
	success       map[subject]*record         // the latest success of a subject
	deprovisioned map[spot]*record            // the latest success among the deprovisionings of a spot
	failures      map[spot]map[subject]streak // unresolved

	oldest int64     // no unresolved failure's latest task ended before
	listed []Failure // unresolved ones in their order; nil when they have changed
}

// streak is the failures of a subject since its latest success, in the order they ended; never empty.
type streak []*record

func (s streak) first() *record  { return s[0] }
func (s streak) latest() *record { return s[len(s)-1] }

// spot is an access configuration on a target; a deprovisioning clears all of it.
type spot struct{ ac, target word }

type subject struct {
	spot
	kind      word
	principal word
}

func newSubjects() subjects {
	return subjects{
		success:       map[subject]*record{},
		deprovisioned: map[spot]*record{},
		failures:      map[spot]map[subject]streak{},
		oldest:        math.MaxInt64,
	}
}

func (r *record) spot() spot {
	return spot{unique.Make(r.ac.Value().id), unique.Make(r.target.Value().id)}
}

func (r *record) subject() subject {
	s := r.task().Subject()
	return subject{spot: r.spot(), kind: unique.Make(string(s.Kind)), principal: unique.Make(s.PrincipalID)}
}

func (r *record) hasType(t task.Type) bool { return r.typ.Value() == string(t) }

// resolver is the latest success that resolves failures of s before it, nil when there is none.
func (w *Window) resolver(s subject) *record {
	latest := w.success[s]
	if s.kind.Value() != string(task.Assignment) {
		return latest
	}
	if d := w.deprovisioned[s.spot]; d != nil && (latest == nil || compareEnd(latest, d) < 0) {
		return d
	}
	return latest
}

// settle takes a finished task into account.
func (w *Window) settle(r *record) {
	s := r.subject()
	switch task.Status(r.status.Value()) {
	case task.Success:
		if old := w.success[s]; old == nil || compareEnd(old, r) < 0 {
			w.success[s] = r
		}
		w.resolve(s)
		if r.hasType(task.DeprovisionAccessConfiguration) {
			if old := w.deprovisioned[s.spot]; old == nil || compareEnd(old, r) < 0 {
				w.deprovisioned[s.spot] = r
			}
			for other := range w.failures[s.spot] {
				w.resolve(other)
			}
		}
	case task.Failed:
		if r.givenUp {
			return
		}
		if by := w.resolver(s); by != nil && compareEnd(r, by) < 0 {
			w.outlives(r)
			return
		}
		r.failing = true
		before := w.failures[s.spot][s]
		i, _ := slices.BinarySearchFunc(before, r, compareEnd)
		w.setStreak(s, slices.Insert(before, i, r))
	}
}

// resolve drops the failures that the latest success of s came after.
func (w *Window) resolve(s subject) {
	all := w.failures[s.spot][s]
	by := w.resolver(s)
	if len(all) == 0 || by == nil {
		return
	}
	i, _ := slices.BinarySearchFunc(all, by, compareEnd)
	for _, r := range all[:i] {
		w.outlives(r)
		w.stopFailing(r)
	}
	w.setStreak(s, slices.Clone(all[i:]))
}

// outlives sees to it that a resolved failure stays so. What resolved it is
// forgotten no earlier than the failure itself, unless that starts after it ends.
func (w *Window) outlives(r *record) {
	if r.start > r.ended() {
		r.givenUp = true
		w.changed[r.id] = struct{}{}
	}
}

func (w *Window) setStreak(s subject, all streak) {
	w.listed = nil
	if len(all) > 0 {
		w.oldest = min(w.oldest, all.latest().ended())
	}
	bySubject := w.failures[s.spot]
	switch {
	case len(all) > 0 && bySubject == nil:
		w.failures[s.spot] = map[subject]streak{s: all}
	case len(all) > 0:
		bySubject[s] = all
	default:
		delete(bySubject, s)
		if len(bySubject) == 0 {
			delete(w.failures, s.spot)
		}
	}
}

// stopFailing lets go of a failure, which may have been all that kept it from being forgotten.
func (w *Window) stopFailing(r *record) {
	r.failing = false
	if r.due == 0 {
		w.agenda.set(1, r)
	}
}

// unsettle takes back what settle did for r, which is about to change or to go.
func (w *Window) unsettle(r *record) {
	s := r.subject()
	if r.failing {
		r.failing = false
		w.setStreak(s, slices.DeleteFunc(slices.Clone(w.failures[s.spot][s]), func(o *record) bool { return o == r }))
	}
	if w.success[s] == r || w.deprovisioned[s.spot] == r {
		w.dropSuccess(r, s)
	}
}

// dropSuccess finds what the spot's failures and successes are without r. It
// looks through all records, but a success is taken back only when the API
// contradicts itself, or forgotten once nothing older is listed.
func (w *Window) dropSuccess(r *record, s subject) {
	if w.success[s] == r {
		delete(w.success, s)
	}
	if w.deprovisioned[s.spot] == r {
		delete(w.deprovisioned, s.spot)
	}
	if _, kept := w.records[r.id]; !kept {
		return // forgotten: whatever it resolved is older and forgotten too
	}
	for _, o := range w.records {
		if o != r && o.finished && !o.hidden && !o.failing && o.spot() == s.spot {
			w.settle(o)
		}
	}
}

// giveUp ends the streaks whose latest failure is older than the settings'
// MaxAge and returns them, in the order they ended.
func (w *Window) giveUp(now int64) []streak {
	old := now - w.set.MaxAge.Milliseconds()
	if w.oldest >= old {
		return nil
	}
	var gone []streak
	w.oldest = math.MaxInt64
	for _, bySubject := range w.failures {
		for s, all := range bySubject {
			if end := all.latest().ended(); end >= old {
				w.oldest = min(w.oldest, end)
				continue
			}
			for _, r := range all {
				r.givenUp = true
				w.changed[r.id] = struct{}{}
				w.stopFailing(r)
			}
			w.setStreak(s, nil)
			gone = append(gone, all)
		}
	}
	slices.SortFunc(gone, func(a, b streak) int { return compareEnd(a.latest(), b.latest()) })
	return gone
}

// unresolved lists the unresolved failures, DeleteAccessAssignment first, then the newest.
func (w *Window) unresolved() []Failure {
	if w.listed != nil {
		return w.listed
	}
	var all []streak
	for bySubject := range maps.Values(w.failures) {
		all = slices.AppendSeq(all, maps.Values(bySubject))
	}
	slices.SortFunc(all, func(a, b streak) int {
		aRevokes := a.latest().hasType(task.DeleteAccessAssignment)
		bRevokes := b.latest().hasType(task.DeleteAccessAssignment)
		switch {
		case aRevokes && !bRevokes:
			return -1
		case bRevokes && !aRevokes:
			return 1
		}
		return compareEnd(b.latest(), a.latest())
	})
	failures := make([]Failure, len(all))
	for i, s := range all {
		failures[i] = w.failure(s)
	}
	w.listed = failures
	return failures
}

func (w *Window) failure(s streak) Failure {
	latest := s.latest().task()
	latest.Type = w.labels.typ(latest.Type)
	return Failure{Latest: latest, Reason: s.latest().reason.Value(), Since: moment(s.first().ended())}
}
