package dashboards

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

var (
	alertName = regexp.MustCompile(`\bCloudSSO[A-Z][A-Za-z]+`)
	runbook   = regexp.MustCompile(`\]\(([^)]*)#([a-z-]+)\)`)
)

// base is where the repository can be read: the same as in the rules, so that one command changes both.
const base = "https://example.com/cloudsso_exporter"

// TestAlerts: each alert that a dashboard names is one of the rules, and each
// runbook it sends to is there.
func TestAlerts(t *testing.T) {
	rules, err := os.ReadFile("../alerts/cloudsso.rules.yml")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(rules), "runbook_url: "+base+"/docs/runbooks.md#") {
		t.Errorf("the rules do not have their runbooks at %s", base)
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
			if string(m[1]) != base+"/docs/runbooks.md" || !strings.Contains(strings.ToLower(string(runbooks)), "\n## "+string(m[2])+"\n") {
				t.Errorf("%s: no runbook %s", file, m[0])
			}
		}
	}
}
