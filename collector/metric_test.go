package collector

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"

	"cloudsso_exporter/internal/refresh"
)

// promised is what dashboards, rules and people's queries rely on, written down
// apart from the table: a change here is a change for all of them.
const promised = `
gauge     cloudsso_tasks                                      directory_id task_type status
gauge     cloudsso_failed_tasks                               directory_id task_type failure_reason
gauge     cloudsso_unresolved_failures                        directory_id task_type
gauge     cloudsso_unresolved_failures_by_reason              directory_id task_type failure_reason
gauge     cloudsso_unresolved_failures_unlisted               directory_id
gauge     cloudsso_subject_failing                            directory_id task_type access_configuration_id access_configuration_name target_id target_name target_path_name principal_type principal_id principal_name origin_target_id
gauge     cloudsso_unresolved_failure_start_timestamp_seconds directory_id task_type access_configuration_id access_configuration_name target_id target_name target_path_name principal_type principal_id principal_name origin_target_id task_id failure_reason
gauge     cloudsso_last_task_end_timestamp_seconds            directory_id task_type status
gauge     cloudsso_oldest_in_progress_start_timestamp_seconds directory_id task_type
gauge     cloudsso_window_seconds                             directory_id
gauge     cloudsso_directory_info                             directory_id name region
counter   cloudsso_tasks_started_total                        directory_id task_type
counter   cloudsso_tasks_finished_total                       directory_id task_type status
counter   cloudsso_task_failures_total                        directory_id task_type failure_reason
histogram cloudsso_task_duration_seconds                      directory_id task_type status
counter   cloudsso_unresolved_failures_expired_total          directory_id task_type
gauge     cloudsso_up                                         directory_id
gauge     cloudsso_last_refresh_error                         directory_id kind
gauge     cloudsso_last_refresh_success_timestamp_seconds     directory_id
counter   cloudsso_refreshes_total                            directory_id result
histogram cloudsso_refresh_duration_seconds                   directory_id
counter   cloudsso_api_requests_total                         directory_id action code
histogram cloudsso_api_request_duration_seconds               directory_id action
counter   cloudsso_failure_reasons_overflow_total             directory_id
gauge     cloudsso_exporter_build_info                        branch goarch goos goversion revision tags version
gauge     cloudsso_exporter_config_last_reload_successful
gauge     cloudsso_exporter_config_last_reload_success_timestamp_seconds
gauge     cloudsso_exporter_storage_up
counter   promhttp_metric_handler_requests_total              code
gauge     promhttp_metric_handler_requests_in_flight
counter   promhttp_metric_handler_errors_total                cause
gauge     process_start_time_seconds
counter   process_cpu_seconds_total
gauge     process_resident_memory_bytes
gauge     go_goroutines
`

func TestMetricsAreThosePromised(t *testing.T) {
	var got []string
	for _, m := range Metrics() {
		got = append(got, strings.Join(append([]string{string(m.Type), m.Name}, m.Labels...), " "))
		if m.Help == "" || m.Unit == "" || m.Query == "" || !slices.Contains(Sections(), m.Section) {
			t.Errorf("%s needs help, a unit, a query and a section", m.Name)
		}
		if !strings.HasSuffix(m.Help, ".") || strings.Contains(m.Query, "$") {
			t.Errorf("%s: help is a sentence, and the query works anywhere", m.Name)
		}
	}
	var want []string
	for line := range strings.Lines(strings.TrimSpace(promised)) {
		want = append(want, strings.Join(strings.Fields(line), " "))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Every metric described is exposed as described, and nothing of ours is exposed beside them.
func TestExposedAsDescribed(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	own := Process{
		Reloaded:  func() (bool, time.Time) { return true, noon },
		StorageUp: func() bool { return false },
	}
	registry.MustRegister(own.Collectors()...)
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{Registry: registry})
	promhttp.InstrumentMetricHandler(registry, nil)
	if err := registry.Register(New().For([]*refresh.State{succeeded()})); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	exposed := map[string]*dto.MetricFamily{}
	for _, f := range families {
		exposed[f.GetName()] = f
	}
	for _, m := range Metrics() {
		f := exposed[m.Name]
		delete(exposed, m.Name)
		if f == nil {
			t.Errorf("%s is not exposed", m.Name)
			continue
		}
		if got := strings.ToLower(f.GetType().String()); got != string(m.Type) {
			t.Errorf("%s is a %s, not a %s", m.Name, got, m.Type)
		}
		if f.GetHelp() != m.Help && strings.HasPrefix(m.Name, "cloudsso_") && m.Name != "cloudsso_exporter_build_info" {
			t.Errorf("%s: help %q, described as %q", m.Name, f.GetHelp(), m.Help)
		}
		var labels []string
		for _, p := range f.Metric[0].Label {
			labels = append(labels, p.GetName())
		}
		if diff := cmp.Diff(slices.Sorted(slices.Values(m.Labels)), labels); diff != "" {
			t.Errorf("%s: labels (-want +got):\n%s", m.Name, diff)
		}
	}
	for name := range exposed {
		if strings.HasPrefix(name, "cloudsso_") {
			t.Errorf("%s is not described", name)
		}
	}
	for name, want := range map[string]float64{
		"cloudsso_exporter_build_info":                                   1,
		"cloudsso_exporter_config_last_reload_successful":                1,
		"cloudsso_exporter_config_last_reload_success_timestamp_seconds": 1795521600,
		"cloudsso_exporter_storage_up":                                   0,
	} {
		for _, f := range families {
			if got := f.Metric[0].GetGauge().GetValue(); f.GetName() == name && got != want {
				t.Errorf("%s is %v, want %v", name, got, want)
			}
		}
	}
}

// Without a state folder there is nothing to say of it.
func TestNoStateFile(t *testing.T) {
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(Process{Reloaded: func() (bool, time.Time) { return false, time.Time{} }}.Collectors()...)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		switch v := f.Metric[0].GetGauge().GetValue(); f.GetName() {
		case "cloudsso_exporter_storage_up":
			t.Error("storage_up is exposed without a state folder")
		case "cloudsso_exporter_config_last_reload_successful", "cloudsso_exporter_config_last_reload_success_timestamp_seconds":
			if v != 0 {
				t.Errorf("%s is %v before anything was loaded", f.GetName(), v)
			}
		}
	}
}
