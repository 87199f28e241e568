package apiclient

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

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

// An id or a name becomes a label and a log line; the reason may have several lines.
func TestTextsArePrintableAndBounded(t *testing.T) {
	long, hostile := strings.Repeat("x", 5000), `a\u0000b\u0085c\n\t\u202ed\u2028é\ufffd\ud83d 名`
	page, failed := decodePage([]byte(`{"RequestId":"r","Tasks":[{"TaskId":"`+hostile+`","TargetPathName":"`+hostile+"\xff"+`","FailureReason":"`+hostile+`"},
		{"TaskId":"`+long+`","PrincipalName":"`+long+`","FailureReason":"`+long+`"}]}`), testKeys())
	if failed != nil {
		t.Fatal(failed)
	}
	const name = "a\ufffdb\ufffdc\ufffd\ufffd\ufffdd\ufffdé\ufffd\ufffd 名"
	want := []task.Task{
		{ID: name, TargetPathName: name + "\ufffd", FailureReason: "a\ufffdb\ufffdc\n\t\ufffdd\ufffdé\ufffd\ufffd 名"},
		{ID: long[:255] + "…", PrincipalName: long[:255] + "…", FailureReason: long[:4095] + "…"},
	}
	if diff := cmp.Diff(want, page.Tasks); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Some gateways write ids as numbers. What looks like one inside a text stays.
func TestNumbersAreReadAsTexts(t *testing.T) {
	const reason = `{"Id":7} is "Odd":true`
	quoted, _ := json.Marshal(reason)
	page, failed := decodePage([]byte(`{"RequestId":12,"Tasks":[{"TaskId":7,"TargetId" : 114240524784,"PrincipalId":true,"PrincipalName":null,"FailureReason":`+
		string(quoted)+`}],"IsTruncated":true,"NextToken":9}`), testKeys())
	want := task.Page{Tasks: []task.Task{{ID: "7", TargetID: "114240524784", PrincipalID: "true", FailureReason: reason}}, Next: "9"}
	if diff := cmp.Diff(want, page); failed != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", failed, diff)
	}
}

// A permission error says who may not do what, and which kind of policy has to change.
func TestAccessDeniedDetail(t *testing.T) {
	for name, tc := range map[string]struct{ detail, want string }{
		"all": {`{"AuthAction":"cloudsso:ListTasks","AuthPrincipalDisplayName":"exporter","NoPermissionType":"ImplicitDeny","PolicyType":"AccountLevelIdentityBasedPolicy","EncodedDiagnosticMessage":"AQEAAAA"}`,
			"ListTasks: NoPermission (HTTP 403, request id r): No (action cloudsso:ListTasks, principal exporter, ImplicitDeny, policy AccountLevelIdentityBasedPolicy); allow cloudsso:ListTasks on the directory in the RAM policy"},
		"control policy": {`{"AuthAction":"cloudsso:ListTasks","PolicyType":"ControlPolicy"}`,
			"ListTasks: NoPermission (HTTP 403, request id r): No (action cloudsso:ListTasks, policy ControlPolicy); a control policy of the resource directory refuses it: allow cloudsso:ListTasks there"},
		"of another form": {`"AQEAAAA"`, "ListTasks: NoPermission (HTTP 403, request id r): No; allow cloudsso:ListTasks on the directory in the RAM policy"},
		"empty":           {`{}`, "ListTasks: NoPermission (HTTP 403, request id r): No; allow cloudsso:ListTasks on the directory in the RAM policy"},
		"holds a key": {`{"AuthPrincipalDisplayName":"LTAI5tTestTestTest"}`,
			"ListTasks: NoPermission (HTTP 403, request id r): No (principal [redacted]); allow cloudsso:ListTasks on the directory in the RAM policy"},
	} {
		conf := testConfig(handled(sends(403, nil, `{"Code":"NoPermission","Message":"No.","RequestId":"r","AccessDeniedDetail":`+tc.detail+`}`)))
		if _, _, err := read(New(conf), task.Query{}, task.Paging{}); err == nil || err.Error() != tc.want {
			t.Errorf("%s:\n got %v\nwant %s", name, err, tc.want)
		}
	}
	// However long the message, the detail stays to be read.
	conf := testConfig(handled(sends(403, nil, `{"Code":"NoPermission","Message":"`+strings.Repeat("x", 400)+`","RequestId":"r","AccessDeniedDetail":{"AuthAction":"cloudsso:ListTasks"}}`)))
	_, _, err := read(New(conf), task.Query{}, task.Paging{})
	if failed := asError(t, err); !strings.HasSuffix(failed.Message, "… (action cloudsso:ListTasks)") || utf8.RuneCountInString(failed.Message) > 300 {
		t.Errorf("%v", err)
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
		if got := parseTime(in).Format("2006-01-02T15:04:05.999999999Z07:00"); got != want {
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
			for _, s := range []string{found.ID, string(found.Type), string(found.Status), found.TargetName, found.OriginTargetID, page.Next,
				strings.NewReplacer("\n", "", "\r", "", "\t", "").Replace(found.FailureReason)} {
				if !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
					t.Fatalf("%q is no text", s)
				}
			}
		}
	})
}
