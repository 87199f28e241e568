package ledger

import (
	"cmp"
	"slices"

	"cloudsso_exporter/internal/task"
)

// provisioning is an access configuration on a target. What is assigned there and
// whether the access configuration is provisioned depend on one another, and on nothing else.
type provisioning struct{ ac, target string }

// provisionings are the records by provisioning, and of each provisioning the unresolved failures.
type provisionings struct {
	groups[provisioning, []failing]
	shows func(*record) bool
}

// failing is a subject whose latest finished task failed: its failures since its
// latest success, in the order they ended; never empty.
type failing struct {
	subject task.Subject
	records []*record
}

func (f failing) latest() *record { return f.records[len(f.records)-1] }

// streak is the failures that are of the latest one's type.
func (f failing) streak() []*record {
	var all []*record
	for _, r := range f.records {
		if r.what.Value().typ == f.latest().what.Value().typ {
			all = append(all, r)
		}
	}
	return all
}

func (r *record) provisioning() provisioning {
	return provisioning{r.ac.Value().id, r.target.Value().id}
}

func newProvisionings(shows func(*record) bool) provisionings {
	return provisionings{shows: shows, groups: newGroups((*record).provisioning, func(records []*record) ([]failing, bool) {
		if !slices.ContainsFunc(records, func(r *record) bool { return r.failure != nil }) {
			return nil, false
		}
		slices.SortFunc(records, compareEnd)
		var open []failing
		for _, r := range records {
			if r.finished && shows(r) {
				open = settle(open, r)
			}
		}
		return slices.Clip(open), len(open) > 0
	})}
}

// settle takes the next task into account that ended at a provisioning. What decides is
// the order in which tasks ended, not the order in which they became known.
func settle(open []failing, r *record) []failing {
	switch {
	case r.failed() && r.givenUp, !r.failed() && len(open) == 0:
		return open
	}
	t := r.task()
	subject := t.Subject()
	i := slices.IndexFunc(open, func(f failing) bool { return f.subject == subject })
	switch {
	case t.Status == task.Failed && i >= 0:
		open[i].records = append(open[i].records, r)
	case t.Status == task.Failed:
		open = append(open, failing{subject, []*record{r}})
	case t.Status == task.Success:
		deprovisions := t.Type == task.DeprovisionAccessConfiguration
		open = slices.DeleteFunc(open, func(f failing) bool {
			return f.subject == subject || deprovisions && f.subject.Kind == task.Assignment &&
				f.subject.OriginTargetID == subject.OriginTargetID
		})
	}
	return open
}

// unresolved lists the unresolved failures, DeleteAccessAssignment first, then the newest.
func (s provisionings) unresolved() []failing {
	var all []failing
	for _, here := range s.values {
		all = append(all, here...)
	}
	revokes := func(f failing) int {
		if f.latest().what.Value().typ == task.DeleteAccessAssignment {
			return 0
		}
		return 1
	}
	slices.SortFunc(all, func(a, b failing) int {
		return cmp.Or(cmp.Compare(revokes(a), revokes(b)), compareEnd(b.latest(), a.latest()))
	})
	return all
}

// follows reports whether r is kept because its subject is unresolved.
func (s provisionings) follows(r *record) bool {
	return slices.ContainsFunc(s.values[r.provisioning()], func(f failing) bool { return slices.Contains(f.records, r) })
}
