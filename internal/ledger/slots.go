package ledger

import (
	"slices"
	"time"

	"cloudsso_exporter/internal/reason"
	"cloudsso_exporter/internal/task"
)

// slotKept is how long a reason keeps its slot without a failure.
const slotKept = 30 * 24 * time.Hour

// slots are the failure reasons that have a label of their own, and when each
// last failed a task, API time. They are given in the order of first sight.
type slots map[string]time.Time

// classify gives a failed task its bounded reason, once, and says whether its
// own was folded into "other" because every slot is taken.
func (l *Ledger) classify(t task.Task, seen time.Time) (label string, folded bool) {
	label, byRule := l.set.Reasons.Classify(t)
	last, has := l.slots[label]
	switch {
	case label == reason.Other: // a rule says so
		return label, false
	case !has && !byRule && l.freeSlots() <= 0:
		return reason.Other, true
	case !has || seen.After(last):
		l.slots[label] = seen
		l.unsaved.slots[label] = struct{}{}
	}
	return label, false
}

// freeSlots is how many more reasons may have a label. Those of rules have
// theirs kept for them.
func (l *Ledger) freeSlots() int {
	taken := len(l.slots)
	for _, r := range l.ruleReasons() {
		if _, has := l.slots[r]; !has {
			taken++
		}
	}
	return l.set.ReasonLimit - taken
}

// ruleReasons are the different reasons of the rules, in their order.
func (l *Ledger) ruleReasons() []string {
	var all []string
	for _, r := range l.set.Reasons.Rules {
		if !slices.Contains(all, r.Reason) && r.Reason != reason.Other {
			all = append(all, r.Reason)
		}
	}
	return all
}

// freeOldSlots frees the slots without a failure for long, and with a slot goes
// the reason's series. The reason of an unresolved failure keeps its slot: it is still a label.
func (l *Ledger) freeOldSlots(now time.Time) {
	var old []string
	for label, last := range l.slots {
		if last.Add(slotKept).Before(now) && !l.unresolvedBecause(label) {
			old = append(old, label)
		}
	}
	for _, label := range old {
		delete(l.slots, label)
		l.unsaved.slots[label] = struct{}{}
	}
	kept := append(l.ruleReasons(), reason.Other)
	l.drop(func(id SeriesID) bool {
		_, has := l.slots[id.Label]
		return id.Metric == Failures && !has && !slices.Contains(kept, id.Label)
	})
}

func (l *Ledger) unresolvedBecause(label string) bool {
	return slices.ContainsFunc(l.unresolved, func(f failing) bool { return f.latest().reason() == label })
}
