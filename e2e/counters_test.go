package e2e

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"cloudsso_exporter/internal/simulator"
	"cloudsso_exporter/internal/task"
)

const directoryID = "d-00fc2p61e2e0"

var key = simulator.Key{ID: "LTAI5tEndToEndKey", Secret: "secret-of-end-to-end"}

// A real Prometheus scrapes the exporter while tasks come and go and the exporter
// is killed and restarted. What the raw samples grow by, and what increase()
// makes of them, is what happened, for every type, status and reason.
func TestCountersAreTrue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		hold time.Duration
		args []string // of Prometheus
	}{
		{name: "default flags", hold: 5 * time.Second},
		{name: "created timestamps, no hold", args: []string{"--enable-feature=created-timestamp-zero-ingestion"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			countersAreTrue(t, c.hold, c.args...)
		})
	}
}

func countersAreTrue(t *testing.T, hold time.Duration, args ...string) {
	seed := uint64(time.Now().UnixNano())
	rng := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	api := simulator.New(simulator.Options{Keys: []simulator.Key{key}, Order: simulator.Shuffled, RandomSeed: seed})
	server := httptest.NewServer(api)
	t.Cleanup(server.Close)
	directory := api.Directory(directoryID)
	for n := range 130 { // before our time
		directory.Schedule(life(rng, fmt.Sprintf("old-%d", n), time.Now().Add(-time.Duration(n+10)*time.Minute)))
	}

	dir, address := t.TempDir(), freeAddress(t)
	config := write(t, filepath.Join(dir, "config.yaml"), fmt.Sprintf(`
cache_ttl: 0s
new_series_hold: %s
api: {rate_limit: 100, burst: 100}
directories:
  - {directory_id: %s, region: cn-shanghai, endpoint: %q, credential: {type: access_key, access_key_id: %s, access_key_secret: %s}}
`, hold, directoryID, server.URL, key.ID, key.Secret))
	run := func() *process {
		return start(t, "cloudsso_exporter", "--config.file="+config, "--storage.path="+filepath.Join(dir, "state"), "--web.listen-address="+address)
	}
	exporter := run()
	eventually(t, 20*time.Second, answers("http://"+address+"/-/ready"))
	prom := startPrometheus(t, t.TempDir(), fmt.Sprintf(`
global: {scrape_interval: 1s}
scrape_configs:
  - {job_name: cloudsso, static_configs: [{targets: [%q]}]}
`, address), args...)
	eventually(t, 20*time.Second, func() error {
		found, err := prom.query(`cloudsso_tasks_finished_total == 0`)
		if err == nil && len(found) < 8 {
			err = fmt.Errorf("%d series at 0", len(found))
		}
		return err
	})

	const lasts = 45 * time.Second
	begin := time.Now().Add(2 * time.Second)
	var lives []simulator.Record
	for n := range 160 {
		lives = append(lives, life(rng, fmt.Sprintf("new-%d", n), begin.Add(time.Duration(rng.Int64N(int64(lasts))))))
	}
	directory.Schedule(lives...)
	for i := range 6 {
		time.Sleep(time.Until(begin.Add(time.Duration(i)*7*time.Second + time.Duration(rng.Int64N(int64(6*time.Second))))))
		signal := []os.Signal{os.Kill, syscall.SIGTERM}[i%2]
		exporter.stop(signal)
		exporter = run()
	}
	// All have ended, all holds are over, and a scrape or two have seen it.
	time.Sleep(time.Until(begin.Add(lasts + 9*time.Second + hold + 4*time.Second)))

	truth := map[string]map[string]float64{}
	count := func(metric, labels string) {
		if truth[metric] == nil {
			truth[metric] = map[string]float64{}
		}
		truth[metric][labels]++
	}
	for _, l := range lives {
		outcome := fmt.Sprintf("%s %s", l.Type, l.Status)
		count("cloudsso_tasks_started_total", string(l.Type)+" ")
		count("cloudsso_tasks_finished_total", outcome)
		count("cloudsso_task_duration_seconds_count", outcome)
		if l.Status == task.Failed {
			count("cloudsso_task_failures_total", fmt.Sprintf("%s %s", l.Type, reasons[l.FailureReason]))
		}
	}
	for metric, want := range truth {
		grown, increased, scraped := map[string]float64{}, map[string]float64{}, 0.0
		for _, s := range prom.mustQuery(t, metric+"[10m]") {
			grown[labels(s)] += growth(s.Values)
			scraped = max(scraped, s.Values[len(s.Values)-1].At)
		}
		// Later than the last scrape, increase() extrapolates: it makes 38 in a minute 39 in a minute and a second.
		for _, s := range prom.mustQuery(t, fmt.Sprintf("round(increase(%s[10m] @ %.3f))", metric, scraped)) {
			increased[labels(s)] += s.Value.Value
		}
		for _, got := range []map[string]float64{grown, increased} {
			maps.DeleteFunc(got, func(_ string, n float64) bool { return n == 0 })
		}
		if !maps.Equal(grown, want) {
			t.Errorf("%s grew by\n%v, truth is\n%v", metric, grown, want)
		}
		if !maps.Equal(increased, want) {
			t.Errorf("increase(%s) is\n%v, truth is\n%v", metric, increased, want)
		}
		t.Logf("%-36s %2d series that moved: raw samples and increase() as it was", metric, len(want))
	}
}

// reasons are texts and what the exporter makes of them.
var reasons = map[string]string{
	"EntityAlreadyExists.Role : The role AliyunReservedSSO-x already exists.": "EntityAlreadyExists.Role",
	"No Permission.":             "No Permission.",
	"LimitExceeded.Role : full.": "LimitExceeded.Role",
}

// life makes up a task.
func life(rng *rand.Rand, id string, start time.Time) simulator.Record {
	r := simulator.Record{Task: task.Task{
		ID: id, Type: task.Types()[rng.IntN(4)], Status: task.Success, Start: start.Truncate(time.Second),
		AccessConfigurationID: "ac-1", AccessConfigurationName: "ReadOnly", TargetType: "RD-Account",
		TargetID: fmt.Sprint(1000 + rng.IntN(20)), TargetName: "shop", PrincipalType: "User", PrincipalID: "u-1", PrincipalName: "li.wei",
	}}
	r.End = r.Start.Add(time.Duration(rng.IntN(9)) * time.Second)
	if rng.IntN(3) == 0 {
		r.Status = task.Failed
		for text := range reasons { // any
			r.FailureReason = text
			break
		}
	}
	return r
}

// labels are the labels that truth is counted by.
func labels(s series) string {
	return s.Metric["task_type"] + " " + s.Metric["status"] + s.Metric["failure_reason"]
}

// growth is what a counter grew by, resets taken into account.
func growth(samples []sample) float64 {
	sum := 0.0
	for i, s := range samples {
		switch {
		case i == 0:
		case s.Value < samples[i-1].Value:
			sum += s.Value
		default:
			sum += s.Value - samples[i-1].Value
		}
	}
	return sum
}
