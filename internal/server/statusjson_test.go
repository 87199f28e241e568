package server

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/version"

	"cloudsso_exporter/internal/refresh"
	"cloudsso_exporter/internal/task"
)

// The bubble's clock begins at midnight, 1 January 2000 UTC.
const statusWant = `{
  "version": "", "config_last_reload_successful": true,
  "directories": [
    {
      "directory_id": "d-new", "name": "", "region": "cn-shanghai", "up": null, "last_error": null,
      "last_attempt": null, "last_success": null, "snapshot_age_seconds": null, "next_attempt": null,
      "progress": {"pages": 12, "tasks": 240, "since": "2000-01-01T00:00:00Z"}, "calls": []
    },
    {
      "directory_id": "d-good", "name": "production", "region": "cn-shanghai", "up": true, "last_error": null,
      "last_attempt": "2000-01-01T00:00:09Z", "last_success": "2000-01-01T00:00:10.5Z",
      "snapshot_age_seconds": 49.5, "next_attempt": "2000-01-01T00:01:04Z", "progress": null,
      "calls": [{"action": "ListTasks", "code": "OK", "count": 7}, {"action": "ListTasks", "code": "Throttling.User", "count": 0}]
    },
    {
      "directory_id": "d-bad", "name": "<script>", "region": "cn-shanghai", "up": false,
      "last_error": {"kind": "credentials", "message": "the key is wrong: set \"access_key_id\" </script>"},
      "last_attempt": null, "last_success": "2000-01-01T00:02:00Z", "snapshot_age_seconds": 0,
      "next_attempt": null, "progress": null, "calls": []
    }
  ]
}`

func statusStates() []*refresh.State {
	start := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	fresh, good, bad := pending("d-new"), attempted("d-good"), attempted("d-bad")
	fresh.Progress = &refresh.Progress{Pages: 12, Tasks: 240, Since: start}
	good.Name = "production"
	good.LastAttempt = start.Add(9 * time.Second).In(time.FixedZone("CST", 8*3600))
	good.LastSuccess = start.Add(10*time.Second + 500*time.Millisecond + time.Microsecond)
	good.NextAttempt = start.Add(64 * time.Second)
	good.Requests = []refresh.Requests{{Action: "ListTasks", Code: "OK", N: 7}, {Action: "ListTasks", Code: "Throttling.User"}}
	bad.Name = "<script>"
	bad.Up, bad.ErrorKind, bad.Error = false, task.ErrorCredentials, `the key is wrong: set "access_key_id" </script>`
	bad.LastSuccess = start.Add(2 * time.Minute) // the API's clock is ahead
	return []*refresh.State{fresh, good, bad}
}

func TestStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(t, &fakeRefresher{states: statusStates()}, Settings{})
		time.Sleep(time.Minute)
		w := do(h, "GET", "/api/v1/status")
		if got := w.Header().Get("Content-Type"); got != "application/json; charset=utf-8" {
			t.Errorf("Content-Type %q", got)
		}
		if got := w.Header().Get("Cache-Control"); got != "no-store" {
			t.Errorf("Cache-Control %q", got)
		}
		if strings.Contains(w.Body.String(), "<script>") {
			t.Error("a name could be taken for HTML")
		}
		var got, want any
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(statusWant), &want); err != nil {
			t.Fatal(err)
		}
		want.(map[string]any)["version"] = version.Version // depends on how the test was built
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// Every field of the answer stands in the page that describes it.
func TestStatusIsDescribed(t *testing.T) {
	page, err := os.ReadFile("../../docs/http-api.md")
	if err != nil {
		t.Fatal(err)
	}
	var fields func(path string, v any)
	fields = func(path string, v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, value := range v {
				below := strings.TrimPrefix(path+"."+name, ".")
				if !strings.Contains(string(page), "`"+below+"`") {
					t.Errorf("docs/http-api.md does not describe %s", below)
				}
				fields(below, value)
			}
		case []any:
			for _, value := range v {
				fields(path+"[]", value)
			}
		}
	}
	var answer any
	if err := json.Unmarshal([]byte(statusWant), &answer); err != nil {
		t.Fatal(err)
	}
	fields("", answer)
}
