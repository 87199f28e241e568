package refresh

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"cloudsso_exporter/internal/task"
)

// What happens to tasks is in the log, one line an event, before a scrape shows it.
func TestTaskEvents(t *testing.T) {
	resolved := []string{"task failed f1", "task failed f2", "failure resolved f2"}
	for _, c := range []struct {
		events TaskEvents
		hide   bool
		want   []string // message and task id
	}{
		{FailedEvents, false, resolved},
		{AllEvents, false, []string{"task failed f1", "task failed f2", "task succeeded s", "failure resolved f2"}},
		{FailedEvents, true, resolved},
		{NoEvents, false, nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			api, out := &fakeAPI{}, &bytes.Buffer{}
			fill(api, 30, time.Now())
			set := Settings{TaskEvents: c.events, HideNames: c.hide}
			set.Reasons.CodesOnly = c.hide
			g, _ := newLoggingGroup(t, api, set, nil, slog.NewJSONHandler(out, nil))
			scrape(t, g, time.Second)
			if !strings.Contains(out.String(), `"unresolved_failures":0`) || strings.Contains(out.String(), "task_id") {
				t.Errorf("the baseline: %s", out)
			}
			for _, id := range []string{"f1", "f2", "s"} {
				time.Sleep(time.Minute)
				one := newTask(id, time.Now().Add(-5*time.Second), 2*time.Second)
				one.PrincipalID, one.PrincipalName = "u-1", "Alice"
				if id != "s" {
					one.Status, one.FailureReason = task.Failed, "NoPermission: Alice may not"
				}
				api.add(one)
				scrape(t, g, time.Second)
			}
			var got []string
			for line := range strings.Lines(out.String()) {
				var fields map[string]any
				if err := json.Unmarshal([]byte(line), &fields); err != nil {
					t.Fatal(err)
				}
				if fields["task_id"] != nil {
					got = append(got, fmt.Sprint(fields["msg"], " ", fields["task_id"]))
				}
				if fields["msg"] == "failure resolved" && (fields["resolved_by"] != "s" || fields["attempts"] != 2.0 || fields["since"] == "") {
					t.Errorf("%s", line)
				}
				if failed := strings.Contains(line, "Failed") && strings.Contains(line, "NoPermission"); failed != (fields["msg"] == "task failed") {
					t.Errorf("a search for what failed finds it: %t: %s", failed, line)
				}
			}
			if diff := gocmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.events, diff)
			}
			if c.want != nil && strings.Contains(out.String(), "Alice") == c.hide {
				t.Errorf("names hidden %t: %s", c.hide, out)
			}
		})
	}
}

func TestManyEventsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, out := &fakeAPI{}, &bytes.Buffer{}
		g, _ := newLoggingGroup(t, api, Settings{TaskEvents: FailedEvents}, nil, slog.NewTextHandler(out, nil))
		scrape(t, g, time.Second)
		time.Sleep(time.Minute)
		for i := range 1500 {
			one := newTask(fmt.Sprint("f", i), time.Now().Add(-5*time.Second), 2*time.Second)
			one.Status, one.FailureReason = task.Failed, "NoPermission"
			api.add(one)
		}
		scrape(t, g, time.Minute)
		lines := slices.Collect(strings.Lines(out.String()))
		if n := strings.Count(out.String(), `msg="task failed"`); n != 1000 || !strings.Contains(lines[len(lines)-1], "not_logged=500") {
			t.Errorf("%d lines, the last: %s", n, lines[len(lines)-1])
		}
	})
}

// With names hidden no name and no text of the API is kept, in memory or in the state.
func TestHiddenNamesAreNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, store := &fakeAPI{}, &keepingStore{}
		one := newTask("f", time.Now().Add(-time.Hour), time.Second)
		one.Status, one.FailureReason, one.PrincipalName, one.TargetName, one.TargetPathName = task.Failed, "NoPermission: Alice", "Alice", "shop", "root/shop"
		api.add(one)
		set := Settings{HideNames: true}
		set.Reasons.CodesOnly = true
		g, _ := newGroup(t, api, set, store)
		s := scrape(t, g, time.Second)
		if n := len(s.Snapshot.Failures); n != 1 || s.Snapshot.Failures[0].Reason != "NoPermission" {
			t.Fatalf("%d failures", n)
		}
		for _, c := range store.changes {
			for r := range c.Put {
				if r.PrincipalName+r.TargetName+r.TargetPathName+r.FailureReason != "" {
					t.Errorf("kept: %+v", r)
				}
			}
			if len(c.Streaks) != 1 || c.Streaks[0].Labels.PrincipalName != "" {
				t.Errorf("kept: %+v", c.Streaks)
			}
		}
	})
}
