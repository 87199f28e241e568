package window

import (
	"strings"
	"time"

	"cloudsso_exporter/internal/task"
)

// Batch is what one refresh has read so far: nothing of it shows before it is
// whole and applied. Not safe for concurrent use.
type Batch struct {
	answers map[string]*answer
}

// answer is the batch's merged answer about one task.
type answer struct {
	record *record
	text   string // raw failure reason
}

// maxRaw bounds in bytes what is kept of a raw failure reason until it is
// classified, which looks at less.
const maxRaw = 8 << 10

// NewBatch returns an empty batch.
func NewBatch() *Batch { return &Batch{answers: map[string]*answer{}} }

// Add takes in a page. Pages may overlap, shift or repeat: a finished answer
// beats one in progress, between two finished ones the later wins.
func (b *Batch) Add(tasks []task.Task) {
	for _, t := range tasks {
		r := newRecord(t)
		old, ok := b.answers[r.id]
		if ok && old.record.finished && !r.finished {
			continue
		}
		a := &answer{record: r}
		if r.failed() {
			a.text = t.FailureReason
			if len(a.text) > maxRaw {
				a.text = strings.Clone(a.text[:maxRaw])
			}
		}
		b.answers[r.id] = a
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
func (b *Batch) Len() int { return len(b.answers) }

// Finished reports whether the batch holds a finished answer about the task.
func (b *Batch) Finished(id string) bool {
	a, ok := b.answers[id]
	return ok && a.record.finished
}

// Has reports whether the batch holds an answer about the task.
func (b *Batch) Has(id string) bool {
	_, ok := b.answers[id]
	return ok
}

// Cut says what a batch stands for once it is whole. All times are API time.
type Cut struct {
	Began time.Time // when its reading began: the next refresh looks from here
	First time.Time // when the refresh began, if that was earlier; zero: Began
	At    time.Time // when it was whole: what the window is cut at
	Since time.Time // of a full read: every task listed since then is in the batch; zero otherwise
}
