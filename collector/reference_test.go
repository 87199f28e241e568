package collector

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

//go:generate go test -run=^TestReference$ . -update

const referenceFile = "../docs/metrics.md"

// TestReference holds the reference to the table.
func TestReference(t *testing.T) {
	got := reference()
	if *update {
		if err := os.WriteFile(referenceFile, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(referenceFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s is not up to date: run go generate ./collector (-want +got):\n%s", referenceFile, diff)
	}
}

const referenceHead = `<!-- Generated from the table in collector/ by go generate ./collector. Do not edit. -->
# Metrics

What ` + "`/metrics`" + ` shows and how to read it. Every metric of a directory has the label ` + "`directory_id`" + `; each metric lists its
other labels. No sample carries a timestamp. Times of a directory are Unix time in seconds by the API's clock.

All gauges under *Tasks* and counters under *Events* come from one complete refresh. A refresh that fails changes none of
them: ` + "`cloudsso_up`" + ` becomes 0, and ` + "`time() - cloudsso_last_refresh_success_timestamp_seconds`" + ` is the age of the numbers.

Counters start at 0 with the first complete refresh; earlier tasks appear in the gauges only. Each task counts once, with a
state folder also across restarts. Protobuf scrapes carry created timestamps and native histogram buckets.

## Labels

| label | value |
| --- | --- |
| ` + "`directory_id`" + ` | id of the CloudSSO directory |
| ` + "`task_type`" + ` | ProvisionAccessConfiguration, DeprovisionAccessConfiguration, CreateAccessAssignment, DeleteAccessAssignment; types the API adds later are passed through, up to 8 in all, then ` + "`other`" + ` |
| ` + "`status`" + ` | InProgress, Success, Failed; new ones are passed through in the same way |
| ` + "`failure_reason`" + ` | the reason of the first matching rule; otherwise an error code, or the text with ids and names replaced, at most 100 characters; ` + "`unknown`" + ` if there is no text; ` + "`other`" + ` beyond ` + "`failure_reasons.limit`" + ` |
| ` + "`task_id`" + ` | id of the latest failed task of the subject |
| ` + "`access_configuration_id`, `access_configuration_name`" + ` | the access configuration to provision or assign |
| ` + "`target_id`, `target_name`" + ` | the account |
| ` + "`principal_id`, `principal_name`, `principal_type`" + ` | the user or group; empty for (de)provisioning tasks |
| ` + "`kind`" + ` | credentials, permission, throttled, not_found, timeout, network, invalid_response, storage, other |
| ` + "`result`" + ` | success, error |
| ` + "`action`" + ` | the API operation: ListTasks |
| ` + "`code`" + ` | for API requests: OK, the API's error code, timeout, network or invalid_response; for scrapes: the HTTP status |
`

// reference is docs/metrics.md.
func reference() string {
	var b strings.Builder
	b.WriteString(referenceHead)
	for _, section := range Sections() {
		var some []Metric
		for _, m := range Metrics() {
			if m.Section == section {
				some = append(some, m)
			}
		}
		fmt.Fprintf(&b, "\n## %s\n\n| metric | type | labels |\n| --- | --- | --- |\n", section)
		for _, m := range some {
			fmt.Fprintf(&b, "| [`%[1]s`](#%[1]s) | %[2]s | %[3]s |\n", m.Name, m.Type, strings.Join(listed(m), ", "))
		}
		for _, m := range some {
			fmt.Fprintf(&b, "\n### %s\n\n%s%s\n\n- type: %s\n- value: %s\n", m.Name, m.Help, preceded(m.Notes), m.Type, m.Unit)
			if labels := listed(m); len(labels) > 0 {
				fmt.Fprintf(&b, "- labels: %s\n", strings.Join(labels, ", "))
			}
			fmt.Fprintf(&b, "\n```promql\n%s\n```\n", m.Query)
		}
	}
	b.WriteString("\nclient_golang adds further `go_*` and `process_*` metrics, which depend on the Go version and the platform.\n")
	return b.String()
}

// listed is the labels to name: not the one that the section's metrics all have.
func listed(m Metric) (labels []string) {
	for _, l := range m.Labels {
		if l != directoryLabel {
			labels = append(labels, "`"+l+"`")
		}
	}
	return labels
}

func preceded(notes string) string {
	if notes == "" {
		return ""
	}
	return " " + notes
}
