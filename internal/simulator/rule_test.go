package simulator

import (
	"fmt"
	"net/url"
	"slices"
	"testing"
)

func TestWhen(t *testing.T) {
	call := Call{Number: 5, Time: testNow, Page: 2, Attempt: 3, Params: url.Values{"DirectoryId": {"d-1"}}}
	tests := []struct {
		name string
		when When
		want bool
	}{
		{"page", Page(2), true},
		{"other page", Page(3), false},
		{"first attempts", FirstAttempts(3), true},
		{"after first attempts", FirstAttempts(2), false},
	}
	for _, test := range tests {
		if got := test.when(call); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
	}
}

func TestTheFirstRuleDecidesAndFaultsChangeAtRunTime(t *testing.T) {
	s, _ := faulty(t, Rule{When: Page(2), Fault: Refuse("InternalError")}, Rule{Fault: Refuse("ServiceUnavailable")})
	if a := ask(s, allPages...); a.Code != "ServiceUnavailable" {
		t.Errorf("page 1: %q", a.Code)
	}
	s.SetFaults(Rule{When: Page(2), Fault: Refuse("InternalError")})
	a := ask(s, allPages...)
	if a := ask(s, append(allPages[:4:4], "NextToken", a.NextToken)...); a.Code != "InternalError" {
		t.Errorf("page 2: %q", a.Code)
	}
	s.SetFaults()
	if a := ask(s, allPages...); a.Code != "" {
		t.Errorf("healed: %q", a.Code)
	}
}

// A fault hides no mistake of the client.
func TestMistakesAreRefusedBeforeFaults(t *testing.T) {
	s, _ := faulty(t, Rule{Fault: Refuse("InternalError")})
	if a := ask(s, "DirectoryId", testDirectory, "MaxResults", "21"); a.Code != "InvalidParameter.MaxResults" {
		t.Errorf("got %q", a.Code)
	}
}

func TestAttempts(t *testing.T) {
	s, _ := faulty(t, Rule{When: FirstAttempts(2), Fault: Throttle(429, 0)})
	var seen []string
	next := allPages
	for range 9 { // three pages, each at its third attempt
		a := ask(s, next...)
		seen = append(seen, a.Code)
		if a.IsTruncated {
			next = slices.Concat(allPages, []string{"NextToken", a.NextToken})
		}
	}
	const page = "Throttling.User Throttling.User "
	if got := fmt.Sprint(seen); got != "["+page+" "+page+" "+page+"]" {
		t.Errorf("got %s", got)
	}
	// A good answer ends it: the same call later is a first attempt again.
	if a := ask(s, allPages...); a.Code != "Throttling.User" {
		t.Errorf("next read: %q", a.Code)
	}
}
