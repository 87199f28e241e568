package e2e

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/common/model"
	promlabels "github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
	"github.com/prometheus/prometheus/tsdb"
)

// known is a series of the exporter as Prometheus stores it.
type known struct {
	labels promlabels.Labels
	value  float64
}

func (k known) name() string { return k.labels.Get(model.MetricNameLabel) }

// scrape reads what Prometheus would of an exporter.
func scrape(t *testing.T, address string) (all []known) {
	t.Helper()
	page, header, err := get("http://" + address + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	parser, err := textparse.New(page, header.Get("Content-Type"), promlabels.NewSymbolTable(), textparse.ParserOptions{})
	if err != nil {
		t.Fatal(err)
	}
	target := promlabels.NewBuilder(promlabels.EmptyLabels())
	for {
		entry, err := parser.Next()
		switch {
		case errors.Is(err, io.EOF):
			return all
		case err != nil:
			t.Fatal(err)
		case entry == textparse.EntrySeries:
			var l promlabels.Labels
			parser.Labels(&l)
			_, _, value := parser.Series()
			target.Reset(l)
			all = append(all, known{target.Set("job", "cloudsso").Set("instance", address).Labels(), value})
		}
	}
}

// alerts are what the rules have made of the failures among the series.
func alerts(all []known) (firing []known) {
	names := map[string][2]string{
		"ProvisionAccessConfiguration": {"CloudSSOProvisioningFailed", "warning"}, "DeprovisionAccessConfiguration": {"CloudSSODeprovisioningFailed", "warning"},
		"CreateAccessAssignment": {"CloudSSOAssignmentFailed", "warning"}, "DeleteAccessAssignment": {"CloudSSORevocationFailed", "critical"},
	}
	for _, k := range all {
		if k.name() != "cloudsso_unresolved_failure_start_timestamp_seconds" {
			continue
		}
		alert := names[k.labels.Get("task_type")]
		firing = append(firing, known{promlabels.NewBuilder(k.labels).Del("job", "instance", "task_id", "failure_reason").
			Set(model.MetricNameLabel, "ALERTS").Set("alertname", alert[0]).Set("severity", alert[1]).Set("alertstate", "firing").Labels(), 1})
	}
	return firing
}

// remember writes what a Prometheus would remember that has scraped these series each minute for an hour, and for a day what
// the rules look back on for a day. Every directory was read just before each scrape.
func remember(t *testing.T, data string, all []known) {
	t.Helper()
	options := tsdb.DefaultOptions()
	options.RetentionDuration = 0
	options.MaxBlockDuration = (36 * time.Hour).Milliseconds() // as Prometheus compacts with its default retention of 15 days
	db, err := tsdb.Open(data, slog.New(slog.DiscardHandler), nil, options, nil)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	for age := 24*time.Hour + 10*time.Minute; age >= time.Minute; age -= time.Minute {
		app := db.Appender(context.Background())
		for _, k := range all {
			if age > time.Hour && k.name() != "cloudsso_tasks_started_total" {
				continue
			}
			value := k.value
			if k.name() == "cloudsso_last_refresh_success_timestamp_seconds" {
				value -= age.Seconds()
			}
			if _, err := app.Append(0, k.labels, now.Add(-age).UnixMilli(), value); err != nil {
				t.Fatal(err)
			}
		}
		if err := app.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Compact(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}
