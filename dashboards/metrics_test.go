package dashboards

import (
	"strings"

	"cloudsso_exporter/collector"
)

// alertLabels are those of the rules beside the dashboards that a dashboard
// shows. ALERTS is Prometheus' own metric.
var alertLabels = []string{
	"alertname", "alertstate", "severity", "directory_id", "task_type",
	"access_configuration_id", "access_configuration_name",
	"target_id", "target_name", "principal_id", "principal_name",
}

// lookup returns the labels of a series' name, and whether the exporter shows it at all.
func lookup(series string) (labels []string, ok bool) {
	if series == "ALERTS" {
		return alertLabels, true
	}
	for _, m := range collector.Metrics() {
		if m.Name == series {
			return m.Labels, true
		}
		suffix, found := strings.CutPrefix(series, m.Name)
		if !found || m.Type != collector.Histogram {
			continue
		}
		switch suffix {
		case "_sum", "_count":
			return m.Labels, true
		case "_bucket":
			return append([]string{"le"}, m.Labels...), true
		}
	}
	return nil, false
}
