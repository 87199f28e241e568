package dashboards

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

var (
	alertName = regexp.MustCompile(`\bCloudSSO[A-Z][A-Za-z]+`)
	runbook   = regexp.MustCompile(`docs/runbooks\.md#([a-z-]+)`)
)

// TestAlerts: each alert that a dashboard names is one of the rules, and each
// runbook it sends to is there.
func TestAlerts(t *testing.T) {
	rules, err := os.ReadFile("../alerts/cloudsso.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	runbooks, err := os.ReadFile("../docs/runbooks.md")
	if err != nil {
		t.Fatal(err)
	}
	for file, b := range load(t) {
		for _, name := range alertName.FindAllString(string(b), -1) {
			if !strings.Contains(string(rules), "- alert: "+name+"\n") {
				t.Errorf("%s: no alert is called %s", file, name)
			}
		}
		for _, m := range runbook.FindAllSubmatch(b, -1) {
			if !strings.Contains(strings.ToLower(string(runbooks)), "\n## "+string(m[1])+"\n") {
				t.Errorf("%s: no runbook %s", file, m[1])
			}
		}
	}
}
