package server

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cloudsso_exporter/internal/histogram"
	"cloudsso_exporter/internal/refresh"
)

// fakeRefresher has states, and a refresh that takes some time when it is due.
type fakeRefresher struct {
	takes time.Duration // Await waits so long, or as long as its context lasts

	mu      sync.Mutex
	states  []*refresh.State
	awaited atomic.Int64
}

func (f *fakeRefresher) Await(ctx context.Context) []*refresh.State {
	f.awaited.Add(1)
	if f.takes > 0 {
		select {
		case <-ctx.Done():
		case <-time.After(f.takes):
		}
	}
	return f.States()
}

func (f *fakeRefresher) States() []*refresh.State {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.states
}

func (f *fakeRefresher) set(states ...*refresh.State) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.states = states
}

// pending is the state of a directory before its first attempt has ended.
func pending(id string) *refresh.State {
	return &refresh.State{
		DirectoryID: id, Region: "cn-shanghai", Window: time.Hour,
		Duration:        histogram.New([]float64{1}, time.Unix(0, 0)),
		RequestDuration: histogram.New([]float64{1}, time.Unix(0, 0)),
	}
}

func attempted(id string) *refresh.State {
	s := pending(id)
	s.Attempted, s.Up, s.Succeeded = true, true, 1
	return s
}

// newHandler is a handler whose clock is the test's.
func newHandler(t testing.TB, f refresher, settings Settings) http.Handler {
	t.Helper()
	return withOptions(t, Options{Settings: settings, Refresher: f})
}

func withOptions(t testing.TB, o Options) http.Handler {
	t.Helper()
	if o.Now == nil {
		o.Now = time.Now
	}
	o.Log = slog.New(slog.DiscardHandler)
	h, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func do(h http.Handler, method, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}
