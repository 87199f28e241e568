package command

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cloudsso_exporter/internal/config"
	"cloudsso_exporter/internal/refresh"
	"cloudsso_exporter/internal/simulator"
	"cloudsso_exporter/internal/simulator/inprocess"
	"cloudsso_exporter/internal/store"
	"cloudsso_exporter/internal/task"
)

// lab is the exporter, the real client and a simulated API in one synctest
// bubble: all of the program but HTTP towards Prometheus.
type lab struct {
	*testing.T
	yaml string
	api  *simulator.Server
	skew atomic.Int64 // of the exporter's clock
	path string       // of the state folder; empty: none
	now  func() time.Time

	*exporter
}

var labKey = simulator.Key{ID: "LTAI5tLaboratory", Secret: "secret-of-the-lab", SecurityToken: "token-of-the-lab"}

// newLab prepares a lab with this configuration. It begins in 2026, as API time does not begin in 2000 as bubbles do.
func newLab(t *testing.T, yaml string, options simulator.Options) *lab {
	l := &lab{T: t, yaml: yaml}
	l.now = func() time.Time { return time.Now().Round(0).Add(time.Duration(l.skew.Load())) }
	options.Keys = []simulator.Key{labKey}
	l.api = simulator.New(options)
	time.Sleep(time.Until(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)))
	return l
}

// start begins to watch.
func (l *lab) start() {
	l.Helper()
	l.exporter = watch(l, l.yaml, l.path, l.now, inprocess.Transport(l.api))
}

// withKey puts the credential in, which the configurations of tests write as *key.
func withKey(yaml string) string {
	key := fmt.Sprintf("{type: sts, access_key_id: %s, access_key_secret: %s, security_token: %s}", labKey.ID, labKey.Secret, labKey.SecurityToken)
	return strings.ReplaceAll(yaml, "*key", key)
}

// watch returns an exporter of the configuration; path is of the state folder, if any.
func watch(tb testing.TB, yaml, path string, now func() time.Time, transport http.RoundTripper) *exporter {
	tb.Helper()
	var file *store.Store
	var err error
	if path != "" {
		if file, err = store.Open(tb.Context(), path, store.Options{Now: now}); err != nil {
			tb.Fatal(err)
		}
	}
	e := newExporter(now, slog.New(slog.DiscardHandler), transport, file)
	conf, err := config.Parse("test.yaml", []byte(withKey(yaml)), config.Outside{})
	if err != nil {
		tb.Fatal(err)
	}
	if err := e.apply(conf); err != nil {
		tb.Fatal(err)
	}
	return e
}

func (l *lab) stop() {
	l.Helper()
	if err := l.close(); err != nil {
		l.Error(err)
	}
}

// scrape awaits as the server does, and returns all States.
func (l *lab) scrape() []*refresh.State {
	ctx, cancel := context.WithTimeout(context.Background(), 9500*time.Millisecond)
	defer cancel()
	began := time.Now()
	states := l.group.Await(ctx)
	if took := time.Since(began); took > 9500*time.Millisecond {
		l.Errorf("a scrape waited %v", took)
	}
	return states
}

// calls returns the number of calls served since it was last asked.
func (l *lab) calls() int {
	n := l.api.Total()
	l.api.ForgetCalls()
	return n
}

// quick is a task that ends at once.
func quick(n int, start time.Time) simulator.Record {
	return simulator.Record{Task: task.Task{
		ID: fmt.Sprintf("t-%07d", n), Type: task.Types()[n%4], Status: task.Success, Start: start.Truncate(time.Second), End: start.Truncate(time.Second),
		AccessConfigurationID: fmt.Sprintf("ac-%d", n%7), TargetType: "RD-Account", TargetID: fmt.Sprint(1000 + n%50),
		PrincipalType: "User", PrincipalID: fmt.Sprintf("u-%d", n%90),
	}}
}

// spread makes n tasks that start evenly within a time.
func spread(first, n int, from time.Time, over time.Duration) []simulator.Record {
	records := make([]simulator.Record, n)
	for i := range records {
		records[i] = quick(first+i, from.Add(time.Duration(float64(over)*float64(i)/float64(n))))
	}
	return records
}

// directories is the configuration of so many.
func directories(n int) string {
	var b strings.Builder
	b.WriteString("directories:\n")
	for i := range n {
		fmt.Fprintf(&b, "  - {directory_id: d-%04d, region: cn-shanghai, credential: *key}\n", i)
	}
	return b.String()
}
