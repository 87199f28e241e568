package e2e

import (
	"cmp"
	"fmt"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"cloudsso_exporter/internal/simulator"
	"cloudsso_exporter/internal/task"
)

// How long the true rules, with their true hours, and the queries of the dashboards take over 200 directories and an hour
// of their history. It is printed and not judged: machines differ. Nothing else runs meanwhile.
func TestScale(t *testing.T) {
	for _, c := range []struct {
		name        string
		failures    func(directory int) int // unresolved
		evaluations int                     // of which the fastest counts
	}{
		{"a failure in 10 of 200 directories", func(n int) int { return max(0, 1-n%20) }, 5},
		{"50 failures in each of 200 directories", func(int) int { return 50 }, 1},
	} {
		t.Run(c.name, func(t *testing.T) { measure(t, 200, c.failures, c.evaluations) })
	}
}

func measure(t *testing.T, directories int, failures func(int) int, evaluations int) {
	api := simulator.New(simulator.Options{Keys: []simulator.Key{key}})
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	var watched strings.Builder
	watched.WriteString("api: {rate_limit: 1000, burst: 1000}\ndirectories:\n")
	for n := range directories {
		id := fmt.Sprintf("d-00fc2p61%04d", n)
		fmt.Fprintf(&watched, "  - {directory_id: %s, name: directory %d, region: cn-shanghai, endpoint: %q, credential: {type: access_key, access_key_id: %s, access_key_secret: %s}}\n",
			id, n, server.URL, key.ID, key.Secret)
		api.Directory(id).Put(company(failures(n))...)
	}
	dir, address := t.TempDir(), freeAddress(t)
	start(t, "cloudsso_exporter", "--config.file="+write(t, filepath.Join(dir, "config.yaml"), watched.String()), "--web.listen-address="+address)
	eventually(t, 60*time.Second, answers("http://"+address+"/-/ready"))
	data := filepath.Join(dir, "data")
	series := scrape(t, address)
	remember(t, data, append(alerts(series), series...))
	rules, err := filepath.Abs(rulesFile)
	if err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf(`
global: {scrape_interval: 5s, evaluation_interval: 3s}
scrape_configs:
  - {job_name: cloudsso, static_configs: [{targets: [%q]}]}
`, address)
	prom := startPrometheus(t, data, config+fmt.Sprintf("rule_files: [%q]\n", rules))
	best := map[string]rule{}
	for range evaluations {
		prom.evaluate(t, 1)
		all, err := prom.rules()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range all {
			if known, ok := best[r.Name]; !ok || r.EvaluationTime < known.EvaluationTime {
				best[r.Name] = r
			}
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n%d series\n", len(series))
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "rule\talerts\tevaluation\tof 10 ms")
	firing := map[string]float64{}
	for _, s := range prom.mustQuery(t, `count by (alertname) (ALERTS{alertstate="firing"})`) {
		firing[s.Metric["alertname"]] = s.Value.Value
	}
	prom.stop(os.Kill)
	prom = startPrometheus(t, data, config) // remembers the alerts, and has no rules that would disturb the queries
	for _, name := range slices.Sorted(maps.Keys(best)) {
		r := best[name]
		if r.LastError != "" {
			t.Errorf("%s: %s", r.Name, r.LastError)
		}
		fmt.Fprintf(table, "%s\t%.0f\t%.1f ms\t%.0f %%\n", r.Name, firing[r.Name], 1e3*r.EvaluationTime, 1e4*r.EvaluationTime)
	}
	table.Flush()

	b.WriteString("\n")
	fmt.Fprintln(table, "panel\tquery\tseries found\ttime\tof 100 ms")
	asked := queries(t)
	took := map[*query]time.Duration{}
	for range 3 { // once, perhaps, during a scrape
		for _, q := range asked {
			if err := q.ask(prom, view{past: time.Hour, step: 15 * time.Second, scrape: time.Minute}); err != nil {
				t.Error(err)
			}
			if took[q] == 0 || q.took < took[q] {
				took[q] = q.took
			}
		}
	}
	slices.SortStableFunc(asked, func(a, b *query) int { return cmp.Compare(took[b], took[a]) })
	for _, q := range asked {
		ms := float64(took[q].Microseconds()) / 1e3
		fmt.Fprintf(table, "%s\t%s\t%d\t%.1f ms\t%.0f %%\n", q.name(), q.short(), q.last, ms, ms)
	}
	table.Flush()
	t.Log(b.String())
}

// company are the tasks of a directory: so many that stand failed, of all types and for some reasons, and a few more.
func company(failures int) (tasks []task.Task) {
	now := time.Now().Truncate(time.Second)
	for n := range failures + 10 {
		one := task.Task{
			ID: fmt.Sprintf("task-%06d", n), Type: task.Types()[n%4], Status: task.Success, Start: now.Add(-time.Hour), End: now.Add(-59 * time.Minute),
			AccessConfigurationID: fmt.Sprintf("ac-00jhtfl8thteu6uj%04d", n), AccessConfigurationName: fmt.Sprintf("Administrator %d", n),
			TargetType: "RD-Account", TargetID: fmt.Sprintf("114240524784%04d", n), TargetName: fmt.Sprintf("account %d", n),
			TargetPathName: fmt.Sprintf("rd-3Gxxxx/root/Folder %d/account %d", n%10, n),
		}
		if one.Type.Kind() == task.Assignment {
			one.PrincipalType, one.PrincipalID, one.PrincipalName = "User", fmt.Sprintf("u-00jqzghi2n3o5hkh%04d", n), fmt.Sprintf("person %d", n)
		}
		if n < failures {
			one.Status, one.FailureReason = task.Failed, []string{"No Permission.", "EntityAlreadyExists.Role", "LimitExceeded.Role", "DeleteConflict.Role", ""}[n%5]
		}
		tasks = append(tasks, one)
	}
	tasks[failures].Status, tasks[failures].Start, tasks[failures].End = task.InProgress, now, time.Time{}
	return tasks
}
