package e2e

import (
	"fmt"
	"maps"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"cloudsso_exporter/internal/simulator"
	"cloudsso_exporter/internal/task"
)

// The directories of the story, one a scene: what happens in one touches no other.
const (
	production = "d-production" // tasks fail there, one of each type
	many       = "d-many"       // has had more failures than are shown since before the exporter began
	busy       = "d-busy"       // a large part of its tasks fails
	stuck      = "d-stuck"      // a task of it does not end
	spike      = "d-spike"      // hands out access to many at once
	revoked    = "d-revoked"    // its key is revoked
	down       = "d-down"       // its API hangs up
	slow       = "d-slow"       // its API takes long
	throttled  = "d-throttled"  // its API throttles
	vanishing  = "d-vanishing"  // is taken out of the configuration, and put back
)

// shown is unresolved_failures.limit.
const shown = 4

// stage is what the story is played on: a simulated CloudSSO, and the real exporter, Prometheus or VictoriaMetrics, and
// Alertmanager.
type stage struct {
	api     *simulator.Server
	url     string // of the API
	dir     string // of configuration and state
	address string // of the exporter

	monitoring   monitoring
	exporter     *process
	prom         *prometheus
	alertmanager *alertmanager
	hook         *webhook

	mu     sync.Mutex
	keys   map[string]simulator.Key  // by directory; those of the configuration
	faults map[string]simulator.Rule // by directory
	tasks  int                       // made so far
}

// monitoring starts what scrapes the exporter as the configuration of Prometheus says, evaluates the rules, and remembers the
// history, which is OpenMetrics.
type monitoring func(t *testing.T, s *stage, config, rules, history string) *prometheus

// newStage has all that is not monitored running.
func newStage(t *testing.T, monitoring monitoring) *stage {
	t.Helper()
	s := &stage{
		api: simulator.New(simulator.Options{Order: simulator.Shuffled}), dir: t.TempDir(), address: freeAddress(t),
		monitoring: monitoring, hook: startWebhook(t), keys: map[string]simulator.Key{}, faults: map[string]simulator.Rule{},
	}
	server := httptest.NewServer(s.api)
	t.Cleanup(server.Close)
	s.url = server.URL
	for _, id := range []string{production, many, busy, stuck, spike, revoked, down, slow, throttled, vanishing} {
		s.keys[id] = keyOf(id, 1)
		for _, of := range task.Types() { // before our time
			s.list(id, task.Task{Type: of, AccessConfigurationID: "ac-old", TargetID: "1", PrincipalID: "u-old", Status: task.Success})
		}
	}
	s.grant()
	s.alertmanager = startAlertmanager(t, s.hook)
	return s
}

// keyOf is the nth key of a directory. Each is of an account of its own, as far as the exporter can know: no directory waits
// for the rate limit of another.
func keyOf(id string, n int) simulator.Key {
	return simulator.Key{ID: fmt.Sprintf("LTAI5t%s%d", id, n), Secret: fmt.Sprintf("secret-%d-of-%s", n, id)}
}

// run starts the exporter, and at the first time its monitoring.
func (s *stage) run(t *testing.T) {
	t.Helper()
	s.exporter = start(t, "cloudsso_exporter", "--config.file="+s.configure(t),
		"--storage.path="+filepath.Join(s.dir, "state"), "--web.listen-address="+s.address,
		"--web.timeout-offset=700ms") // of the second that Prometheus waits: a directory that is slow leaves time enough
	eventually(t, 40*time.Second, answers("http://"+s.address+"/-/ready"))
	if s.prom != nil {
		return
	}
	rules := write(t, filepath.Join(s.dir, "cloudsso.rules.yml"), fasterRules(t))
	s.prom = s.monitoring(t, s, fmt.Sprintf(`
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [%q]
alerting: {alertmanagers: [{static_configs: [{targets: [%q]}]}]}
scrape_configs:
  - {job_name: cloudsso, static_configs: [{targets: [%q]}]}
`, rules, s.alertmanager.address, s.address), rules, s.history())
}

// withPrometheus makes blocks of the history.
func withPrometheus(t *testing.T, s *stage, config, _, history string) *prometheus {
	t.Helper()
	data := filepath.Join(s.dir, "data")
	backfill := exec.Command(program("promtool"), "tsdb", "create-blocks-from", "openmetrics", write(t, filepath.Join(s.dir, "history.om"), history), data)
	if out, err := backfill.CombinedOutput(); err != nil {
		t.Fatalf("promtool: %v: %s", err, out)
	}
	return startPrometheus(t, data, config)
}

// history is that of the directory of the spike, known for over a day, 24 minutes here.
func (s *stage) history() string {
	var b strings.Builder
	b.WriteString("# TYPE cloudsso_tasks_started counter\n")
	now := time.Now()
	for at := now.Add(-30 * time.Minute); at.Before(now.Add(-5 * time.Second)); at = at.Add(10 * time.Second) {
		fmt.Fprintf(&b, "cloudsso_tasks_started_total{directory_id=%q,task_type=%q,job=%q,instance=%q} 0 %d\n",
			spike, task.CreateAccessAssignment, "cloudsso", s.address, at.Unix())
	}
	b.WriteString("# EOF\n")
	return b.String()
}

// configure writes the configuration.
func (s *stage) configure(t *testing.T) (path string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	fmt.Fprintf(&b, `
cache_ttl: 0s
new_series_hold: 2s
api: {rate_limit: 100, burst: 100, request_timeout: 40s, max_retries: 1}
unresolved_failures: {limit: %d}
failure_reasons:
  rules:
    - {match: LimitExceeded, reason: %s}
    - {match: Conflict, reason: %q}
directories:
`, shown, quota, conflict)
	for _, id := range slices.Sorted(maps.Keys(s.keys)) {
		fmt.Fprintf(&b, "  - {directory_id: %s, name: %s, region: cn-shanghai, endpoint: %q, credential: {type: access_key, access_key_id: %s, access_key_secret: %s}}\n",
			id, nameOf(id), s.url, s.keys[id].ID, s.keys[id].Secret)
	}
	return write(t, filepath.Join(s.dir, "config.yaml"), b.String())
}

// nameOf is the name of a directory, for people.
func nameOf(id string) string { return "the-" + strings.TrimPrefix(id, "d-") + "-one" }

// reload has the exporter take other keys, and directories that have none no longer.
func (s *stage) reload(t *testing.T, change func(keys map[string]simulator.Key)) {
	t.Helper()
	s.mu.Lock()
	change(s.keys)
	s.mu.Unlock()
	s.configure(t)
	s.exporter.cmd.Process.Signal(syscall.SIGHUP)
}

// grant has the API accept the keys of the configuration, but for those of some directories.
func (s *stage) grant(except ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var keys []simulator.Key
	for id, k := range s.keys {
		if !slices.Contains(except, id) {
			keys = append(keys, k)
		}
	}
	s.api.SetKeys(keys...)
}

// fault has something go wrong with each call for the directory that when is true of, from now on; nil ends it.
func (s *stage) fault(id string, when simulator.When, f *simulator.Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.faults, id)
	if f != nil {
		s.faults[id] = simulator.Rule{Fault: *f, When: func(c simulator.Call) bool {
			return c.Params.Get("DirectoryId") == id && (when == nil || when(c))
		}}
	}
	s.api.SetFaults(slices.Collect(maps.Values(s.faults))...)
}

// list lists tasks that begin now and, unless they are in progress, end now too, under new ids where they have none. Of two
// about one subject the later one counts.
func (s *stage) list(id string, tasks ...task.Task) time.Time {
	now := time.Now()
	s.mu.Lock()
	for i := range tasks {
		t := &tasks[i]
		if t.ID == "" {
			s.tasks++
			t.ID = fmt.Sprintf("task-%06d", s.tasks)
		}
		if t.Start.IsZero() {
			t.Start = now.Truncate(time.Second)
		}
		if t.Status != task.InProgress {
			t.End = now.Truncate(time.Second)
		}
	}
	s.mu.Unlock()
	s.api.Directory(id).Put(tasks...)
	return now
}
