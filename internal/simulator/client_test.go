package simulator

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"cloudsso_exporter/internal/simulator/inprocess"
	"cloudsso_exporter/internal/task"
)

var (
	testNow = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	testKey = Key{ID: "LTAI5tTest", Secret: "secret"}
)

// fakeClock is a clock that tests set.
type fakeClock struct{ now time.Time }

func (c *fakeClock) Now() time.Time { return c.now }

func newTestServer(t *testing.T, opts Options) (*Server, *fakeClock) {
	t.Helper()
	clock := &fakeClock{now: testNow}
	opts.Now, opts.Keys = clock.Now, []Key{testKey}
	return New(opts), clock
}

// signed returns a signed call, made apart from the verifier's parsing.
func signed(key Key, now time.Time, nonce string, params url.Values) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "http://cloudsso.cn-shanghai.aliyuncs.com/?"+params.Encode(), nil)
	r.Header.Set("x-acs-action", "ListTasks")
	r.Header.Set("x-acs-version", "2021-05-15")
	r.Header.Set("x-acs-date", now.UTC().Format("2006-01-02T15:04:05Z"))
	r.Header.Set("x-acs-signature-nonce", nonce)
	r.Header.Set("x-acs-content-sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
	if key.SecurityToken != "" {
		r.Header.Set("x-acs-security-token", key.SecurityToken)
	}
	resign(r, key)
	return r
}

func resign(r *http.Request, key Key) {
	names := []string{"host"}
	for name := range r.Header {
		if name != "Authorization" {
			names = append(names, strings.ToLower(name))
		}
	}
	slices.Sort(names)
	query := strings.ReplaceAll(r.URL.Query().Encode(), "+", "%20")
	canonical := r.Method + "\n" + r.URL.Path + "\n" + query + "\n"
	for _, name := range names {
		value := r.Header.Get(name)
		if name == "host" {
			value = r.Host
		}
		canonical += name + ":" + value + "\n"
	}
	list := strings.Join(names, ";")
	canonical += "\n" + list + "\n" + r.Header.Get("x-acs-content-sha256")
	r.Header.Set("Authorization", fmt.Sprintf("ACS3-HMAC-SHA256 Credential=%s,SignedHeaders=%s,Signature=%s", key.ID, list, sign(key.Secret, canonical)))
}

// answered is an answer of either kind.
type answered struct {
	status int
	header http.Header
	err    error // of the round trip or of reading the body
	raw    string

	Code, Message, RequestID, HostID, Recommend, NextToken string
	MaxResults, TotalCounts                                int
	IsTruncated                                            bool
	Tasks                                                  []map[string]string
}

func (a answered) ids() []string {
	var ids []string
	for _, t := range a.Tasks {
		ids = append(ids, t["TaskId"])
	}
	return ids
}

var nonce int

func send(h http.Handler, r *http.Request) answered {
	resp, err := inprocess.Transport(h).RoundTrip(r)
	if err != nil {
		return answered{err: err}
	}
	raw, err := io.ReadAll(resp.Body)
	a := answered{status: resp.StatusCode, header: resp.Header, err: err, raw: string(raw)}
	_ = json.Unmarshal(raw, &a) // rubbish is tested by raw
	return a
}

// ask makes one signed call; params are name, value, name, value …
func ask(s *Server, params ...string) answered {
	nonce++
	values := url.Values{}
	for i := 0; i < len(params); i += 2 {
		values.Set(params[i], params[i+1])
	}
	return send(s, signed(testKey, s.Now(), fmt.Sprint("nonce-", nonce), values))
}

// walk reads all pages and returns the ids in the order they came.
func walk(t *testing.T, s *Server, between func(page int), params ...string) []string {
	t.Helper()
	var ids []string
	next := params
	for page := 1; ; page++ {
		if page > 1000 {
			t.Fatal("the read does not end")
		}
		a := ask(s, next...)
		if a.Code != "" || a.err != nil {
			t.Fatalf("page %d: %s %s %v", page, a.Code, a.Message, a.err)
		}
		if a.IsTruncated != (a.NextToken != "") {
			t.Fatalf("page %d: IsTruncated %v with NextToken %q", page, a.IsTruncated, a.NextToken)
		}
		ids = append(ids, a.ids()...)
		if !a.IsTruncated {
			return ids
		}
		if between != nil {
			between(page)
		}
		next = append(slices.Clone(params), "NextToken", a.NextToken)
	}
}

const testDirectory = "d-00fc2p61test"

// someTasks returns n tasks that succeeded, a minute apart, the newest a minute ago.
func someTasks(n int) []task.Task {
	tasks := make([]task.Task, n)
	for i := range tasks {
		start := testNow.Add(-time.Duration(n-i) * time.Minute)
		tasks[i] = task.Task{
			ID: fmt.Sprintf("t-%05d", i), Type: task.CreateAccessAssignment, Status: task.Success,
			Start: start, End: start.Add(20 * time.Second),
			AccessConfigurationID: "ac-1", AccessConfigurationName: "ECS-Admin",
			TargetType: "RD-Account", TargetID: "1142405247840001", TargetName: "dev-test",
			PrincipalType: "User", PrincipalID: "u-1", PrincipalName: "Alice",
		}
	}
	return tasks
}

// codes counts the calls by how they ended.
func codes(s *Server) map[string]int {
	counts := map[string]int{}
	for _, c := range s.Calls() {
		counts[c.Code]++
	}
	return counts
}
