package server

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"

	"cloudsso_exporter/collector"
	"cloudsso_exporter/internal/ledger"
	"cloudsso_exporter/internal/refresh"
	"cloudsso_exporter/internal/task"
)

// A cached scrape against promhttp serving the same series from a registry of
// client_golang's own metrics: the floor, measured in the same run.
func BenchmarkCachedScrape(b *testing.B) {
	for _, test := range []struct {
		directories int
		ratio       float64
		percentile  float64
	}{
		{1, 1.5, 0.5},
		{200, 0.5, 0.5},
	} {
		b.Run(fmt.Sprintf("directories=%d", test.directories), func(b *testing.B) {
			f := &fakeRefresher{}
			for i := range test.directories {
				f.states = append(f.states, busy(b, fmt.Sprintf("d-%08d", i)))
			}
			ours := newHandler(b, f, Settings{})
			floor := promhttp.HandlerFor(static(b, f.states), promhttp.HandlerOpts{EnableOpenMetrics: true})
			for _, h := range []http.Handler{ours, floor} {
				serve(h)
			}
			var took, least []time.Duration
			for b.Loop() { // one op is both, in turn: stopping the timer between them would chill the first
				took = append(took, serve(ours))
				least = append(least, serve(floor))
			}
			slices.Sort(took)
			slices.Sort(least)
			i := int(test.percentile * float64(len(took)-1))
			ratio := took[i].Seconds() / least[i].Seconds()
			b.ReportMetric(ratio, "×floor")
			b.ReportMetric(float64(took[i].Microseconds()), "µs/scrape")
			if len(took) >= 20 && ratio > test.ratio {
				b.Errorf("a scrape takes %.2f × the floor at percentile %v, at most %v is allowed", ratio, test.percentile, test.ratio)
			}
		})
	}
}

// discard is a response that goes nowhere, as cheaply as can be.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return io.Discard.Write(b) }
func (d discard) WriteHeader(int)             {}

func serve(h http.Handler) time.Duration {
	r := httptest.NewRequest("GET", "/metrics", nil)
	r.Header.Set("Accept-Encoding", "gzip")
	start := time.Now()
	h.ServeHTTP(discard{http.Header{}}, r)
	return time.Since(start)
}

// busy is a directory with 50 unresolved failures of 10 reasons.
func busy(b *testing.B, id string) *refresh.State {
	b.Helper()
	w := ledger.New(ledger.Settings{Window: ledger.Retention, ReasonLimit: 50, MaxAge: ledger.Retention})
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	batch := ledger.NewBatch()
	for i := range 200 {
		start := now.Add(-time.Duration(i) * time.Minute)
		t := task.Task{
			ID: fmt.Sprintf("t-sh5k4gesm6twl%08d", i), Type: task.Types()[i%4], Status: task.Success, Start: start, End: start.Add(20 * time.Second),
			AccessConfigurationID: fmt.Sprintf("ac-00jhtfl8thteu6uj%04d", i), AccessConfigurationName: fmt.Sprintf("Access-%d", i),
			TargetType: "RD-Account", TargetID: fmt.Sprintf("114240524784%04d", i), TargetName: fmt.Sprintf("account-%d", i),
			PrincipalType: "User", PrincipalID: fmt.Sprintf("u-00q8wbq42wiltcrk%04d", i), PrincipalName: fmt.Sprintf("user%d@corp.example", i),
		}
		if i%4 == 2 {
			t.Status, t.FailureReason = task.Failed, fmt.Sprintf("Reason%c.Of: it failed", 'A'+i%10)
		}
		batch.Add([]task.Task{t})
	}
	w.Apply(batch, ledger.Span{Began: now, At: now, Since: now.Add(-ledger.Retention)})
	w.Committed(now)
	s := attempted(id)
	s.Shown, s.Snapshot, s.LastSuccess = 50, w.Snapshot(), now
	s.Requests = []refresh.Requests{{Action: "ListTasks", Code: "OK", N: 7}, {Action: "ListTasks", Code: "Throttling.User"}}
	return s
}

// static is a registry of client_golang's own gauges, counters and histograms
// with the series of these states, beside what the exporter says of itself.
func static(b *testing.B, states []*refresh.State) *prometheus.Registry {
	b.Helper()
	from, to := prometheus.NewRegistry(), prometheus.NewRegistry()
	from.MustRegister(collector.New().For(states))
	to.MustRegister(collector.Process{}.Collectors()...)
	families, err := from.Gather()
	if err != nil {
		b.Fatal(err)
	}
	for _, f := range families {
		names := make([]string, len(f.Metric[0].Label))
		for i, p := range f.Metric[0].Label {
			names[i] = p.GetName()
		}
		register(to, f, names)
	}
	return to
}

func register(to *prometheus.Registry, f *dto.MetricFamily, names []string) {
	values := func(m *dto.Metric) (all []string) {
		for _, p := range m.Label {
			all = append(all, p.GetValue())
		}
		return all
	}
	switch f.GetType() {
	case dto.MetricType_GAUGE:
		v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: f.GetName(), Help: f.GetHelp()}, names)
		to.MustRegister(v)
		for _, m := range f.Metric {
			v.WithLabelValues(values(m)...).Set(m.GetGauge().GetValue())
		}
	case dto.MetricType_COUNTER:
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: f.GetName(), Help: f.GetHelp()}, names)
		to.MustRegister(v)
		for _, m := range f.Metric {
			v.WithLabelValues(values(m)...).Add(m.GetCounter().GetValue())
		}
	case dto.MetricType_HISTOGRAM:
		opts := prometheus.HistogramOpts{Name: f.GetName(), Help: f.GetHelp(), NativeHistogramBucketFactor: 1.1}
		for _, bucket := range f.Metric[0].GetHistogram().GetBucket() {
			opts.Buckets = append(opts.Buckets, bucket.GetUpperBound())
		}
		v := prometheus.NewHistogramVec(opts, names)
		to.MustRegister(v)
		for _, m := range f.Metric {
			for range m.GetHistogram().GetSampleCount() {
				v.WithLabelValues(values(m)...).Observe(1)
			}
		}
	}
}
