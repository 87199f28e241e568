package simulator

import (
	"fmt"
	"time"
)

// Fault is what goes wrong with one answer; the zero value is nothing. Of
// HangUp, Code and Status or Body the first that is set replaces the answer;
// the fields after them change a good one.
type Fault struct {
	Name  string        // for the log of calls
	Delay time.Duration // before the answer is made; ends early with the request

	HangUp      bool          // the connection closes without an answer
	Code        string        // refused with this error of the API
	Status      int           // HTTP status; 0: the usual one of the Code, else 200
	Body        string        // sent as it is, when there is no Code; may be empty with a Status
	RetryAfter  time.Duration // Retry-After, whole seconds; 0: no such header
	RetryAtDate bool          // Retry-After says when, not how long

	Shift  int                            // the next page begins so many entries later; negative: repeats some
	Repeat bool                           // the next page is this one again, under a new token
	Edit   func(c Call, a map[string]any) // changes the answer, decoded from its JSON
	Append string                         // comes after the JSON
	Cut    bool                           // the connection breaks half way through the body
}

// Refuse is an error of the API under its usual HTTP status.
func Refuse(code string) Fault { return Fault{Name: code, Code: code} }

// Throttle is Throttling.User under any status, with Retry-After when it's over 0.
func Throttle(status int, retryAfter time.Duration) Fault {
	return Fault{Name: fmt.Sprintf("throttled %d", status), Code: "Throttling.User", Status: status, RetryAfter: retryAfter}
}

// Gateway is an answer of something in front of the API: HTML, text or nothing.
func Gateway(status int, body string) Fault {
	return Fault{Name: fmt.Sprintf("gateway %d", status), Status: status, Body: body}
}

// Slow is a good answer after d.
func Slow(d time.Duration) Fault { return Fault{Name: "slow", Delay: d} }

// Rule says when a fault strikes.
type Rule struct {
	When  When // nil: always
	Fault Fault
}

// When decides whether a rule applies to a call, whose Code is not known yet.
// It is called from many goroutines at once.
type When func(Call) bool

// Page is the nth page of each read, from 1.
func Page(n int) When { return func(c Call) bool { return c.Page == n } }

// FirstAttempts is the first n attempts of each page; then it gets a good answer.
func FirstAttempts(n int) When { return func(c Call) bool { return c.Attempt <= n } }
