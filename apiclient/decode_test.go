package apiclient

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"cloudsso_exporter/internal/task"
)

func TestDecodePage(t *testing.T) {
	const rest = `"RequestId":"r","MaxResults":20,"TotalCounts":1,"IsTruncated":false`
	for name, tc := range map[string]struct {
		body  string
		tasks int // -1: an invalid_response
		next  string
	}{
		"one task":                    {`{"Tasks":[{"TaskId":"t"}],` + rest + `}`, 1, ""},
		"token beside false":          {`{"Tasks":[],"NextToken":"n",` + rest + `}`, 0, ""},
		"token beside true":           {`{"RequestId":"r","Tasks":[],"NextToken":"n","IsTruncated":true}`, 0, "n"},
		"token, IsTruncated left out": {`{"RequestId":"r","Tasks":[],"NextToken":"n"}`, 0, "n"},
		"IsTruncated as a text":       {`{"RequestId":"r","Tasks":[],"NextToken":"n","IsTruncated":"true"}`, 0, "n"},
		"list left out when empty":    {`{"RequestId":"r","MaxResults":20,"TotalCounts":0,"IsTruncated":false}`, 0, ""},
		"a success code":              {`{"Code":"OK","Tasks":[],` + rest + `}`, 0, ""},
		"a code beside tasks":         {`{"Code":"New.Field","Tasks":[{"TaskId":"t"}],` + rest + `}`, 1, ""},
		"ids as numbers":              {`{"Tasks":[{"TaskId":7,"TargetId":114}],` + rest + `}`, 1, ""},
		"white space around":          {"\r\n {\"Tasks\":[]," + rest + "}\n", 0, ""},

		"nothing":                   {"", -1, ""},
		"null":                      {"null", -1, ""},
		"an array":                  {"[]", -1, ""},
		"a text":                    {`"Tasks"`, -1, ""},
		"an empty object":           {"{}", -1, ""},
		"HTML":                      {"<html></html>", -1, ""},
		"no RequestId":              {`{"Tasks":[],"IsTruncated":false}`, -1, ""},
		"an empty RequestId":        {`{"Tasks":[],"RequestId":""}`, -1, ""},
		"no Tasks":                  {`{"RequestId":"r"}`, -1, ""},
		"no Tasks, some counted":    {`{"RequestId":"r","MaxResults":20,"TotalCounts":3,"IsTruncated":false}`, -1, ""},
		"Tasks of another form":     {`{"RequestId":"r","Tasks":{"Task":[]}}`, -1, ""},
		"truncated without a token": {`{"RequestId":"r","Tasks":[],"IsTruncated":true}`, -1, ""},
		"IsTruncated is rubbish":    {`{"RequestId":"r","Tasks":[],"IsTruncated":"maybe"}`, -1, ""},
		"a task that is null":       {`{"Tasks":[{"TaskId":"t"},null],` + rest + `}`, -1, ""},
		"a task without TaskId":     {`{"Tasks":[{"Status":"Failed"}],` + rest + `}`, -1, ""},
		"a task with a blank id":    {`{"Tasks":[{"TaskId":" "}],` + rest + `}`, -1, ""},
		"a task that is a text":     {`{"Tasks":["t"],` + rest + `}`, -1, ""},
		"an id that is an object":   {`{"Tasks":[{"TaskId":{}}],` + rest + `}`, -1, ""},
		"trailing rubbish":          {`{"Tasks":[],` + rest + `}{`, -1, ""},
		"cut":                       {`{"Tasks":[],` + rest, -1, ""},
	} {
		page, failed := decodePage([]byte(tc.body), testKeys())
		switch {
		case tc.tasks < 0 && (failed == nil || failed.Kind != task.ErrorInvalidResponse):
			t.Errorf("%s: %v, want an invalid_response", name, failed)
		case tc.tasks >= 0 && (failed != nil || len(page.Tasks) != tc.tasks || page.Next != tc.next):
			t.Errorf("%s: %+v, %v", name, page, failed)
		}
	}
}

func TestParseTime(t *testing.T) {
	for in, want := range map[string]string{
		"2021-11-09T05:50:50Z":      "2021-11-09T05:50:50Z",
		"2021-11-09T05:50:50.25Z":   "2021-11-09T05:50:50.25Z",
		"2021-11-09T13:50:50+08:00": "2021-11-09T05:50:50Z",
		"2021-11-09T05:50Z":         "2021-11-09T05:50:00Z",
		"":                          "0001-01-01T00:00:00Z",
		"yesterday":                 "0001-01-01T00:00:00Z",
		"1970-01-01T00:00:00Z":      "0001-01-01T00:00:00Z",
		"9999-01-01T00:00:00Z":      "0001-01-01T00:00:00Z",
	} {
		if got := parseTime(text(in)).Format("2006-01-02T15:04:05.999999999Z07:00"); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

// Whatever the body holds: no panic, a page as the reference says or a short error.
func FuzzDecodePage(f *testing.F) {
	for _, seed := range []string{
		emptyPage, throttled, "null", "{}", "[]", "<html>", `{"RequestId":"r","Tasks":[null]}`,
		`{"RequestId":"r","Tasks":[{"TaskId":"t-1","Status":"Failed","StartTime":"2021-11-09T05:50:50Z","FailureReason":"\ud83d\u0000"}],"NextToken":"n","IsTruncated":true}`,
		`{"Code":"SignatureDoesNotMatch","Message":"server string to sign is: x"}`, "{\"RequestId\":\"\xff\",\"Tasks\":[]}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		page, failed := decodePage(body, testKeys())
		if failed != nil {
			if len(page.Tasks) != 0 || page.Next != "" {
				t.Fatalf("a page beside the error %v", failed)
			}
			s := failed.Error()
			if !utf8.ValidString(s) || utf8.RuneCountInString(s) > 620 || utf8.RuneCountInString(failed.Message) > 300 || strings.ContainsAny(s, "\n\x00") {
				t.Fatalf("error %q", s)
			}
			mustHide(t, shown(failed), testKeys().AccessKeySecret)
			return
		}
		if !json.Valid(body) {
			t.Fatal("a page of what is no JSON")
		}
		for _, found := range page.Tasks {
			if strings.TrimSpace(found.ID) == "" {
				t.Fatal("a task without an id")
			}
			for _, s := range []string{found.ID, string(found.Type), string(found.Status), found.FailureReason, found.TargetName, page.Next} {
				if !utf8.ValidString(s) || strings.Contains(s, "\x00") {
					t.Fatalf("%q is no text", s)
				}
			}
		}
	})
}
