package simulator

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

var allPages = []string{"DirectoryId", testDirectory, "MaxResults", "20"}

func faulty(t *testing.T, rules ...Rule) (*Server, *fakeClock) {
	t.Helper()
	s, clock := newTestServer(t, Options{})
	s.Directory(testDirectory).Put(someTasks(50)...)
	s.SetFaults(rules...)
	return s, clock
}

func TestThrottling(t *testing.T) {
	tests := []struct {
		fault      Fault
		code       string
		status     int
		retryAfter string
	}{
		{Throttle(400, 0), "Throttling.User", 400, ""},
		{Throttle(429, 2*time.Second), "Throttling.User", 429, "2"},
		{Throttle(503, time.Minute), "Throttling.User", 503, "60"},
		{Throttle(200, 0), "Throttling.User", 200, ""},
		{Throttle(0, 0), "Throttling.User", 400, ""},
		{Fault{Code: "Throttling", Status: 429, RetryAfter: 90 * time.Second, RetryAtDate: true}, "Throttling", 429, "Tue, 24 Nov 2026 12:01:30 GMT"},
		{Refuse("Throttling.Api"), "Throttling.Api", 429, ""},
		{Refuse("ServiceUnavailable"), "ServiceUnavailable", 503, ""},
		{Refuse("NoPermission"), "NoPermission", 403, ""},
	}
	for _, test := range tests {
		s, _ := faulty(t, Rule{Fault: test.fault})
		a := ask(s, allPages...)
		if a.Code != test.code || a.status != test.status || a.header.Get("Retry-After") != test.retryAfter {
			t.Errorf("%+v: got %q %d, Retry-After %q", test.fault, a.Code, a.status, a.header.Get("Retry-After"))
		}
		if a.RequestID == "" || a.Message == "" || a.HostID != "cloudsso.cn-shanghai.aliyuncs.com" {
			t.Errorf("%+v: incomplete %s", test.fault, a.raw)
		}
		if got := codes(s)[test.code]; got != 1 {
			t.Errorf("counted %v", codes(s))
		}
	}
}

func TestGateway(t *testing.T) {
	for _, test := range []struct {
		fault             Fault
		status            int
		body, contentType string
	}{
		{Gateway(502, "<html></html>"), 502, "<html></html>", "text/html; charset=utf-8"},
		{Gateway(502, ""), 502, "", "text/plain; charset=utf-8"},
		{Gateway(503, "upstream connect error"), 503, "upstream connect error", "text/plain; charset=utf-8"},
		{Fault{Body: "null"}, 200, "null", "text/plain; charset=utf-8"},
		{Fault{Status: 200}, 200, "", "text/plain; charset=utf-8"},
	} {
		s, _ := faulty(t, Rule{Fault: test.fault})
		a := ask(s, allPages...)
		if a.status != test.status || a.raw != test.body || a.header.Get("Content-Type") != test.contentType {
			t.Errorf("%+v: got %d %q %s", test.fault, a.status, a.raw, a.header.Get("Content-Type"))
		}
	}
}

// Cut and HangUp look the same in process and over a real connection.
func TestBrokenConnections(t *testing.T) {
	for _, test := range []struct {
		fault  Fault
		reason error
		code   string
	}{
		{Fault{Cut: true}, io.ErrUnexpectedEOF, codeCut},
		{Fault{HangUp: true}, io.EOF, codeHangUp},
	} {
		s, _ := faulty(t, Rule{Fault: test.fault})
		web := httptest.NewServer(s)
		if a := ask(s, allPages...); !errors.Is(a.err, test.reason) || strings.HasSuffix(a.raw, "}") {
			t.Errorf("in process: %v %q", a.err, a.raw)
		}
		r := signed(testKey, testNow, "web-"+test.code, nil)
		r.URL.Scheme, r.URL.Host, r.RequestURI = "http", web.Listener.Addr().String(), ""
		r.URL.RawQuery = "DirectoryId=" + testDirectory
		resign(r, testKey)
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err == nil {
			_, err = io.ReadAll(resp.Body)
			resp.Body.Close()
		}
		if !errors.Is(err, test.reason) {
			t.Errorf("over a connection: %v, want %v", err, test.reason)
		}
		web.Close() // waits for the handler, which logs the call after the connection broke
		if got := codes(s); got[test.code] != 2 {
			t.Errorf("counted %v", got)
		}
	}
}

func TestPagingFaults(t *testing.T) {
	pages := func(s *Server, n int) (ids []string, tokens []string) {
		token := ""
		for range n {
			a := ask(s, append(slices.Clone(allPages), "NextToken", token)...)
			ids, tokens = append(ids, a.ids()...), append(tokens, a.NextToken)
			token = a.NextToken
			if !a.IsTruncated {
				break
			}
		}
		return ids, tokens
	}
	s, _ := faulty(t, Rule{Fault: Fault{Repeat: true}, When: FirstAttempts(1)})
	ids, tokens := pages(s, 5)
	if len(ids) != 100 || tokens[1] == tokens[0] || ids[0] != ids[20] || ids[0] != ids[80] {
		t.Errorf("repeated page: %d tasks, tokens %q", len(ids), tokens)
	}
	for _, cursors := range []bool{false, true} {
		for _, shift := range []int{-3, 3, -100} {
			s, _ := newTestServer(t, Options{Cursors: cursors})
			s.Directory(testDirectory).Put(someTasks(50)...)
			s.SetFaults(Rule{When: Page(1), Fault: Fault{Shift: shift}})
			first := ask(s, allPages...)
			second := ask(s, append(slices.Clone(allPages), "NextToken", first.NextToken)...)
			want := fmt.Sprintf("t-%05d", 49-max(0, 20+shift))
			if got := second.ids()[0]; got != want {
				t.Errorf("cursors %v, shift %d: page 2 begins with %s, want %s", cursors, shift, got, want)
			}
		}
	}
}

func TestEdits(t *testing.T) {
	s, _ := faulty(t, Rule{Fault: Fault{Edit: func(_ Call, a map[string]any) { a["Tasks"].([]any)[7].(map[string]any)["Status"] = "Paused" }}})
	if a := ask(s, allPages...); len(a.Tasks) != 20 || a.Tasks[7]["Status"] != "Paused" {
		t.Errorf("edited: %v", a.Tasks)
	}
}

// The clock of the API is off: its Date says so, and only dates by it are good.
func TestSkew(t *testing.T) {
	s, clock := faulty(t)
	s.SetSkew(time.Hour)
	late := send(s, signed(testKey, clock.now, "local", map[string][]string{"DirectoryId": {testDirectory}}))
	if late.Code != "InvalidTimeStamp.Expired" || late.header.Get("Date") != "Tue, 24 Nov 2026 13:00:00 GMT" {
		t.Errorf("local time: %q, Date %q", late.Code, late.header.Get("Date"))
	}
	if a := ask(s, "DirectoryId", testDirectory, "Filter", "StartTime ge 2026-11-17T13:00:00Z"); a.Code != "" {
		t.Errorf("7 days by the API's clock: %s", a.Message)
	}
	if a := ask(s, "DirectoryId", testDirectory, "Filter", "StartTime ge 2026-11-17T12:59:59Z"); a.Code != "InvalidParameter.Filter" {
		t.Errorf("over 7 days by the API's clock: %q", a.Code)
	}
	soon := someTasks(1)[0]
	soon.ID, soon.Start, soon.End = "t-soon", testNow.Add(30*time.Minute), testNow.Add(40*time.Minute)
	s.Directory(testDirectory).Schedule(Record{Task: soon})
	if a := ask(s, "DirectoryId", testDirectory); a.Tasks[0]["TaskId"] != "t-soon" || a.Tasks[0]["Status"] != "Success" {
		t.Errorf("a task over by the API's clock: %v", a.Tasks[0])
	}
}
