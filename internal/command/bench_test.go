package command

import (
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/metrics"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"cloudsso_exporter/collector"
	"cloudsso_exporter/internal/server"
	"cloudsso_exporter/internal/simulator"
	"cloudsso_exporter/internal/simulator/inprocess"
	"cloudsso_exporter/internal/task"
)

// rig is the whole program, from the signed call to the page of a scrape, under
// a clock that is set by hand: what waits for the clock takes no time, what
// works or waits for an answer takes as long as it does.
type rig struct {
	*testing.B
	clock *atomic.Int64 // of the exporter and of the API, Unix time in ns
	began time.Time     // when the clock began to run; zero: it stands until it is set
	calm  *sync.RWMutex // a call under way holds it for reading: its Date would be wrong if the clock moved
	api   *simulator.Server
	page  *httptest.Server // of scrapes
	*exporter
}

// unlimited is the settings of api where the rate limit is not what is measured.
const unlimited = "api: {rate_limit: 1000000, burst: 1000000}\n"

var rigBegins = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func newRig(b *testing.B, options simulator.Options) *rig {
	r := &rig{B: b, clock: new(atomic.Int64), calm: new(sync.RWMutex)}
	r.clock.Store(rigBegins.UnixNano())
	options.Now, options.Keys = r.time, []simulator.Key{labKey}
	r.api = simulator.New(options)
	return r
}

func (r *rig) time() time.Time {
	now := time.Unix(0, r.clock.Load()).UTC()
	if !r.began.IsZero() {
		now = now.Add(time.Since(r.began))
	}
	return now
}

// start begins to watch; path is of the state folder, if any.
func (r *rig) start(yaml, path string) {
	r.Helper()
	r.exporter = watch(r, yaml, path, r.time, r)
	own := collector.Process{Reloaded: func() (bool, time.Time) { return true, rigBegins }}
	handler, err := server.New(server.Options{Refresher: r.group, Process: own, Now: r.time, Log: r.log})
	if err != nil {
		r.Fatal(err)
	}
	r.page = httptest.NewServer(handler)
}

// stop ends the exporter and lets go of it; the simulated API stays.
func (r *rig) stop() {
	r.Helper()
	r.page.Close()
	if err := r.close(); err != nil {
		r.Error(err)
	}
	r.exporter, r.page = nil, nil
}

// refresh waits for the refreshes under way and those that are due, and checks
// that each directory then shows so many tasks.
func (r *rig) refresh(tasks int) (took time.Duration) {
	r.Helper()
	began := time.Now()
	states := r.group.Await(r.Context())
	took = time.Since(began)
	for _, s := range states {
		if !s.Up {
			r.Fatal(s.Error)
		}
		if n := sum(s); n != tasks {
			r.Fatalf("%s shows %d tasks, want %d", s.DirectoryID, n, tasks)
		}
	}
	return took
}

// scrape is GET /metrics with gzip, as Prometheus asks, with the body thrown away.
func (r *rig) scrape() time.Duration {
	r.Helper()
	request, err := http.NewRequestWithContext(r.Context(), http.MethodGet, r.page.URL+"/metrics", nil)
	if err != nil {
		r.Fatal(err)
	}
	request.Header.Set("Accept-Encoding", "gzip") // by hand: the client leaves the answer as it is
	request.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", "60")
	began := time.Now()
	response, err := r.page.Client().Do(request)
	if err != nil {
		r.Fatal(err)
	}
	defer response.Body.Close()
	n, err := io.Copy(io.Discard, response.Body)
	took := time.Since(began)
	if err != nil || response.StatusCode != http.StatusOK || n == 0 || response.Header.Get("Content-Encoding") != "gzip" {
		r.Fatalf("a scrape answers %s with %d bytes, %v: %v", response.Status, n, response.Header, err)
	}
	return took
}

// pass lets time go by.
func (r *rig) pass(d time.Duration) {
	r.calm.Lock()
	defer r.calm.Unlock()
	r.clock.Add(int64(d))
}

// RoundTrip makes a call at the simulated API.
func (r *rig) RoundTrip(request *http.Request) (*http.Response, error) {
	r.calm.RLock()
	response, err := inprocess.Transport(r.api).RoundTrip(request)
	if err != nil {
		r.calm.RUnlock()
		return nil, err
	}
	response.Body = &closing{ReadCloser: response.Body, then: sync.OnceFunc(r.calm.RUnlock)}
	return response, nil
}

type closing struct {
	io.ReadCloser
	then func()
}

func (c *closing) Close() error {
	defer c.then()
	return c.ReadCloser.Close()
}

// calls is how many calls were made since it was last asked, those for drift
// apart: they list what started long ago, of any type and status.
func (r *rig) calls() (n int) {
	for _, c := range r.api.Calls() {
		from, err := time.Parse("StartTime ge 2006-01-02T15:04:05Z", c.Params.Get("Filter"))
		if err != nil {
			r.Fatal(c.Params, err)
		}
		if r.time().Sub(from) < time.Hour || c.Params.Get("Status") != "" || c.Params.Get("TaskType") != "" {
			n++
		}
	}
	r.api.ForgetCalls()
	return n
}

// put lists finished tasks; one in 50 failed.
func (r *rig) put(directory string, first, n int, from time.Time, over time.Duration) {
	tasks := make([]task.Task, n)
	for i, record := range spread(first, n, from, over) {
		if tasks[i] = record.Task; (first+i)%50 == 7 {
			tasks[i].Status, tasks[i].FailureReason = task.Failed, "EntityAlreadyExists.Role : The role already exists."
		}
	}
	r.api.Directory(directory).Put(tasks...)
}

// liveHeap is what the heap holds once all garbage is gone, in bytes.
func liveHeap() int64 {
	runtime.GC()
	runtime.GC()
	return marked()
}

// marked is what the last collection of garbage found in use, in bytes.
func marked() int64 {
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(sample)
	return int64(sample[0].Value.Uint64())
}

// peak returns a function that says the most that was marked since.
func peak() (stop func() int64) {
	var most int64
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		every := time.NewTicker(5 * time.Millisecond)
		defer every.Stop()
		for {
			most = max(most, marked())
			select {
			case <-quit:
				return
			case <-every.C:
			}
		}
	}()
	return func() int64 {
		close(quit)
		<-done
		return most
	}
}
