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

	"cloudsso_exporter/internal/window"
)

// The test binary is its own helper: with this variable it does one thing and ends.
const helperEnv = "STORE_TEST_HELPER"

func TestMain(m *testing.M) {
	switch os.Getenv(helperEnv) {
	case "":
		os.Exit(m.Run())
	case "hold":
		helperHold(os.Args[1])
	case "commit":
		helperCommit(os.Args[1])
	case "limit":
		helperLimit(os.Args[1])
	}
}

func helperOpen(path string) *Store {
	s, err := Open(context.Background(), path, Options{})
	if err != nil {
		fmt.Println("open:", err)
		os.Exit(1)
	}
	return s
}

func helper(t *testing.T, what, path string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0], path)
	cmd.Env = append(os.Environ(), helperEnv+"="+what)
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

// helperHold holds the file until it is killed.
func helperHold(path string) {
	helperOpen(path)
	fmt.Println("holding")
	time.Sleep(time.Hour) // longer than any test
}

func TestLockedByAnotherProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	cmd, lines := helper(t, "hold", path)
	if !lines.Scan() || lines.Text() != "holding" {
		t.Fatalf("helper says %q", lines.Text())
	}
	if _, err := Open(t.Context(), path, Options{}); err == nil || !strings.Contains(err.Error(), "locked by another process") {
		t.Fatalf("got %v", err)
	}
	killed := make(chan struct{})
	time.AfterFunc(50*time.Millisecond, func() { cmd.Process.Kill(); close(killed) })
	s, err := Open(t.Context(), path, Options{Wait: Wait})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	<-killed
}

// sequence is the n-th commit of helperCommit: tasks 10n to 10n+9 come, those of 40 commits before go.
func sequence(n int) window.Changes {
	ch := someChanges(0)
	ch.Put = someTasks(n*10, 10)
	ch.Counters = someCounters(uint64(n % 100))
	ch.Meta.From = noon.Add(time.Duration(n) * time.Second)
	if n >= 40 {
		for _, t := range someTasks((n-40)*10, 10) {
			ch.Delete = append(ch.Delete, t.ID)
		}
	}
	return ch
}

func stateAfter(n int) *window.Saved {
	s := savedOf(sequence(n))
	from := max(0, n-39)
	s.Tasks = someTasks(from*10, (n-from+1)*10)
	return s
}

// helperCommit goes on with the sequence where the file has it, and prints each number once it is durable.
func helperCommit(path string) {
	s := helperOpen(path)
	saved, err := s.Load("d-1")
	n := 0
	if err == nil && saved != nil {
		n = int(saved.Meta.From.Sub(noon)/time.Second) + 1
	}
	for ; err == nil; n++ {
		if err = s.Commit("d-1", sequence(n), nothingLost); err == nil {
			fmt.Println(n)
		}
	}
	fmt.Println("error:", err)
}

// kill -9 inside commits: all that was acknowledged is there, and nothing in part.
func TestKilledInsideCommits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	rounds := 8
	if testing.Short() {
		rounds = 2
	}
	last := -1
	for range rounds {
		cmd, lines := helper(t, "commit", path)
		// Killed after some commits, at no particular point of the next one.
		stop := last + 1 + rand.IntN(40)
		for lines.Scan() {
			if _, err := fmt.Sscan(lines.Text(), &last); err != nil {
				t.Fatalf("helper says %q", lines.Text())
			}
			if last == stop {
				time.AfterFunc(time.Duration(rand.IntN(4000))*time.Microsecond, func() { cmd.Process.Kill() })
			}
		}
		cmd.Wait()
		l := &log{}
		s, err := Open(t.Context(), path, options(l))
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Load("d-1")
		if err != nil || got == nil {
			t.Fatalf("after commit %d was acknowledged: %v, %v; log: %s", last, got, err, l)
		}
		n := int(got.Meta.From.Sub(noon) / time.Second)
		if n < last {
			t.Errorf("commit %d was acknowledged, the file has %d", last, n)
		}
		if d := diff(stateAfter(n), got); d != "" {
			t.Fatalf("after commit %d (-want +got):\n%s", n, d)
		}
		s.Close()
	}
	t.Logf("%d kills, %d commits", rounds, last+1)
}

// helperLimit commits until a limit on the size of files stops it, some times
// over, and then without the limit.
func helperLimit(path string) {
	s := helperOpen(path)
	limit := func(n uint64) {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: n, Max: ^uint64(0)}); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
	}
	limit(1 << 18)
	n, failed := 0, 0
	for failed < 5 && n < 10_000 {
		if err := s.Commit("d-1", window.Changes{Put: someTasks(n*100, 100)}, nothingLost); err != nil {
			failed++
			if s.Up() {
				fmt.Println("error: Up though", err)
			}
			continue
		}
		n++
	}
	limit(^uint64(0))
	err := s.Commit("d-1", window.Changes{Put: someTasks(n*100, 100)}, nothingLost)
	fmt.Println(n+1, failed, err, s.Up())
	s.Close()
}

func TestLimitOnFileSize(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	cmd, lines := helper(t, "limit", path)
	lines.Scan()
	var n, failed int
	if _, err := fmt.Sscanf(lines.Text(), "%d %d <nil> true", &n, &failed); err != nil || failed != 5 || n < 2 {
		t.Fatalf("helper says %q (%v)", lines.Text(), err)
	}
	if err := cmd.Wait(); err != nil { // it has the file locked until then
		t.Fatal(err)
	}
	wantLoad(t, mustOpen(t, path), "d-1", &window.Saved{Tasks: someTasks(0, n*100)})
}

func TestDiskFull(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("needs to mount a small tmpfs: %v", err)
	}
	defer syscall.Unmount(dir, syscall.MNT_DETACH)
	path := filepath.Join(dir, "state.db")
	s := mustOpen(t, path)
	ballast := filepath.Join(dir, "ballast")
	n := 0
	for round := range 4 {
		if err := os.WriteFile(ballast, make([]byte, 300_000-round*60_000), 0o600); err != nil {
			t.Logf("ballast: %v", err) // as full as it gets
		}
		failed := 0
		for failed < 3 {
			if err := s.Commit("d-1", window.Changes{Put: someTasks(n*50, 50)}, nothingLost); err != nil {
				failed++
				if s.Up() {
					t.Errorf("Up though %v", err)
				}
				continue
			}
			n++
		}
		wantLoad(t, s, "d-1", &window.Saved{Tasks: someTasks(0, n*50)})
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
		mustCommit(t, s, "d-1", window.Changes{Put: someTasks(n*50, 50)})
		n++
		if !s.Up() {
			t.Error("not Up though there is room")
		}
		if round%2 == 1 { // and what failed has left nothing that looks like damage
			s.Close()
			s = mustOpen(t, path)
		}
		wantLoad(t, s, "d-1", &window.Saved{Tasks: someTasks(0, n*50)})
	}
	s.Close()
	if aside, _ := filepath.Glob(path + ".damaged*"); aside != nil {
		t.Errorf("set aside: %v", aside)
	}
}

// A full disk at the start keeps nobody from serving: the file begins when there
// is room, with all there is then, and what did not fit looks like no damage.
func TestNoRoomForNewFile(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skipf("needs to mount a small tmpfs: %v", err)
	}
	defer syscall.Unmount(dir, syscall.MNT_DETACH)
	path := filepath.Join(dir, "state.db")
	ballast := filepath.Join(dir, "ballast")
	without := 0
	for size := 64 << 10; size >= 0; size -= 4096 {
		for _, found := range []string{"nothing", "damage"} {
			if err := os.RemoveAll(path); err != nil {
				t.Fatal(err)
			}
			if found == "damage" && size < 64<<10 {
				if err := os.WriteFile(path, []byte("rubbish"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.WriteFile(ballast, make([]byte, size), 0o600); err != nil && found == "nothing" {
				t.Fatal(err)
			}
			s := mustOpen(t, path)
			wantLoad(t, s, "d-1", nil)
			if !s.Up() {
				without++
				if info, err := os.Stat(path); err == nil && info.Size() != 0 {
					t.Errorf("%d bytes of ballast: not up, and %d bytes left", size, info.Size())
				}
				if err := s.Commit("d-1", window.Changes{Put: someTasks(1, 1)}, nothingLost); err == nil && size > 60<<10 {
					t.Errorf("%d bytes of ballast: a commit succeeds", size)
				}
			}
			if err := os.Remove(ballast); err != nil {
				t.Fatal(err)
			}
			all := func() window.Changes { return window.Changes{Put: someTasks(0, 2)} }
			if err := s.Commit("d-1", all(), all); err != nil || !s.Up() {
				t.Errorf("%d bytes of ballast: with room again: %v, up %v", size, err, s.Up())
			}
			s.Close()
			again := mustOpen(t, path)
			wantLoad(t, again, "d-1", &window.Saved{Tasks: someTasks(0, 2)})
			again.Close()
			aside, _ := filepath.Glob(path + ".damaged*")
			if found == "nothing" && aside != nil {
				t.Fatalf("set aside: %v", aside)
			}
			for _, a := range aside {
				os.Remove(a)
			}
		}
	}
	if without < 2 {
		t.Errorf("there was no room %d times", without)
	}
}

func TestReadOnlyFileSystem(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		t.Skipf("needs to mount a tmpfs: %v", err)
	}
	defer syscall.Unmount(dir, syscall.MNT_DETACH)
	path := filepath.Join(dir, "state.db")
	mustOpen(t, path).Close()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
		t.Skip(err)
	}
	if _, err := Open(t.Context(), path, Options{}); err == nil || !strings.Contains(err.Error(), "needs to write") {
		t.Errorf("got %v", err)
	}
}

// Neither damage nor what happens to a file in use may cost a file handle each time.
func TestFilesAreClosed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	held := func() (n int) {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip(err)
		}
		for _, e := range entries {
			if name, _ := os.Readlink("/proc/self/fd/" + e.Name()); strings.HasPrefix(name, filepath.Dir(path)) {
				n++
			}
		}
		return n
	}
	s := mustOpen(t, path)
	whole := someChanges(300)
	for _, do := range []func() error{
		func() error { return os.Truncate(path, 20_000) },
		func() error { return os.Truncate(path, 0) },
		func() error { return os.Remove(path) },
		func() error { s.size = 0; return os.Truncate(path, 0) }, // seen inside the transaction only
		func() error { return overwrite(path, 0, 1<<17) },
	} {
		mustCommit(t, s, "d-1", whole)
		if err := do(); err != nil {
			t.Fatal(err)
		}
		if err := s.Commit("d-1", someChanges(1), func() window.Changes { return whole }); err != nil {
			t.Fatal(err)
		}
		if n := held(); n != 1 {
			t.Errorf("%d files are open", n)
		}
	}
	s.Close()
	if n := held(); n != 0 {
		t.Errorf("%d files are open after Close", n)
	}
}
