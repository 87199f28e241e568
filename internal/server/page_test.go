package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"cloudsso_exporter/internal/ledger"
	"cloudsso_exporter/internal/refresh"
	"cloudsso_exporter/internal/task"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// one is a task that ended a minute after it started, so long before noon.
func one(id string, typ task.Type, status task.Status, ago time.Duration) task.Task {
	t := task.Task{
		ID: id, Type: typ, Status: status, Start: noon.Add(-ago), End: noon.Add(time.Minute - ago),
		AccessConfigurationID: "ac-1", AccessConfigurationName: "Admin", TargetType: "RD-Account", TargetID: "1001", TargetName: "shop",
		TargetPathName: "rd-3G/root/Commerce/shop", PrincipalType: "User", PrincipalID: "u-" + id, PrincipalName: "Alice",
	}
	switch status {
	case task.Failed:
		t.FailureReason = "NoPermission: role AliyunReservedSSO-Admin, Action: ram:DeleteRole"
	case task.InProgress:
		t.End = time.Time{}
	}
	return t
}

// of is the state of a directory with these tasks, read at noon.
func of(id string, tasks ...task.Task) *refresh.State {
	l := ledger.New(ledger.Settings{Window: ledger.Retention, ReasonLimit: 50, MaxAge: 30 * 24 * time.Hour})
	b := ledger.NewBatch()
	b.Add(tasks)
	l.Apply(b, ledger.Span{Began: noon, At: noon, Since: noon.Add(-ledger.Retention)})
	s := attempted(id)
	s.Name, s.LastSuccess, s.Snapshot = "name of "+id, noon, l.Snapshot()
	s.Requests = []refresh.Requests{{Action: "ListTasks", Code: "OK", N: 17}, {Action: "ListTasks", Code: "Throttling.User", N: 2}}
	return s
}

func showing(t *testing.T, states ...*refresh.State) http.Handler {
	return withOptions(t, Options{Refresher: &fakeRefresher{states: states}, Now: func() time.Time { return noon.Add(20 * time.Second) }})
}

func TestStatusPage(t *testing.T) {
	hidden := of("d-1", one("r", task.DeleteAccessAssignment, task.Failed, time.Hour))
	hidden.HideNames = true
	down := of("d-1", one("s", task.CreateAccessAssignment, task.Success, time.Hour))
	down.Up, down.ErrorKind, down.Error, down.LastSuccess = false, task.ErrorCredentials, "the key is wrong: set <access_key_id>", noon.Add(-2*time.Hour)
	reading := pending("d-2")
	reading.Progress = &refresh.Progress{Pages: 12, Tasks: 240}
	cutOff := pending("d-1")
	cutOff.Attempted, cutOff.ErrorKind, cutOff.Progress = true, task.ErrorTimeout, &refresh.Progress{Pages: 1, Tasks: 20}
	stale := of("d-1", one("s", task.CreateAccessAssignment, task.Success, time.Hour))
	stale.LastSuccess = noon.Add(-3 * time.Hour)
	slow := of("d-1", one("s", task.CreateAccessAssignment, task.Success, time.Hour))
	slow.LastSuccess, slow.CacheTTL = noon.Add(-50*time.Minute), 30*time.Minute
	aging := of("d-1", one("x", task.CreateAccessAssignment, task.InProgress, 40*time.Minute))
	aging.LastSuccess, aging.CacheTTL = noon.Add(-10*time.Minute), 55*time.Second
	group, waiting := one("r", task.DeleteAccessAssignment, task.Failed, time.Hour), one("x", task.CreateAccessAssignment, task.InProgress, time.Minute)
	group.PrincipalType, group.PrincipalName, waiting.PrincipalType, waiting.PrincipalName = "Group", "Operators", "Group", "Auditors"
	groups := of("d-1", group, waiting)
	groups.NextAttempt = noon.Add(55 * time.Second)
	pathless := one("r", task.DeleteAccessAssignment, task.Failed, time.Hour)
	pathless.TargetPathName = ""
	many := make([]task.Task, 0, 500)
	for i := range 500 {
		many = append(many, one(fmt.Sprint("f", i), task.CreateAccessAssignment, task.Failed, time.Duration(i+2)*time.Minute))
	}
	for name, test := range map[string]struct {
		states   []*refresh.State
		has, not []string
	}{
		"nothing fails": {[]*refresh.State{of("d-1", one("s", task.CreateAccessAssignment, task.Success, time.Hour))},
			[]string{"<p>Nothing is failing.</p>", "2026-11-24T12:00:00Z</time>, 20 s ago, from 1 directory.", "verdict good", "up to date", "19 (2 failed)", "1 task succeeded and 0 failed"},
			[]string{"Unresolved failures", "<h2>In progress", "class=\"choices\""}},
		"three fail, one runs": {[]*refresh.State{of("d-1", one("r", task.DeleteAccessAssignment, task.Failed, time.Hour),
			one("p", task.ProvisionAccessConfiguration, task.Failed, 26*time.Hour), one("c", task.CreateAccessAssignment, task.Failed, 2*time.Minute),
			one("x", task.CreateAccessAssignment, task.InProgress, 40*time.Minute))},
			[]string{"<title>3 failing", "<p>1 access assignment could not be removed: a user or group still has access.</p><p>1 access assignment could not be created",
				"rd-3G/<wbr>root/<wbr>Commerce/<wbr>shop</span>", "Delete<wbr>Access<wbr>Assignment", `<span class="id">2026-11-24 11:01:00Z</span>`, "<details open><summary>The API's own words", "<details><summary>The API's own words", "<span>Alice</span>", "Alice", "u-r", "59 min", "1 d 1 h", "<pre>No<wbr>Permission: role Aliyun<wbr>Reserved<wbr>SSO-Admin, Action: ram:<wbr>Delete<wbr>Role</pre>", "task r",
				"verdict bad", `<tr class="long">`, "40 min"}, nil},
		"names hidden": {[]*refresh.State{hidden}, []string{"Names, paths and failure texts are hidden", "u-r", "ac-1", "1001", "No<wbr>Permission"}, []string{"Alice", "shop", "Admin", "ram:", "<pre>"}},
		"down, with old data": {[]*refresh.State{down}, []string{"Nothing is failing, as far as is known.", "name of d-1: the last refresh failed: the key is wrong: set &lt;access_key_id&gt;",
			"refresh failed: credentials", "2 h ago", "verdict warn"}, []string{"<access_key_id>"}},
		"first read under way": {[]*refresh.State{reading}, []string{"Nothing is known yet", "The state of each directory is below.", "first read under way: 240 tasks in 12 pages so far", "no complete read yet"}, []string{"The past 7 days"}},
		"two directories, one known": {[]*refresh.State{of("d-1"), reading}, []string{"from 1 directory. 1 directory has not been read completely yet.",
			`<a href="?directory_id=d-2">d-2</a>`, `aria-current="page">All directories`}, nil},
		"first read cut off": {[]*refresh.State{cutOff}, []string{"refresh failed: timeout; first read not complete: 20 tasks in 1 page so far", "verdict warn"}, nil},
		"no scrapes": {[]*refresh.State{stale}, []string{"verdict warn", "Nothing is failing, as far as is known.", "name of d-1: the data is 3 h old. Only a scrape refreshes it", `class="warn">3 h old</td>`},
			[]string{"verdict good", "up to date", "are hidden"}},
		"10 min old":       {[]*refresh.State{aging}, []string{`class="">10 min old</td>`, `">at least 30 min</time>`, "verdict good", "<tr>\n<td data-label=\"Running for\">"}, []string{"up to date", "40 min"}},
		"a long cache_ttl": {[]*refresh.State{slow}, []string{"up to date", "verdict good"}, []string{"Only a scrape"}},
		"groups":           {[]*refresh.State{groups}, []string{"<span>Operators (group)</span>", "<span>Auditors (group)</span>", "at the first scrape after 12:00:55<"}, nil},
		"without a path":   {[]*refresh.State{of("d-1", pathless)}, []string{`"Where"><span>shop</span><span class="id">1001</span>`}, nil},
		"two directories fail": {[]*refresh.State{of("d-1", one("r", task.DeleteAccessAssignment, task.Failed, time.Hour)), of("d-2", one("x", task.CreateAccessAssignment, task.InProgress, time.Minute))},
			[]string{`<span class="id">directory name of d-1</span>`, `<span class="id">directory name of d-2</span>`}, nil},
		"500 failures": {[]*refresh.State{of("d-1", many...)}, []string{"500 access assignments could not be created", "And 300 more"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := do(showing(t, test.states...), "GET", "/")
			if w.Code != 200 {
				t.Fatal(w.Code)
			}
			for _, text := range test.has {
				if !strings.Contains(w.Body.String(), text) {
					t.Errorf("without %q", text)
				}
			}
			for _, text := range test.not {
				if strings.Contains(w.Body.String(), text) {
					t.Errorf("with %q", text)
				}
			}
			if t.Failed() {
				t.Log(w.Body)
			}
		})
	}
}

func TestStatusPageOfOneDirectory(t *testing.T) {
	h := showing(t, of("d-1", one("r", task.DeleteAccessAssignment, task.Failed, time.Hour)), of("d-2"))
	if body := do(h, "GET", "/?directory_id=d-2").Body.String(); strings.Contains(body, "u-r") || !strings.Contains(body, "Nothing is failing.") {
		t.Error("it shows another directory")
	}
	if body := do(h, "GET", "/?directory_id=d-2").Body.String(); !strings.Contains(body, `href="./api/v1/failures?directory_id=d-2"`) || !strings.Contains(body, `href="./api/v1/tasks?directory_id=d-2"`) {
		t.Error("its links lead to all directories")
	}
	for _, query := range []string{"directory_id=d-9", "directory=d-1", "directory_id=d-1&directory_id=d-2", "%zz"} {
		if w := do(h, "GET", "/?"+query); w.Code != 400 {
			t.Errorf("%s: %d", query, w.Code)
		}
	}
}

// A line breaks between words, not within one.
func TestWords(t *testing.T) {
	for name, want := range map[string]string{
		"":                               "",
		"DeprovisionAccessConfiguration": "Deprovision Access Configuration",
		"DeleteConflict.Role.Policy":     "Delete Conflict. Role. Policy",
		"rd-3Gxxxx/root/RAMUsers":        "rd-3Gxxxx/ root/ RAMUsers",
		"ram:DeleteRole":                 "ram: Delete Role",
		"Action: none":                   "Action: none",
		"chen.na@example.com":            "chen. na@ example. com",
		"role_already_exists":            "role_ already_ exists",
		"https://...":                    "https://...",
		"访问配置":                           "访问配置",
	} {
		if got := strings.Join(words(name), " "); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// Every bar stands at its own hour, also where a directory's data is old.
func TestChart(t *testing.T) {
	fresh := of("d-1", one("a", task.CreateAccessAssignment, task.Success, 90*time.Minute))
	next := of("d-2", one("b", task.CreateAccessAssignment, task.Failed, 90*time.Minute))
	c := chartOf([]*refresh.State{fresh, next}, noon.Add(20*time.Second))
	later := chartOf([]*refresh.State{fresh, next}, noon.Add(24*time.Hour))
	for name, test := range map[string]struct {
		got *chart
		x   float64
	}{"now": {c, 165 * hourWidth}, "a day later": {later, 141 * hourWidth}} {
		want := []bar{
			{X: test.x, Y: 64, Height: 56, Class: "failed", Text: "Tue 24 Nov 10:00 UTC: 1 succeeded, 1 failed, 0 in progress"},
			{X: test.x, Y: 8, Height: 56, Class: "success", Text: "Tue 24 Nov 10:00 UTC: 1 succeeded, 1 failed, 0 in progress"},
		}
		if diff := gocmp.Diff(want, test.got.Bars); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if gone := chartOf([]*refresh.State{fresh}, noon.Add(9*24*time.Hour)); len(gone.Bars) != 0 || !strings.Contains(gone.Summary, "0 tasks succeeded and 0 failed") {
		t.Errorf("nine days later: %+v", gone)
	}
	if chartOf([]*refresh.State{pending("d-3")}, noon) != nil {
		t.Error("a chart of nothing")
	}
}

// Whatever the API says is only ever text, and the browser is told to run nothing.
func TestHostilePage(t *testing.T) {
	const hostile = `</script><script>alert(1)</script>" onload=alert(1) x='<img src=x onerror=alert(1)>`
	bad := one("r", task.DeleteAccessAssignment, task.Failed, time.Hour)
	bad.ID, bad.PrincipalName, bad.PrincipalID, bad.TargetPathName, bad.AccessConfigurationName, bad.FailureReason = hostile, hostile, hostile, hostile, hostile, hostile
	s := of("d-1", bad)
	s.Name, s.Region, s.DirectoryID = hostile, hostile, hostile
	s.Up, s.Error = false, hostile
	w := do(showing(t, s, of("d-2")), "GET", "/")
	for _, tag := range []string{"<script", "<img", " onload=alert(1) x='<", `style="`} {
		if strings.Contains(w.Body.String(), tag) {
			t.Errorf("with %s", tag)
		}
	}
	policy := w.Header().Get("Content-Security-Policy")
	if !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || strings.Contains(policy, "script-src") {
		t.Errorf("policy %q", policy)
	}
	if before, _, found := strings.Cut(w.Body.String(), "</style>"); !found || !strings.HasSuffix(before, "<style>"+pageCSS) {
		t.Error("the style is not what the policy's hash is of")
	}
}

// What the operator's web configuration sets wins.
func TestOperatorsHeaders(t *testing.T) {
	h := showing(t, of("d-1"))
	outer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Frame-Options", "SAMEORIGIN")
		h.ServeHTTP(w, r)
	})
	w := do(outer, "GET", "/")
	if got := w.Header()["X-Frame-Options"]; len(got) != 1 || got[0] != "SAMEORIGIN" || w.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%v", w.Header())
	}
}

func TestFailuresJSON(t *testing.T) {
	h := showing(t, of("d-1", one("r", task.DeleteAccessAssignment, task.Failed, time.Hour), one("c", task.CreateAccessAssignment, task.Failed, 2*time.Minute)), of("d-2"), pending("d-3"))
	var got struct{ Failures []map[string]any }
	w := do(h, "GET", "/api/v1/failures")
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != 200 || len(got.Failures) != 2 {
		t.Fatalf("%d, %v: %s", w.Code, err, w.Body)
	}
	want := map[string]any{
		"directory_id": "d-1", "task_id": "r", "task_type": "DeleteAccessAssignment", "status": "Failed",
		"access_configuration_id": "ac-1", "access_configuration_name": "Admin", "target_id": "1001", "target_name": "shop",
		"target_path_name": "rd-3G/root/Commerce/shop", "principal_type": "User", "principal_id": "u-r", "principal_name": "Alice", "origin_target_id": "",
		"started": "2026-11-24T11:00:00Z", "ended": "2026-11-24T11:01:00Z", "since": "2026-11-24T11:01:00Z", "attempts": 1.0,
		"failure_reason": "NoPermission", "failure_text": "NoPermission: role AliyunReservedSSO-Admin, Action: ram:DeleteRole",
	}
	if diff := gocmp.Diff(want, got.Failures[0]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for query, n := range map[string]int{"task_type=CreateAccessAssignment": 1, "access_configuration_id=ac-1": 2, "access_configuration_id=ac-2": 0, "principal_id=u-r": 1, "target_id=1002": 0, "directory_id=d-2": 0, "directory_id=d-3": 0} {
		got.Failures = nil
		if err := json.Unmarshal(do(h, "GET", "/api/v1/failures?"+query).Body.Bytes(), &got); err != nil || len(got.Failures) != n {
			t.Errorf("%s: %d failures, want %d, %v", query, len(got.Failures), n, err)
		}
	}
}

// The order is one over all directories: failed revocations first, then the newest.
func TestFailuresJSONOrder(t *testing.T) {
	h := showing(t,
		of("d-1", one("new", task.CreateAccessAssignment, task.Failed, time.Minute), one("old", task.CreateAccessAssignment, task.Failed, 5*time.Hour),
			one("oldest", task.DeleteAccessAssignment, task.Failed, 50*time.Hour)),
		of("d-2", one("older", task.CreateAccessAssignment, task.Failed, 9*time.Hour), one("revocation", task.DeleteAccessAssignment, task.Failed, 20*time.Hour),
			one("newer", task.ProvisionAccessConfiguration, task.Failed, 2*time.Hour)))
	var got struct{ Failures []failureJSON }
	if err := json.Unmarshal(do(h, "GET", "/api/v1/failures").Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, f := range got.Failures {
		ids = append(ids, f.TaskID)
	}
	if s := strings.Join(ids, " "); s != "revocation oldest new newer old older" {
		t.Errorf("order: %s", s)
	}
}

// An empty list of a directory that is known can be told from one of a directory that is not.
func TestListsSayWhatTheyKnow(t *testing.T) {
	down := pending("d-3")
	down.Attempted = true
	h := showing(t, of("d-1"), pending("d-2"), down)
	known := map[string]any{"directory_id": "d-1", "up": true, "last_success": "2026-11-24T12:00:00Z"}
	unread := map[string]any{"directory_id": "d-2", "up": nil, "last_success": nil}
	failed := map[string]any{"directory_id": "d-3", "up": false, "last_success": nil}
	for path, want := range map[string][]any{
		"/api/v1/failures": {known, unread, failed}, "/api/v1/failures?directory_id=d-2": {unread},
		"/api/v1/tasks": {known, unread, failed}, "/api/v1/tasks?directory_id=d-3": {failed},
	} {
		var got map[string]any
		if err := json.Unmarshal(do(h, "GET", path).Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(any(want), got["directories"]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", path, diff)
		}
	}
	if body := do(showing(t), "GET", "/api/v1/failures").Body.String(); !strings.Contains(body, `"directories": []`) {
		t.Errorf("without directories: %s", body)
	}
}

func TestTasksJSON(t *testing.T) {
	var tasks, others []task.Task
	for i := range 150 {
		tasks = append(tasks, one(fmt.Sprint("a", i), task.CreateAccessAssignment, task.Success, time.Duration(2*i+1)*time.Minute))
		others = append(others, one(fmt.Sprint("b", i), task.DeleteAccessAssignment, task.Success, time.Duration(2*i+2)*time.Minute))
	}
	others = append(others, one("f", task.DeleteAccessAssignment, task.Failed, 25*time.Hour))
	h := showing(t, of("d-1", tasks...), of("d-2", others...), pending("d-3"))
	for _, test := range []struct {
		query       string
		n           int
		first, last string
	}{
		{"", 100, "a0", "b49"},
		{"limit=0", 301, "a0", "f"},
		{"limit=3", 3, "a0", "a1"},
		{"directory_id=d-2&limit=2", 2, "b0", "b1"},
		{"status=Failed", 1, "f", "f"},
		{"status=Failed&since=24h", 0, "", ""},
		{"since=2026-11-24T11:57:30Z", 2, "a0", "b0"},
		{"task_type=DeleteAccessAssignment&limit=1", 1, "b0", "b0"},
		{"principal_id=u-a7", 1, "a7", "a7"},
		{"target_id=1002", 0, "", ""},
		{"access_configuration_id=ac-1&limit=1", 1, "a0", "a0"},
		{"access_configuration_id=ac-2", 0, "", ""},
	} {
		var got struct{ Tasks []taskJSON }
		if err := json.Unmarshal(do(h, "GET", "/api/v1/tasks?"+test.query).Body.Bytes(), &got); err != nil || len(got.Tasks) != test.n {
			t.Errorf("%s: %d tasks, want %d, %v", test.query, len(got.Tasks), test.n, err)
			continue
		}
		if test.n > 0 && (got.Tasks[0].TaskID != test.first || got.Tasks[test.n-1].TaskID != test.last) {
			t.Errorf("%s: %s to %s, want %s to %s", test.query, got.Tasks[0].TaskID, got.Tasks[test.n-1].TaskID, test.first, test.last)
		}
	}
	if w := do(h, "GET", "/api/v1/status?page=2"); w.Code != 400 || !strings.Contains(w.Body.String(), `"page"`) {
		t.Errorf("status: %d %s", w.Code, w.Body)
	}
	for query, want := range map[string]string{
		"limit=-1": "limit", "limit=ten": "limit", "since=8d": "since", "since=2027-01-01T00:00:00Z": "since", "since=soon": "since",
		"status=Done": "status", "task_type=create": "task_type", "directory_id=d-9": "directory_id", "page=2": `"page"`, "limit=1&limit=2": "limit",
	} {
		if w := do(h, "GET", "/api/v1/tasks?"+query); w.Code != 400 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
}

// A time is by the API's clock, a duration back from now by the clock of each directory.
func TestTasksJSONByTheAPIsClock(t *testing.T) {
	ahead := of("d-1", one("a", task.CreateAccessAssignment, task.Success, 30*time.Minute), one("old", task.CreateAccessAssignment, task.Success, 150*time.Minute))
	ahead.Offset = time.Hour
	h := showing(t, ahead, of("d-2", one("b", task.CreateAccessAssignment, task.Success, 100*time.Minute)))
	for query, want := range map[string]string{
		"since=2026-11-24T11:00:00Z": "a",
		"since=2026-11-24T12:30:00Z": "",
		"since=2h":                   "a b",
		"since=91m":                  "a", // 90 min and 20 s ago by its own clock
		"since=0s":                   "",
		"since=2026-11-24T09:00:00Z": "a b old",
		"since=2026-11-24T09:00:00Z&directory_id=d-2": "b",
	} {
		var got struct{ Tasks []taskJSON }
		w := do(h, "GET", "/api/v1/tasks?"+query)
		err := json.Unmarshal(w.Body.Bytes(), &got)
		var ids []string
		for _, t := range got.Tasks {
			ids = append(ids, t.TaskID)
		}
		if s := strings.Join(ids, " "); err != nil || s != want {
			t.Errorf("%s: %q, want %q, %v", query, s, want, err)
		}
	}
	for query, code := range map[string]int{"since=2026-11-24T12:30:00Z&directory_id=d-1": 200, "since=2026-11-24T12:30:00Z&directory_id=d-2": 400, "since=2026-11-24T13:30:00Z": 400} {
		if w := do(h, "GET", "/api/v1/tasks?"+query); w.Code != code {
			t.Errorf("%s: %d, want %d", query, w.Code, code)
		}
	}
}

// Only a scrape makes the exporter call the API, and every answer is what it says it is.
func TestOnlyMetricsRefreshes(t *testing.T) {
	f := &fakeRefresher{states: []*refresh.State{of("d-1")}}
	h := newHandler(t, f, Settings{EnablePprof: true, EnableLifecycle: false})
	for _, path := range []string{"/", "/?directory_id=d-9", "/api/v1/status", "/api/v1/failures", "/api/v1/tasks", "/api/v1/tasks?since=soon", "/-/healthy", "/-/ready", "/debug/pprof/", "/nothing"} {
		w := do(h, "GET", path)
		if n := f.awaited.Load(); n != 0 || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d refreshes, %v", path, n, w.Header())
		}
	}
	if do(h, "GET", "/metrics"); f.awaited.Load() != 1 {
		t.Error("a scrape does not refresh")
	}
}

// A page of a million tasks is there in well under 100 ms, also where none matches, without a lock that a scrape could wait for.
func BenchmarkTasksJSON(b *testing.B) {
	tasks := make([]task.Task, 1_000_000)
	for i := range tasks {
		tasks[i] = one(fmt.Sprint("t", i), task.CreateAccessAssignment, task.Success, time.Duration(float64(i)/1e6*float64(6*24*time.Hour)))
		tasks[i].PrincipalID = fmt.Sprint("u-", i%50_000) // interned; one of its own for each task takes up to a third longer
	}
	h := withOptions(b, Options{Refresher: &fakeRefresher{states: []*refresh.State{of("d-1", tasks...)}}, Now: func() time.Time { return noon }})
	for _, query := range []string{"status=Success", "status=Failed", "principal_id=u-none"} {
		b.Run(query, func(b *testing.B) {
			for b.Loop() {
				do(h, "GET", "/api/v1/tasks?limit=100&"+query)
			}
			if per := b.Elapsed() / time.Duration(b.N); per > 100*time.Millisecond {
				b.Errorf("%v a request, at most 100 ms", per)
			}
		})
	}
}
