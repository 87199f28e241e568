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

const referenceHead = `<!-- Made from the table in collector/ by go generate ./collector: change that, not this. -->
# Metrics

What ` + "`/metrics`" + ` shows, and how to read it. Every metric of a directory has the label ` + "`directory_id`" + `; the other labels
are named with each metric. No sample carries a timestamp. A directory's times are Unix time in seconds by the API's clock.

The gauges under *Tasks* and the counters under *Events* are those of one complete refresh, whole or not at all. A refresh
that fails changes none of them: ` + "`cloudsso_up`" + ` is 0, and the age of what is shown is
` + "`time() - cloudsso_last_refresh_success_timestamp_seconds`" + `.

Counters begin at 0 with the first complete refresh: what had happened by then is in the gauges only. Each task counts once,
ever; with a state folder also across restarts. Protobuf scrapes carry created timestamps and native histogram buckets.

## Labels

| label | value |
| --- | --- |
| ` + "`directory_id`" + ` | id of the CloudSSO directory |
| ` + "`task_type`" + ` | ProvisionAccessConfiguration, DeprovisionAccessConfiguration, CreateAccessAssignment, DeleteAccessAssignment; a type that the API adds one day is passed through, from the ninth on as ` + "`other`" + ` |
| ` + "`status`" + ` | InProgress, Success, Failed; further ones likewise |
| ` + "`failure_reason`" + ` | what a rule of ` + "`failure_reasons.rules`" + ` says; else an error code or the text with ids and names replaced, at most 100 characters; ` + "`unknown`" + ` without a text; ` + "`other`" + ` above ` + "`failure_reasons.limit`" + ` |
| ` + "`task_id`" + ` | id of the latest failed task of the subject |
| ` + "`access_configuration_id`, `access_configuration_name`" + ` | what was to be provisioned or assigned |
| ` + "`target_id`, `target_name`" + ` | the account it was for |
| ` + "`principal_id`, `principal_name`, `principal_type`" + ` | the user or group it was for; empty for (de)provisionings |
| ` + "`kind`" + ` | credentials, permission, throttled, not_found, timeout, network, invalid_response, storage, other |
| ` + "`result`" + ` | success, error |
| ` + "`action`" + ` | the API's operation: ListTasks |
| ` + "`code`" + ` | of API requests: OK, the API's error code, timeout, network, invalid_response; of scrapes: the HTTP status |
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
	b.WriteString("\nBeside these there are client_golang's other `go_*` and `process_*` metrics, which depend on the Go version and the platform.\n")
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
