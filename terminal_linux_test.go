package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"cloudsso_exporter/internal/task"
)

// onTerminal runs the program on a terminal so many columns wide and returns all that it shows.
func onTerminal(t *testing.T, columns uint16, c *exec.Cmd) string {
	t.Helper()
	ours, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skip("no terminal can be made: ", err)
	}
	defer ours.Close()
	fd := int(ours.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil || unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0) != nil || unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns}) != nil {
		t.Fatal("terminal", n, err)
	}
	theirs, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	c.Stdout, c.Stderr = theirs, theirs
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	theirs.Close()
	var all strings.Builder
	for buffer := make([]byte, 4096); err == nil; {
		n, err = ours.Read(buffer) // fails once the program has ended
		all.Write(buffer[:n])
	}
	c.Wait()
	return all.String()
}

func TestTasksOnATerminal(t *testing.T) {
	_, directory, config := api(t, "")
	for n := range 45 {
		directory.Put(newTask(n, task.Success, time.Now().Add(-time.Hour)))
	}
	failed := newTask(50, task.Failed, time.Now().Add(-time.Minute))
	failed.AccessConfigurationName, failed.TargetName, failed.PrincipalName = "ECS-Admin-of-everything", "生产账号生产账号生产账号", "Alice\x1b[31m"
	failed.FailureReason = "NoPermission : You are not authorized to do this action.\r\nAction: ram:DeleteRole Resource: acs:ram::114240524784:role/AliyunReservedSSO-ECS-Admin\x1b[2J"
	directory.Put(failed)
	for _, columns := range []uint16{40, 80, 140, 300} {
		out := onTerminal(t, columns, program(t, "tasks", "--config.file="+config))
		if !strings.Contains(out, "\r"+"d-00fc2p61test: 20 tasks read…") {
			t.Errorf("%d: no progress in %q", columns, out)
		}
		_, table, _ := strings.Cut(out, "\x1b[K")
		if strings.ContainsRune(table, '\x1b') {
			t.Errorf("%d: an escape sequence of the API's in %q", columns, table)
		}
		text := ""
		for line := range strings.Lines(table) {
			line = strings.TrimRight(line, "\r\n")
			text += strings.TrimSpace(line)
			wide := strings.Count(line, "生") + strings.Count(line, "产") + strings.Count(line, "账") + strings.Count(line, "号")
			if got := len([]rune(line)) + wide; got > int(columns) {
				t.Errorf("%d: %d columns: %q", columns, got, line)
			}
		}
		whole := "NoPermission : You are not authorized to do this action. Action: ram:DeleteRole Resource: acs:ram::114240524784:role/AliyunReservedSSO-ECS-Admin"
		if !strings.Contains(strings.ReplaceAll(text, " ", ""), strings.ReplaceAll(whole, " ", "")) {
			t.Errorf("%d: the reason is cut: %q", columns, table)
		}
	}
	if _, stdout, stderr := finish(t, program(t, "tasks", "--config.file="+config)); stderr != "" || strings.ContainsAny(stdout, "\r\x1b") {
		t.Errorf("a pipe sees %q, %q", stdout, stderr)
	}
}

func TestBackfillOnATerminal(t *testing.T) {
	_, directory, config := api(t, "")
	for n := range 45 {
		directory.Put(newTask(n, task.Success, time.Now().Add(-time.Hour)))
	}
	out := onTerminal(t, 80, program(t, "backfill", "--config.file="+config, "--step=1h", "--output="+filepath.Join(t.TempDir(), "week.om")))
	for _, progress := range []string{"\rd-00fc2p61test: 20 tasks read…", "\rd-00fc2p61test: " + time.Now().UTC().Add(-24*time.Hour).Truncate(time.Hour).Format("Mon 2 Jan 15:04")} {
		if !strings.Contains(out, progress) {
			t.Errorf("no %q in %q", progress, out)
		}
	}
	if !strings.HasSuffix(out, "\r\x1b[K") {
		t.Errorf("the last line stays: %q", out[max(0, len(out)-80):])
	}
}
