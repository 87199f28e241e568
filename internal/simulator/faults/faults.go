// Package faults lists what tests have the simulated API do wrong.
package faults

import (
	"strings"
	"time"

	"cloudsso_exporter/internal/simulator"
)

// answer is the JSON of an answer, decoded.
type answer = map[string]any

// Retryable are faults that go away when the call is made again.
func Retryable() []simulator.Fault {
	return []simulator.Fault{
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
func Refusals() []simulator.Fault {
	return []simulator.Fault{
		simulator.Refuse("InvalidAccessKeyId.NotFound"), simulator.Refuse("InvalidAccessKeyId.Inactive"), simulator.Refuse("SignatureDoesNotMatch"),
		simulator.Refuse("InvalidSecurityToken.Expired"), simulator.Refuse("NoPermission"), simulator.Refuse("EntityNotExists.Directory"),
		simulator.Refuse("InvalidParameter.Filter"),
	}
}

// Rubbish are 200s that are no answer of ListTasks.
func Rubbish() []simulator.Fault {
	const overLimit = 8<<20 + 1 // bytes; more than a client should read
	return []simulator.Fault{
		{Name: "null", Body: "null"},
		{Name: "empty object", Body: "{}"},
		{Name: "nothing", Status: 200},
		{Name: "HTML", Body: "<html><body>Sign in to continue</body></html>"},
		{Name: "array", Body: "[]"},
		{Name: "wrong types", Body: `{"Tasks":{"Task":"none"},"RequestId":7,"IsTruncated":"false"}`},
		{Name: "trailing rubbish", Append: "}{"},
		{Name: "over 8 MiB", Append: strings.Repeat(" ", overLimit)},
		{Name: "no RequestId", Edit: func(_ simulator.Call, a answer) { delete(a, "RequestId") }},
		{Name: "truncated without a token", Repeat: true, Edit: func(_ simulator.Call, a answer) { delete(a, "NextToken") }},
		{Name: "looping token", Repeat: true, Edit: func(c simulator.Call, a answer) {
			if sent := c.Params.Get("NextToken"); sent != "" {
				a["NextToken"] = sent
			}
		}},
	}
}

// RubbishTasks are answers of a right form with tasks that are none. They show
// only on a page that has tasks.
func RubbishTasks() []simulator.Fault {
	return []simulator.Fault{
		eachTask("task without TaskId", func(t map[string]any) { delete(t, "TaskId") }),
		eachTask("task with an empty TaskId", func(t map[string]any) { t["TaskId"] = "" }),
		{Name: "task that is null", Edit: func(_ simulator.Call, a answer) {
			if tasks := a["Tasks"].([]any); len(tasks) > 0 {
				tasks[0] = nil
			}
		}},
	}
}

// Harmless are answers that are odd, but right.
func Harmless() []simulator.Fault {
	return []simulator.Fault{
		eachTask("unknown fields of tasks", func(t map[string]any) { t["FieldOfTomorrow"] = []any{nil, 1.5, "x"} }),
		{Name: "unknown fields", Edit: func(_ simulator.Call, a answer) { a["Region"] = map[string]any{"Id": "cn-shanghai"} }},
		eachTask("FailureReason beside Success", func(t map[string]any) {
			if t["Status"] == "Success" {
				t["FailureReason"] = "No Permission."
			}
		}),
		eachTask("empty EndTime while running", func(t map[string]any) {
			if t["Status"] == "InProgress" {
				t["EndTime"] = ""
			}
		}),
		{Name: "TotalCounts of nonsense", Edit: func(_ simulator.Call, a answer) { a["TotalCounts"] = -1 }},
		{Name: "pages overlap", Shift: -3},
	}
}

// eachTask changes every task of a good answer.
func eachTask(name string, change func(map[string]any)) simulator.Fault {
	return simulator.Fault{Name: name, Edit: func(_ simulator.Call, a answer) {
		for _, t := range a["Tasks"].([]any) {
			change(t.(map[string]any))
		}
	}}
}
