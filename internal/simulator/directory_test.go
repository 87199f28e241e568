package simulator

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"cloudsso_exporter/internal/task"
)

func at(second int) time.Time { return testNow.Add(time.Duration(second) * time.Second) }

func TestRecordOverTime(t *testing.T) {
	base := someTasks(1)[0]
	base.Start, base.End = at(10).Add(300*time.Millisecond), at(40).Add(700*time.Millisecond)
	base.Status, base.FailureReason = task.Failed, "No Permission."
	tests := []struct {
		name   string
		listed time.Time
		now    time.Time
		status string // empty: not listed
		end    string
		reason string
	}{
		{name: "before its start", now: at(10)},
		{name: "at its start", now: base.Start, status: "InProgress"},
		{name: "listed late, not yet", now: at(99), listed: at(100)},
		{name: "listed late", now: at(100), listed: at(100), status: "Failed", end: "2026-11-24T12:00:40Z", reason: "No Permission."},
		{name: "just before its end", now: base.End.Add(-1), status: "InProgress"},
		{name: "at its end", now: base.End, status: "Failed", end: "2026-11-24T12:00:40Z", reason: "No Permission."},
		{name: "long after", now: at(3600), status: "Failed", end: "2026-11-24T12:00:40Z", reason: "No Permission."},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, clock := newTestServer(t, Options{})
			s.Directory(testDirectory).Schedule(Record{Task: base, Listed: test.listed})
			clock.now = test.now
			a := ask(s, "DirectoryId", testDirectory)
			if test.status == "" {
				if len(a.Tasks) != 0 {
					t.Fatalf("listed: %v", a.Tasks)
				}
				return
			}
			if len(a.Tasks) != 1 {
				t.Fatalf("%d tasks", len(a.Tasks))
			}
			got := a.Tasks[0]
			if got["StartTime"] != "2026-11-24T12:00:10Z" || got["Status"] != test.status || got["EndTime"] != test.end || got["FailureReason"] != test.reason {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestAllFieldsOfATask(t *testing.T) {
	s, _ := newTestServer(t, Options{})
	s.Directory(testDirectory).Put(task.Task{
		ID: "t-1", Type: "DeleteAccessAssignment", Status: "Failed", Start: at(-60), End: at(-1), FailureReason: "<b>\"no\"</b>\n😀",
		AccessConfigurationID: "ac-1", AccessConfigurationName: "ECS-Admin", TargetType: "RD-Account", TargetID: "114", TargetName: "dev-test",
		TargetPath: "rd-3G/r-Wm/114", TargetPathName: "rd-3G/root/dev-test", PrincipalType: "User", PrincipalID: "u-1", PrincipalName: "Alice", OriginTargetID: "fd-9",
	})
	a := ask(s, "DirectoryId", testDirectory)
	want := map[string]string{
		"TaskId": "t-1", "TaskType": "DeleteAccessAssignment", "Status": "Failed", "StartTime": "2026-11-24T11:59:00Z", "EndTime": "2026-11-24T11:59:59Z",
		"FailureReason": "<b>\"no\"</b>\n😀", "AccessConfigurationId": "ac-1", "AccessConfigurationName": "ECS-Admin", "TargetType": "RD-Account",
		"TargetId": "114", "TargetName": "dev-test", "TargetPath": "rd-3G/r-Wm/114", "TargetPathName": "rd-3G/root/dev-test",
		"PrincipalType": "User", "PrincipalId": "u-1", "PrincipalName": "Alice", "OriginTargetId": "fd-9",
	}
	if len(a.Tasks) != 1 || fmt.Sprint(a.Tasks[0]) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", a.Tasks, want)
	}
}

func TestPutReplacesAndRemoves(t *testing.T) {
	for _, n := range []int{3, 101} { // placed one by one, and sorted
		s, _ := newTestServer(t, Options{})
		d := s.Directory(testDirectory)
		read := func() []string { return walk(t, s, nil, "DirectoryId", testDirectory) }
		tasks := someTasks(n)
		d.Put(tasks...)
		d.Put(tasks...)
		if got := read(); len(got) != n {
			t.Fatalf("put twice: %d tasks, want %d", len(got), n)
		}
		// All move, the second of two with one id in a batch counts.
		var moved []task.Task
		for i, x := range tasks {
			x.Start = at(-10 * (i + 1))
			y := x
			y.Start = at(-1)
			moved = append(moved, y, x)
		}
		d.Put(moved...)
		var want []string
		for _, x := range tasks {
			want = append(want, x.ID)
		}
		if got := read(); !slices.Equal(got, want) {
			t.Errorf("moved: got %v, want %v", got, want)
		}
		d.Remove(append(want[1:], "t-unknown")...)
		if got := read(); !slices.Equal(got, want[:1]) {
			t.Errorf("removed: got %v, want %v", got, want[:1])
		}
		d.Put(tasks...)
		if got := read(); len(got) != n {
			t.Errorf("put again: %d tasks, want %d", len(got), n)
		}
	}
}

// The records of a caller are not the directory's.
func TestScheduleTakesACopy(t *testing.T) {
	s, _ := newTestServer(t, Options{})
	records := []Record{{Task: someTasks(1)[0]}}
	s.Directory(testDirectory).Schedule(records...)
	records[0].ID = "t-other"
	if got := ask(s, "DirectoryId", testDirectory).ids(); !slices.Equal(got, []string{"t-00000"}) {
		t.Errorf("got %v", got)
	}
}
