package window

import (
	"slices"
	"time"

	"cloudsso_exporter/internal/reason"
	"cloudsso_exporter/internal/task"
)

// placeKept is how long a reason keeps its place without a failure.
const placeKept = 30 * 24 * time.Hour

// places are the failure reasons that have a label of their own, in order of
// first sight. Few enough to be searched one by one.
type places struct {
	all []Place
}

func (p *places) restore(all []Place) { p.all = slices.Clone(all) }

func (p *places) index(label string) int {
	return slices.IndexFunc(p.all, func(pl Place) bool { return pl.Reason == label })
}

// touch notes a failure at moment at; it gives the reason a place if there is room for it.
func (p *places) touch(label string, at time.Time, room bool) bool {
	i := p.index(label)
	switch {
	case i < 0 && !room:
		return false
	case i < 0:
		p.all = append(p.all, Place{Reason: label, Last: at})
	case at.After(p.all[i].Last):
		p.all[i].Last = at
	}
	return true
}

// free gives up the places without a failure for long.
func (p *places) free(now time.Time, stands func(label string) bool) {
	p.all = slices.DeleteFunc(p.all, func(pl Place) bool {
		return pl.Last.Add(placeKept).Before(now) && !stands(pl.Reason)
	})
}

// classify gives a failed task its bounded reason, once, and says whether its
// own was folded into "other" for want of a place.
func (w *Window) classify(t task.Task, seen int64) (label string, folded bool) {
	label, byRule := reason.Classify(t, w.set.Rules)
	if label == reason.Other { // so a rule says
		return label, false
	}
	if w.places.touch(label, moment(seen), byRule || w.freePlaces() > 0) {
		return label, false
	}
	return reason.Other, true
}

// freePlaces is how many more reasons may have a label. Those of rules have
// theirs kept for them.
func (w *Window) freePlaces() int {
	taken := len(w.places.all)
	for _, r := range w.ruleReasons() {
		if w.places.index(r) < 0 {
			taken++
		}
	}
	return w.set.ReasonLimit - taken
}

// ruleReasons are the different reasons of the rules, in their order.
func (w *Window) ruleReasons() []string {
	var all []string
	for _, r := range w.set.Rules {
		if !slices.Contains(all, r.Reason) && r.Reason != reason.Other {
			all = append(all, r.Reason)
		}
	}
	return all
}

// dropFreed frees old places, and with a place goes the reason's series. The
// reason of an unresolved failure keeps its place: it is still a label.
func (w *Window) dropFreed(now time.Time) {
	w.places.free(now, w.standing)
	kept := append(w.ruleReasons(), reason.Other)
	for _, p := range w.places.all {
		kept = append(kept, p.Reason)
	}
	w.counters.drop(Failures, func(label string) bool { return !slices.Contains(kept, label) })
}

// standing reports whether a failure with the reason is unresolved.
func (w *Window) standing(label string) bool {
	for _, bySubject := range w.failures {
		for _, all := range bySubject {
			if all.latest().reason.Value() == label {
				return true
			}
		}
	}
	return false
}
