package apiclient

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"cloudsso_exporter/internal/task"
)

// answer is the body of any answer of the API, a page or a refusal.
type answer struct {
	RequestID   string `json:"RequestId"`
	Code        string
	Message     string
	Tasks       wireTasks // nil when left out
	NextToken   string
	IsTruncated json.RawMessage
	MaxResults  json.RawMessage
	TotalCounts json.RawMessage // described as the entries returned; some say all there are
	Denied      json.RawMessage `json:"AccessDeniedDetail"`
}

// wireTasks is a page's list.
type wireTasks []wireTask

// maxObjects is the most that a list of tasks holds, braces within texts included.
const maxObjects = 10_000

// UnmarshalJSON implements json.Unmarshaler. Of an object a task takes many times
// the memory of its shortest text.
func (l *wireTasks) UnmarshalJSON(b []byte) error {
	if bytes.Count(b, []byte("{")) > maxObjects {
		return fmt.Errorf("more than %d objects, although 20 tasks were requested", maxObjects)
	}
	return json.Unmarshal(b, (*[]wireTask)(l))
}

// wireTask is a task as the API writes it: invalid times are read, too.
type wireTask struct {
	task.Task
	StartTime, EndTime string
}

// decodePage reads the body of an answer with a status of success. It accepts
// fields and values it does not know; what it returns is a page as the
// reference describes it, or the refusal in the body, or an invalid_response.
// Keys are what must not show up in an error or a failure reason.
func decodePage(body []byte, keys Keys) (task.Page, *Error) {
	a, failed := decodeAnswer(body)
	if failed != nil {
		return task.Page{}, failed
	}
	if isAPICode(a.Code) && len(a.Tasks) == 0 {
		return task.Page{}, refusal(a, keys, 0)
	}
	page, failed := a.page(keys)
	if failed != nil {
		failed.RequestID = keys.word(a.RequestID)
	}
	return page, failed
}

// page is the answer as a page, if it is one.
func (a *answer) page(keys Keys) (task.Page, *Error) {
	truncated := scalar(a.IsTruncated)
	empty := truncated != "" && scalar(a.MaxResults) != "" && scalar(a.TotalCounts) == "0"
	switch {
	case a.RequestID == "":
		return task.Page{}, invalid("the answer has no RequestId")
	case a.Tasks == nil && !empty:
		return task.Page{}, invalid("the answer has no Tasks")
	case truncated != "" && truncated != "true" && truncated != "false":
		return task.Page{}, invalid("IsTruncated is neither true nor false")
	case truncated == "true" && a.NextToken == "":
		return task.Page{}, invalid("IsTruncated is true, but there is no NextToken")
	}
	page := task.Page{Tasks: make([]task.Task, len(a.Tasks))}
	if truncated != "false" { // the reference's own example has a NextToken beside it
		page.Next = printable(a.NextToken, longestToken, "")
	}
	for i, t := range a.Tasks {
		if strings.TrimSpace(t.ID) == "" {
			return task.Page{}, invalid("task %d of %d has no TaskId", i+1, len(a.Tasks))
		}
		t.Start, t.End = parseTime(t.StartTime), parseTime(t.EndTime)
		if keys.in(t.FailureReason) { // a service may say what it was called with
			t.FailureReason = keys.redact(t.FailureReason)
		}
		clean(&t.Task)
		page.Tasks[i] = t.Task
	}
	return page, nil
}

// scalar is a number or a boolean, also written as a text; empty when it is left out.
func scalar(raw json.RawMessage) string {
	s := strings.ToLower(strings.Trim(string(raw), `"`))
	if s == "null" {
		return ""
	}
	return s
}

// decodeAnswer reads a body that has to be one JSON object and nothing more.
func decodeAnswer(body []byte) (*answer, *Error) {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff"))) // a byte order mark
	switch {
	case len(body) == 0:
		return nil, invalid("the body is empty")
	case body[0] == '<':
		return nil, invalid("the body is HTML or XML, not JSON")
	}
	a := new(answer)
	err := json.Unmarshal(body, a)
	var mistyped *json.UnmarshalTypeError
	if errors.As(err, &mistyped) && (mistyped.Value == "number" || mistyped.Value == "bool") {
		a = new(answer)
		err = json.Unmarshal(quoteScalars(body), a)
	}
	// What the body holds is not quoted: it may be anything.
	var syntax *json.SyntaxError
	switch {
	case err == nil:
		return a, nil
	case errors.As(err, &syntax):
		failed := invalid("the body is bad JSON at byte %d of %d", syntax.Offset, len(body))
		failed.cut = syntax.Error() == "unexpected end of JSON input" // nothing else tells it from a wrong last byte
		return nil, failed
	case errors.As(err, &mistyped):
		field := strings.ReplaceAll(mistyped.Field, ".Task.", ".") // the embedded one is ours
		return nil, invalid("the body is JSON of another form: %s is of the wrong type", cmp.Or(field, "it"))
	default:
		return nil, invalid("the body is JSON of another form: %s", err)
	}
}

// quoteScalars makes texts of numbers and booleans, as which some gateways write
// ids. A quotation mark inside a text has a backslash before it, so that nothing
// within a text matches.
func quoteScalars(body []byte) []byte {
	return regexp.MustCompile(`("\w+"\s*:\s*)(-?\d[^,}\]\s]*|true|false)`).ReplaceAll(body, []byte(`$1"$2"`))
}

// refusal is the error an answer with a Code tells.
func refusal(a *answer, keys Keys, status int) *Error {
	kind, retry := classify(a.Code, status)
	failed := &Error{
		Kind:      kind,
		Code:      cmp.Or(keys.word(a.Code), codeInvalidResponse), // a code that holds a key is none
		Message:   cmp.Or(keys.redact(a.Message), "refused without a message"),
		RequestID: keys.word(a.RequestID),
		retry:     retry,
	}
	if kind == task.ErrorPermission {
		failed.denied(a.Denied, keys)
	}
	return failed
}

// denied adds what a refusal says of the action, the principal and the policy.
// EncodedDiagnosticMessage is not shown: it may hold more.
func (e *Error) denied(detail json.RawMessage, keys Keys) {
	var d struct{ AuthAction, AuthPrincipalDisplayName, NoPermissionType, PolicyType string }
	if json.Unmarshal(detail, &d) != nil {
		return
	}
	e.policy = d.PolicyType
	var facts []string
	for _, f := range []struct{ name, value string }{
		{"action ", d.AuthAction}, {"principal ", d.AuthPrincipalDisplayName}, {"", d.NoPermissionType}, {"policy ", d.PolicyType},
	} {
		if value := truncate(keys.redact(f.value), 50); value != "" {
			facts = append(facts, f.name+value)
		}
	}
	if facts != nil {
		shown := " (" + strings.Join(facts, ", ") + ")"
		e.Message = truncate(strings.TrimRight(e.Message, ". "), longestMessage-utf8.RuneCountInString(shown)) + shown
	}
}
