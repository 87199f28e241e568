package e2e

import (
	"errors"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// withVictoriaMetrics runs a real one, which scrapes, and vmalert, which stores no ALERTS.
func withVictoriaMetrics(t *testing.T, s *stage, config, rules, history string) *prometheus {
	t.Helper()
	// What has been scraped can be found a few seconds later, not all of it at the same moment: vmalert is to wait for it.
	const delay = 4 * time.Second
	address, ruler := freeAddress(t), freeAddress(t)
	p := &prometheus{url: "http://" + address, ruler: "http://" + ruler, delay: delay}
	p.process = start(t, "victoria-metrics", "-httpListenAddr="+address, "-storageDataPath="+filepath.Join(s.dir, "data"),
		"-promscrape.config="+write(t, filepath.Join(s.dir, "prometheus.yml"), config), "-promscrape.config.strictParse=false", // it scrapes, and has no rules
		"-search.latencyOffset=0s")
	eventually(t, 30*time.Second, answers(p.url+"/-/ready"))
	resp, err := http.Post(p.url+"/api/v1/import/prometheus", "application/openmetrics-text", strings.NewReader(history))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	// vmalert would not find a target in data from before the first scrape.
	eventually(t, 30*time.Second, func() error {
		found, err := p.query("up offset " + delay.String())
		if err == nil && len(found) == 0 {
			err = errors.New("nothing has been scraped")
		}
		return err
	})
	start(t, "vmalert", "-httpListenAddr="+ruler, "-rule="+rules, "-datasource.url="+p.url, "-notifier.url=http://"+s.alertmanager.address,
		"-evaluationInterval=1s", "-rule.evalDelay="+delay.String(),
		"-rule.resendDelay=2s",    // and Alertmanager takes an alert for resolved four times as long after the last word of it
		"-disableAlertgroupLabel") // the story wants the labels of the rules and no others
	eventually(t, 30*time.Second, answers(p.ruler+"/-/ready"))
	return p
}
