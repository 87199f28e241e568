package apiclient

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"cloudsso_exporter/internal/simulator"
	"cloudsso_exporter/internal/task"
)

const testDirectory = "d-00fc2p61test"

// testKeys hold words that no error may repeat.
func testKeys() Keys {
	return Keys{AccessKeyID: "LTAI5tTestTestTest", AccessKeySecret: "verySecretKey/+=", SecurityToken: "CAIS+tokenToken/Token=="}
}

// testConfig is for in-process round trips: no limit is ever in the way.
func testConfig(rt http.RoundTripper) Config {
	return Config{
		DirectoryID: testDirectory, URL: "http://127.0.0.1", Keys: testKeys(), Transport: rt,
		RequestTimeout: 10 * time.Second, PageTimeout: time.Minute, MaxRetries: 4, Now: localNow,
	}
}

// localNow is the local clock. In synctest's bubbles, which begin in 2000, it is 26 years later.
func localNow() time.Time {
	now := time.Now()
	if now.Year() < 2010 {
		now = now.Add(26 * 365 * 24 * time.Hour)
	}
	return now
}

// newSimulator returns a simulated API with n tasks, one a second, by the clock now.
func newSimulator(n int, now func() time.Time, opts simulator.Options) *simulator.Server {
	k := testKeys()
	opts.Now = now
	opts.Keys = []simulator.Key{{ID: k.AccessKeyID, Secret: k.AccessKeySecret, SecurityToken: k.SecurityToken}}
	s := simulator.New(opts)
	s.Directory(testDirectory).Put(madeTasks(n, now())...)
	return s
}

func madeTasks(n int, now time.Time) []task.Task {
	tasks := make([]task.Task, n)
	for i := range tasks {
		start := now.Add(-time.Duration(i+60) * time.Second).Truncate(time.Second).UTC()
		tasks[i] = task.Task{
			ID: fmt.Sprintf("t-%06d", i), Type: task.CreateAccessAssignment, Status: task.Success, Start: start, End: start.Add(5 * time.Second),
			AccessConfigurationID: "ac-1", AccessConfigurationName: "ECS-Admin", TargetType: "RD-Account", TargetID: "114240524784",
			TargetName: "dev-test", PrincipalType: "User", PrincipalID: "u-1", PrincipalName: "Alice",
		}
	}
	return tasks
}

// since is a query that all made tasks match.
func since(now time.Time) task.Query { return task.Query{From: now.Add(-6 * 24 * time.Hour)} }

// attempts notes what Observe is told.
type attempts struct {
	mu    sync.Mutex
	codes []string
}

func (a *attempts) Observe(action, code string, took time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if action != "ListTasks" || took < 0 || code == "" {
		code = fmt.Sprintf("%s of %s after %s", code, action, took)
	}
	a.codes = append(a.codes, code)
}

func (a *attempts) String() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return strings.Join(a.codes, " ")
}

// read takes all pages and returns the ids of the tasks, and the error that ended it.
func read(c *Client, q task.Query, p task.Paging) (ids map[string]int, pages int, err error) {
	ids = map[string]int{}
	for page, err := range c.Pages(context.Background(), q, p) {
		if err != nil {
			return ids, pages, err
		}
		pages++
		for _, t := range page.Tasks {
			ids[t.ID]++
		}
	}
	return ids, pages, nil
}

// asError is the error as the Client's.
func asError(t *testing.T, err error) *Error {
	t.Helper()
	var failed *Error
	if !errors.As(err, &failed) {
		t.Fatalf("error %v (%T) is no *Error", err, err)
	}
	return failed
}

// newServer serves on loopback until the test ends.
func newServer(t testing.TB, h http.HandlerFunc) *httptest.Server {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// newPool is a connection pool that closes with the test.
func newPool(t testing.TB) *http.Transport {
	p := NewTransport()
	t.Cleanup(p.CloseIdleConnections)
	return p
}

// roundTrip is an http.RoundTripper made of a function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

const emptyPage = `{"RequestId":"r-1","Tasks":[],"IsTruncated":false,"MaxResults":20,"TotalCounts":0}`
