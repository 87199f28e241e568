package collector

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"google.golang.org/protobuf/proto"

	"cloudsso_exporter/internal/histogram"
	"cloudsso_exporter/internal/refresh"
)

// scraped is what a scraper gets of states in a format, by name.
func scraped(t *testing.T, format expfmt.Format, states ...*refresh.State) map[string]*dto.MetricFamily {
	t.Helper()
	d := expfmt.NewDecoder(bytes.NewReader(text(t, gather(t, New().For(states)), format)), format)
	families := map[string]*dto.MetricFamily{}
	for {
		f := &dto.MetricFamily{}
		switch err := d.Decode(f); {
		case errors.Is(err, io.EOF):
			return families
		case err != nil:
			t.Fatal(err)
		}
		families[f.GetName()] = f
	}
}

// Every counter and histogram says in protobuf when it began.
func TestCreatedTimestamps(t *testing.T) {
	families := scraped(t, expfmt.NewFormat(expfmt.TypeProtoDelim), succeeded())
	for _, test := range []struct {
		name string
		want time.Duration // since noon
	}{
		{"cloudsso_tasks_started_total", -3 * time.Hour},
		{"cloudsso_task_failures_total", -time.Minute}, // the series on hold
		{"cloudsso_task_duration_seconds", -3 * time.Hour},
		{"cloudsso_unresolved_failures_expired_total", -3 * time.Hour},
		{"cloudsso_failure_reasons_overflow_total", -3 * time.Hour},
		{"cloudsso_refreshes_total", 0},
		{"cloudsso_refresh_duration_seconds", 0},
		{"cloudsso_api_requests_total", 0},
		{"cloudsso_api_request_duration_seconds", 0},
	} {
		m := families[test.name].GetMetric()[0]
		got := m.GetCounter().GetCreatedTimestamp()
		if h := m.GetHistogram(); h != nil {
			got = h.GetCreatedTimestamp()
		}
		if want := noon.Add(test.want); got == nil || !got.AsTime().Equal(want) {
			t.Errorf("%s began %v, want %s", test.name, got, want)
		}
	}
	for name, f := range families {
		for _, m := range f.Metric {
			if m.Counter != nil && m.Counter.CreatedTimestamp == nil || m.Histogram != nil && m.Histogram.CreatedTimestamp == nil {
				t.Errorf("%s: %v does not say when it began", name, m)
			}
		}
	}
}

// Classic and native buckets are those client_golang makes of the same observations.
func TestHistogramAgreesWithClientGolang(t *testing.T) {
	for _, test := range []struct {
		name      string
		durations []time.Duration
	}{
		{"nothing observed", nil},
		{"only zeros", []time.Duration{0, 0}},
		{"one", []time.Duration{time.Second}},
		{"neighbours and gaps of all lengths", []time.Duration{
			1000 * time.Millisecond, 1090 * time.Millisecond, 1300 * time.Millisecond, 1700 * time.Millisecond,
			2500 * time.Millisecond, 2500 * time.Millisecond, 9 * time.Second, time.Hour, time.Nanosecond, 0,
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			bounds := []float64{1, 2.5, 60}
			yardstick := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "x", Buckets: bounds, NativeHistogramBucketFactor: 1.1})
			h := histogram.New(bounds, noon)
			for _, d := range test.durations {
				h.Observe(d)
				yardstick.Observe(d.Seconds())
			}
			var want dto.Metric
			if err := yardstick.Write(&want); err != nil {
				t.Fatal(err)
			}
			got := exposed(h)
			want.Histogram.CreatedTimestamp, got.CreatedTimestamp = nil, nil
			if !proto.Equal(want.Histogram, got) {
				t.Errorf("got  %v\nwant %v", got, want.Histogram)
			}
		})
	}
}

// Whatever is in a label comes back out of the text, and spoils nothing beside it.
func TestHostileLabelsComeBack(t *testing.T) {
	s := hostile()
	s.Requests[2].Code = "\r\n\x00\\\"} 1\n# TYPE cloudsso_up counter\n"
	for _, format := range []expfmt.FormatType{expfmt.TypeTextPlain, expfmt.TypeProtoDelim} {
		families := scraped(t, expfmt.NewFormat(format).WithEscapingScheme(model.NoEscaping), s)
		if len(families) != len(table()) {
			t.Errorf("%v: %d families, want %d", format, len(families), len(table()))
		}
		got := map[string]string{}
		for _, f := range families {
			for _, m := range f.Metric {
				for _, p := range m.Label {
					switch p.GetName() {
					case "name", "region", "target_name", "principal_name", "access_configuration_name", "code":
						if _, ok := got[p.GetName()]; !ok || len(p.GetValue()) > len(got[p.GetName()]) {
							got[p.GetName()] = p.GetValue() // the longest is the hostile one
						}
					}
				}
			}
		}
		want := map[string]string{
			"name":                      "a\"b\\c\nd\te,f{g=\"h\"}",
			"region":                    "\uFFFD",
			"target_name":               "<script>alert(1)</script>",
			"principal_name":            "Robert'); DROP TABLE users;--\u2028\u202e",
			"access_configuration_name": "half \uFFFD of a character",
			"code":                      "\r\n\x00\\\"} 1\n# TYPE cloudsso_up counter\n",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%v (-want +got):\n%s", format, diff)
		}
	}
}
