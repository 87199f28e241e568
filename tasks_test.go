package main

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"cloudsso_exporter/internal/simulator"
	"cloudsso_exporter/internal/task"
)

// twoDirectories is a simulated API with two directories and a configuration of both.
func twoDirectories(t *testing.T) (*simulator.Server, string) {
	t.Helper()
	sim, _, config := api(t, "")
	data, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	_, entry, _ := strings.Cut(string(data), "directories:\n")
	both := filepath.Join(t.TempDir(), "both.yaml")
	write(t, both, string(data)+strings.Replace(entry, "d-00fc2p61test", "d-00fc2p62test", 1))
	return sim, both
}

func TestTasksCommand(t *testing.T) {
	sim, config := twoDirectories(t)
	now := time.Now().Truncate(time.Second)
	for n := range 50 {
		sim.Directory("d-00fc2p61test").Put(newTask(n, task.Success, now.Add(-time.Duration(n+1)*time.Minute)))
	}
	failed := newTask(50, task.Failed, now.Add(-30*time.Hour))
	failed.TargetName, failed.FailureReason = "生产账号", "NoPermission : You are not authorized.\nAction: ram:DeleteRole"
	sim.Directory("d-00fc2p62test").Put(failed)
	running := newTask(51, task.InProgress, now.Add(-10*time.Second))
	running.PrincipalType, running.PrincipalID = "Group", "g-00jq"
	sim.Directory("d-00fc2p62test").Put(running)

	list := func(args ...string) []map[string]any {
		t.Helper()
		code, stdout, stderr := finish(t, program(t, append([]string{"tasks", "--config.file=" + config, "-o", "json"}, args...)...))
		var rows []map[string]any
		if err := json.Unmarshal([]byte(stdout), &rows); err != nil || code != 0 || stderr != "" {
			t.Fatalf("%v: exit %d, %v, stderr %q", args, code, err, stderr)
		}
		return rows
	}
	for _, c := range []struct {
		args  []string
		n     int
		first string
	}{
		{nil, 51, "t-00051"},
		{[]string{"--limit=3"}, 3, "t-00051"},
		{[]string{"--limit=0", "--since=7d"}, 52, "t-00051"},
		{[]string{"--since=" + now.Add(-5*time.Minute-30*time.Second).Format(time.RFC3339)}, 6, "t-00051"},
		{[]string{"--status=Failed", "--since=2d"}, 1, "t-00050"},
		{[]string{"--status=InProgress"}, 1, "t-00051"},
		{[]string{"--task-type=CreateAccessAssignment", "--limit=1"}, 1, "t-00002"},
		{[]string{"--target-id=1007"}, 1, "t-00007"},
		{[]string{"--principal-id=u-9"}, 1, "t-00009"},
		{[]string{"--principal-id=g-00jq"}, 1, "t-00051"},
		{[]string{"--principal-id=u-9", "--principal-type=Group"}, 0, ""},
		{[]string{"--access-configuration-id=ac-2"}, 0, ""},
		{[]string{"--directory-id=d-00fc2p62test"}, 1, "t-00051"},
	} {
		rows := list(c.args...)
		if len(rows) != c.n || c.n > 0 && rows[0]["TaskId"] != c.first {
			t.Errorf("%v: %d tasks, want %d, the first %v", c.args, len(rows), c.n, rows)
		}
	}
	if row := list("--status=Failed", "--since=2d")[0]; row["DirectoryId"] != "d-00fc2p62test" || row["FailureReason"] != failed.FailureReason ||
		row["TargetName"] != "生产账号" || row["EndTime"] != failed.End.UTC().Format(time.RFC3339) {
		t.Errorf("%v", row)
	}

	code, stdout, _ := finish(t, program(t, "tasks", "--config.file="+config, "--since=2d", "--limit=0", "-o", "csv"))
	rows, err := csv.NewReader(strings.NewReader(stdout)).ReadAll()
	if code != 0 || err != nil || len(rows) != 53 || strings.Join(rows[0], ",") != "DirectoryId,TaskId,TaskType,Status,StartTime,EndTime,FailureReason,"+
		"AccessConfigurationId,AccessConfigurationName,TargetType,TargetId,TargetName,TargetPath,TargetPathName,OriginTargetId,PrincipalType,PrincipalId,PrincipalName" {
		t.Errorf("exit %d, %v, %d rows, %v", code, err, len(rows), rows[0])
	}
	code, stdout, _ = finish(t, program(t, "tasks", "--config.file="+config, "--since=2d", "--status=Failed"))
	if code != 0 || !strings.Contains(stdout, "NoPermission : You are not authorized. Action: ram:DeleteRole") || !strings.Contains(stdout, "DIRECTORY") || strings.Count(stdout, "\n") != 2 {
		t.Errorf("exit %d, %q", code, stdout)
	}
	if _, stdout, _ := finish(t, program(t, "tasks", "--config.file="+config, "--target-id=1")); stdout != "No task matches.\n" {
		t.Errorf("%q", stdout)
	}
}

func TestTasksAndWaitWrongly(t *testing.T) {
	_, config := twoDirectories(t)
	for _, args := range [][]string{
		{"--since=8d"}, {"--since=soon"}, {"--since=2100-01-01T00:00:00Z"}, {"--principal-id=x-1"}, {"--principal-type=User"}, {"--principal-type=Robot", "--principal-id=u-1"},
		{"--status=Done"}, {"--task-type=Create"}, {"--region=cn-shanghai"},
	} {
		for _, command := range []string{"tasks", "wait"} {
			code, stdout, stderr := finish(t, program(t, append([]string{command, "--config.file=" + config}, args...)...))
			name, _, _ := strings.Cut(strings.TrimPrefix(args[0], "--"), "=")
			if code != 2 || stdout != "" || !strings.Contains(stderr, name) {
				t.Errorf("%s %v: exit %d, stdout %q, stderr %q", command, args, code, stdout, stderr)
			}
		}
	}
	for _, command := range []string{"tasks", "wait", "check"} {
		code, _, stderr := finish(t, program(t, command, "--config.file="+config, "--directory-id=d-9"))
		if code != 1 || !strings.Contains(stderr, "--directory-id=d-9 is not in the file; it has d-00fc2p61test, d-00fc2p62test") {
			t.Errorf("%s: exit %d, stderr %q", command, code, stderr)
		}
	}
	if code, stdout, _ := finish(t, program(t, "check", "--config.file="+config, "--directory-id=d-00fc2p62test")); code != 0 || strings.Contains(stdout, "d-00fc2p61test") {
		t.Errorf("check of one: exit %d, %s", code, stdout)
	}
}

func TestWaitCommand(t *testing.T) {
	t.Parallel() // it waits more than it works
	sim, directory, config := api(t, "")
	wait := func(args ...string) (int, string, string) {
		t.Helper()
		return finish(t, program(t, append([]string{"wait", "--config.file=" + config, "--interval=50ms"}, args...)...))
	}
	if code, stdout, stderr := wait(); code != 0 || !strings.Contains(stdout, "0 tasks have ended") {
		t.Errorf("nothing to wait for: exit %d, %q, %q", code, stdout, stderr)
	}
	if code, stdout, stderr := wait("--min-tasks=1", "--timeout=300ms"); code != 3 || !strings.Contains(stdout, "0 of 1") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("not listed in time: exit %d, %q, %q", code, stdout, stderr)
	}

	now := time.Now().Truncate(time.Second)
	one := newTask(2, task.InProgress, now.Add(-time.Minute)) // CreateAccessAssignment
	directory.Put(one)
	if code, stdout, stderr := wait("--timeout=300ms"); code != 3 || !strings.Contains(stdout, "Waiting for 1 of 1 tasks: CreateAccessAssignment ac-1 on 1002 for u-2 (t-00002)") ||
		!strings.Contains(stderr, "gave up after 300ms") {
		t.Errorf("still running: exit %d, %q, %q", code, stdout, stderr)
	}
	time.AfterFunc(500*time.Millisecond, func() {
		one.Status, one.End, one.FailureReason = task.Failed, now.Add(-30*time.Second), "EntityAlreadyExists.Role : The role does already EXIST."
		directory.Put(one)
	})
	if code, _, stderr := wait(); code != 1 || !strings.Contains(stderr, "(t-00002) failed: EntityAlreadyExists.Role : The role does already EXIST.") {
		t.Errorf("failed: exit %d, %q", code, stderr)
	}
	retry := newTask(6, task.Success, now.Add(-10*time.Second))
	retry.TargetID, retry.PrincipalID = one.TargetID, one.PrincipalID
	directory.Put(retry)
	if code, stdout, stderr := wait(); code != 0 || !strings.Contains(stdout, "2 tasks have ended, none is failed.") {
		t.Errorf("retried with success: exit %d, %q, %q", code, stdout, stderr)
	}

	directory.Put(newTask(3, task.InProgress, now))
	cmd := program(t, "wait", "--config.file="+config)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if !bufio.NewScanner(stdout).Scan() { // what it waits for
		t.Error("it says nothing")
	}
	cmd.Process.Signal(os.Interrupt)
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != 130 || strings.Count(stderr.String(), "\n") != 1 {
		t.Errorf("interrupted: exit %d, %q", code, stderr.String())
	}

	sim.SetKeys()
	if code, _, stderr := wait(); code != 1 || !strings.Contains(stderr, "InvalidAccessKeyId") {
		t.Errorf("wrong key: exit %d, %q", code, stderr)
	}
}

// Filters say what is waited for; what resolves a failure is seen behind them.
func TestWaitSeesWhatResolves(t *testing.T) {
	_, directory, config := api(t, "")
	failed := newTask(2, task.Failed, time.Now().Add(-5*time.Minute)) // CreateAccessAssignment
	revoked, deprovisioned := failed, failed
	revoked.ID, revoked.Type = "t-revoked", task.DeleteAccessAssignment
	deprovisioned.ID, deprovisioned.Type, deprovisioned.PrincipalType, deprovisioned.PrincipalID = "t-deprovisioned", task.DeprovisionAccessConfiguration, "", ""
	for _, resolving := range []task.Task{revoked, deprovisioned} {
		resolving.Status, resolving.FailureReason, resolving.Start, resolving.End = task.Success, "", time.Now().Add(-2*time.Minute), time.Now().Add(-time.Minute)
		for _, args := range [][]string{{"--task-type=CreateAccessAssignment"}, {"--status=Failed"}, {"--principal-id=u-2"}, {"--target-id=1002"}, {"--access-configuration-id=ac-1"}} {
			args = append([]string{"wait", "--config.file=" + config}, args...)
			directory.Remove(resolving.ID)
			directory.Put(failed)
			if code, _, stderr := finish(t, program(t, args...)); code != 1 || strings.Count(stderr, "\n") != 1 {
				t.Errorf("%v, unresolved: exit %d, %q", args, code, stderr)
			}
			directory.Put(resolving)
			if code, _, stderr := finish(t, program(t, args...)); code != 0 || stderr != "" {
				t.Errorf("%v, resolved by %s: exit %d, %q", args, resolving.ID, code, stderr)
			}
		}
		directory.Remove(resolving.ID)
	}
	for _, args := range [][]string{{"--principal-id=u-3"}, {"--task-type=DeleteAccessAssignment"}, {"--target-id=1"}, {"--status=Success"}} {
		if code, stdout, _ := finish(t, program(t, append([]string{"wait", "--config.file=" + config}, args...)...)); code != 0 || !strings.HasPrefix(stdout, "0 tasks") {
			t.Errorf("%v, a failure of others: exit %d, %q", args, code, stdout)
		}
	}
}

// What the API may get over is waited for; nothing makes a wait last longer than it may.
func TestWaitInAnOutage(t *testing.T) {
	sim, _, config := api(t, "api: {max_retries: 0}\n")
	for _, fault := range []simulator.Fault{simulator.Refuse("InternalError"), simulator.Refuse("ServiceUnavailable"), simulator.Throttle(400, 0), simulator.Gateway(502, ""), {HangUp: true}} {
		var calls atomic.Int32
		sim.SetFaults(simulator.Rule{When: func(simulator.Call) bool { return calls.Add(1) <= 2 }, Fault: fault})
		code, stdout, stderr := finish(t, program(t, "wait", "--config.file="+config, "--interval=10ms"))
		if code != 0 || !strings.Contains(stdout, "Waiting for the API") || stderr != "" {
			t.Errorf("%+v: exit %d, %q, %q", fault, code, stdout, stderr)
		}
	}
	for _, code := range []string{"NoPermission", "EntityNotExists.Directory", "InvalidParameter.Status"} {
		sim.SetFaults(simulator.Rule{Fault: simulator.Refuse(code)})
		if exit, _, stderr := finish(t, program(t, "wait", "--config.file="+config)); exit != 1 || !strings.Contains(stderr, code) {
			t.Errorf("%s: exit %d, %q", code, exit, stderr)
		}
	}
	sim.SetFaults(simulator.Rule{Fault: simulator.Slow(time.Minute)})
	began := time.Now()
	code, _, stderr := finish(t, program(t, "wait", "--config.file="+config, "--timeout=300ms"))
	if code != 3 || time.Since(began) > 5*time.Second || strings.Count(stderr, "\n") != 1 {
		t.Errorf("no answer: exit %d after %v, %q", code, time.Since(began), stderr)
	}
}

// Each directory's error is a line. Why a wait ran out of time is in its last one.
func TestEveryDirectorysErrorIsSaid(t *testing.T) {
	sim, config := twoDirectories(t)
	sim.SetFaults(simulator.Rule{Fault: simulator.Refuse("EntityNotExists.Directory")})
	for _, command := range []string{"tasks", "wait", "backfill"} {
		code, stdout, stderr := finish(t, program(t, command, "--config.file="+config))
		lines := strings.Split(stderr, "\n")
		if code != 1 || stdout != "" || len(lines) != 3 || !strings.HasPrefix(lines[0], name+": directory d-00fc2p61test: ListTasks: EntityNotExists.Directory") ||
			!strings.HasPrefix(lines[1], name+": directory d-00fc2p62test: ListTasks: EntityNotExists.Directory") {
			t.Errorf("%s: exit %d, stdout %q, stderr %q", command, code, stdout, stderr)
		}
	}
	sim.SetFaults(simulator.Rule{Fault: simulator.Gateway(503, "")})
	code, stdout, stderr := finish(t, program(t, "wait", "--config.file="+config, "--timeout=1s"))
	if code != 3 || stdout != "" || !strings.Contains(stderr, "gave up after 1s (--timeout): directory d-00fc2p61test: ListTasks: invalid_response (HTTP 503)") || strings.Count(stderr, "\n") != 1 {
		t.Errorf("a wait that is never answered: exit %d, %q, %q", code, stdout, stderr)
	}
}

// A poll asks for what can have changed, not for everything again.
func TestWaitPollsLittle(t *testing.T) {
	t.Parallel() // it waits more than it works
	sim, directory, config := api(t, "")
	for n := range 200 {
		directory.Put(newTask(n, task.Success, time.Now().Add(-10*time.Minute)))
	}
	running := newTask(201, task.InProgress, time.Now().Add(-time.Minute))
	directory.Put(running)
	if code, stdout, _ := finish(t, program(t, "wait", "--config.file="+config, "--interval=50ms", "--timeout=3s")); code != 3 || !strings.Contains(stdout, "1 of 201 tasks") {
		t.Errorf("exit %d, %q", code, stdout)
	}
	full := 0
	for _, c := range sim.Calls() {
		if c.Page == 11 {
			full++
		}
	}
	if full != 1 || sim.Total() < 13 {
		t.Errorf("%d of %d calls end a read of everything", full, sim.Total())
	}
}

// The API refuses a Filter that is too old by its own clock.
func TestTasksOfSevenDaysWithAClockBehind(t *testing.T) {
	sim, directory, config := api(t, "")
	directory.Put(newTask(0, task.Success, time.Now().Add(-time.Hour)))
	sim.SetSkew(7 * time.Minute)
	if code, stdout, stderr := finish(t, program(t, "tasks", "--config.file="+config, "--since=7d")); code != 0 || !strings.Contains(stdout, "t-00000") {
		t.Errorf("exit %d, %q, %q", code, stdout, stderr)
	}
}

// With names: false, neither names nor what the API wrote get out.
func TestTasksAndWaitHideNames(t *testing.T) {
	_, directory, config := api(t, "unresolved_failures: {names: false}\n")
	failed := newTask(2, task.Failed, time.Now().Add(-time.Minute))
	failed.PrincipalName, failed.TargetName, failed.TargetPathName, failed.AccessConfigurationName = "Alice", "Vault", "root/Vault", "Admins"
	failed.FailureReason = "EntityAlreadyExists.Role : The role of Alice already exists."
	directory.Put(failed)
	for _, args := range [][]string{{"tasks"}, {"tasks", "-o", "json"}, {"tasks", "-o", "csv"}, {"wait"}} {
		_, stdout, stderr := finish(t, program(t, append(args, "--config.file="+config)...))
		out := stdout + stderr
		for _, hidden := range []string{"Alice", "Vault", "Admins"} {
			if strings.Contains(out, hidden) {
				t.Errorf("%v shows %s: %s", args, hidden, out)
			}
		}
		if !strings.Contains(out, "u-2") || !strings.Contains(out, "EntityAlreadyExists.Role") {
			t.Errorf("%v: %s", args, out)
		}
	}
}

// Whoever reads the list may stop in the middle.
func TestTasksIntoAClosedPipe(t *testing.T) {
	_, directory, config := api(t, "api: {rate_limit: 1000, burst: 1000}\n")
	for n := range 2000 {
		directory.Put(newTask(n, task.Success, time.Now().Add(-time.Hour)))
	}
	cmd := program(t, "tasks", "--config.file="+config, "--limit=0")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	cmd.Stdout = w
	var stderr strings.Builder
	cmd.Stderr = &stderr
	err = cmd.Run()
	status, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if stderr.Len() > 0 || err != nil && status.Signal() != syscall.SIGPIPE {
		t.Errorf("%v, stderr %q", fmt.Sprint(err), stderr.String())
	}
}

// The other commands can be tried on the simulated API while the demo runs.
func TestDemoConfigOut(t *testing.T) {
	config := filepath.Join(t.TempDir(), "demo.yaml")
	r := start(t, "demo", "--config-out="+config)
	if info, err := os.Stat(config); err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	for _, args := range [][]string{{"check", "--live"}, {"tasks", "--since=7d"}, {"backfill", "--step=1h"}} {
		code, stdout, stderr := finish(t, program(t, append(args, "--config.file="+config)...))
		if code != 0 || stderr != "" || stdout == "" || strings.Contains(stdout, "Warning") {
			t.Errorf("%v with the demo's configuration: exit %d, stdout %.2000q, stderr %q", args, code, stdout, stderr)
		}
	}
	if code, _, stderr := finish(t, program(t, "demo", "--config-out="+config)); code != 1 || !strings.Contains(stderr, "--config-out: ") {
		t.Errorf("over a file that is there: exit %d, %q", code, stderr)
	}
	if code := r.stop(t, os.Interrupt); code != 0 {
		t.Errorf("exit %d", code)
	}
	if _, err := os.Stat(config); err == nil {
		t.Error("the configuration outlives the demo")
	}
}
