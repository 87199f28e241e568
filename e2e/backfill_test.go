package e2e

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	promlabels "github.com/prometheus/prometheus/model/labels"

	"cloudsso_exporter/collector"
	"cloudsso_exporter/internal/simulator"
	"cloudsso_exporter/internal/task"
)

// What backfill writes of the demo's company, promtool takes, and Prometheus answers with what is true: counted apart, from
// the tasks as the simulated API had them.
func TestBackfill(t *testing.T) {
	t.Parallel()
	api := simulator.New(simulator.Options{Keys: []simulator.Key{key}})
	now := time.Now()
	skew := now.Truncate(time.Hour).Add(32 * time.Minute).Sub(now) // half past by the API's clock: the next minute is of the same hour and step
	api.SetSkew(skew)
	scenario := simulator.Scenario{Seed: 1, Epoch: now.Add(skew - 20*time.Minute)}
	companies := scenario.Play(api)
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	dir, address := t.TempDir(), freeAddress(t)
	var config strings.Builder
	config.WriteString("api: {rate_limit: 1000, burst: 1000}\nfailure_reasons: {rules: [{match: EntityAlreadyExists, reason: role_already_exists}]}\ndirectories:\n")
	for _, d := range scenario.Directories() {
		fmt.Fprintf(&config, "  - {directory_id: %s, name: %s, region: %s, endpoint: %q, credential: {type: access_key, access_key_id: %s, access_key_secret: %s}}\n",
			d.ID, d.Name, d.Region, server.URL, key.ID, key.Secret)
	}
	backfill := func(name string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		cmd := exec.Command(program("cloudsso_exporter"), "backfill", "--config.file="+write(t, filepath.Join(dir, "config.yaml"), config.String()),
			"--step=5m", "--label=job=cloudsso", "--label=instance="+address, "--output="+path)
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			t.Fatalf("%v: %s", err, out)
		}
		return path
	}
	first := backfill("first.om")
	api.SetSkew(skew + time.Minute)
	samePast(t, first, backfill("second.om"), now.Add(skew-2*time.Minute)) // tasks may be listed late

	data := filepath.Join(dir, "data")
	prom := startPrometheus(t, data, "")
	if out, err := exec.Command(program("promtool"), "tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=24h", "--quiet", first, data).CombinedOutput(); err != nil {
		t.Fatalf("promtool: %v\n%s", err, out)
	}
	end := now.Add(skew).Truncate(5 * time.Minute)
	from := end.Add(-7 * 24 * time.Hour).Truncate(time.Hour).Add(time.Hour)
	eventually(t, 100*time.Second, func() error { // it finds new blocks without a restart
		if len(prom.at(t, "cloudsso_window_seconds", end)) < len(companies) {
			return errors.New("Prometheus does not find the blocks")
		}
		return nil
	})
	for _, company := range companies {
		tasks := company.Tasks(from, api.Now())
		for n := range 10 {
			at := end.Add(-time.Duration(n) * 15 * time.Hour)
			want := truthAt(tasks, at)
			got := map[string]float64{}
			for _, expr := range []string{
				`sum by (__name__, task_type, status) (cloudsso_tasks != 0)`, `sum by (__name__, task_type) (cloudsso_unresolved_failures != 0)`,
				`sum by (__name__, task_type) (cloudsso_tasks_started_total != 0)`, `sum by (__name__, task_type, status) (cloudsso_tasks_finished_total != 0)`,
				`sum by (__name__, task_type, status) (cloudsso_task_duration_seconds_count != 0)`, `sum by (__name__, task_type, status) (cloudsso_task_duration_seconds_sum != 0)`,
				`max by (__name__, target_id, principal_id) (cloudsso_subject_failing == 1)`,
			} {
				expr = regexp.MustCompile(`(\(cloudsso_\w+)`).ReplaceAllString(expr, fmt.Sprintf(`$1{directory_id=%q,job="cloudsso",instance=%q}`, company.ID(), address))
				for _, s := range prom.at(t, expr, at) {
					got[nameOfSeries(s.Metric)] = s.Value.Value
				}
			}
			if diff := gocmp.Diff(want, got); diff != "" || len(want) < 10 {
				t.Errorf("%s at %s (- counted apart, + Prometheus):\n%s", company.ID(), at, diff)
			}
		}
		increased := map[string]float64{}
		for _, s := range prom.at(t, fmt.Sprintf(`label_replace(increase(cloudsso_tasks_finished_total{directory_id=%q}[7d]), "__name__", "cloudsso_tasks_finished_total", "", "")`, company.ID()), end) {
			increased[nameOfSeries(s.Metric)] = math.Round(s.Value.Value*1e6) / 1e6
		}
		for name, n := range truthAt(tasks, end) {
			if strings.HasPrefix(name, "cloudsso_tasks_finished_total") && n != increased[name] {
				t.Errorf("%s: in 7 days %s increased by %v, %v finished", company.ID(), name, increased[name], n)
			}
		}
	}
	panelsOfTheWeek(t, prom, from, end)

	start(t, "cloudsso_exporter", "--config.file="+filepath.Join(dir, "config.yaml"), "--web.listen-address="+address)
	eventually(t, 40*time.Second, answers("http://"+address+"/-/ready"))
	joins(t, prom.at(t, `{__name__=~"cloudsso_.+"}`, end), scrape(t, address))
}

// joins looks whether what Prometheus would scrape are series that it has from the past already: all but those that come and
// go with tasks.
func joins(t *testing.T, past []series, scraped []known) {
	t.Helper()
	has := map[string]bool{}
	for _, s := range past {
		has[promlabels.FromMap(s.Metric).String()] = true
	}
	joined := map[string]int{}
	for _, k := range scraped {
		switch {
		case has[k.labels.String()]:
			joined[k.name()]++
		case followsFromTasks(k.name()) && !k.labels.Has("failure_reason") && !k.labels.Has("target_id") && k.name() != "cloudsso_oldest_in_progress_start_timestamp_seconds":
			t.Errorf("the past has no %s", k.labels)
		}
	}
	for _, m := range collector.Metrics() {
		name := m.Name
		if m.Type == collector.Histogram {
			name += "_bucket"
		}
		if followsFromTasks(m.Name) && joined[name] == 0 && m.Name != "cloudsso_oldest_in_progress_start_timestamp_seconds" {
			t.Errorf("no series of %s was there before", name)
		}
	}
}

// followsFromTasks reports whether a series or metric of this name says what tasks did, and not how the exporter fares.
func followsFromTasks(name string) bool {
	name = regexp.MustCompile(`_(bucket|sum|count)$`).ReplaceAllString(name, "")
	return slices.ContainsFunc(collector.Metrics(), func(m collector.Metric) bool {
		return m.Name == name && (m.Section == collector.Tasks || m.Section == collector.Events)
	})
}

// at evaluates an expression at a moment.
func (p *prometheus) at(t *testing.T, expr string, at time.Time) []series {
	t.Helper()
	var data struct{ Result []series }
	if err := p.get("query", url.Values{"query": {expr}, "time": {unix(at)}}, &data); err != nil {
		t.Fatal(err)
	}
	return data.Result
}

func nameOfSeries(labels map[string]string) string {
	name := labels["__name__"]
	for _, l := range []string{"task_type", "status", "target_id", "principal_id"} {
		if labels[l] != "" {
			name += " " + labels[l]
		}
	}
	return name
}

// truthAt is what is to be shown at a moment of all these tasks, counted in the plainest way.
func truthAt(tasks []task.Task, at time.Time) map[string]float64 {
	truth := map[string]float64{}
	var finished []task.Task
	for _, t := range tasks {
		if t.Start.After(at) {
			continue
		}
		truth["cloudsso_tasks_started_total "+string(t.Type)]++
		if !t.Finished() || t.End.After(at) {
			truth["cloudsso_tasks "+string(t.Type)+" InProgress"]++
			continue
		}
		finished = append(finished, t)
		of := string(t.Type) + " " + string(t.Status)
		truth["cloudsso_tasks "+of]++
		truth["cloudsso_tasks_finished_total "+of]++
		truth["cloudsso_task_duration_seconds_count "+of]++
		truth["cloudsso_task_duration_seconds_sum "+of] += t.End.Sub(t.Start).Seconds()
	}
	slices.SortFunc(finished, func(a, b task.Task) int {
		return cmp.Or(a.End.Compare(b.End), a.Start.Compare(b.Start), cmp.Compare(a.ID, b.ID))
	})
	failing := map[task.Subject]task.Task{}
	for _, t := range finished {
		subject := t.Subject()
		if t.Status == task.Failed {
			failing[subject] = t
			continue
		}
		maps.DeleteFunc(failing, func(s task.Subject, f task.Task) bool {
			return s == subject || t.Type == task.DeprovisionAccessConfiguration && s.Kind == task.Assignment &&
				f.AccessConfigurationID == t.AccessConfigurationID && f.TargetID == t.TargetID && s.OriginTargetID == subject.OriginTargetID
		})
	}
	for _, t := range failing {
		truth["cloudsso_unresolved_failures "+string(t.Type)]++
		truth[nameOfSeries(map[string]string{"__name__": "cloudsso_subject_failing", "target_id": t.TargetID, "principal_id": t.PrincipalID})] = 1
	}
	return truth
}

// samePast compares what was written at a moment with what was written a minute later, up to some time.
func samePast(t *testing.T, first, second string, until time.Time) {
	t.Helper()
	lines := 0
	next := func(path string) func() (string, bool) {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		scanner := bufio.NewScanner(f)
		return func() (string, bool) {
			for scanner.Scan() {
				lines++
				line := scanner.Text()
				if at, err := strconv.ParseInt(line[strings.LastIndexByte(line, ' ')+1:], 10, 64); err != nil || at <= until.Unix() {
					return line, true
				}
			}
			return "", false
		}
	}
	a, b := next(first), next(second)
	for {
		was, more := a()
		is, again := b()
		if was != is {
			t.Fatalf("%s\nand a minute later\n%s", was, is)
		}
		if !more && !again {
			break
		}
	}
	if lines < 1_000_000 {
		t.Errorf("%d lines in both", lines)
	}
}

// panelsOfTheWeek asks what the dashboards ask about tasks, and looks whether the answers reach over the week.
func panelsOfTheWeek(t *testing.T, prom *prometheus, from, end time.Time) {
	t.Helper()
	asked := 0
	for _, q := range queries(t) {
		others := slices.ContainsFunc(regexp.MustCompile(`(?:cloudsso_|ALERTS|up\b)\w*`).FindAllString(q.expr, -1), func(name string) bool {
			return !followsFromTasks(name)
		})
		if others {
			continue
		}
		asked++
		v := view{past: end.Sub(from), step: 10 * time.Minute, scrape: time.Minute}
		if !q.graph {
			if len(prom.at(t, q.filled(v), end)) == 0 {
				t.Errorf("%q finds nothing:\n%s", q.name(), q.filled(v))
			}
			continue
		}
		var data struct{ Result []series }
		step := max(q.least, v.step)
		if err := prom.get("query_range", url.Values{"query": {q.filled(v)}, "start": {unix(from)}, "end": {unix(end)}, "step": {step.String()}}, &data); err != nil {
			t.Fatal(q.name(), err)
		}
		days := map[int]bool{}
		for _, s := range data.Result {
			for _, v := range s.Values {
				days[int(end.Sub(time.Unix(int64(v.At), 0))/(24*time.Hour))] = true
			}
		}
		want := 7
		if q.name() == "cloudsso-failures: timeseries Unresolved failures by reason: A" {
			want = 1 // most are resolved before the next step
		}
		if len(days) < want {
			t.Errorf("%q finds something on %d days:\n%s", q.name(), len(days), q.filled(v))
		}
	}
	if asked < 30 {
		t.Errorf("only %d queries are about tasks", asked)
	}
}
