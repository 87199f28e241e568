package apiclient

import (
	"cmp"
	"fmt"
	"net/http"
	"regexp"
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

	credential string // which one was refused, as Credential prints it; may be empty
	policy     string // of what kind the policy is that refused; may be empty
	retry      bool
	doubt      bool      // nothing is wrong but the answer's Date, which contradicts what is known
	cut        bool      // the JSON is right as far as it goes
	date       time.Time // of the answer; zero when it had none
	cause      error     // of the context, or nil
}

// Error says what failed and what to do about it.
func (e *Error) Error() string {
	message := strings.TrimRight(e.Message, ". ")
	if e.Code == "" { // nothing was sent: the message says what to do
		return "ListTasks: " + message
	}
	answer := ""
	switch {
	case e.RequestID != "":
		answer = fmt.Sprintf(" (HTTP %d, request id %s)", e.HTTPStatus, e.RequestID)
	case e.HTTPStatus != 0:
		answer = fmt.Sprintf(" (HTTP %d)", e.HTTPStatus)
	}
	if cure := e.cure(); cure != "" {
		message += "; " + cure
	}
	return "ListTasks: " + e.Code + answer + ": " + message
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

// cure is what to do, where that follows from the kind.
func (e *Error) cure() string {
	if e.Kind == task.ErrorPermission && strings.Contains(e.policy, "ControlPolicy") {
		return "a control policy of the resource directory refuses it: allow cloudsso:ListTasks there"
	}
	if e.Kind == task.ErrorInvalidResponse && e.HTTPStatus >= 500 {
		return "" // nothing that a user could check
	}
	return map[task.ErrorKind]string{
		task.ErrorCredentials:     "check the " + cmp.Or(e.credential, "credential of the directory"),
		task.ErrorPermission:      "allow cloudsso:ListTasks on the directory in the RAM policy",
		task.ErrorThrottled:       "lower api.rate_limit or refresh less often",
		task.ErrorNotFound:        "check directory_id, region and filter",
		task.ErrorTimeout:         "check endpoint, region, proxy and firewall",
		task.ErrorNetwork:         "check endpoint, region, proxy and firewall",
		task.ErrorInvalidResponse: "check the endpoint and what stands between it and the exporter",
	}[e.Kind]
}

// invalid is the error of an answer that is no ListTasks answer.
func invalid(format string, args ...any) *Error {
	return &Error{Kind: task.ErrorInvalidResponse, Code: codeInvalidResponse, Message: tidy(fmt.Sprintf(format, args...))}
}

// classify says of which kind a code of the API is, and whether the same call
// may succeed a little later. The HTTP status is not reliable (throttling has
// been seen with 400), so but for 429 it only decides about codes that say nothing.
func classify(code string, status int) (kind task.ErrorKind, retry bool) {
	if status == http.StatusTooManyRequests {
		return task.ErrorThrottled, true
	}
	for _, row := range []struct {
		pattern string
		kind    task.ErrorKind
		retry   bool
	}{
		{`Throttl`, task.ErrorThrottled, true},
		{`^(ServiceUnavailable|InternalError)`, task.ErrorOther, true},
		{`^SignatureNonceUsed`, task.ErrorOther, true}, // each attempt has a nonce of its own
		{timestampCode + `|^SignatureNonce`, task.ErrorOther, false},
		{`AccessKey|SecurityToken|Signature`, task.ErrorCredentials, false}, // also Forbidden.AccessKeyDisabled and the like
		{`^(NoPermission|Forbidden|AccessDenied|NotAuthorized|AuthenticationFail|Inactive)|Unauthorized`, task.ErrorPermission, false},
		{`^Invalid(Parameter|Filter|Api|Action|Version)|NextToken`, task.ErrorOther, status >= 500},
		{`^EntityNotExist|NotFound|NotExist`, task.ErrorNotFound, false},
	} {
		if regexp.MustCompile(row.pattern).MatchString(code) {
			return row.kind, row.retry
		}
	}
	return task.ErrorOther, status >= 500
}

// timestampCode is how a code looks by which the API finds a request too old or too new.
const timestampCode = `^(?i:(invalid|illegal)timestamp)`

func isTimestamp(code string) bool { return regexp.MustCompile(timestampCode).MatchString(code) }

// isAPICode reports whether s has the form of an error code of the API. Words
// that mean success, or that count attempts without a code, are none.
func isAPICode(s string) bool {
	switch strings.ToLower(s) {
	case "", "ok", "success", codeTimeout, codeNetwork, codeInvalidResponse:
		return false
	}
	return regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._:-]{0,99}$`).MatchString(s)
}
