package server

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cloudsso_exporter/collector"
	"cloudsso_exporter/internal/refresh"
)

func TestRoutes(t *testing.T) {
	f := &fakeRefresher{states: []*refresh.State{attempted("d-1")}}
	off := newHandler(t, f, Settings{})
	on := newHandler(t, f, Settings{EnablePprof: true, EnableLifecycle: true, TelemetryPath: "/probe/metrics"})
	for _, test := range []struct {
		h            http.Handler
		method, path string
		code         int
		contains     string
	}{
		{off, "GET", "/metrics", 200, "cloudsso_up"},
		{off, "HEAD", "/metrics", 200, ""},
		{off, "POST", "/metrics", 405, ""},
		{off, "DELETE", "/metrics", 405, ""},
		{off, "GET", "/metrics/", 404, ""},
		{off, "GET", "/", 200, "d-1"},
		{off, "HEAD", "/", 200, ""},
		{off, "POST", "/", 405, ""},
		{off, "GET", "/index.html", 404, ""},
		{off, "GET", "/-/healthy", 200, "healthy"},
		{off, "HEAD", "/-/healthy", 200, ""},
		{off, "GET", "/-/ready", 200, "ready"},
		{off, "GET", "/api/v1/status", 200, `"directory_id": "d-1"`},
		{off, "POST", "/api/v1/status", 405, ""},
		{off, "GET", "/api/v1/nothing", 404, ""},
		{off, "GET", "/debug/pprof/", 404, ""},
		{off, "GET", "/debug/pprof/cmdline", 404, ""},
		{off, "POST", "/-/reload", 403, "--web.enable-lifecycle"},
		{off, "GET", "/-/reload", 405, ""},
		{on, "GET", "/probe/metrics", 200, "cloudsso_up"},
		{on, "GET", "/metrics", 404, ""},
		{on, "GET", "/", 200, "./probe/metrics"},
		{on, "GET", "/debug/pprof/", 200, "goroutine"},
		{on, "GET", "/debug/pprof/goroutine", 200, ""},
		{on, "GET", "/debug/pprof/cmdline", 200, ""},
	} {
		w := do(test.h, test.method, test.path)
		if w.Code != test.code || !strings.Contains(w.Body.String(), test.contains) {
			t.Errorf("%s %s: %d, want %d with %q:\n%s", test.method, test.path, w.Code, test.code, test.contains, w.Body)
		}
		if w.Code == 405 && w.Header().Get("Allow") == "" {
			t.Errorf("%s %s: 405 does not say what is allowed", test.method, test.path)
		}
		for _, header := range []string{"X-Content-Type-Options", "X-Frame-Options", "Content-Security-Policy", "Referrer-Policy"} {
			if w.Header().Get(header) == "" {
				t.Errorf("%s %s: no %s", test.method, test.path, header)
			}
		}
	}
}

func TestReload(t *testing.T) {
	var answer error
	calls := 0
	h := withOptions(t, Options{
		Settings:  Settings{EnableLifecycle: true},
		Refresher: &fakeRefresher{},
		Reload:    func() error { calls++; return answer },
	})
	if w := do(h, "POST", "/-/reload"); w.Code != 200 || calls != 1 {
		t.Errorf("%d %s after %d calls", w.Code, w.Body, calls)
	}
	answer = errors.New("config.yaml:3: window: 8d is longer than the 7d the API lists\nconfig.yaml:9: no <directories>")
	w := do(h, "POST", "/-/reload")
	if w.Code != 500 || !strings.Contains(w.Body.String(), answer.Error()) || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/plain") {
		t.Errorf("%d %q %s", w.Code, w.Header(), w.Body)
	}
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		if w := do(h, method, "/-/reload"); w.Code != 405 || w.Header().Get("Allow") != "POST" {
			t.Errorf("%s: %d, Allow %q", method, w.Code, w.Header().Get("Allow"))
		}
	}
	if calls != 2 {
		t.Errorf("%d reloads, want 2", calls)
	}
}

// Reloads and the state folder are what the exporter's own metrics say they are.
func TestOwnMetrics(t *testing.T) {
	up, ok, success := true, true, time.Unix(1795521600, 0)
	h := withOptions(t, Options{
		Refresher: &fakeRefresher{},
		Process: collector.Process{
			Reloaded:  func() (bool, time.Time) { return ok, success },
			StorageUp: func() bool { return up },
		},
	})
	expect := func(lines ...string) {
		t.Helper()
		body := do(h, "GET", "/metrics").Body.String()
		for _, want := range append(lines, "go_goroutines ", "cloudsso_exporter_build_info{") {
			if !strings.Contains(body, "\n"+want) {
				t.Errorf("without %s", want)
			}
		}
	}
	expect("cloudsso_exporter_config_last_reload_successful 1\n", "cloudsso_exporter_config_last_reload_success_timestamp_seconds 1.7955216e+09\n",
		"cloudsso_exporter_storage_up 1\n")
	up, ok = false, false
	expect("cloudsso_exporter_config_last_reload_successful 0\n", "cloudsso_exporter_config_last_reload_success_timestamp_seconds 1.7955216e+09\n",
		"cloudsso_exporter_storage_up 0\n")
}

// A failed reload shows where people look, and takes back nothing that is known of the directories.
func TestReloadFailed(t *testing.T) {
	for _, ok := range []bool{true, false} {
		h := withOptions(t, Options{
			Refresher: &fakeRefresher{states: []*refresh.State{of("d-1")}}, Now: func() time.Time { return noon },
			Process: collector.Process{Reloaded: func() (bool, time.Time) { return ok, noon }},
		})
		page := do(h, "GET", "/").Body.String()
		if warned := strings.Contains(page, "The last reload failed: the old configuration is in use"); warned == ok || !strings.Contains(page, "<p>Nothing is failing.</p>") {
			t.Errorf("successful %v, but the page has\n%s", ok, page)
		}
		if body := do(h, "GET", "/api/v1/status").Body.String(); !strings.Contains(body, fmt.Sprintf(`"config_last_reload_successful": %v,`, ok)) {
			t.Errorf("successful %v, but the status is\n%s", ok, body)
		}
	}
}

func TestReady(t *testing.T) {
	type step struct {
		after  time.Duration // since the step before
		states []*refresh.State
		scrape bool // before asking
		want   int
	}
	for name, steps := range map[string][]step{
		"when every first attempt has ended": {
			{0, []*refresh.State{pending("a"), pending("b")}, false, 503},
			{time.Second, []*refresh.State{attempted("a"), pending("b")}, false, 503},
			{time.Second, []*refresh.State{attempted("a"), attempted("b")}, false, 200},
		},
		"a failed attempt is one too": {
			{0, []*refresh.State{{DirectoryID: "a", Attempted: true}}, false, 200},
		},
		"when 30 s have passed": {
			{29999 * time.Millisecond, []*refresh.State{pending("a")}, false, 503},
			{time.Millisecond, []*refresh.State{pending("a")}, false, 200},
		},
		"for good, whatever a reload adds": {
			{time.Second, []*refresh.State{attempted("a")}, false, 200},
			{time.Second, []*refresh.State{attempted("a"), pending("new")}, false, 200},
			{time.Hour, []*refresh.State{pending("new")}, false, 200},
		},
		"for good, also when only a scrape saw it": {
			{time.Second, []*refresh.State{pending("a")}, true, 503},
			{time.Second, []*refresh.State{attempted("a")}, true, 200},
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := &fakeRefresher{}
			h := newHandler(t, f, Settings{})
			for i, s := range steps {
				time.Sleep(s.after)
				f.set(s.states...)
				if s.scrape {
					do(h, "GET", "/metrics")
					f.set(pending("new"))
				}
				if w := do(h, "GET", "/-/ready"); w.Code != s.want {
					t.Errorf("%s: step %d: %d, want %d", name, i, w.Code, s.want)
				}
			}
		})
	}
}

func TestTelemetryPath(t *testing.T) {
	for _, path := range []string{"", "/metrics", "/a/b", "/metrics-v1.2_x~", "/apis", "/-x", "/debugging"} {
		h := newHandler(t, &fakeRefresher{}, Settings{TelemetryPath: path, EnablePprof: true})
		if path == "" {
			path = "/metrics"
		}
		if w := do(h, "GET", path); w.Code != 200 {
			t.Errorf("%q: %d", path, w.Code)
		}
	}
	for _, path := range []string{
		"metrics", "/", "/metrics/", "//metrics", "/a/../b", "/{id}", "/a b", "/a\nb", "/ü", "/a%20b", "/a?b", "/a#b", "/a\"b",
		"/api/v1/status", "/api", "/-/ready", "/-", "/debug/pprof/heap", "/debug",
	} {
		_, err := New(Options{Settings: Settings{TelemetryPath: path}, Refresher: &fakeRefresher{}, Now: time.Now})
		if err == nil || !strings.Contains(err.Error(), "--web.telemetry-path") || !strings.Contains(err.Error(), "such as /metrics") {
			t.Errorf("%q: %v", path, err)
		}
	}
}
