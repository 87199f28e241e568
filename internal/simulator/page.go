package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sort"
	"strconv"
	"time"

	"cloudsso_exporter/internal/task"
)

// listBody is the JSON of an answer, by the reference.
type listBody struct {
	Tasks       []taskBody
	NextToken   string `json:",omitempty"`
	RequestID   string `json:"RequestId"`
	MaxResults  int
	TotalCounts int
	IsTruncated bool
}

// taskBody is the JSON of a task, by the reference. A task is converted to it field by
// field; the names are written here a second time. Times marshal as the API's, in UTC
// and whole seconds.
type taskBody struct {
	ID            string      `json:"TaskId"`
	Type          task.Type   `json:"TaskType"`
	Status        task.Status `json:"Status"`
	Start         time.Time   `json:"StartTime,omitzero"`
	End           time.Time   `json:"EndTime,omitzero"`
	FailureReason string      `json:"FailureReason,omitempty"` // "returned only when the value of Status is Failed"

	AccessConfigurationID   string `json:"AccessConfigurationId"`
	AccessConfigurationName string `json:"AccessConfigurationName"`
	TargetType              string `json:"TargetType"`
	TargetID                string `json:"TargetId"`
	TargetName              string `json:"TargetName"`
	TargetPath              string `json:"TargetPath"`
	TargetPathName          string `json:"TargetPathName"`
	OriginTargetID          string `json:"OriginTargetId,omitempty"`
	PrincipalType           string `json:"PrincipalType,omitempty"`
	PrincipalID             string `json:"PrincipalId,omitempty"`
	PrincipalName           string `json:"PrincipalName,omitempty"`
}

// page makes the page of the list that q asks for. Without cursors a token
// counts entries, so that tasks that arrive meanwhile shift what it points at.
func (s *Server) page(q query, fault Fault) listBody {
	now := s.Now()
	q.directory.mu.Lock()
	defer q.directory.mu.Unlock()
	records := q.directory.list(q, now)
	n := len(records)
	entry := func(i int) *Record {
		if s.opts.Order == NewestFirst {
			i = n - 1 - i
		}
		return records[i]
	}
	begin := min(q.at.Index, n)
	if q.at.After != nil {
		begin = sort.Search(n, func(i int) bool { return q.at.After.before(entry(i), s.opts.Order) })
	}
	end := min(begin+q.size, n)
	body := listBody{Tasks: []taskBody{}, RequestID: newRequestID(), MaxResults: q.size, TotalCounts: end - begin}
	if s.opts.CountAll {
		body.TotalCounts = n
	}
	for i := begin; i < end; i++ {
		if t, ok := entry(i).at(now); ok {
			body.Tasks = append(body.Tasks, taskBody(t))
		}
	}
	next := max(0, end+fault.Shift)
	if fault.Repeat {
		next = begin
	}
	if next < n || fault.Repeat {
		at := position{Page: q.at.Page + 1, Index: next}
		if s.opts.Cursors && next > 0 {
			last := entry(next - 1)
			at.After = &cursor{last.rank, last.ID}
		}
		body.NextToken, body.IsTruncated = token(q.params, at), true
	}
	return body
}

// answer sends the page, or what the fault makes of it, and notes the outcome
// in the call.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, q query, call *Call, fault Fault) {
	call.Fault = fault.Name
	if fault.RetryAfter > 0 {
		value := strconv.Itoa(int(fault.RetryAfter.Seconds()))
		if fault.RetryAtDate {
			value = s.Now().Add(fault.RetryAfter).Format(http.TimeFormat)
		}
		w.Header().Set("Retry-After", value)
	}
	switch {
	case fault.HangUp:
		call.Code = codeHangUp
		panic(http.ErrAbortHandler)
	case fault.Code != "":
		call.Code = fault.Code
		_, message := usual(fault.Code)
		refuse(w, r, &refusal{fault.Code, message}, fault.Status)
		return
	case fault.Status != 0 || fault.Body != "":
		status := max(fault.Status, http.StatusOK)
		call.Code = fmt.Sprintf("HTTP %d", status)
		w.Header().Set("Content-Type", http.DetectContentType([]byte(fault.Body)))
		w.WriteHeader(status)
		w.Write([]byte(fault.Body))
		return
	}
	page := s.page(q, fault)
	body, err := json.Marshal(page)
	if err == nil && fault.Edit != nil {
		body, err = edit(body, *call, fault.Edit)
	}
	if err != nil {
		panic(fmt.Errorf("simulator: encode an answer: %w", err)) // a mistake in an Edit
	}
	body = append(body, fault.Append...)
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.Header().Set("X-Acs-Request-Id", page.RequestID)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if fault.Cut {
		call.Code = codeCut
		w.Write(body[:len(body)/2])
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
	call.Code = codeOK
	w.Write(body)
}

func edit(body []byte, call Call, change func(Call, map[string]any)) ([]byte, error) {
	var answer map[string]any
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, err
	}
	change(call, answer)
	return json.Marshal(answer)
}
