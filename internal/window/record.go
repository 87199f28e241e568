package window

import (
	"cmp"
	"strings"
	"time"
	"unicode/utf8"
	"unique"

	"cloudsso_exporter/internal/task"
)

// record is a task as the window remembers it. A million of them have to fit,
// so words that repeat are interned and moments are Unix milliseconds.
type record struct {
	id         string
	start, end int64 // end is 0 while there is none
	due        int64 // when the agenda looks at it next; 0: never
	typ        word
	status     word
	ac         unique.Handle[party]
	target     unique.Handle[party]
	principal  unique.Handle[party]
	reason     word // bounded; empty until it failed

	finished bool
	hidden   bool // the filter does not show it
	givenUp  bool // a failure that is not followed any more
	inWindow bool // counts in the window gauges
	running  bool // followed until it ends
	failing  bool // in a streak of failures
}

// party is what a task is about, whose fields always come together.
type party struct{ kind, id, name string }

func internParty(kind, id, name string) unique.Handle[party] {
	return unique.Make(party{clean(kind), clean(id), clean(name)})
}

// sameID is equality but for the name.
func (p party) sameID(o party) bool { return p.kind == o.kind && p.id == o.id }

// word is an interned string, freed when its last user is.
type word = unique.Handle[string]

// maxText bounds what an API that sends rubbish can make us keep and show.
const maxText = 256 // bytes

func intern(s string) word { return unique.Make(clean(s)) }

// clean returns s as valid UTF-8 of at most maxText bytes.
func clean(s string) string {
	if len(s) > maxText {
		s = s[:maxText]
		for i := len(s) - 1; i > len(s)-utf8.UTFMax; i-- {
			if utf8.RuneStart(s[i]) {
				if !utf8.FullRuneInString(s[i:]) {
					s = s[:i]
				}
				break
			}
		}
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// millis is t in Unix milliseconds, 0 for the zero time.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// moment is the time of ms, the zero time for 0.
func moment(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func newRecord(t task.Task) *record {
	return &record{
		id:        strings.Clone(t.ID),
		start:     millis(t.Start),
		end:       millis(t.End),
		typ:       intern(string(t.Type)),
		status:    intern(string(t.Status)),
		ac:        internParty("", t.AccessConfigurationID, t.AccessConfigurationName),
		target:    internParty(t.TargetType, t.TargetID, t.TargetName),
		principal: internParty(t.PrincipalType, t.PrincipalID, t.PrincipalName),
		reason:    intern(""),
		finished:  t.Finished(),
	}
}

// task gives the record back as a task, without paths and raw reason.
func (r *record) task() task.Task {
	ac, target, principal := r.ac.Value(), r.target.Value(), r.principal.Value()
	return task.Task{
		ID:                      r.id,
		Type:                    task.Type(r.typ.Value()),
		Status:                  task.Status(r.status.Value()),
		Start:                   moment(r.start),
		End:                     moment(r.end),
		AccessConfigurationID:   ac.id,
		AccessConfigurationName: ac.name,
		TargetType:              target.kind,
		TargetID:                target.id,
		TargetName:              target.name,
		PrincipalType:           principal.kind,
		PrincipalID:             principal.id,
		PrincipalName:           principal.name,
	}
}

func (r *record) saved() SavedTask {
	return SavedTask{Task: r.task(), Reason: r.reason.Value(), Hidden: r.hidden, GivenUp: r.givenUp}
}

func restoreRecord(s SavedTask) *record {
	r := newRecord(s.Task)
	r.reason = intern(s.Reason)
	r.hidden = s.Hidden
	r.givenUp = s.GivenUp
	return r
}

// sameAnswer reports whether the API said the same of both.
func (r *record) sameAnswer(o *record) bool {
	return r.start == o.start && r.end == o.end && r.typ == o.typ && r.status == o.status &&
		r.ac == o.ac && r.target == o.target && r.principal == o.principal
}

// sameCourse is sameAnswer, names apart.
func (r *record) sameCourse(o *record) bool {
	return r.start == o.start && r.end == o.end && r.typ == o.typ && r.status == o.status &&
		r.ac.Value().sameID(o.ac.Value()) && r.target.Value().sameID(o.target.Value()) &&
		r.principal.Value().sameID(o.principal.Value())
}

// failed reports whether the task failed: its Status says so, not its reason.
func (r *record) failed() bool { return r.status.Value() == string(task.Failed) }

// ended is when the task ended, as far as known: an answer without EndTime
// stands where it started.
func (r *record) ended() int64 {
	if r.end == 0 {
		return r.start
	}
	return r.end
}

// compareEnd orders finished tasks by which is the latest: EndTime, then StartTime, then TaskId.
func compareEnd(a, b *record) int {
	return cmp.Or(
		cmp.Compare(a.ended(), b.ended()),
		cmp.Compare(a.start, b.start),
		strings.Compare(a.id, b.id),
	)
}
