package simulator

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCallsAreLogged(t *testing.T) {
	s, _ := faulty(t, Rule{When: Page(2), Fault: Fault{Name: "gone", Status: 502}})
	a := ask(s, allPages...)
	ask(s, append(allPages[:4:4], "NextToken", a.NextToken)...)
	ask(s, "DirectoryId", "d-other")
	send(s, signed(Key{ID: "LTAIother"}, testNow, "other", url.Values{"DirectoryId": {testDirectory}}))
	type brief struct {
		Number, Page, Attempt          int
		Action, Directory, Code, Fault string
	}
	var got []brief
	for _, c := range s.Calls() {
		got = append(got, brief{c.Number, c.Page, c.Attempt, c.Action, c.Directory(), c.Code, c.Fault})
	}
	want := []brief{
		{1, 1, 1, "ListTasks", testDirectory, "OK", ""},
		{2, 2, 1, "ListTasks", testDirectory, "HTTP 502", "gone"},
		{0, 0, 0, "ListTasks", "d-other", "EntityNotExists.Directory", ""},
		{0, 0, 0, "ListTasks", "", "InvalidAccessKeyId.NotFound", ""},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	counts := map[string]int{"OK": 1, "HTTP 502": 1, "EntityNotExists.Directory": 1, "InvalidAccessKeyId.NotFound": 1}
	if diff := cmp.Diff(counts, s.Counts()); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	if s.Total() != 4 {
		t.Errorf("total %d", s.Total())
	}
	s.ForgetCalls()
	if len(s.Calls()) != 0 || s.Total() != 0 {
		t.Error("calls are not forgotten")
	}
}

func TestTheLogIsBounded(t *testing.T) {
	var l callLog
	for n := range 3*maxCalls + 5 {
		c := l.begin(Call{Params: url.Values{"Filter": {fmt.Sprint(n)}}})
		c.Code = codeHangUp
		l.end(c)
	}
	s := Server{}
	s.log.calls, s.log.next, s.log.counts = l.calls, l.next, l.counts
	calls := s.Calls()
	if len(calls) != maxCalls || calls[0].Number != 2*maxCalls+6 || calls[maxCalls-1].Number != 3*maxCalls+5 {
		t.Errorf("%d calls, from %d to %d", len(calls), calls[0].Number, calls[len(calls)-1].Number)
	}
	if len(l.attempts) > maxAttempts || s.Total() != 3*maxCalls+5 {
		t.Errorf("%d attempts, total %d", len(l.attempts), s.Total())
	}
}
