package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"cloudsso_exporter/internal/simulator"
	"cloudsso_exporter/internal/task"
)

// The tests of this file run the program itself, in a process of its own: the
// test binary turns into it.
func TestMain(m *testing.M) {
	if os.Getenv("CLOUDSSO_EXPORTER_TEST_MAIN") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// program returns a command that runs the program.
func program(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self, args...)
	c.Env = append(os.Environ(), "CLOUDSSO_EXPORTER_TEST_MAIN=1")
	return c
}

// finish runs the program to its end.
func finish(t *testing.T, c *exec.Cmd) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	if err := c.Run(); err != nil && c.ProcessState == nil {
		t.Fatal(err)
	}
	return c.ProcessState.ExitCode(), out.String(), errs.String()
}

// running is the program while it serves.
type running struct {
	*exec.Cmd
	url    string
	stderr io.Closer     // our end of it
	done   chan struct{} // closed when it has ended

	mu  sync.Mutex
	log strings.Builder
}

var listening = regexp.MustCompile(`msg="Listening on" address=(127\.0\.0\.1:\d+)`)

// start runs the program until it listens, on a port of its own.
func start(t testing.TB, args ...string) *running {
	t.Helper()
	r := &running{Cmd: program(t, append(args, "--web.listen-address=127.0.0.1:0")...), done: make(chan struct{})}
	stderr, err := r.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	r.stderr = stderr
	address := make(chan string, 1)
	go func() {
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			r.mu.Lock()
			r.log.WriteString(lines.Text() + "\n")
			r.mu.Unlock()
			if m := listening.FindStringSubmatch(lines.Text()); m != nil {
				address <- m[1]
			}
		}
		r.Wait()
		close(r.done)
	}()
	t.Cleanup(func() {
		r.Process.Kill()
		<-r.done
	})
	select {
	case a := <-address:
		r.url = "http://" + a
	case <-r.done:
		t.Fatalf("ended at once:\n%s", r.logged())
	case <-time.After(time.Minute):
		t.Fatalf("does not listen:\n%s", r.logged())
	}
	return r
}

func (r *running) logged() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.String()
}

// get returns the status and body of a path, with the budget that Prometheus would send.
func (r *running) get(t testing.TB, path string) (int, string) {
	t.Helper()
	req, _ := http.NewRequest(http.MethodGet, r.url+path, nil)
	req.Header.Set("X-Prometheus-Scrape-Timeout-Seconds", "20")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatalf("%v\n%s", err, r.logged())
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// series returns the samples of a metric by their labels and all.
func (r *running) series(t testing.TB, metric string) map[string]string {
	t.Helper()
	_, body := r.get(t, "/metrics")
	found := map[string]string{}
	for line := range strings.Lines(body) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "} ")
		if name, ok := strings.CutPrefix(name, metric+"{"); ok {
			found[name] = value
		}
	}
	return found
}

// stop ends the program by a signal and returns its exit code.
func (r *running) stop(t testing.TB, signal os.Signal) int {
	t.Helper()
	r.Process.Signal(signal)
	select {
	case <-r.done:
	case <-time.After(30 * time.Second):
		t.Fatalf("still runs after %v:\n%s", signal, r.logged())
	}
	return r.ProcessState.ExitCode()
}

var key = simulator.Key{ID: "LTAI5tExampleKey", Secret: "top-secret-0123456789"}

// api is a simulated CloudSSO with a directory, and a configuration for it.
func api(t testing.TB, more string) (*simulator.Server, *simulator.Directory, string) {
	t.Helper()
	sim := simulator.New(simulator.Options{Keys: []simulator.Key{key}})
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	path := filepath.Join(t.TempDir(), "config.yaml")
	write(t, path, more+fmt.Sprintf(`
directories:
  - directory_id: d-00fc2p61test
    region: cn-shanghai
    endpoint: %s
    credential: {type: access_key, access_key_id: %s, access_key_secret: %s}
`, server.URL, key.ID, key.Secret))
	return sim, sim.Directory("d-00fc2p61test"), path
}

func write(t testing.TB, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func newTask(n int, status task.Status, start time.Time) task.Task {
	made := task.Task{
		ID: fmt.Sprintf("t-%05d", n), Type: task.Types()[n%4], Status: status, Start: start, End: start.Add(3 * time.Second),
		AccessConfigurationID: "ac-1", TargetType: "RD-Account", TargetID: fmt.Sprint(1000 + n),
		PrincipalType: "User", PrincipalID: fmt.Sprintf("u-%d", n),
	}
	switch status {
	case task.Failed:
		made.FailureReason = "EntityAlreadyExists.Role : The role already exists."
	case task.InProgress:
		made.End = time.Time{}
	}
	return made
}

func TestWrongUsageIsExit2(t *testing.T) {
	for _, args := range [][]string{
		{"--no-such-flag"},
		{"nonsense"},
		{"--log.level=loud"},
		{"--web.max-requests=many"},
		{"--web.max-requests=-1"},
		{"check", "--scrape-interval=0s"},
		{"check", "--tasks-per-day=-1"},
		{"demo", "--speed=0"},
		{"demo", "--fault=unheard-of"},
		{"help", "nosuch"},
		{"--config.file=x.yaml", "--directory-id=d-1", "--region=cn-shanghai"},
	} {
		code, stdout, stderr := finish(t, program(t, args...))
		if code != 2 || stderr == "" || stdout != "" {
			t.Errorf("%v: exit %d, stdout %q, stderr %q", args, code, stdout, stderr)
		}
	}
}

func TestWrongValuesAreNamed(t *testing.T) {
	for _, test := range []struct {
		variable, value string
		args            []string
		want            string
	}{
		{args: []string{"--web.max-requests=many"}, want: `--web.max-requests (CLOUDSSO_EXPORTER_WEB_MAX_REQUESTS): "many"`},
		{args: []string{"check", "--scrape-interval=1"}, want: `--scrape-interval: "1"`},
		{args: []string{"demo", "--seed=-1"}, want: `--seed: "-1"`},
		{args: []string{"demo", "--fault=foo"}, want: `cloudsso_exporter: --fault: "foo" must be one of throttling, slow, down; see cloudsso_exporter help demo` + "\n"},
		{args: []string{"tasks", "--no-such-flag"}, want: "; see cloudsso_exporter help tasks\n"},
		{args: []string{"tasks", "--since=9d"}, want: "; see cloudsso_exporter help tasks\n"},
		{args: []string{"--no-such-flag"}, want: "; see cloudsso_exporter --help\n"},
		{args: []string{"--web.max-requests=0.5"}, want: `--web.max-requests (CLOUDSSO_EXPORTER_WEB_MAX_REQUESTS): "0.5"`},
		{args: []string{"--web.listen-address=", "--directory-id=d-1", "--region=cn-shanghai"}, want: "--web.listen-address is empty"},
		{args: []string{"--config.file="}, want: "--config.file needs the path of a file"},
		{args: []string{"demo", "--config.file=x.yaml"}, want: "demo brings its own directories"},
		{args: []string{"--config.file=x.yaml", "--directory-id=d-1", "--region=cn-shanghai"}, want: ": --config.file excludes --directory-id and --region: "},
		{args: []string{"--config.file=x.yaml", "--region=cn-shanghai"}, want: ": --config.file excludes --region: "},
		{args: []string{"tasks", "--config.file=x.yaml", "--directory-id=d-1", "--region=cn-shanghai"}, want: ": --config.file excludes --region: "},
		{variable: "CLOUDSSO_EXPORTER_CONFIG_FILE", value: "x.yaml", args: []string{"--directory-id=d-1"}, want: "CLOUDSSO_EXPORTER_CONFIG_FILE"},
		{variable: "CLOUDSSO_EXPORTER_WEB_TIMEOUT_OFFSET", value: "soon", want: `--web.timeout-offset (CLOUDSSO_EXPORTER_WEB_TIMEOUT_OFFSET): "soon"`},
		{variable: "CLOUDSSO_EXPORTER_WEB_ENABLE_PPROF", value: "maybe", want: `--web.enable-pprof (CLOUDSSO_EXPORTER_WEB_ENABLE_PPROF): "maybe"`},
		{variable: "CLOUDSSO_EXPORTER_LOG_LEVEL", value: "loud", want: `--log.level (CLOUDSSO_EXPORTER_LOG_LEVEL): "loud"`},
	} {
		t.Run(test.want, func(t *testing.T) {
			if test.variable != "" {
				t.Setenv(test.variable, test.value)
			}
			code, _, stderr := finish(t, program(t, test.args...))
			if code != 2 || !strings.Contains(stderr, test.want) {
				t.Errorf("exit %d, stderr %q", code, stderr)
			}
		})
	}
}

func TestStateFolderOfItsOwn(t *testing.T) {
	_, _, config := api(t, "")
	before, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	web := filepath.Join(t.TempDir(), "web.yaml")
	write(t, web, "tls_server_config: {}\n")
	for _, args := range [][]string{
		{"--storage.path=" + config},
		{"--storage.path=" + web, "--web.config.file=" + web},
	} {
		code, _, stderr := finish(t, program(t, append(args, "--config.file="+config, "--web.listen-address=127.0.0.1:0")...))
		if code != 1 || !strings.Contains(stderr, "--storage.path must name a folder") {
			t.Errorf("%v: exit %d, stderr %q", args, code, stderr)
		}
	}
	if after, err := os.ReadFile(config); err != nil || string(after) != string(before) {
		t.Errorf("the configuration was changed: %v, %q", err, after)
	}
}

func TestHelpAndVersion(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"--version"}, {"serve", "--help"}} {
		code, stdout, _ := finish(t, program(t, args...))
		if code != 0 || !strings.Contains(stdout, name) {
			t.Errorf("%v: exit %d, stdout %q", args, code, stdout)
		}
		if args[0] == "--help" && !strings.Contains(stdout, "--storage.path") {
			t.Errorf("the default command's flags are not in the help")
		}
	}
	for _, args := range [][]string{{"help", "wait"}, {"wait", "--help"}} { // of one command alone
		code, stdout, stderr := finish(t, program(t, args...))
		if code != 0 || stderr != "" || !strings.HasPrefix(stdout, "usage: "+name+" wait ") || !strings.Contains(stdout, "One of: User, Group.") ||
			!strings.Contains(stdout, "--config.file") || strings.Contains(stdout, "--storage.path") || strings.Contains(stdout, "backfill") {
			t.Errorf("%v: exit %d, stderr %q, stdout:\n%s", args, code, stderr, stdout)
		}
	}
	if _, page, _ := finish(t, program(t, "--help-man")); !strings.HasPrefix(page, ".TH "+name+" 1 ") || !strings.Contains(strings.SplitN(page, "\n", 3)[1], ".SH") {
		t.Errorf("the man page begins %.300q", page)
	}
}

func TestEveryMistakeIsALine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	write(t, path, `
window: 8d
cache_tll: 5s
directories:
  - directory_id: d-1
    region: cn-shanghai
    credential: {type: access_key, access_key_id: LTAIx}
    filter: {target_id: "1"}
`)
	for _, command := range []string{"serve", "check"} {
		code, _, stderr := finish(t, program(t, command, "--config.file="+path))
		if code != 1 {
			t.Errorf("%s: exit %d", command, code)
		}
		lines := strings.Split(strings.TrimSpace(stderr), "\n")
		for _, want := range []string{":2: window:", ":3: cache_tll:", "credential", "filter.target_id"} {
			if !strings.Contains(stderr, want) {
				t.Errorf("%s: no line about %q in\n%s", command, want, stderr)
			}
		}
		for _, line := range lines {
			if !strings.Contains(line, path) {
				t.Errorf("%s: a line without the file: %q", command, line)
			}
		}
	}
}

func TestNothingToWatchIsExit1(t *testing.T) {
	code, _, stderr := finish(t, program(t))
	if code != 1 || !strings.Contains(stderr, "--directory-id") || !strings.Contains(stderr, "--config.file") {
		t.Errorf("exit %d, stderr %q", code, stderr)
	}
}

func TestPortInUseIsExit1(t *testing.T) {
	_, _, config := api(t, "")
	first := start(t, "--config.file="+config)
	code, _, stderr := finish(t, program(t, "--config.file="+config, "--web.listen-address="+strings.TrimPrefix(first.url, "http://")))
	if code != 1 || !strings.Contains(stderr, "in use") || !strings.Contains(stderr, "--web.listen-address") || strings.Contains(stderr, "stopping") {
		t.Errorf("exit %d, stderr %q", code, stderr)
	}
}

func TestBadWebConfigIsExit1(t *testing.T) {
	_, _, config := api(t, "")
	code, _, stderr := finish(t, program(t, "--config.file="+config, "--web.config.file=/no/such/file", "--web.listen-address=127.0.0.1:0"))
	if code != 1 || !strings.Contains(stderr, "--web.config.file=/no/such/file") {
		t.Errorf("exit %d, stderr %q", code, stderr)
	}
}

func TestCheckLive(t *testing.T) {
	sim, directory, config := api(t, "")
	now := time.Now()
	for n := range 5 {
		directory.Put(newTask(n, task.Failed, now.Add(-time.Hour)))
	}
	code, stdout, stderr := finish(t, program(t, "check", "--live", "--config.file="+config))
	if code != 0 {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	for _, want := range []string{"d-00fc2p61test", "access_key", "7d", "API calls per", "one refresh every 1m; 0.", "a start without a state folder, costs ", "answered", "5 × EntityAlreadyExists.Role", "- match:"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in\n%s", want, stdout)
		}
	}
	if n := sim.Total(); n != 1 {
		t.Errorf("%d calls", n)
	}

	sim.SetKeys()
	code, stdout, stderr = finish(t, program(t, "--config.file="+config, "check", "--live"))
	if code != 1 || !strings.Contains(stderr, "InvalidAccessKeyId") || !strings.Contains(stdout, "live call failed: ") || strings.Contains(stdout+stderr, key.Secret) {
		t.Errorf("exit %d, stderr %q", code, stderr)
	}
}

// A pipeline has neither the secrets nor the environment nor the network of the machine that will run the exporter.
func TestCheckSyntaxOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "config.yaml")
	write(t, path, `
directories:
  - {directory_id: d-1, region: cn-shanghai, credential: {type: oidc_role_arn}}
  - {directory_id: d-2, region: cn-shangai, credential: {type: access_key, access_key_id_file: none, access_key_secret_file: none}}
`)
	code, stdout, stderr := finish(t, program(t, "check", "--syntax-only", "--config.file="+path))
	if code != 0 || !strings.Contains(stdout, "Warning: directories[1].region: ") {
		t.Errorf("exit %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	for _, args := range [][]string{{"--config.file=" + path, "--live"}, {"--directory-id=d-1", "--region=cn-shanghai"}} {
		code, _, stderr := finish(t, program(t, append([]string{"check", "--syntax-only"}, args...)...))
		if code != 2 || !strings.Contains(stderr, "--syntax-only checks a file alone") {
			t.Errorf("%v: exit %d, stderr %q", args, code, stderr)
		}
	}
}

func TestFlagsFromTheEnvironment(t *testing.T) {
	_, directory, config := api(t, "")
	directory.Put(newTask(0, task.Success, time.Now().Add(-time.Hour)))
	t.Setenv("CLOUDSSO_EXPORTER_CONFIG_FILE", config)
	t.Setenv("CLOUDSSO_EXPORTER_WEB_TELEMETRY_PATH", "/numbers")
	t.Setenv("CLOUDSSO_EXPORTER_LOG_FORMAT", "logfmt")
	r := start(t, "serve")
	if code, body := r.get(t, "/numbers"); code != 200 || !strings.Contains(body, "cloudsso_tasks{") {
		t.Errorf("%d: %s", code, body)
	}
}

func TestStopDuringASlowRefresh(t *testing.T) {
	t.Parallel() // it waits more than it works
	sim, _, config := api(t, "")
	sim.SetFaults(simulator.Rule{Fault: simulator.Slow(time.Minute)})
	r := start(t, "--config.file="+config)
	type answer struct {
		code int
		body string
	}
	scraped := make(chan answer, 1)
	go func() {
		code, body := r.get(t, "/metrics")
		scraped <- answer{code, body}
	}()
	time.Sleep(500 * time.Millisecond) // the scrape waits for the refresh by now
	began := time.Now()
	if code := r.stop(t, syscall.SIGTERM); code != 0 {
		t.Errorf("exit %d:\n%s", code, r.logged())
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
	if a := <-scraped; a.code != 200 || strings.Contains(a.body, "cloudsso_tasks{") || !strings.Contains(a.body, "cloudsso_window_seconds{") {
		t.Errorf("the running scrape got %d:\n%s", a.code, a.body)
	}
}

// A reload that waits for ever, for a mount that hangs or a FIFO in its place, keeps
// nobody from scraping or from stopping.
func TestHangingReload(t *testing.T) {
	_, _, config := api(t, "")
	r := start(t, "--config.file="+config)
	r.get(t, "/metrics")
	if err := errors.Join(os.Remove(config), syscall.Mkfifo(config, 0o600)); err != nil {
		t.Fatal(err)
	}
	r.Process.Signal(syscall.SIGHUP)
	time.Sleep(200 * time.Millisecond) // it cannot be seen to wait
	began := time.Now()
	if code, body := r.get(t, "/metrics"); code != 200 || !strings.Contains(body, "cloudsso_up") {
		t.Errorf("a scrape gets %d", code)
	}
	if code := r.stop(t, syscall.SIGTERM); code != 0 || time.Since(began) > 5*time.Second {
		t.Errorf("exit %d after %v:\n%s", code, time.Since(began), r.logged())
	}
}

// Whoever reads the log may go: the exporter serves on and stops as asked.
func TestLogReaderGone(t *testing.T) {
	_, _, config := api(t, "")
	r := start(t, "--config.file="+config, "--log.level=debug")
	r.stderr.Close()
	for range 3 {
		if code, _ := r.get(t, "/metrics"); code != 200 {
			t.Errorf("a scrape gets %d", code)
		}
	}
	r.Process.Signal(syscall.SIGHUP) // which is logged
	r.get(t, "/metrics")
	if code := r.stop(t, syscall.SIGTERM); code != 0 {
		t.Errorf("exit %d", code)
	}
}

func TestReload(t *testing.T) {
	_, _, config := api(t, "")
	r := start(t, "--config.file="+config, "--web.enable-lifecycle")
	good, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	status := func() string {
		_, body := r.get(t, "/metrics")
		for line := range strings.Lines(body) {
			if value, ok := strings.CutPrefix(line, "cloudsso_exporter_config_last_reload_successful "); ok {
				return strings.TrimSpace(value)
			}
		}
		return "absent"
	}
	reload := func() (int, string) {
		resp, err := http.Post(r.url+"/-/reload", "", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		return resp.StatusCode, string(body)
	}
	window := func() string { return r.series(t, "cloudsso_window_seconds")[`directory_id="d-00fc2p61test"`] }

	write(t, config, "window: 9d\n"+string(good))
	if code, body := reload(); code != 500 || !strings.Contains(body, "window") {
		t.Errorf("%d %q", code, body)
	}
	if got := status(); got != "0" {
		t.Errorf("config_last_reload_successful %s after a mistake", got)
	}
	if got := window(); got != "604800" {
		t.Errorf("window %s after a mistake", got)
	}
	write(t, config, "window: 1h\n"+string(good))
	r.Process.Signal(syscall.SIGHUP)
	for deadline := time.Now().Add(20 * time.Second); window() != "3600"; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("SIGHUP does not reload:\n%s", r.logged())
		}
	}
	if got := status(); got != "1" {
		t.Errorf("config_last_reload_successful %s", got)
	}
	if code, body := reload(); code != 200 {
		t.Errorf("%d %q", code, body)
	}
	if strings.Contains(r.logged(), key.Secret) {
		t.Error("the log holds the secret")
	}
}

// The state folder across kill -9 and orderly stops: nothing counts twice, no
// counter goes back, and what happened in between counts once.
func TestCountersSurviveKill9(t *testing.T) {
	_, directory, config := api(t, "cache_ttl: 0s\nnew_series_hold: 0s\n")
	for n := range 130 {
		directory.Put(newTask(n, task.Success, time.Now().Add(-time.Duration(n+10)*time.Minute)))
	}
	args := []string{"--config.file=" + config, "--storage.path=" + filepath.Join(t.TempDir(), "state")}
	finished := func(r *running) int {
		sum := 0
		for _, v := range r.series(t, "cloudsso_tasks_finished_total") {
			var n int
			fmt.Sscan(v, &n)
			sum += n
		}
		return sum
	}
	r := start(t, args...)
	if got := finished(r); got != 0 {
		t.Errorf("the baseline counts %d", got)
	}
	next, want := 1000, 0
	put := func(n int, status task.Status) {
		for range n {
			directory.Put(newTask(next, status, time.Now()))
			next++
		}
		want += n
	}
	for i, signal := range []os.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGKILL, syscall.SIGTERM, syscall.SIGKILL} {
		put(7, task.Success)
		if got := finished(r); got != want {
			t.Errorf("run %d: finished %d, want %d", i, got, want)
		}
		put(3, task.Failed) // perhaps seen by this run, perhaps not
		if i%2 == 0 {
			go http.Get(r.url + "/metrics") // perhaps never answered
			time.Sleep(time.Duration(i) * time.Millisecond)
		}
		r.stop(t, signal)
		put(5, task.Failed) // while it does not run
		r = start(t, args...)
		if got := finished(r); got != want {
			t.Errorf("after restart %d: finished %d, want %d", i, got, want)
		}
	}
	failures := 0
	for _, v := range r.series(t, "cloudsso_task_failures_total") {
		var n int
		fmt.Sscan(v, &n)
		failures += n
	}
	if failures != 5*8 {
		t.Errorf("failures %d, want %d", failures, 5*8)
	}
}

func TestDemo(t *testing.T) {
	t.Parallel() // it waits more than it works
	r := start(t, "demo", "--speed=20")
	refreshed := func() string { // nothing scrapes
		var status struct {
			Directories []struct {
				Success string `json:"last_success"`
			}
		}
		if _, body := r.get(t, "/api/v1/status"); json.Unmarshal([]byte(body), &status) != nil || len(status.Directories) != 2 {
			t.Fatal(body)
		}
		return status.Directories[0].Success
	}
	seen := map[string]bool{}
	for deadline := time.Now().Add(30 * time.Second); len(seen) < 2; time.Sleep(100 * time.Millisecond) {
		if at := refreshed(); at != "" {
			seen[at] = true
		}
		if time.Now().After(deadline) {
			t.Fatal("without scrapes, it stands still")
		}
	}
	before := r.series(t, "cloudsso_tasks")
	if len(before) != 24 {
		t.Fatalf("%d cloudsso_tasks series:\n%s", len(before), r.logged())
	}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(time.Second) {
		moved := 0
		for name, value := range r.series(t, "cloudsso_tasks") {
			if before[name] != value {
				moved++
			}
		}
		if moved > 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("nothing moves")
		}
	}
	if len(r.series(t, "cloudsso_unresolved_failure_start_timestamp_seconds")) == 0 {
		t.Error("no unresolved failure")
	}
	if code := r.stop(t, os.Interrupt); code != 0 {
		t.Errorf("exit %d", code)
	}
}
