package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"cloudsso_exporter/internal/simulator"
	"cloudsso_exporter/internal/task"
)

// samples are those of the lines that begin with a prefix, by time.
func samples(t *testing.T, text, prefix string) map[int64]float64 {
	t.Helper()
	found := map[int64]float64{}
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, prefix); ok {
			var value float64
			var at int64
			if _, err := fmt.Sscan(rest, &value, &at); err != nil {
				t.Fatal(line, err)
			}
			found[at] = value
		}
	}
	return found
}

func TestBackfillCommand(t *testing.T) {
	t.Parallel() // it waits more than it works
	sim, config := twoDirectories(t)
	now := time.Now().Truncate(time.Second)
	start := now.Add(-10 * time.Hour).Truncate(time.Hour).Add(90 * time.Second)
	failed := newTask(2, task.Failed, start) // CreateAccessAssignment
	failed.End, failed.FailureReason = start.Add(10*time.Minute), "EntityAlreadyExists.Role"
	sim.Directory("d-00fc2p61test").Put(failed)
	sim.Directory("d-00fc2p62test")

	backfill := func(args ...string) string {
		t.Helper()
		code, stdout, stderr := finish(t, program(t, append([]string{"backfill", "--config.file=" + config}, args...)...))
		if code != 0 || stderr != "" {
			t.Fatalf("%v: exit %d, stderr %q", args, code, stderr)
		}
		return stdout
	}
	text := backfill("--label=job=cloudsso", "--label=instance=[::1]:10066", "--label=site=上海 \"1\"")
	labels := `",job="cloudsso",instance="[::1]:10066",site="上海 \"1\""`
	if !strings.HasSuffix(text, "\n# EOF\n") || strings.Count(text, "# TYPE cloudsso_tasks gauge\n") != 1 ||
		!strings.Contains(text, "# TYPE cloudsso_tasks_started counter\n") || strings.Contains(text, "cloudsso_up") {
		t.Error(text[:2000])
	}
	of := func(name string) map[int64]float64 { return samples(t, text, name+labels+"} ") }
	series := of(`cloudsso_tasks{directory_id="d-00fc2p61test",status="InProgress",task_type="CreateAccessAssignment`)
	first := start.Truncate(time.Minute).Add(time.Minute).Unix()
	want := map[int64]float64{}
	for at := range series {
		if at%60 != 0 {
			t.Error(at)
		}
		want[at] = 0
		if at >= first && at < first+600 {
			want[at] = 1
		}
		if series[at] != want[at] {
			t.Errorf("%d: %v, want %v", at-start.Unix(), series[at], want[at])
		}
	}
	if n := len(series); n < 7*24*60-130 || n > 7*24*60 {
		t.Errorf("%d samples", n)
	}
	finished := of(`cloudsso_tasks_finished_total{directory_id="d-00fc2p61test",status="Failed",task_type="CreateAccessAssignment`)
	failures := of(`cloudsso_task_failures_total{directory_id="d-00fc2p61test",failure_reason="EntityAlreadyExists.Role",task_type="CreateAccessAssignment`)
	if finished[first+540] != 0 || finished[first+600] != 1 {
		t.Errorf("finished: %v, %v", finished[first+540], finished[first+600])
	}
	if v, ok := failures[first+600]; v != 0 || !ok || failures[first+720] != 1 {
		t.Errorf("failures of a new reason, at first 0: %v %v, then %v", v, ok, failures[first+720])
	}
	if other := of(`cloudsso_tasks{directory_id="d-00fc2p62test",status="Failed",task_type="CreateAccessAssignment`); len(other) != len(series) || other[first+600] != 0 {
		t.Errorf("the other directory has %d samples", len(other))
	}

	one := backfill("--directory-id=d-00fc2p62test", "--step=1h", "--until="+now.Add(-2*time.Hour).UTC().Format(time.RFC3339))
	hourly := samples(t, one, `cloudsso_window_seconds{directory_id="d-00fc2p62test"} `)
	if n := len(hourly); n < 164 || n > 166 || strings.Contains(one, "d-00fc2p61test") {
		t.Errorf("%d samples in 166 hours", n)
	}
	for at := range hourly {
		if at%3600 != 0 || at > now.Add(-2*time.Hour).Unix() {
			t.Error(at)
		}
	}
	if n := len(samples(t, backfill("--step=10m", "--until=1d"), `cloudsso_window_seconds{directory_id="d-00fc2p61test"} `)); n < 6*24*6-10 || n > 6*24*6 {
		t.Errorf("%d samples in 6 days", n)
	}
}

func TestBackfillWrongly(t *testing.T) {
	sim, config := twoDirectories(t)
	for _, args := range []string{
		"--step=9s", "--step=61m", "--step=-1m", "--step=1h1s", "--step=90", "--step=10500ms", "--until=8d", "--until=soon", "--until=2100-01-01T00:00:00Z",
		"--label=job", "--label=job=", "--label==x", "--label=1st=x", "--label=a-b=x", "--label=größe=x", "--label=bad=\xff", "--label=directory_id=x", "--label=task_type=x",
		"--label=principal_name=x", "--label=le=1", "--label=__name__=x", "--label=__address__=x", "--label=job=x --label=job=y", "--region=cn-shanghai", "--limit=1",
	} {
		code, stdout, stderr := finish(t, program(t, append([]string{"backfill", "--config.file=" + config}, strings.Fields(args)...)...))
		name := regexp.MustCompile(`\w+`).FindString(args)
		if code != 2 || stdout != "" || !strings.Contains(stderr, name) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: exit %d, stdout %q, stderr %q", args, code, stdout, stderr)
		}
	}
	if code, _, stderr := finish(t, program(t, "backfill", "--config.file="+config, "--directory-id=d-9")); code != 1 || !strings.Contains(stderr, "d-9 is not in the file") {
		t.Errorf("exit %d, %q", code, stderr)
	}
	if n := sim.Total(); n != 0 {
		t.Errorf("%d calls", n)
	}
}

// A file appears when it is whole. Until then there is the old one, or none; and never anything beside it.
func TestBackfillIntoAFile(t *testing.T) {
	sim, directory, config := api(t, "api: {max_retries: 0}\n")
	for n := range 50 {
		directory.Put(newTask(n, task.Success, time.Now().Add(-time.Hour)))
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "week.om")
	holds := func(want string) {
		t.Helper()
		entries, err := os.ReadDir(dir)
		data, _ := os.ReadFile(path)
		if err != nil || string(data) != want || len(entries) != 1 && want != "" || len(entries) != 0 && want == "" {
			t.Fatalf("%v, %d bytes, %v", entries, len(data), err)
		}
	}
	run := func(output string) (int, string) {
		t.Helper()
		code, stdout, stderr := finish(t, program(t, "backfill", "--config.file="+config, "--step=1h", "--output="+output))
		if stdout != "" {
			t.Errorf("stdout %q", stdout)
		}
		return code, stderr
	}
	for _, c := range []struct{ output, says string }{
		{filepath.Join(dir, "none", "week.om"), "no such file or directory"}, {dir, "not a regular file"}, {"/dev/null", "not a regular file"},
	} {
		if code, stderr := run(c.output); code != 1 || !strings.Contains(stderr, c.says) || !strings.Contains(stderr, "--output") {
			t.Errorf("%s: exit %d, %q", c.output, code, stderr)
		}
		holds("")
	}
	if n := sim.Total(); n != 0 {
		t.Errorf("%d calls before it is known that nothing can be written", n)
	}

	cutOff := simulator.Rule{When: func(c simulator.Call) bool { return c.Page == 2 }, Fault: simulator.Refuse("InternalError")}
	sim.SetFaults(cutOff)
	if code, stderr := run(path); code != 1 || !strings.Contains(stderr, "InternalError") {
		t.Errorf("exit %d, %q", code, stderr)
	}
	holds("")
	sim.SetFaults()
	if code, stderr := run(path); code != 0 || stderr != "" {
		t.Fatalf("exit %d, %q", code, stderr)
	}
	data, err := os.ReadFile(path)
	if err != nil || !strings.HasSuffix(string(data), "# EOF\n") {
		t.Fatal(err)
	}
	holds(string(data))
	sim.SetFaults(cutOff)
	if code, _ := run(path); code != 1 {
		t.Errorf("exit %d", code)
	}
	holds(string(data))

	sim.SetFaults(simulator.Rule{When: func(c simulator.Call) bool { return c.Page == 2 }, Fault: simulator.Slow(time.Minute)})
	sim.ForgetCalls()
	cmd := program(t, "backfill", "--config.file="+config, "--output="+path)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for sim.Total() < 1 {
		time.Sleep(10 * time.Millisecond)
	}
	cmd.Process.Signal(os.Interrupt)
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("interrupted: exit %d", code)
	}
	holds(string(data))
}

// With names: false, neither names nor what the API wrote get out.
func TestBackfillHidesNames(t *testing.T) {
	_, directory, config := api(t, "unresolved_failures: {names: false}\n")
	failed := newTask(2, task.Failed, time.Now().Add(-3*time.Hour))
	failed.PrincipalName, failed.TargetName, failed.TargetPathName, failed.AccessConfigurationName = "Alice", "Vault", "root/Vault", "Admins"
	failed.FailureReason = "The role of Alice already exists."
	directory.Put(failed)
	_, stdout, stderr := finish(t, program(t, "backfill", "--config.file="+config, "--step=1h"))
	if strings.Contains(stdout, "Alice") || strings.Contains(stdout, "Vault") || strings.Contains(stdout, "Admins") || !strings.Contains(stdout, "u-2") {
		t.Errorf("%s%s", stdout, stderr)
	}
}

// The API's clock counts, for what it still lists and for when the past ends.
func TestBackfillByTheClockOfTheAPI(t *testing.T) {
	sim, directory, config := api(t, "")
	for _, skew := range []time.Duration{7 * time.Minute, -7 * time.Minute} {
		sim.SetSkew(skew)
		directory.Put(newTask(0, task.Success, time.Now().Add(skew-30*time.Second)))
		began := time.Now()
		code, stdout, stderr := finish(t, program(t, "backfill", "--config.file="+config, "--step=5m"))
		last := int64(0)
		for at := range samples(t, stdout, `cloudsso_window_seconds{directory_id="d-00fc2p61test"} `) {
			last = max(last, at)
		}
		if before := began.Add(skew).Sub(time.Unix(last, 0)); code != 0 || before < -2*time.Second || before > 302*time.Second {
			t.Errorf("exit %d, %q, ends %v before it began, by the API's clock", code, stderr, before)
		}
	}
}
