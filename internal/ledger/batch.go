package ledger

import (
	"slices"

	"cloudsso_exporter/internal/task"
)

// Batch is what one refresh has read so far: nothing of it shows before it is
// whole and applied. Not safe for concurrent use.
type Batch struct {
	answers map[string]*record // with the failure reason as it was sent; nil once they are applied
	applied int                // how many there were
}

// maxRaw bounds in bytes what is kept of a failure reason until it is classified.
const maxRaw = 8 << 10

// NewBatch returns an empty batch.
func NewBatch() *Batch { return &Batch{answers: map[string]*record{}} }

// Add takes in a page. Pages may overlap, shift or repeat: a finished answer
// beats one in progress, of two finished ones the later wins.
func (b *Batch) Add(tasks []task.Task) {
	for _, t := range tasks {
		if len(t.FailureReason) > maxRaw {
			t.FailureReason = t.FailureReason[:maxRaw]
		}
		r := newRecord(t)
		if old, ok := b.answers[r.id]; !ok || !old.finished || r.finished {
			b.answers[r.id] = r
		}
	}
}

// AddMissing takes in older answers: those about tasks that the batch has no answer about.
func (b *Batch) AddMissing(tasks []task.Task) {
	for _, t := range tasks {
		if !b.Has(t.ID) {
			b.Add([]task.Task{t})
		}
	}
}

// Len is the number of different tasks in the batch.
func (b *Batch) Len() int { return len(b.answers) + b.applied }

// takeOut empties the batch and returns its answers in an order that does not
// depend on how they were listed: reasons get their slots in the order tasks ended.
func (b *Batch) takeOut() []*record {
	all := make([]*record, 0, len(b.answers))
	for _, r := range b.answers {
		all = append(all, r)
	}
	b.answers, b.applied = nil, len(all) // of a first read it is large
	slices.SortFunc(all, compareEnd)
	return all
}

// Has reports whether the batch holds an answer about the task.
func (b *Batch) Has(id string) bool {
	_, ok := b.answers[id]
	return ok
}
