package simulator

import (
	"fmt"
	"slices"
	"strings"
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

// Body is a 200 with this body.
func Body(body string) Fault { return Fault{Name: "body", Body: body} }

// Edit is a good answer changed.
func Edit(name string, change func(c Call, answer map[string]any)) Fault {
	return Fault{Name: name, Edit: change}
}

// EditTasks is a good answer with every task changed.
func EditTasks(name string, change func(task map[string]any)) Fault {
	return Edit(name, func(_ Call, answer map[string]any) {
		for _, t := range answer["Tasks"].([]any) {
			change(t.(map[string]any))
		}
	})
}

// Omit leaves tasks out of the page they belong to.
func Omit(ids ...string) Fault {
	return Edit("omit", func(_ Call, answer map[string]any) {
		answer["Tasks"] = slices.DeleteFunc(answer["Tasks"].([]any), func(t any) bool {
			return slices.Contains(ids, t.(map[string]any)["TaskId"].(string))
		})
	})
}

// LoopToken answers each token with the same token again, and never ends.
func LoopToken() Fault {
	return Fault{Name: "looping token", Repeat: true, Edit: func(c Call, answer map[string]any) {
		if sent := c.Params.Get("NextToken"); sent != "" {
			answer["NextToken"] = sent
		}
	}}
}

const overLimit = 8<<20 + 1 // bytes; more than a client should read

// Retryable are faults that go away when the call is made again.
func Retryable() []Fault {
	return []Fault{
		{Name: "429 with Retry-After", Code: "Throttling.User", Status: 429, RetryAfter: time.Second},
		{Name: "429 with a date", Code: "Throttling", Status: 429, RetryAfter: time.Second, RetryAtDate: true},
		{Name: "400 Throttling.User", Code: "Throttling.User", Status: 400},
		{Name: "200 Throttling.Api", Code: "Throttling.Api", Status: 200},
		{Name: "400 Rejected.Throttling", Code: "Rejected.Throttling", Status: 400},
		{Name: "400 ServiceUnavailable", Code: "ServiceUnavailable", Status: 400},
		{Name: "400 InternalError", Code: "InternalError", Status: 400},
		{Name: "502 HTML", Status: 502, Body: "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center></body></html>\n"},
		{Name: "502 empty", Status: 502},
		{Name: "503 plain text", Status: 503, Body: "upstream connect error or disconnect/reset before headers\n"},
		{Name: "500 JSON without a code", Status: 500, Body: `{"error":"internal"}`},
		{Name: "cut body", Cut: true},
		{Name: "hang up", HangUp: true},
	}
}

// Refusals are faults that no second attempt cures.
func Refusals() []Fault {
	var faults []Fault
	for _, code := range []string{
		"InvalidAccessKeyId.NotFound", "InvalidAccessKeyId.Inactive", "SignatureDoesNotMatch", "InvalidSecurityToken.Expired",
		"NoPermission", "EntityNotExists.Directory", "InvalidParameter.Filter",
	} {
		faults = append(faults, Refuse(code))
	}
	return faults
}

// Rubbish are 200s that are no answer of ListTasks.
func Rubbish() []Fault {
	return []Fault{
		{Name: "null", Body: "null"},
		{Name: "empty object", Body: "{}"},
		{Name: "nothing", Status: 200},
		{Name: "HTML", Body: "<html><body>Sign in to continue</body></html>"},
		{Name: "array", Body: "[]"},
		{Name: "wrong types", Body: `{"Tasks":{"Task":"none"},"RequestId":7,"IsTruncated":"false"}`},
		{Name: "trailing rubbish", Append: "}{"},
		{Name: "over 8 MiB", Append: strings.Repeat(" ", overLimit)},
		Edit("no RequestId", func(_ Call, a map[string]any) { delete(a, "RequestId") }),
		{Name: "truncated without a token", Repeat: true, Edit: func(_ Call, a map[string]any) { delete(a, "NextToken") }},
		LoopToken(),
	}
}

// RubbishTasks are answers of a right form with tasks that are none. They show
// only on a page that has tasks.
func RubbishTasks() []Fault {
	return []Fault{
		EditTasks("task without TaskId", func(t map[string]any) { delete(t, "TaskId") }),
		EditTasks("task with an empty TaskId", func(t map[string]any) { t["TaskId"] = "" }),
		Edit("task that is null", func(_ Call, a map[string]any) {
			if tasks := a["Tasks"].([]any); len(tasks) > 0 {
				tasks[0] = nil
			}
		}),
	}
}

// Harmless are answers that are odd, but right.
func Harmless() []Fault {
	return []Fault{
		Edit("unknown fields", func(_ Call, a map[string]any) {
			a["Region"] = map[string]any{"Id": "cn-shanghai"}
			for _, t := range a["Tasks"].([]any) {
				t.(map[string]any)["FieldOfTomorrow"] = []any{nil, 1.5, "x"}
			}
		}),
		EditTasks("FailureReason beside Success", func(t map[string]any) {
			if t["Status"] == "Success" {
				t["FailureReason"] = "No Permission."
			}
		}),
		EditTasks("empty EndTime while running", func(t map[string]any) {
			if t["Status"] == "InProgress" {
				t["EndTime"] = ""
			}
		}),
		Edit("TotalCounts of nonsense", func(_ Call, a map[string]any) { a["TotalCounts"] = -1 }),
		{Name: "pages overlap", Shift: -3},
	}
}
