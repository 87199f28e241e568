package apiclient

import (
	"fmt"
	"strings"
	"time"

	"cloudsso_exporter/internal/task"
)

// The codes of attempts that have no code of the API's.
const (
	codeOK              = "OK"
	codeTimeout         = "timeout"
	codeNetwork         = "network"
	codeInvalidResponse = "invalid_response"
	// codeThrottled stands for a 429 of a gateway, which has no code: the API's own word for it.
	codeThrottled = "Throttling"
)

// Error is why a page could not be had. All errors of a Client are Errors. It
// holds no secret, and wraps nothing but the error of a context.
type Error struct {
	Kind       task.ErrorKind
	Code       string        // the API's, or timeout, network, invalid_response; empty when nothing was sent
	Message    string        // what was wrong: redacted, one line, at most 300 characters
	RequestID  string        // of the API's answer, for its support; may be empty
	HTTPStatus int           // 0 without an answer
	RetryAfter time.Duration // how long the API asked to wait; 0 when it did not

	policy string // of what kind the policy is that refused; may be empty
	retry  bool
	cut    bool      // the JSON is right as far as it goes
	date   time.Time // of the answer; zero when it had none
	cause  error     // of the context, or nil
}

// Error says what failed and what to do about it.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("ListTasks: ")
	if e.Code != "" {
		b.WriteString(e.Code)
		var facts []string
		if e.HTTPStatus != 0 {
			facts = append(facts, fmt.Sprintf("HTTP %d", e.HTTPStatus))
		}
		if e.RequestID != "" {
			facts = append(facts, "request id "+e.RequestID)
		}
		if len(facts) > 0 {
			b.WriteString(" (" + strings.Join(facts, ", ") + ")")
		}
		b.WriteString(": ")
	}
	b.WriteString(strings.TrimRight(e.Message, ". "))
	if cure := e.cure(); cure != "" && e.Code != "" { // else the message says it
		b.WriteString("; " + cure)
	}
	return b.String()
}

// Unwrap returns the context's error when waiting ended because of it, else nil.
func (e *Error) Unwrap() error { return e.cause }

// ErrorKind is the kind of the error.
func (e *Error) ErrorKind() task.ErrorKind { return e.Kind }

// RefusesQuery reports whether the API understood who asks and about which
// directory, and refused what was asked: a parameter, the Filter or the token.
// Another query may be answered.
func (e *Error) RefusesQuery() bool {
	return e.Kind == task.ErrorOther && e.Code != "" && !e.retry && !isTimestamp(e.Code)
}

func (e *Error) cure() string {
	switch e.Kind {
	case task.ErrorCredentials:
		return "check the credential of the directory"
	case task.ErrorPermission:
		if strings.Contains(e.policy, "ControlPolicy") {
			return "a control policy of the resource directory refuses it: allow cloudsso:ListTasks there"
		}
		return "allow cloudsso:ListTasks on the directory in the RAM policy"
	case task.ErrorThrottled:
		return "lower api.rate_limit or refresh less often"
	case task.ErrorNotFound:
		return "check directory_id, region and filter"
	case task.ErrorTimeout, task.ErrorNetwork:
		return "check endpoint, region, proxy and firewall"
	case task.ErrorInvalidResponse:
		return "check the endpoint and what stands between it and the exporter"
	default:
		return ""
	}
}

// invalid is the error of an answer that is no ListTasks answer.
func invalid(format string, args ...any) *Error {
	return &Error{Kind: task.ErrorInvalidResponse, Code: codeInvalidResponse, Message: tidy(fmt.Sprintf(format, args...))}
}
