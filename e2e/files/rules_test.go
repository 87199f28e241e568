package files

import (
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
	"sigs.k8s.io/yaml"
)

const (
	rulesFile = "../../alerts/cloudsso.rules.yml"
	runbooks  = "../../docs/runbooks.md"
)

// promised is what the rules file promises: how bad, and how long before it fires.
type promised struct {
	Severity string
	For      time.Duration
}

func TestRulesAreThosePromised(t *testing.T) {
	want := map[string]promised{
		"CloudSSORevocationFailed":     {"critical", 0},
		"CloudSSODeprovisioningFailed": {"warning", 0},
		"CloudSSOProvisioningFailed":   {"warning", 0},
		"CloudSSOAssignmentFailed":     {"warning", 0},
		"CloudSSOMoreFailures":         {"warning", 0},
		"CloudSSOTaskStuck":            {"warning", 0},
		"CloudSSOFailureRatioHigh":     {"warning", 0},
		"CloudSSOAssignmentSpike":      {"info", 0},
		"CloudSSORefreshFailing":       {"warning", 10 * time.Minute},
		"CloudSSODataStale":            {"warning", 0},
		"CloudSSOCredentialsRejected":  {"critical", 5 * time.Minute},
		"CloudSSOThrottled":            {"info", 15 * time.Minute},
		"CloudSSOExporterDown":         {"critical", 5 * time.Minute},
	}
	got := make(map[string]promised)
	for _, r := range rules(t) {
		if _, twice := got[r.Alert]; twice || r.Alert == "" {
			t.Errorf("rule %q: no alert, or a second of its name", r.Alert+r.Record)
		}
		got[r.Alert] = promised{r.Labels["severity"], time.Duration(r.For)}
		if len(r.Labels) != 1 {
			t.Errorf("%s: labels %v, want severity alone", r.Alert, r.Labels)
		}
		var names []string
		for name, text := range r.Annotations {
			names = append(names, name)
			if strings.TrimSpace(text) == "" {
				t.Errorf("%s: empty annotation %s", r.Alert, name)
			}
		}
		slices.Sort(names)
		if diff := cmp.Diff([]string{"description", "runbook_url", "summary"}, names); diff != "" {
			t.Errorf("%s: annotations (-want +got)\n%s", r.Alert, diff)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("alerts (-want +got)\n%s", diff)
	}
}

// Each rule is read in one go, and asks for nothing that only Prometheus has.
func TestRulesAreShort(t *testing.T) {
	if n := strings.Count(read(t, rulesFile), "\n"); n > 280 {
		t.Errorf("the file has %d lines, over 280", n)
	}
	for _, r := range rules(t) {
		if n := strings.Count(strings.TrimSpace(r.Expr), "\n") + 1; n > 8 {
			t.Errorf("%s: the expression has %d lines, over 8", r.Alert, n)
		}
		if strings.Contains(r.Expr+r.Annotations["description"], "ALERTS") {
			t.Errorf("%s asks for ALERTS", r.Alert)
		}
	}
}

// The four that name a subject must stay the same alert over retries, restarts and new names.
func TestRulesOnSubjectsGoByIDs(t *testing.T) {
	unstable := regexp.MustCompile(`by \([^)]*\b(task_id|failure_reason|instance|pod|job)\b`)
	for _, r := range rules(t) {
		if r.Labels["severity"] == "" || !strings.HasSuffix(r.Alert, "Failed") {
			continue
		}
		if found := unstable.FindString(r.Expr); found != "" {
			t.Errorf("%s: %q", r.Alert, found)
		}
	}
}

// Each alert has a test in which it fires, with its exact text, and one moment at which it does not.
func TestRulesAreTested(t *testing.T) {
	paths, err := filepath.Glob("../../alerts/tests/*.yml")
	if err != nil || len(paths) == 0 {
		t.Fatal(paths, err)
	}
	fires, silent := make(map[string]bool), make(map[string]bool)
	for _, path := range paths {
		var file struct {
			Tests []struct {
				Alerts []struct {
					Name string           `json:"alertname"`
					Want []map[string]any `json:"exp_alerts"`
				} `json:"alert_rule_test"`
			} `json:"tests"`
		}
		if err := yaml.Unmarshal([]byte(read(t, path)), &file); err != nil {
			t.Fatal(path, err)
		}
		for _, test := range file.Tests {
			for _, a := range test.Alerts {
				if len(a.Want) == 0 {
					silent[a.Name] = true
				}
				for _, w := range a.Want {
					fires[a.Name] = fires[a.Name] || w["exp_annotations"] != nil
				}
			}
		}
	}
	for _, r := range rules(t) {
		if !fires[r.Alert] {
			t.Errorf("%s: no test in which it fires with its annotations", r.Alert)
		}
		if !silent[r.Alert] {
			t.Errorf("%s: no test in which it is silent", r.Alert)
		}
	}
}

// Every runbook_url leads to a heading of docs/runbooks.md, and no heading is left over.
func TestRunbooksHaveOnePerAlert(t *testing.T) {
	heading := regexp.MustCompile(`(?m)^## (CloudSSO\w+)$`)
	var want, got []string
	for _, r := range rules(t) {
		want = append(want, r.Alert)
		const base = "https://example.com/cloudsso_exporter/docs/runbooks.md#"
		if url := base + strings.ToLower(r.Alert); r.Annotations["runbook_url"] != url {
			t.Errorf("%s: runbook_url %q, want %q", r.Alert, r.Annotations["runbook_url"], url)
		}
	}
	for _, m := range heading.FindAllStringSubmatch(read(t, runbooks), -1) {
		got = append(got, m[1])
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("headings, in the order of the rules (-want +got)\n%s", diff)
	}
}

func rules(t *testing.T) (all []rulefmt.Rule) {
	t.Helper()
	groups, errs := rulefmt.ParseFile(rulesFile, false, model.UTF8Validation, parser.NewParser(parser.Options{}), slog.New(slog.DiscardHandler))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	for _, g := range groups.Groups {
		all = append(all, g.Rules...)
	}
	return all
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
