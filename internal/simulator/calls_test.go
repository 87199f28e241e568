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
		Number, Page, Attempt  int
		Directory, Code, Fault string
	}
	var got []brief
	for _, c := range s.Calls() {
		got = append(got, brief{c.Number, c.Page, c.Attempt, c.Params.Get("DirectoryId"), c.Code, c.Fault})
	}
	want := []brief{
		{1, 1, 1, testDirectory, "OK", ""},
		{2, 2, 1, testDirectory, "HTTP 502", "gone"},
		{0, 0, 0, "d-other", "EntityNotExists.Directory", ""},
		{0, 0, 0, "", "InvalidAccessKeyId.NotFound", ""},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
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
	s.log.calls, s.log.total = l.calls, l.total
	calls := s.Calls()
	if n := len(calls); n < maxCalls || n > 2*maxCalls || calls[n-1].Number != 3*maxCalls+5 || calls[0].Number != 3*maxCalls+6-n {
		t.Errorf("%d calls, from %d to %d", n, calls[0].Number, calls[n-1].Number)
	}
	if len(l.attempts) > maxAttempts || s.Total() != 3*maxCalls+5 {
		t.Errorf("%d attempts, total %d", len(l.attempts), s.Total())
	}
}
