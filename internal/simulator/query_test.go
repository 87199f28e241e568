package simulator

import (
	"fmt"
	"net/url"
	"slices"
	"testing"
	"time"

	"cloudsso_exporter/internal/task"
)

func TestParameterRules(t *testing.T) {
	ok := []string{"DirectoryId", testDirectory}
	filter := func(ago time.Duration) string { return "StartTime ge " + testNow.Add(-ago).Format(dateForm) }
	const week = 7 * 24 * time.Hour
	tests := []struct {
		params []string
		code   string
		status int
	}{
		{ok, "", 200},
		{nil, "MissingParameter.DirectoryId", 400},
		{[]string{"DirectoryId", "d-other"}, "EntityNotExists.Directory", 404},
		{append(ok, "TargetType", "RD-Account", "TargetId", "1"), "", 200},
		{append(ok, "TargetType", "RD-Account"), "InvalidParameter.TargetType", 400},
		{append(ok, "TargetId", "1"), "InvalidParameter.TargetType", 400},
		{append(ok, "TargetType", "Account", "TargetId", "1"), "InvalidParameter.TargetType", 400},
		{append(ok, "PrincipalType", "User", "PrincipalId", "u"), "", 200},
		{append(ok, "PrincipalType", "Group", "PrincipalId", "g"), "", 200},
		{append(ok, "PrincipalType", "Role", "PrincipalId", "r"), "InvalidParameter.PrincipalType", 400},
		{append(ok, "PrincipalType", "User"), "InvalidParameter.PrincipalType", 400},
		{append(ok, "PrincipalId", "u"), "InvalidParameter.PrincipalType", 400},
		{append(ok, "AccessConfigurationId", "ac"), "", 200},
		{append(ok, "TaskType", "DeleteAccessAssignment"), "", 200},
		{append(ok, "TaskType", "deleteaccessassignment"), "InvalidParameter.TaskType", 400},
		{append(ok, "Status", "InProgress"), "", 200},
		{append(ok, "Status", "Running"), "InvalidParameter.Status", 400},
		{append(ok, "MaxResults", "1"), "", 200},
		{append(ok, "MaxResults", "20"), "", 200},
		{append(ok, "MaxResults", "0"), "InvalidParameter.MaxResults", 400},
		{append(ok, "MaxResults", "21"), "InvalidParameter.MaxResults", 400},
		{append(ok, "MaxResults", "-1"), "InvalidParameter.MaxResults", 400},
		{append(ok, "MaxResults", "+5"), "InvalidParameter.MaxResults", 400},
		{append(ok, "MaxResults", "300"), "InvalidParameter.MaxResults", 400},
		{append(ok, "MaxResults", "ten"), "InvalidParameter.MaxResults", 400},
		{append(ok, "Filter", filter(time.Hour)), "", 200},
		{append(ok, "Filter", "starttime GE 2026-11-24t00:00:00z"), "", 200},
		{append(ok, "Filter", filter(week)), "", 200},
		{append(ok, "Filter", filter(week+time.Second)), "InvalidParameter.Filter", 400},
		{append(ok, "Filter", "StartTime gt 2026-11-24T00:00:00Z"), "InvalidParameter.Filter", 400},
		{append(ok, "Filter", "StartTime ge 2026-11-24"), "InvalidParameter.Filter", 400},
		{append(ok, "Filter", "StartTime ge 2026-11-24T00:00:00+08:00"), "InvalidParameter.Filter", 400},
		{append(ok, "Filter", "StartTime  ge 2026-11-24T00:00:00Z"), "InvalidParameter.Filter", 400},
		{append(ok, "Filter", "StartTime ge 2026-11-24T1:02:03Z"), "InvalidParameter.Filter", 400},
		{append(ok, "Filter", "StartTime ge 2026-11-24T00:00:00Z and Status eq Failed"), "InvalidParameter.Filter", 400},
		{append(ok, "Filter", "2026-11-24T00:00:00Z"), "InvalidParameter.Filter", 400},
		{append(ok, "Filter", "EndTime ge 2026-11-24T00:00:00Z"), "InvalidParameter.Filter", 400},
		{append(ok, "Filter", "StartTime ge 2026-11-24T00:00:00.5Z"), "InvalidParameter.Filter", 400},
		{append(ok, "NextToken", "K1c3o9K7pFxoTtxH1Nm7MM"), "InvalidParameter.NextToken", 400},
		{append(ok, "NextToken", "***"), "InvalidParameter.NextToken", 400},
		{append(ok, "MaxResult", "20"), "InvalidParameter.MaxResult", 400},
	}
	for _, test := range tests {
		t.Run(fmt.Sprint(test.params), func(t *testing.T) {
			s, _ := newTestServer(t, Options{})
			s.Directory(testDirectory).Put(someTasks(3)...)
			a := ask(s, test.params...)
			if a.Code != test.code || a.status != test.status {
				t.Errorf("got %q %d (%s), want %q %d", a.Code, a.status, a.Message, test.code, test.status)
			}
		})
	}
	t.Run("given twice", func(t *testing.T) {
		s, _ := newTestServer(t, Options{})
		s.Directory(testDirectory)
		a := send(s, signed(testKey, testNow, "n", url.Values{"DirectoryId": {testDirectory}, "Status": {"Failed", "Success"}}))
		if a.Code != "InvalidParameter.Status" {
			t.Errorf("got %q", a.Code)
		}
	})
}

func TestNextTokenIsBoundToTheParameters(t *testing.T) {
	for _, cursors := range []bool{false, true} {
		s, _ := newTestServer(t, Options{Cursors: cursors})
		s.Directory(testDirectory).Put(someTasks(50)...)
		s.Directory("d-2").Put(someTasks(50)...)
		params := []string{"DirectoryId", testDirectory, "MaxResults", "20", "Filter", "StartTime ge 2026-11-24T00:00:00Z"}
		token := ask(s, params...).NextToken
		forged := "A" + token[1:]
		if forged == token {
			forged = "B" + token[1:]
		}
		params = append(params, "NextToken", token)
		if a := ask(s, params...); a.Code != "" || len(a.Tasks) != 20 {
			t.Fatalf("unchanged: %s, %d tasks", a.Message, len(a.Tasks))
		}
		for _, change := range [][]string{
			{"MaxResults", "19"}, {"Filter", "StartTime ge 2026-11-24T00:00:01Z"}, {"Status", "Success"}, {"DirectoryId", "d-2"},
			{"NextToken", token[:len(token)-1]}, {"NextToken", forged},
		} {
			if a := ask(s, append(slices.Clone(params), change...)...); a.Code != "InvalidParameter.NextToken" {
				t.Errorf("with %v: %q", change, a.Code)
			}
		}
	}
}

// A Filter that was good for the first page is refused once it is too old.
func TestFilterIsCheckedAtEachPage(t *testing.T) {
	s, clock := newTestServer(t, Options{})
	s.Directory(testDirectory).Put(someTasks(50)...)
	params := []string{"DirectoryId", testDirectory, "Filter", "StartTime ge 2026-11-17T12:00:00Z"}
	a := ask(s, params...)
	if a.Code != "" || !a.IsTruncated {
		t.Fatal(a.raw)
	}
	clock.now = clock.now.Add(time.Second)
	if a := ask(s, append(params, "NextToken", a.NextToken)...); a.Code != "InvalidParameter.Filter" {
		t.Errorf("second page: %q", a.Code)
	}
}

func TestDefaults(t *testing.T) {
	s, _ := newTestServer(t, Options{})
	tasks := someTasks(3)
	tasks[0].Start = testNow.Add(-24*time.Hour - time.Second)
	tasks[1].Start = testNow.Add(-24 * time.Hour)
	s.Directory(testDirectory).Put(tasks...)
	if got := walk(t, s, nil, "DirectoryId", testDirectory); !slices.Equal(got, []string{"t-00002", "t-00001"}) {
		t.Errorf("the last 24 hours: %v", got)
	}
	s.Directory(testDirectory).Put(someTasks(30)...)
	a := ask(s, "DirectoryId", testDirectory)
	if a.MaxResults != 10 || len(a.Tasks) != 10 || a.TotalCounts != 10 || !a.IsTruncated {
		t.Errorf("MaxResults %d, %d tasks, TotalCounts %d, IsTruncated %v", a.MaxResults, len(a.Tasks), a.TotalCounts, a.IsTruncated)
	}
}

func TestSelection(t *testing.T) {
	s, _ := newTestServer(t, Options{})
	var tasks []task.Task
	var n int
	for _, kind := range task.Types() {
		for _, status := range task.Statuses() {
			n++
			base := someTasks(n)[0]
			base.ID, base.Type, base.Status = fmt.Sprint("t-", n), kind, status
			base.AccessConfigurationID = fmt.Sprint("ac-", n%2)
			base.TargetID = fmt.Sprint("1-", n%3)
			base.PrincipalID = fmt.Sprint("p-", n%4)
			tasks = append(tasks, base)
		}
	}
	s.Directory(testDirectory).Put(tasks...)
	for _, test := range []struct {
		params []string
		want   func(task.Task) bool
	}{
		{[]string{"TaskType", "CreateAccessAssignment"}, func(t task.Task) bool { return t.Type == task.CreateAccessAssignment }},
		{[]string{"Status", "InProgress"}, func(t task.Task) bool { return t.Status == task.InProgress }},
		{[]string{"Status", "Failed"}, func(t task.Task) bool { return t.Status == task.Failed }},
		{[]string{"AccessConfigurationId", "ac-1"}, func(t task.Task) bool { return t.AccessConfigurationID == "ac-1" }},
		{[]string{"TargetType", "RD-Account", "TargetId", "1-2"}, func(t task.Task) bool { return t.TargetID == "1-2" }},
		{[]string{"PrincipalType", "User", "PrincipalId", "p-3"}, func(t task.Task) bool { return t.PrincipalID == "p-3" }},
		{[]string{"PrincipalType", "Group", "PrincipalId", "p-3"}, func(t task.Task) bool { return false }},
		{[]string{"Status", "Success", "AccessConfigurationId", "ac-0"}, func(t task.Task) bool { return t.Status == task.Success && t.AccessConfigurationID == "ac-0" }},
	} {
		var want []string
		for _, task := range tasks {
			if test.want(task) {
				want = append(want, task.ID)
			}
		}
		got := walk(t, s, nil, append([]string{"DirectoryId", testDirectory}, test.params...)...)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%v: got %v, want %v", test.params, got, want)
		}
	}
}
