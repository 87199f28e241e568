package ledger

import (
	"cmp"
	"slices"
	"time"

	"cloudsso_exporter/internal/task"
)

// showsResolved is how long a streak is shown as resolved.
const showsResolved = time.Hour

// streakKey names a streak: a subject fails with one task type at a time.
type streakKey struct {
	subject task.Subject
	typ     task.Type
}

func (s Streak) key() streakKey { return streakKey{s.Labels.Subject(), s.Labels.Type} }

// followStreaks notes which streaks began and which ended, as of the refresh at
// moment at, and returns the events of those that a task resolved. before are the
// failures that were unresolved before it.
func (l *Ledger) followStreaks(at time.Time, before []failing) (events []Event) {
	now, still := map[streakKey]bool{}, map[task.Subject]bool{}
	for _, f := range l.unresolved {
		key := streakKey{f.subject, f.latest().what.Value().typ}
		now[key], still[f.subject] = true, true
		if s, ok := l.streaks[key]; !ok || !s.Resolved.IsZero() {
			l.keepStreak(Streak{Labels: streakLabels(f.streak()[0].task())})
		}
	}
	for key, s := range l.streaks {
		switch {
		case now[key]:
		case s.Resolved.IsZero():
			s.Resolved = at
			l.keepStreak(s)
		case !s.Resolved.Add(showsResolved).After(at):
			delete(l.streaks, key)
		}
	}
	for _, f := range before {
		if e, ok := l.resolvedBy(f); ok && !still[f.subject] {
			events = append(events, e)
		}
	}
	return events
}

func (l *Ledger) keepStreak(s Streak) {
	l.streaks[s.key()] = s
	l.unsaved.streaks[s.key()] = struct{}{}
}

func streakLabels(t task.Task) task.Task {
	t.ID, t.Status, t.Start, t.End, t.FailureReason, t.TargetPath = "", "", time.Time{}, time.Time{}, "", ""
	return t
}

// failures lists the unresolved failures in their order.
func (l *Ledger) failures() []Failure {
	all := make([]Failure, len(l.unresolved))
	for i, f := range l.unresolved {
		all[i] = l.failure(f)
	}
	return all
}

func (l *Ledger) failure(f failing) Failure {
	streak := f.streak()
	latest := f.latest().task()
	labels, ok := l.streaks[streakKey{f.subject, latest.Type}]
	if !ok {
		labels.Labels = streakLabels(streak[0].task())
	}
	typ := l.labels.typ(latest.Type)
	latest.Type, labels.Labels.Type = typ, typ
	return Failure{
		Latest: latest, Labels: labels.Labels, Reason: f.latest().reason(),
		Since: moment(streak[0].ended()), Attempts: len(streak),
	}
}

// resolved lists the streaks that ended within the last hour, the latest first.
func (l *Ledger) resolved() []Streak {
	var all []Streak
	for _, s := range l.streaks {
		if !s.Resolved.IsZero() && s.Resolved.Add(showsResolved).After(l.meta.At) && l.set.Filter.Matches(s.Labels) {
			s.Labels.Type = l.labels.typ(s.Labels.Type)
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b Streak) int {
		return cmp.Or(b.Resolved.Compare(a.Resolved), cmp.Compare(a.Labels.PrincipalID, b.Labels.PrincipalID),
			cmp.Compare(a.Labels.TargetID, b.Labels.TargetID), cmp.Compare(a.Labels.AccessConfigurationID, b.Labels.AccessConfigurationID),
			cmp.Compare(a.Labels.Type, b.Labels.Type))
	})
	return all
}

// giveUp lets go of the failures whose latest ended before old and returns them,
// in the order they ended.
func (l *Ledger) giveUp(old int64) []failing {
	var gone []failing
	for _, f := range l.unresolved {
		if f.latest().ended() >= old {
			continue
		}
		gone = append(gone, f)
		for _, r := range f.records {
			given := *r
			given.givenUp = true
			l.put(&given)
		}
	}
	slices.SortFunc(gone, func(a, b failing) int { return compareEnd(a.latest(), b.latest()) })
	return gone
}

// forgetOld drops the tasks that no list can bring back and whose subject is not unresolved.
func (l *Ledger) forgetOld(now int64) {
	left := map[provisioning]struct{}{}
	for _, r := range l.pages.before(now - memory.Milliseconds() + pageSpan) {
		if r.forgettable(now) && !l.provisionings.follows(r) {
			l.forget(r.id)
			left[r.provisioning()] = struct{}{}
		}
	}
	for at := range left {
		l.stayResolved(at)
	}
}

// stayResolved sees to it that no failure at a provisioning comes back with a success
// that is forgotten: one that starts after it ends outlives what resolved it.
func (l *Ledger) stayResolved(at provisioning) {
	for _, r := range l.provisionings.members[at] {
		if r.failed() && r.start > r.ended() && !r.givenUp && l.records[r.id] == r && !l.provisionings.follows(r) {
			resolved := *r
			resolved.givenUp = true
			l.put(&resolved)
		}
	}
}
