//go:build linux

package store

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
)

// The test binary is its own helper: with this variable it commits step after
// step to the folder in its argument and prints each number once it is durable.
const helperEnv = "STORE_TEST_HELPER"

func TestMain(m *testing.M) {
	if os.Getenv(helperEnv) == "" {
		os.Exit(m.Run())
	}
	s, err := Open(context.Background(), os.Args[1], Options{})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	w := &writer{s: s, want: newState()}
	if _, err := s.Load("d-1", w.want.replay); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	if !w.want.Meta.From.IsZero() {
		w.n = int(w.want.Meta.From.Sub(noon) / time.Minute)
	}
	limit := func(n uint64) {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: n, Max: ^uint64(0)}); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	}
	limited := os.Getenv(helperEnv) == "limit"
	if limited {
		limit(20_000)
	}
	for failed := 0; ; {
		if err := w.try(); err == nil {
			fmt.Println(w.n)
		} else if failed++; !limited || s.Up() {
			fmt.Println("up", s.Up(), err)
			os.Exit(1)
		}
		if failed == 5 {
			limit(^uint64(0))
			err := w.try()
			fmt.Println(w.n, err)
			os.Exit(0)
		}
	}
}

func helper(t *testing.T, mode, path string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0], path)
	cmd.Env = append(os.Environ(), helperEnv+"="+mode)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd, bufio.NewScanner(out)
}

// stateAfter is what the first n steps add up to.
func stateAfter(t *testing.T, n int) *state {
	s := newState()
	for i := range n {
		if err := s.replay(step(i + 1)); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

// A process that is killed at any point loses nothing that it was told is durable.
func TestKilledInsideCommits(t *testing.T) {
	path := t.TempDir()
	last := 0
	for range 8 {
		cmd, lines := helper(t, "commit", path)
		stop := last + 1 + rand.IntN(40)
		for lines.Scan() {
			if _, err := fmt.Sscan(lines.Text(), &last); err != nil {
				t.Fatalf("helper says %q", lines.Text())
			}
			if last >= stop { // the first it prints may be beyond
				stop = 1 << 30
				if _, err := Open(t.Context(), path, Options{}); err == nil || !strings.Contains(err.Error(), "locked") {
					t.Errorf("a second process opens the folder: %v", err)
				}
				time.AfterFunc(time.Duration(rand.IntN(4000))*time.Microsecond, func() { cmd.Process.Kill() })
			}
		}
		cmd.Wait()
		s := open(t, path)
		got, _ := load(t, s)
		n := int(got.Meta.From.Sub(noon) / time.Minute)
		if n < last {
			t.Errorf("commit %d was acknowledged, the file has %d", last, n)
		}
		want := stateAfter(t, n)
		got.Streaks, want.Streaks = nil, nil
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Fatalf("after commit %d (-want +got):\n%s", n, diff)
		}
		s.Close()
	}
}

// tmpfs mounts a small file system, which CI always can.
func tmpfs(t *testing.T, size string) string {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+size); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("CI must be able to mount a small tmpfs: %v", err)
		}
		t.Skipf("needs root to mount a small tmpfs: %v", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// On a full disk commits fail and what was committed stays; with room again they
// go on, and what failed has left nothing that looks like damage.
func TestDiskFull(t *testing.T) {
	dir := tmpfs(t, "1m")
	path := filepath.Join(dir, "state")
	w := newWriter(t, path)
	w.commit(t, 3)
	ballast := filepath.Join(dir, "ballast")
	for round := range 4 {
		if err := os.WriteFile(ballast, make([]byte, 900_000-round*10_000), 0o600); err != nil {
			t.Logf("ballast: %v", err) // as full as it gets
		}
		for failed := 0; failed < 3; {
			if err := w.try(); err != nil {
				failed++
				if w.s.Up() || !strings.Contains(err.Error(), "make room") {
					t.Errorf("up %t, %v", w.s.Up(), err)
				}
			}
		}
		w.check(t)
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		w.commit(t, 1)
		if !w.s.Up() {
			t.Error("not up though there is room")
		}
		if round%2 == 1 {
			w.s.Close()
			w.s = open(t, path)
		}
		w.check(t)
	}
	if aside, _ := filepath.Glob(filepath.Join(path, "*.damaged")); aside != nil {
		t.Errorf("kept aside: %v", aside)
	}
}

// A full disk at the start keeps nobody from serving: the folder is made when there is room.
func TestNoRoomForTheFolder(t *testing.T) {
	dir := tmpfs(t, "64k")
	ballast := filepath.Join(dir, "ballast")
	for size := 64 << 10; size >= 0; size -= 4096 {
		path := filepath.Join(dir, fmt.Sprint("state", size))
		if err := os.WriteFile(ballast, make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
		w := newWriter(t, path)
		err := w.try()
		if (err == nil) != w.s.Up() || err == nil && size == 64<<10 {
			t.Errorf("%d bytes of ballast: up %t, %v", size, w.s.Up(), err)
		}
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		w.commit(t, 1)
		w.s.Close()
		w.s = open(t, path)
		w.check(t)
		w.s.Close()
		os.RemoveAll(path)
	}
}

// A limit on the size of files is as a full disk: the old file is gone on with as long as it may grow.
func TestLimitOnFileSize(t *testing.T) {
	path := t.TempDir()
	cmd, lines := helper(t, "limit", path)
	last := ""
	for lines.Scan() {
		last = lines.Text()
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, last)
	}
	var n int
	if _, err := fmt.Sscanf(last, "%d <nil>", &n); err != nil || n < 10 {
		t.Fatalf("helper says %q", last)
	}
	got, whole := load(t, open(t, path))
	if want := stateAfter(t, n); !whole || !gocmp.Equal(want, got) {
		t.Errorf("after %d commits: whole %t (-want +got):\n%s", n, whole, gocmp.Diff(want, got))
	}
}

func TestReadOnlyFileSystem(t *testing.T) {
	dir := tmpfs(t, "1m")
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), filepath.Join(dir, "state"), Options{}); err == nil || !strings.Contains(err.Error(), "must be able to write") {
		t.Errorf("got %v", err)
	}
}
