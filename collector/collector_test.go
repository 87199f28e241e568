package collector

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"cloudsso_exporter/internal/ledger"
	"cloudsso_exporter/internal/refresh"
	"cloudsso_exporter/internal/task"
)

var update = flag.Bool("update", false, "write the golden scrapes and the reference")

// noon is when every test's exporter started.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func at(d time.Duration) time.Time { return noon.Add(d) }

// scenes are the States worth a golden scrape.
func scenes() map[string][]*refresh.State {
	hidden, limited, none := succeeded(), succeeded(), succeeded()
	hidden.HideNames = true
	limited.Shown = 1
	none.Shown = 0
	other := succeeded()
	other.DirectoryID, other.Name, other.Region = "d-00other", "", "eu-central-1"
	restored := started()
	restored.Snapshot, restored.LastSuccess = snapshot(), at(-time.Hour)
	return map[string][]*refresh.State{
		"nothing_yet":          {started()},
		"first_failure":        {failed(started(), task.ErrorCredentials)},
		"success":              {succeeded()},
		"failed_after_success": {failed(succeeded(), task.ErrorThrottled)},
		"restored":             {restored},
		"names_hidden":         {hidden},
		"one_shown":            {limited},
		"none_shown":           {none},
		"hostile_labels":       {hostile()},
		"two_directories":      {other, started()},
		"no_directory":         {},
	}
}

func TestGoldenScrapes(t *testing.T) {
	for name, states := range scenes() {
		t.Run(name, func(t *testing.T) {
			got := text(t, gather(t, New().For(states)), expfmt.NewFormat(expfmt.TypeTextPlain))
			file := filepath.Join("testdata", name+".prom")
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("differs from %s; if it should, run go test ./collector -update (-want +got):\n%s", file, diff)
			}
		})
	}
}

// Gathered without a registry, a scrape is what a registry that checks everything makes of it.
func TestGatherIsWhatARegistryGathers(t *testing.T) {
	for name, states := range scenes() {
		scrape := New().For(states)
		got, err := scrape.Gather()
		if err != nil {
			t.Fatal(err)
		}
		for _, format := range []expfmt.FormatType{expfmt.TypeTextPlain, expfmt.TypeOpenMetrics} {
			want := strings.Split(string(text(t, gather(t, scrape), expfmt.NewFormat(format))), "\n")
			lines := strings.Split(string(text(t, got, expfmt.NewFormat(format))), "\n")
			if len(states) > 1 { // whose order is that of the states
				slices.Sort(want)
				slices.Sort(lines)
			}
			if diff := cmp.Diff(want, lines); diff != "" {
				t.Errorf("%s, %v (-want +got):\n%s", name, format, diff)
			}
		}
	}
}

func TestLint(t *testing.T) {
	for name, states := range scenes() {
		problems, err := testutil.CollectAndLint(New().For(states))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			t.Errorf("%s: %s: %s", name, p.Metric, p.Text)
		}
	}
}

// No sample carries a timestamp, and text has no series for created timestamps.
func TestTextStaysPlain(t *testing.T) {
	families := gather(t, New().For([]*refresh.State{succeeded()}))
	for _, f := range families {
		for _, m := range f.Metric {
			if m.TimestampMs != nil {
				t.Errorf("%s carries a timestamp", f.GetName())
			}
		}
	}
	got := text(t, families, expfmt.NewFormat(expfmt.TypeOpenMetrics))
	for line := range strings.Lines(string(got)) {
		if strings.Contains(line, "_created") {
			t.Errorf("a created timestamp in text: %s", line)
		}
	}
	if !bytes.HasSuffix(got, []byte("# EOF\n")) {
		t.Error("OpenMetrics is not whole")
	}
}

// From the first complete refresh on, by the real window, all 4 × 3 combinations
// are there even if there is no task, and before it there is no gauge of tasks.
func TestEmptyDirectory(t *testing.T) {
	l := ledger.New(ledger.Settings{Window: 24 * time.Hour, ReasonLimit: 50, MaxAge: 30 * 24 * time.Hour})
	state := started()
	count := func(name string) int { return testutil.CollectAndCount(New().For([]*refresh.State{state}), name) }
	if state.Snapshot = l.Snapshot(); count("cloudsso_tasks") != 0 {
		t.Error("tasks are shown before the first complete refresh")
	}
	l.Apply(ledger.NewBatch(), ledger.Span{Began: noon, At: noon, Since: at(-24 * time.Hour)})
	state.Snapshot = l.Snapshot()
	for name, want := range map[string]int{
		"cloudsso_tasks":                                      12,
		"cloudsso_failed_tasks":                               0,
		"cloudsso_unresolved_failures":                        4,
		"cloudsso_unresolved_failures_by_reason":              0,
		"cloudsso_unresolved_failures_unlisted":               1,
		"cloudsso_subject_failing":                            0,
		"cloudsso_unresolved_failure_start_timestamp_seconds": 0,
		"cloudsso_last_task_end_timestamp_seconds":            0,
		"cloudsso_oldest_in_progress_start_timestamp_seconds": 0,
		"cloudsso_tasks_started_total":                        4,
		"cloudsso_tasks_finished_total":                       8,
		"cloudsso_task_duration_seconds":                      8,
		"cloudsso_unresolved_failures_expired_total":          4,
		"cloudsso_failure_reasons_overflow_total":             1,
	} {
		if got := count(name); got != want {
			t.Errorf("%s: %d series, want %d", name, got, want)
		}
	}
}

// Each kind of failure is the one 1 among all kinds; a kind never heard of is other.
func TestLastRefreshError(t *testing.T) {
	want := func(kind string) map[string]float64 {
		all := map[string]float64{
			"credentials": 0, "permission": 0, "throttled": 0, "not_found": 0, "timeout": 0,
			"network": 0, "invalid_response": 0, "storage": 0, "other": 0,
		}
		if kind != "" {
			all[kind] = 1
		}
		return all
	}
	for _, test := range []struct {
		name  string
		state *refresh.State
		want  map[string]float64
	}{
		{"nothing yet", started(), want("")},
		{"success", succeeded(), want("")},
		{"credentials", failed(started(), task.ErrorCredentials), want("credentials")},
		{"storage", failed(succeeded(), task.ErrorStorage), want("storage")},
		{"other", failed(succeeded(), task.ErrorOther), want("other")},
		{"unheard of", failed(succeeded(), "gremlins"), want("other")},
	} {
		got := map[string]float64{}
		for _, f := range gather(t, New().For([]*refresh.State{test.state})) {
			for _, m := range f.Metric {
				if f.GetName() == "cloudsso_last_refresh_error" {
					got[label(m, "kind")] = m.GetGauge().GetValue()
				}
			}
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

// Labels that become the same when invalid bytes are replaced are one series:
// numbers of things add up, and of one by one nothing else is like it.
func TestCollapsingLabels(t *testing.T) {
	s := succeeded()
	s.Requests = append(s.Requests, refresh.Requests{Action: "ListTasks", Code: "a\xff", N: 2}, refresh.Requests{Action: "ListTasks", Code: "a\xfe", N: 3})
	s.Snapshot.Failed = []ledger.ReasonCount{{Type: "T", Reason: "\xff", N: 1}, {Type: "T", Reason: "\xfe", N: 4}}
	s.Snapshot.LastEnd = []ledger.StatusTime{{Type: "T", Status: "\xff", At: at(1 * time.Second)}, {Type: "T", Status: "\xfe", At: at(2 * time.Second)}}
	s.Snapshot.OldestInProgress = []ledger.TypeTime{{Type: "\xff", At: at(3 * time.Second)}, {Type: "\xfe", At: at(1 * time.Second)}}
	s.Snapshot.Failures = append(s.Snapshot.Failures, s.Snapshot.Failures...)
	i := slices.IndexFunc(s.Snapshot.Counters, func(c ledger.Series) bool { return c.Metric == ledger.Durations })
	s.Snapshot.Counters = append(s.Snapshot.Counters, s.Snapshot.Counters[i])
	twin := succeeded() // the same directory twice, and once more by other bytes
	s.DirectoryID, twin.DirectoryID = "d-\xff", "d-\xfe"

	got := map[string]float64{}
	for _, f := range gather(t, New().For([]*refresh.State{s, s, twin})) {
		for _, m := range f.Metric {
			if id := label(m, "directory_id"); id != "d-\uFFFD" {
				t.Errorf("%s of directory %q", f.GetName(), id)
			}
			if l := m.Label; slices.ContainsFunc(l, func(p *dto.LabelPair) bool {
				return strings.Contains(p.GetValue(), "\uFFFD") && p.GetName() != "directory_id"
			}) {
				got[f.GetName()] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
	}
	if diff := cmp.Diff(map[string]float64{
		"cloudsso_api_requests_total":                         5,
		"cloudsso_failed_tasks":                               5,
		"cloudsso_last_task_end_timestamp_seconds":            1795521602,
		"cloudsso_oldest_in_progress_start_timestamp_seconds": 1795521601,
	}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// gather collects with all checks there are, those of consistency included.
func gather(t *testing.T, c prometheus.Collector) []*dto.MetricFamily {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(c); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	return families
}

func text(t *testing.T, families []*dto.MetricFamily, format expfmt.Format) []byte {
	t.Helper()
	var b bytes.Buffer
	e := expfmt.NewEncoder(&b, format)
	for _, f := range families {
		if err := e.Encode(f); err != nil {
			t.Fatal(err)
		}
	}
	if c, ok := e.(expfmt.Closer); ok {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func label(m *dto.Metric, name string) string {
	for _, p := range m.Label {
		if p.GetName() == name {
			return p.GetValue()
		}
	}
	return ""
}
