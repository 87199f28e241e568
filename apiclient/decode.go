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
	Tasks       *wireTasks
	NextToken   string
	IsTruncated flag
	MaxResults  json.RawMessage
	Denied      json.RawMessage `json:"AccessDeniedDetail"`
	TotalCounts json.RawMessage // described as the entries returned; some say all there are
}

// wireTasks is a page's list.
type wireTasks []wireTask

// maxObjects is the most that a list of tasks holds, braces within texts included.
const maxObjects = 10_000

// UnmarshalJSON implements json.Unmarshaler. Of an object a task takes many times
// the memory of its shortest text.
func (l *wireTasks) UnmarshalJSON(b []byte) error {
	if bytes.Count(b, []byte("{")) > maxObjects {
		return fmt.Errorf("over %d objects, where 20 tasks were asked for", maxObjects)
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
	if isAPICode(a.Code) && (a.Tasks == nil || len(*a.Tasks) == 0) {
		return task.Page{}, refusal(a, keys, 0)
	}
	page, failed := a.page(keys)
	if failed != nil {
		failed.RequestID = newRedactor(keys).word(a.RequestID)
	}
	return page, failed
}

// page is the answer as a page, if it is one.
func (a *answer) page(keys Keys) (task.Page, *Error) {
	switch {
	case a.RequestID == "":
		return task.Page{}, invalid("the answer has no RequestId")
	case a.Tasks == nil && !a.saysEmpty():
		return task.Page{}, invalid("the answer has no Tasks")
	case a.IsTruncated.set && a.NextToken == "":
		return task.Page{}, invalid("IsTruncated is true, but there is no NextToken")
	}
	var page task.Page
	// NextToken counts when IsTruncated is true: the reference's own example has one beside false.
	if a.IsTruncated.set || !a.IsTruncated.given {
		page.Next = printable(a.NextToken, longestToken, "")
	}
	if a.Tasks == nil {
		return page, nil
	}
	page.Tasks = make([]task.Task, len(*a.Tasks))
	for i, t := range *a.Tasks {
		if strings.TrimSpace(t.ID) == "" {
			return task.Page{}, invalid("task %d of %d has no TaskId", i+1, len(*a.Tasks))
		}
		t.Start, t.End = parseTime(t.StartTime), parseTime(t.EndTime)
		if quotes(t.FailureReason, keys) { // a service may say what it was called with
			t.FailureReason = newRedactor(keys).text(t.FailureReason)
		}
		clean(&t.Task)
		page.Tasks[i] = t.Task
	}
	return page, nil
}

// saysEmpty reports whether what is beside the list says that it is empty: then it may be left out.
func (a *answer) saysEmpty() bool {
	given := len(a.MaxResults) > 0 && string(a.MaxResults) != "null"
	return a.IsTruncated.given && given && strings.Trim(string(a.TotalCounts), `"`) == "0"
}

// decodeAnswer reads a body that has to be one JSON object and nothing more.
func decodeAnswer(body []byte) (*answer, *Error) {
	body = bytes.TrimPrefix(body, []byte("\ufeff")) // a byte order mark
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	switch {
	case len(trimmed) == 0:
		return nil, invalid("the body is empty")
	case trimmed[0] == '<':
		return nil, invalid("the body is HTML or XML, not JSON")
	case trimmed[0] != '{' && json.Valid(body):
		return nil, invalid("the body is JSON, but not an object")
	}
	a := new(answer)
	err := json.Unmarshal(body, a)
	var mistyped *json.UnmarshalTypeError
	if errors.As(err, &mistyped) && (mistyped.Value == "number" || mistyped.Value == "bool") {
		a = new(answer)
		err = json.Unmarshal(quoteScalars(body), a)
	}
	if err == nil {
		return a, nil
	}
	// What the body holds is not quoted: it may be anything.
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		failed := invalid("the body is bad JSON at byte %d of %d", syntax.Offset, len(body))
		failed.cut = syntax.Error() == "unexpected end of JSON input" // nothing else tells it from a wrong last byte
		return nil, failed
	case errors.As(err, &mistyped):
		field := strings.ReplaceAll(mistyped.Field, ".Task.", ".") // the embedded one is ours
		return nil, invalid("the body is JSON of another form: %s is of the wrong type", field)
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
	r := newRedactor(keys)
	kind, retry := classify(a.Code, status)
	failed := &Error{
		Kind:       kind,
		Code:       cmp.Or(r.word(a.Code), codeInvalidResponse), // a code that holds a key is none
		Message:    cmp.Or(r.text(a.Message), "refused without a message"),
		RequestID:  r.word(a.RequestID),
		HTTPStatus: status,
		retry:      retry,
	}
	if kind == task.ErrorPermission {
		if who, policy := a.denied(r); who != "" {
			failed.Message = truncate(strings.TrimRight(failed.Message, ". "), longestMessage-utf8.RuneCountInString(who)) + who
			failed.policy = policy
		}
	}
	return failed
}

// denied is what a refusal says of the action, the principal and the policy, and
// the kind of that policy. EncodedDiagnosticMessage is not shown: it may hold more.
func (a *answer) denied(r redactor) (who, policy string) {
	var detail struct{ AuthAction, AuthPrincipalDisplayName, NoPermissionType, PolicyType string }
	if json.Unmarshal(a.Denied, &detail) != nil {
		return "", ""
	}
	var facts []string
	for _, f := range []struct{ name, value string }{
		{"action", detail.AuthAction}, {"principal", detail.AuthPrincipalDisplayName}, {"", detail.NoPermissionType}, {"policy", detail.PolicyType},
	} {
		if value := truncate(r.text(f.value), 50); value != "" {
			facts = append(facts, strings.TrimSpace(f.name+" "+value))
		}
	}
	if facts == nil {
		return "", ""
	}
	return " (" + strings.Join(facts, ", ") + ")", detail.PolicyType
}
