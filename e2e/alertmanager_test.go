package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// alertmanager is a real one.
type alertmanager struct {
	*process
	address string
}

// startAlertmanager runs one with the example configuration, its messages sent to the webhook and as soon as may be.
func startAlertmanager(t *testing.T, hook *webhook) *alertmanager {
	t.Helper()
	b, err := os.ReadFile("../alerts/alertmanager.example.yml")
	if err != nil {
		t.Fatal(err)
	}
	// Its receivers are people's; the tests read what they would get at the webhook.
	config, _, _ := strings.Cut(string(b), "\nreceivers:\n")
	config += "\nreceivers:\n"
	for _, name := range []string{"pager", "chat", "tickets", "commerce"} {
		config += fmt.Sprintf("  - name: %s\n    webhook_configs: [{url: %q, send_resolved: true}]\n", name, hook.url+"/"+name)
	}
	for _, change := range [][2]string{
		{`(?m)group_wait: \w+$`, `group_wait: 0s`},
		{`(?m)group_interval: \w+$`, `group_interval: 1s`},
	} {
		pattern := regexp.MustCompile(change[0])
		if !pattern.MatchString(config) {
			t.Fatalf("alertmanager.example.yml has no %s", change[0])
		}
		config = pattern.ReplaceAllString(config, change[1])
	}
	dir, address := t.TempDir(), freeAddress(t)
	a := &alertmanager{start(t, "alertmanager",
		"--config.file="+write(t, filepath.Join(dir, "alertmanager.yml"), config),
		"--storage.path="+filepath.Join(dir, "data"), "--cluster.listen-address=", "--web.listen-address="+address), address}
	eventually(t, 30*time.Second, answers("http://"+address+"/-/ready"))
	return a
}

// inhibited says whether it holds an alert with this name and directory, and keeps it to itself.
func (a *alertmanager) inhibited(name, directoryID string) (bool, error) {
	b, _, err := get("http://" + a.address + "/api/v2/alerts")
	if err != nil {
		return false, err
	}
	var all []struct {
		Labels map[string]string
		Status struct{ InhibitedBy []string }
	}
	if err := json.Unmarshal(b, &all); err != nil {
		return false, err
	}
	for _, one := range all {
		if one.Labels["alertname"] == name && one.Labels["directory_id"] == directoryID && len(one.Status.InhibitedBy) > 0 {
			return true, nil
		}
	}
	return false, nil
}
