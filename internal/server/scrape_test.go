package server

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"cloudsso_exporter/internal/ledger"
	"cloudsso_exporter/internal/refresh"
	"cloudsso_exporter/internal/task"
)

// A scrape waits as long as its budget, then it is served what there is.
func TestBudget(t *testing.T) {
	for _, test := range []struct {
		header string // none: no header
		offset time.Duration
		want   time.Duration
	}{
		{"", 500 * time.Millisecond, 10 * time.Second},
		{"10", 500 * time.Millisecond, 9500 * time.Millisecond},
		{"14.5", time.Second, 13500 * time.Millisecond},
		{"10", 0, 10 * time.Second},
		{"60", 0, time.Minute},
		{"600", 500 * time.Millisecond, 59500 * time.Millisecond},
		{"1e300", 0, time.Minute},
		{"+Inf", 0, time.Minute},
		{"0", 500 * time.Millisecond, 10 * time.Second},
		{"-1", 500 * time.Millisecond, 10 * time.Second},
		{"NaN", 500 * time.Millisecond, 10 * time.Second},
		{"soon", 500 * time.Millisecond, 10 * time.Second},
		{"10s", 500 * time.Millisecond, 10 * time.Second},
		{"0.5", 500 * time.Millisecond, 50 * time.Millisecond},
		{"2", 5 * time.Second, 200 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := &fakeRefresher{takes: time.Hour, states: []*refresh.State{attempted("d-1")}}
			h := newHandler(t, f, Settings{TimeoutOffset: test.offset})
			var header []string
			if test.header != "" {
				header = []string{"X-Prometheus-Scrape-Timeout-Seconds", test.header}
			}
			start := time.Now()
			w := do(h, "GET", "/metrics", header...)
			if waited := time.Since(start); waited != test.want {
				t.Errorf("timeout %q, offset %s: waited %s, want %s", test.header, test.offset, waited, test.want)
			}
			if w.Code != 200 || !strings.Contains(w.Body.String(), `cloudsso_up{directory_id="d-1"} 1`) {
				t.Errorf("timeout %q: served %d %s", test.header, w.Code, w.Body)
			}
		})
	}
}

// A refresh that ends in time is not waited for any longer, and a request that is
// cancelled, as all are when the server closes, is served what there is at once.
func TestNoLongerThanNeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(t, &fakeRefresher{takes: 3 * time.Second, states: []*refresh.State{attempted("d-1")}}, Settings{})
		start := time.Now()
		if do(h, "GET", "/metrics"); time.Since(start) != 3*time.Second {
			t.Errorf("waited %s for a refresh of 3s", time.Since(start))
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		start = time.Now()
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequestWithContext(ctx, "GET", "/metrics", nil))
		if time.Since(start) != time.Second || w.Code != 200 || !strings.Contains(w.Body.String(), "cloudsso_up") {
			t.Errorf("cancelled after 1s: served %d after %s", w.Code, time.Since(start))
		}
	})
}

// Waiting scrapes count: the one above the limit is refused at once, and a slot
// that becomes free serves again.
func TestLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(t, &fakeRefresher{takes: 5 * time.Second, states: []*refresh.State{attempted("d-1")}}, Settings{MaxRequests: 3})
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if w := do(h, "GET", "/metrics"); w.Code != 200 {
					t.Errorf("a scrape within the limit: %d", w.Code)
				}
			})
		}
		synctest.Wait()
		start := time.Now()
		w := do(h, "GET", "/metrics")
		if w.Code != 503 || time.Since(start) != 0 || !strings.Contains(w.Body.String(), "--web.max-requests") {
			t.Errorf("above the limit: %d %q after %s", w.Code, w.Body, time.Since(start))
		}
		if w := do(h, "GET", "/-/healthy"); w.Code != 200 {
			t.Errorf("health is refused too: %d", w.Code)
		}
		wg.Wait()
		w = do(h, "GET", "/metrics")
		for _, want := range []string{
			`promhttp_metric_handler_requests_total{code="200"} 3`,
			`promhttp_metric_handler_requests_total{code="503"} 1`,
			`promhttp_metric_handler_requests_in_flight 1`,
			`promhttp_metric_handler_errors_total{cause="gathering"} 0`,
		} {
			if !strings.Contains(w.Body.String(), want+"\n") {
				t.Errorf("%d, without %s", w.Code, want)
			}
		}
	})
}

// countingAPI lists one page of nothing, slowly.
type countingAPI struct{ calls atomic.Int64 }

func (a *countingAPI) Now() time.Time { return time.Now() }

func (a *countingAPI) Pages(context.Context, task.Query, task.Paging) iter.Seq2[task.Page, error] {
	return func(yield func(task.Page, error) bool) {
		a.calls.Add(1)
		time.Sleep(2 * time.Second)
		yield(task.Page{}, nil)
	}
}

// 25 scrapes at once share one refresh of the real thing, and all see its end.
func TestScrapesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := &countingAPI{}
		set := refresh.Settings{DirectoryID: "d-1", CacheTTL: 55 * time.Second, Settings: ledger.Settings{Window: ledger.Retention, ReasonLimit: 5, MaxAge: time.Hour}}
		d := refresh.NewDirectory(set, api, refresh.NewMeter(time.Now()), nil, time.Now, slog.New(slog.DiscardHandler))
		group := new(refresh.Group)
		group.Set([]*refresh.Directory{d})
		defer d.Close()
		h := newHandler(t, group, Settings{MaxRequests: 40})
		for _, wantCalls := range []int64{1, 2} {
			var wg sync.WaitGroup
			for range 25 {
				wg.Go(func() {
					start := time.Now()
					w := do(h, "GET", "/metrics")
					want := fmt.Sprintf(`cloudsso_refreshes_total{directory_id="d-1",result="success"} %d`, wantCalls)
					if w.Code != 200 || time.Since(start) != 2*time.Second || !strings.Contains(w.Body.String(), want+"\n") {
						t.Errorf("%d after %s, without %s", w.Code, time.Since(start), want)
					}
				})
			}
			wg.Wait()
			if got := api.calls.Load(); got != wantCalls {
				t.Errorf("%d calls, want %d", got, wantCalls)
			}
			time.Sleep(time.Minute)
		}
	})
}

func TestNegotiation(t *testing.T) {
	h := newHandler(t, &fakeRefresher{states: []*refresh.State{attempted("d-1")}}, Settings{})
	for _, test := range []struct{ accept, want string }{
		{"", "text/plain; version=0.0.4"},
		{"application/openmetrics-text;version=1.0.0", "application/openmetrics-text; version=1.0.0"},
		{"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited", "application/vnd.google.protobuf"},
	} {
		w := do(h, "GET", "/metrics", "Accept", test.accept, "Accept-Encoding", "gzip")
		if got := w.Header().Get("Content-Type"); !strings.HasPrefix(got, test.want) {
			t.Errorf("Accept %q: %q, want %q", test.accept, got, test.want)
		}
		if got := w.Header().Get("Content-Encoding"); got != "gzip" {
			t.Errorf("Accept %q: encoding %q", test.accept, got)
		}
		z, err := gzip.NewReader(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case strings.Contains(test.accept, "protobuf"):
			var f dto.MetricFamily
			if err := expfmt.NewDecoder(bytes.NewReader(body), expfmt.NewFormat(expfmt.TypeProtoDelim)).Decode(&f); err != nil {
				t.Error(err)
			}
		case strings.Contains(test.accept, "openmetrics"):
			if s := string(body); !strings.HasSuffix(s, "# EOF\n") || strings.Contains(s, "_created") {
				t.Errorf("OpenMetrics is not whole or has _created series:\n%s", s)
			}
		}
	}
	if w := do(h, "GET", "/metrics"); w.Header().Get("Content-Encoding") != "" || !strings.Contains(w.Body.String(), "cloudsso_up") {
		t.Errorf("without being asked: encoding %q", w.Header().Get("Content-Encoding"))
	}
}

// A label that no metric can have must not take the scrape down, only data can be that bad.
func TestWhateverTheDataAScrapeIsServed(t *testing.T) {
	s := attempted("d-\xff")
	s.Name = "\xff\x00\n"
	s.Requests = []refresh.Requests{{Action: "A", Code: "\xff", N: 1}, {Action: "A", Code: "\xfe", N: 2}}
	h := newHandler(t, &fakeRefresher{states: []*refresh.State{s, s, attempted("d-2")}}, Settings{})
	w := do(h, http.MethodGet, "/metrics")
	for _, want := range []string{`code="` + "\uFFFD" + `",directory_id="d-` + "\uFFFD" + `"} 3`, `cloudsso_up{directory_id="d-2"} 1`} {
		if w.Code != 200 || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%d, without %s", w.Code, want)
		}
	}
}

// Scrapes at once in different formats share the metrics of one State and do not disturb each other.
func TestFormatsAtOnce(t *testing.T) {
	s := attempted("d-1")
	s.Name = "ü"
	h := newHandler(t, &fakeRefresher{states: []*refresh.State{s}}, Settings{})
	var wg sync.WaitGroup
	for _, accept := range []string{
		"text/plain;version=0.0.4", "text/plain;version=1.0.0;escaping=allow-utf-8", "text/plain;escaping=dots",
		"application/openmetrics-text;version=1.0.0;escaping=underscores",
		"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
		"application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=text;escaping=values",
	} {
		for range 3 {
			wg.Go(func() {
				size := -1
				for range 10 {
					w := do(h, "GET", "/metrics?name[]=cloudsso_directory_info&name[]=cloudsso_refresh_duration_seconds", "Accept", accept)
					if size >= 0 && w.Body.Len() != size || w.Code != 200 || !strings.Contains(w.Body.String(), "cloudsso_directory_info") {
						t.Errorf("Accept %q: %d bytes, then %d", accept, size, w.Body.Len())
					}
					size = w.Body.Len()
				}
			})
		}
	}
	wg.Wait()
}
