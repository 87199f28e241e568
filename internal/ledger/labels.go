package ledger

import (
	"slices"

	"cloudsso_exporter/internal/task"
)

// unknownLimit is how many values of a label that the reference does not know
// are passed through; the rest share otherLabel.
const (
	unknownLimit = 8
	otherLabel   = "other"
)

// labels bounds task types and statuses to values that can be labels. It only
// grows, so that what a value maps to never changes.
type labels struct {
	types    []task.Type
	statuses []task.Status
}

type statusKey struct {
	typ    task.Type
	status task.Status
}

func (l *labels) typ(t task.Type) task.Type { return bounded(t, task.Types(), &l.types) }

func (l *labels) key(w what) statusKey {
	return statusKey{l.typ(w.typ), bounded(w.status, task.Statuses(), &l.statuses)}
}

func bounded[T ~string](v T, known []T, others *[]T) T {
	switch {
	case slices.Contains(known, v), slices.Contains(*others, v):
		return v
	case v == "" || len(*others) == unknownLimit:
		return otherLabel
	default:
		*others = append(slices.Clip(*others), v)
		return v
	}
}
