package collector

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
)

// program is the name of the exporter and the prefix of what it says of itself.
const program = "cloudsso_exporter"

// Process is what the exporter can say of itself. Its functions are called at
// each scrape and have to be safe for concurrent use.
type Process struct {
	// Reloaded says whether the last load of the configuration succeeded, and
	// when one last did.
	Reloaded func() (ok bool, success time.Time)
	// StorageUp says whether the state folder can be written; nil when none is configured.
	StorageUp func() bool
}

// Collectors returns what the exporter says of itself: no directory's metrics.
// The metrics of the handler that serves scrapes are for that to register.
func (p Process) Collectors() []prometheus.Collector {
	all := []prometheus.Collector{
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		versioncollector.NewCollector(program),
	}
	for _, m := range exporterMetrics() {
		if value := p.value(m.Name); value != nil {
			all = append(all, prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: m.Name, Help: m.Help}, value))
		}
	}
	return all
}

// value is what a metric of the exporter's own says, nil where others say it or nobody can.
func (p Process) value(name string) func() float64 {
	switch {
	case name == program+"_config_last_reload_successful" && p.Reloaded != nil:
		return func() float64 {
			ok, _ := p.Reloaded()
			return boolValue(ok)
		}
	case name == program+"_config_last_reload_success_timestamp_seconds" && p.Reloaded != nil:
		return func() float64 {
			_, success := p.Reloaded()
			return unix(success)
		}
	case name == program+"_storage_up" && p.StorageUp != nil:
		return func() float64 { return boolValue(p.StorageUp()) }
	default:
		return nil
	}
}

// exporterMetrics is what the exporter says of itself, in the order of the
// reference. Of those that client_golang brings it has the ones worth a look.
func exporterMetrics() []Metric {
	all := []Metric{
		{
			Name: program + "_build_info", Type: Gauge, Unit: "always 1",
			Help:   "A constant 1 with the version the exporter was built from as labels.",
			Labels: []string{"branch", "goarch", "goos", "goversion", "revision", "tags", "version"},
			Query:  `count by (version) (cloudsso_exporter_build_info)`,
		},
		{
			Name: program + "_config_last_reload_successful", Type: Gauge, Unit: "0 or 1",
			Help:  "Whether the last load of the configuration succeeded.",
			Notes: "While it is 0 the old configuration keeps running; the log says what is wrong with the new one.",
			Query: `cloudsso_exporter_config_last_reload_successful == 0`,
		},
		{
			Name: program + "_config_last_reload_success_timestamp_seconds", Type: Gauge, Unit: "Unix time in seconds",
			Help:  "Unix time of the last successful load of the configuration, by the exporter's own clock.",
			Query: `time() - cloudsso_exporter_config_last_reload_success_timestamp_seconds`,
		},
		{
			Name: program + "_storage_up", Type: Gauge, Unit: "0 or 1",
			Help:  "Whether the state folder can be written.",
			Notes: "Absent without `--storage.path`. While it is 0 counters keep their last durable value and gauges go on.",
			Query: `cloudsso_exporter_storage_up == 0`,
		},
		{
			Name: "promhttp_metric_handler_requests_total", Type: Counter, Unit: "scrapes",
			Help:   "Total number of scrapes by HTTP status code.",
			Notes:  "503 is a scrape above `--web.max-requests`.",
			Labels: []string{"code"},
			Query:  `increase(promhttp_metric_handler_requests_total{code!="200"}[1h]) > 0`,
		},
		{
			Name: "promhttp_metric_handler_requests_in_flight", Type: Gauge, Unit: "scrapes",
			Help:  "Current number of scrapes being served.",
			Notes: "Those that wait for a refresh included.",
			Query: `max_over_time(promhttp_metric_handler_requests_in_flight[1h])`,
		},
		{
			Name: "promhttp_metric_handler_errors_total", Type: Counter, Unit: "errors",
			Help:   "Total number of internal errors encountered by the promhttp metric handler.",
			Labels: []string{"cause"},
			Query:  `increase(promhttp_metric_handler_errors_total[1h]) > 0`,
		},
		{
			Name: "process_start_time_seconds", Type: Gauge, Unit: "Unix time in seconds",
			Help:  "Start time of the process since unix epoch in seconds.",
			Query: `changes(process_start_time_seconds[1d])`,
		},
		{
			Name: "process_cpu_seconds_total", Type: Counter, Unit: "seconds",
			Help:  "Total user and system CPU time spent in seconds.",
			Query: `rate(process_cpu_seconds_total{job="cloudsso"}[5m])`,
		},
		{
			Name: "process_resident_memory_bytes", Type: Gauge, Unit: "bytes",
			Help:  "Resident memory size in bytes.",
			Query: `process_resident_memory_bytes{job="cloudsso"}`,
		},
		{
			Name: "go_goroutines", Type: Gauge, Unit: "goroutines",
			Help:  "Number of goroutines that currently exist.",
			Query: `go_goroutines{job="cloudsso"}`,
		},
	}
	for i := range all {
		all[i].Section = Exporter
	}
	return all
}
