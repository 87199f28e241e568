package ledger

import (
	"fmt"
	"testing"
	"time"

	"cloudsso_exporter/internal/task"
)

// told are the events of a report, one line each.
func told(r Report) (lines []string) {
	for _, e := range r.Events {
		line := fmt.Sprintf("%s %s", e.Kind, e.Task.ID)
		if e.Attempts > 0 {
			line += fmt.Sprintf(" attempt %d since %s", e.Attempts, e.Since.Sub(noon))
		}
		if e.By.ID != "" {
			line += " by " + e.By.ID
		}
		lines = append(lines, line)
	}
	return lines
}

func TestEvents(t *testing.T) {
	s := begin(t, plain)
	wantEqual(t, "the baseline", []string(nil), told(s.refresh(0, failed(create, "old", -9*minutes, -8*minutes))))
	wantEqual(t, "a retry and others", []string{
		"task succeeded p",
		"task failed r1 attempt 1 since 1m0s",
		"task failed again attempt 2 since -8m0s",
	}, told(s.refresh(3*minutes, failed(create, "again", minutes, 2*minutes), succeeded(provision, "p", 0, 30*time.Second),
		of("u-2", failed(revoke, "r1", 0, minutes)))))
	wantEqual(t, "nothing new", []string(nil), told(s.refresh(4*minutes, failed(create, "again", minutes, 2*minutes))))
	wantEqual(t, "another type is a streak of its own and resolves nothing", []string{"task failed r2 attempt 1 since 4m30s"},
		told(s.refresh(5*minutes, failed(revoke, "r2", 4*minutes, 4*minutes+30*time.Second))))
	wantEqual(t, "resolved", []string{"task succeeded s", "failure resolved r2 attempt 1 since 4m30s by s"},
		told(s.refresh(7*minutes, succeeded(create, "s", 5*minutes, 6*minutes))))
	wantEqual(t, "failed and resolved at once", []string{"task failed f attempt 1 since 8m0s", "task succeeded g"},
		told(s.refresh(9*minutes, failed(create, "f", 7*minutes, 8*minutes), succeeded(create, "g", 8*minutes, 8*minutes+time.Second))))
	wantEqual(t, "a deprovisioning resolves assignments", []string{"task succeeded d", "failure resolved r1 attempt 1 since 1m0s by d"},
		told(s.refresh(11*minutes, succeeded(deprovision, "d", 9*minutes, 10*minutes))))
}

// The labels of a streak stay as they were when it began; after its end it is shown as resolved for an hour.
func TestStreakLabels(t *testing.T) {
	named := func(name string, t task.Task) task.Task {
		t.PrincipalName, t.TargetPathName, t.OriginTargetID = name, "root/"+name, "fd-1"
		return t
	}
	s := begin(t, plain)
	s.refresh(0)
	labels := func() []string {
		var all []string
		for _, f := range s.Snapshot().Failures {
			all = append(all, fmt.Sprint("1 ", f.Labels.Type, " ", f.Labels.PrincipalName, " ", f.Labels.TargetPathName, " ", f.Latest.ID, " ", f.Attempts))
		}
		for _, r := range s.Snapshot().Resolved {
			all = append(all, fmt.Sprint("0 ", r.Labels.Type, " ", r.Labels.PrincipalName))
		}
		return all
	}
	s.refresh(minutes, named("old", failed(revoke, "a", 0, minutes)))
	s.refresh(2*minutes, named("new", failed(revoke, "a", 0, minutes)), named("new", failed(revoke, "b", minutes, 2*minutes)))
	want := []string{"1 DeleteAccessAssignment old root/old b 2"}
	wantEqual(t, "renamed and retried", want, labels())
	s.restart(3*minutes, plain)
	wantEqual(t, "after a restart", want, labels())
	s.refresh(4*minutes, named("new", failed(create, "c", 3*minutes, 4*minutes)))
	want = []string{"1 CreateAccessAssignment new root/new c 1", "0 DeleteAccessAssignment old"}
	wantEqual(t, "another type", want, labels())
	s.refresh(5*minutes, named("new", succeeded(create, "d", 4*minutes, 5*minutes)))
	s.restart(6*minutes, plain)
	want = []string{"0 CreateAccessAssignment new", "0 DeleteAccessAssignment old"}
	wantEqual(t, "resolved", want, labels())
	s.refresh(4*minutes + hours)
	wantEqual(t, "an hour later", want[:1], labels())
	s.refresh(6*minutes + hours)
	wantEqual(t, "and two minutes", []string(nil), labels())
}

// Two assignments that differ in what they are inherited from alone are two subjects.
func TestOriginIsPartOfTheSubject(t *testing.T) {
	from := func(origin string, t task.Task) task.Task { t.OriginTargetID = origin; return t }
	s := begin(t, plain)
	s.refresh(0, from("fd-1", failed(revoke, "a", -9*minutes, -8*minutes)), from("fd-2", failed(revoke, "b", -9*minutes, -8*minutes)),
		from("1001", failed(revoke, "c", -9*minutes, -8*minutes)))
	for _, f := range s.Snapshot().Failures {
		if f.Latest.ID == "c" && f.Labels.OriginTargetID != "" {
			t.Errorf("the target itself is shown as origin: %q", f.Labels.OriginTargetID)
		}
	}
	s.refresh(minutes, from("fd-2", succeeded(revoke, "d", 0, minutes)), from("", succeeded(revoke, "e", 0, minutes)))
	wantEqual(t, "what is not resolved by another origin", map[string]time.Duration{"a": -8 * minutes}, s.unresolvedSince())
	s.refresh(2*minutes, from("fd-2", succeeded(deprovision, "f", minutes, 2*minutes)))
	wantEqual(t, "a deprovisioning of another origin", map[string]time.Duration{"a": -8 * minutes}, s.unresolvedSince())
	s.refresh(3*minutes, from("fd-1", succeeded(deprovision, "g", 2*minutes, 3*minutes)))
	wantEqual(t, "one of the same", map[string]time.Duration{}, s.unresolvedSince())
}

func TestFailureTextIsKept(t *testing.T) {
	s := begin(t, plain)
	s.refresh(0)
	text := "NoPermission: acs:ram::1:role/AliyunReservedSSO-Admin, Action: ram:DeleteRole"
	s.refresh(minutes, because(text, failed(revoke, "a", 0, minutes)))
	for range 2 {
		wantEqual(t, "text", text, s.Snapshot().Failures[0].Latest.FailureReason)
		for r := range s.Snapshot().Remembered(task.Query{}) {
			wantEqual(t, "in the list", text, r.FailureReason)
		}
		s.restart(minutes, plain)
	}
}

func TestRememberedAndHours(t *testing.T) {
	s := begin(t, only("1001", plain))
	s.refresh(0, succeeded(create, "a", -3*hours, 0), failed(create, "b", -5*minutes, 0), running(revoke, "c", -minutes),
		on("1002", succeeded(create, "hidden", -minutes, 0)), running(create, "d", -minutes))
	snapshot := s.Snapshot()
	s.refresh(minutes, succeeded(revoke, "c", -minutes, minutes), running(create, "later", 0))
	var got []string
	for r := range snapshot.Remembered(task.Query{}) {
		got = append(got, r.ID+" "+string(r.Status))
	}
	wantEqual(t, "the newest first, as it was", []string{"d InProgress", "c InProgress", "b Failed", "a Success"}, got)
	of := func(typ, id string) task.Filter { return task.Filter{PrincipalType: typ, PrincipalID: id} }
	sample := succeeded(create, "a", 0, 0)
	for _, test := range []struct {
		query task.Query
		want  []string
	}{
		{task.Query{From: noon.Add(-5 * time.Minute)}, []string{"d", "c", "b"}},
		{task.Query{From: noon.Add(-5*time.Minute + time.Millisecond)}, []string{"d", "c"}},
		{task.Query{From: noon.Add(time.Hour)}, nil},
		{task.Query{Type: create, Status: task.InProgress}, []string{"d"}},
		{task.Query{Filter: of(sample.PrincipalType, sample.PrincipalID)}, []string{"d", "c", "b", "a"}},
		{task.Query{Filter: of("Group", sample.PrincipalID)}, nil},
		{task.Query{Filter: of("", "u-none")}, nil},
		{task.Query{Filter: task.Filter{TargetID: "1002"}}, nil}, // which the directory's filter hides
		{task.Query{Filter: task.Filter{AccessConfigurationID: "ac-none"}}, nil},
	} {
		var got []string
		for r := range snapshot.Remembered(test.query) {
			got = append(got, r.ID)
		}
		wantEqual(t, fmt.Sprintf("%+v", test.query), test.want, got)
	}
	hours := snapshot.Hours(4)
	wantEqual(t, "first hour", Hour{noon.Add(-3 * time.Hour), map[task.Status]int{task.Success: 1}}, hours[0])
	wantEqual(t, "last but one", map[task.Status]int{task.Failed: 1, task.InProgress: 2}, hours[2].Tasks)
	wantEqual(t, "under way", Hour{noon, map[task.Status]int{}}, hours[3])
}
