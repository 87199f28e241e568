package apiclient

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"time"

	"cloudsso_exporter/internal/simulator"
	"cloudsso_exporter/internal/task"
)

// BenchmarkSignedCall is one call for a page of 20 tasks against a loopback
// server that does nothing else: its allocations, the server's included, are
// at most 600.
func BenchmarkSignedCall(b *testing.B) {
	body := recordedPage(b)
	s := newServer(b, func(w http.ResponseWriter, _ *http.Request) { w.Write(body) })
	conf := testConfig(newPool(b))
	conf.URL = s.URL
	c := New(conf)
	call := func() {
		for page, err := range c.Pages(b.Context(), task.Query{From: time.Now()}, task.Paging{}) {
			if err != nil || len(page.Tasks) != 20 {
				b.Fatal(len(page.Tasks), err)
			}
			return
		}
	}
	call() // opens the connection
	allocations := testing.AllocsPerRun(200, call)
	b.ReportAllocs()
	for b.Loop() {
		call()
	}
	b.ReportMetric(allocations, "allocs/call")
	if allocations > 600 {
		b.Errorf("%.0f allocations for one signed call, at most 600", allocations)
	}
}

// recordedPage is what the simulator answers for a full page.
func recordedPage(b *testing.B) []byte {
	s := newServer(b, newSimulator(40, time.Now, simulator.Options{}).ServeHTTP)
	var body bytes.Buffer
	pool := newPool(b)
	conf := testConfig(roundTrip(func(r *http.Request) (*http.Response, error) {
		res, err := pool.RoundTrip(r)
		if err == nil {
			res.Body = io.NopCloser(io.TeeReader(res.Body, &body))
		}
		return res, err
	}))
	conf.URL, conf.Now = s.URL, time.Now
	for _, err := range New(conf).Pages(b.Context(), since(time.Now()), task.Paging{}) {
		if err != nil {
			b.Fatal(err)
		}
		break
	}
	return body.Bytes()
}

// BenchmarkFirstRead reads 10,000 tasks from an API that takes 5 ms a call. It
// takes at most 1.2 times what as many plain calls take one after the other.
func BenchmarkFirstRead(b *testing.B) {
	const tasks, calls, latency = 10_000, 500, 5 * time.Millisecond
	s := newServer(b, newSimulator(tasks, time.Now, simulator.Options{Latency: latency}).ServeHTTP)
	pool := newPool(b)
	conf := testConfig(pool)
	conf.URL, conf.Now = s.URL, time.Now
	began := time.Now()
	for range calls {
		res, err := pool.RoundTrip(plainRequest(b, s.URL))
		if err != nil {
			b.Fatal(err)
		}
		io.Copy(io.Discard, res.Body)
		res.Body.Close()
	}
	floor := time.Since(began)

	var took time.Duration
	runs := 0
	for b.Loop() {
		began := time.Now()
		ids, pages, err := read(New(conf), since(time.Now()), task.Paging{})
		if err != nil || len(ids) != tasks || pages != calls {
			b.Fatal(len(ids), pages, err)
		}
		took += time.Since(began)
		runs++
	}
	ratio := float64(took) / float64(runs) / float64(floor)
	b.ReportMetric(ratio, "x-floor")
	if ratio > 1.2 {
		b.Errorf("the read took %.2f times as long as %d plain calls, at most 1.2", ratio, calls)
	}
}

// plainRequest is one that the handler refuses, after its latency, for want of a signature.
func plainRequest(b *testing.B, url string) *http.Request {
	r, err := http.NewRequestWithContext(b.Context(), http.MethodPost, url+"/?Action=ListTasks", nil)
	if err != nil {
		b.Fatal(err)
	}
	return r
}
