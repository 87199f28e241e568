package apiclient

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"strings"

	"cloudsso_exporter/internal/task"
)

// maxBody is the most that is read of an answer, in bytes. A page of 20 tasks has some ten thousand.
const maxBody = 8 << 20

var errTooLarge = errors.New("body over 8 MiB")

// answer is the body of any answer of the API, a page or a refusal.
type answer struct {
	RequestID   text            `json:"RequestId"`
	Code        text            `json:"Code"`
	Message     text            `json:"Message"`
	Tasks       *[]listedTask   `json:"Tasks"`
	NextToken   text            `json:"NextToken"`
	IsTruncated flag            `json:"IsTruncated"`
	MaxResults  json.RawMessage `json:"MaxResults"`
	TotalCounts json.RawMessage `json:"TotalCounts"` // described as the entries returned; some say all there are
}

type listedTask struct {
	TaskID                  text `json:"TaskId"`
	TaskType                text
	Status                  text
	StartTime               text
	EndTime                 text
	FailureReason           text
	AccessConfigurationID   text `json:"AccessConfigurationId"`
	AccessConfigurationName text
	TargetType              text
	TargetID                text `json:"TargetId"`
	TargetName              text
	TargetPath              text
	TargetPathName          text
	PrincipalType           text
	PrincipalID             text `json:"PrincipalId"`
	PrincipalName           text
}

// readBody reads a body up to maxBody; size is what the answer says of it, or -1.
func readBody(r io.Reader, size int64) ([]byte, error) {
	if size > maxBody {
		return nil, errTooLarge
	}
	var b bytes.Buffer
	b.Grow(int(min(max(size, 0), 64<<10)) + bytes.MinRead)
	if _, err := b.ReadFrom(io.LimitReader(r, maxBody+1)); err != nil {
		return nil, err
	}
	if b.Len() > maxBody {
		return nil, errTooLarge
	}
	return b.Bytes(), nil
}

// decodePage reads the body of an answer with a status of success. It accepts
// fields and values it does not know; what it returns is a page as the
// reference describes it, or the refusal in the body, or an invalid_response.
// Keys are what must not show up in an error.
func decodePage(body []byte, keys Keys) (task.Page, *Error) {
	a, failed := decodeAnswer(body)
	if failed != nil {
		return task.Page{}, failed
	}
	if isAPICode(string(a.Code)) && (a.Tasks == nil || len(*a.Tasks) == 0) {
		return task.Page{}, refusal(a, keys, 0)
	}
	page, failed := a.page()
	if failed != nil {
		failed.RequestID = newRedactor(keys).word(string(a.RequestID))
	}
	for i, t := range page.Tasks {
		if quotes(t.FailureReason, keys) { // a service may say what it was called with
			page.Tasks[i].FailureReason = newRedactor(keys).text(t.FailureReason)
		}
	}
	return page, failed
}

// page is the answer as a page, if it is one.
func (a *answer) page() (task.Page, *Error) {
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
		page.Next = string(a.NextToken)
	}
	if a.Tasks == nil {
		return page, nil
	}
	page.Tasks = make([]task.Task, 0, len(*a.Tasks))
	for i, t := range *a.Tasks {
		if strings.TrimSpace(string(t.TaskID)) == "" {
			return task.Page{}, invalid("task %d of %d has no TaskId", i+1, len(*a.Tasks))
		}
		page.Tasks = append(page.Tasks, t.task())
	}
	return page, nil
}

// saysEmpty reports whether what is beside the list says that it is empty: then it may be left out.
func (a *answer) saysEmpty() bool {
	return a.IsTruncated.given && isGiven(a.MaxResults) && isZero(a.TotalCounts)
}

func isGiven(number json.RawMessage) bool { return len(number) > 0 && string(number) != "null" }

func isZero(number json.RawMessage) bool { return strings.Trim(string(number), `"`) == "0" }

// decodeAnswer reads a body that has to be one JSON object and nothing more.
func decodeAnswer(body []byte) (*answer, *Error) {
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	switch {
	case len(trimmed) == 0:
		return nil, invalid("the body is empty")
	case trimmed[0] == '<':
		return nil, invalid("the body is HTML or XML, not JSON")
	case trimmed[0] != '{' && json.Valid(body):
		return nil, invalid("the body is JSON, but no object")
	}
	a := new(answer)
	err := json.Unmarshal(body, a)
	if err == nil {
		return a, nil
	}
	// What the body holds is not quoted: it may be anything.
	var syntax *json.SyntaxError
	var mistyped *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		failed := invalid("the body is bad JSON at byte %d of %d", syntax.Offset, len(body))
		failed.ended = syntax.Error() == "unexpected end of JSON input" // nothing else tells it from a wrong last byte
		return nil, failed
	case errors.As(err, &mistyped):
		return nil, invalid("the body is JSON of another form: %s is of the wrong type", mistyped.Field)
	default:
		return nil, invalid("the body is JSON of another form: %s", err)
	}
}

// refusal is the error an answer with a Code tells.
func refusal(a *answer, keys Keys, status int) *Error {
	r := newRedactor(keys)
	code := string(a.Code)
	kind, retry := classify(code, status)
	return &Error{
		Kind:       kind,
		Code:       cmp.Or(r.word(code), codeInvalidResponse), // a code that holds a key is none
		Message:    cmp.Or(r.text(string(a.Message)), "refused without a message"),
		RequestID:  r.word(string(a.RequestID)),
		HTTPStatus: status,
		retry:      retry,
	}
}

// task is the answer's task in the words of the domain.
func (t listedTask) task() task.Task {
	return task.Task{
		ID:                      string(t.TaskID),
		Type:                    task.Type(t.TaskType),
		Status:                  task.Status(t.Status),
		Start:                   parseTime(t.StartTime),
		End:                     parseTime(t.EndTime),
		FailureReason:           string(t.FailureReason),
		AccessConfigurationID:   string(t.AccessConfigurationID),
		AccessConfigurationName: string(t.AccessConfigurationName),
		TargetType:              string(t.TargetType),
		TargetID:                string(t.TargetID),
		TargetName:              string(t.TargetName),
		TargetPath:              string(t.TargetPath),
		TargetPathName:          string(t.TargetPathName),
		PrincipalType:           string(t.PrincipalType),
		PrincipalID:             string(t.PrincipalID),
		PrincipalName:           string(t.PrincipalName),
	}
}
