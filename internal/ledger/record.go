package ledger

import (
	"cmp"
	"strings"
	"time"
	"unicode/utf8"
	"unique"

	"cloudsso_exporter/internal/task"
)

// record is a task as it is remembered. It never changes. A million of them have
// to fit, so what repeats is interned and moments are Unix milliseconds.
type record struct {
	id         string
	start, end int64 // end is 0 while there is none
	what       unique.Handle[what]
	ac         unique.Handle[party]
	target     unique.Handle[party]
	principal  unique.Handle[party]
	failure    *failure // nil unless it failed

	finished bool
	givenUp  bool // a failure that is no longer followed
}

type what struct {
	typ    task.Type
	status task.Status
}

// party is who or what a task is about, whose fields always come together.
type party struct {
	kind, id, name string
	path, pathName string // of a target
	origin         string // of a principal: what its assignment was inherited from
}

// failure is why a task failed.
type failure struct {
	reason string // bounded; empty until it is classified
	text   string // as the API wrote it
}

// maxText bounds in bytes what an API that sends rubbish can make us keep of an
// id or a name, maxFailureText of a failure reason.
const (
	maxText        = 256
	maxFailureText = 512
)

// truncate returns s as valid UTF-8 of at most limit bytes.
func truncate(s string, limit int) string {
	if len(s) > limit {
		s = s[:limit]
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
	short := func(s string) string { return truncate(s, maxText) }
	r := &record{
		id:    strings.Clone(t.ID),
		start: millis(t.Start),
		end:   millis(t.End),
		what:  unique.Make(what{task.Type(short(string(t.Type))), task.Status(short(string(t.Status)))}),
		ac:    unique.Make(party{id: short(t.AccessConfigurationID), name: short(t.AccessConfigurationName)}),
		target: unique.Make(party{
			kind: short(t.TargetType), id: short(t.TargetID), name: short(t.TargetName),
			path: short(t.TargetPath), pathName: short(t.TargetPathName),
		}),
		principal: unique.Make(party{
			kind: short(t.PrincipalType), id: short(t.PrincipalID), name: short(t.PrincipalName),
			origin: short(t.Subject().OriginTargetID), // none where it is the target itself
		}),
		finished: t.Finished(),
	}
	if r.failed() {
		r.failure = &failure{text: strings.Clone(t.FailureReason)}
	}
	return r
}

func restoreRecord(s Record) *record {
	r := newRecord(s.Task)
	r.givenUp = s.GivenUp
	if r.failure != nil {
		r.failure.reason = s.Reason
	}
	return r
}

// task gives the record back as a task.
func (r *record) task() task.Task {
	ac, target, principal := r.ac.Value(), r.target.Value(), r.principal.Value()
	t := task.Task{
		ID:                      r.id,
		Type:                    r.what.Value().typ,
		Status:                  r.what.Value().status,
		Start:                   moment(r.start),
		End:                     moment(r.end),
		AccessConfigurationID:   ac.id,
		AccessConfigurationName: ac.name,
		TargetType:              target.kind,
		TargetID:                target.id,
		TargetName:              target.name,
		TargetPath:              target.path,
		TargetPathName:          target.pathName,
		PrincipalType:           principal.kind,
		PrincipalID:             principal.id,
		PrincipalName:           principal.name,
		OriginTargetID:          principal.origin,
	}
	if r.failure != nil {
		t.FailureReason = r.failure.text
	}
	return t
}

func (r *record) saved() Record {
	return Record{Task: r.task(), Reason: r.reason(), GivenUp: r.givenUp}
}

// reason is the bounded reason of a failed task, empty for any other.
func (r *record) reason() string {
	if r.failure == nil {
		return ""
	}
	return r.failure.reason
}

// sameAnswer reports whether the API said the same of both, reasons apart.
func (r *record) sameAnswer(o *record) bool {
	return r.start == o.start && r.end == o.end && r.what == o.what &&
		r.ac == o.ac && r.target == o.target && r.principal == o.principal
}

// failed reports whether the task failed: its Status says so, not its reason.
func (r *record) failed() bool { return r.what.Value().status == task.Failed }

// ended is when the task ended, as far as known: an answer without an EndTime
// stands where it started.
func (r *record) ended() int64 { return cmp.Or(r.end, r.start) }

// forgettable is when no list can bring the task back: 7 days after it started,
// but remembered as long after its end. One that lies in the future is listed
// for as long as it does.
func (r *record) forgettable(now int64) bool {
	return min(max(r.start, r.ended()), now)+memory.Milliseconds() <= now
}

// compareEnd orders finished tasks by which is the latest: EndTime, then StartTime, then TaskId.
func compareEnd(a, b *record) int {
	return cmp.Or(
		cmp.Compare(a.ended(), b.ended()),
		cmp.Compare(a.start, b.start),
		strings.Compare(a.id, b.id),
	)
}
