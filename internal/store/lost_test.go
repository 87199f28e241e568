package store

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"cloudsso_exporter/internal/window"
)

// What somebody else does to the file while it is open must neither end the
// process nor pass unnoticed until the next start.
func TestFileChangedWhileOpen(t *testing.T) {
	tests := map[string]struct {
		do    func(path string) error
		aside bool // something is left to be set aside
	}{
		"emptied":   {func(path string) error { return os.Truncate(path, 0) }, false},
		"shortened": {func(path string) error { return os.Truncate(path, 20_000) }, true},
		"removed":   {os.Remove, false},
		"renamed":   {func(path string) error { return os.Rename(path, path+".old") }, false},
		"replaced": {func(path string) error {
			if err := os.Rename(path, path+".old"); err != nil {
				return err
			}
			return os.WriteFile(path, []byte("something else"), 0o600)
		}, true},
		"overwritten in place": {func(path string) error {
			return overwrite(path, 0, 1<<17)
		}, true},
		"pages overwritten, meta pages kept": {func(path string) error {
			return overwrite(path, 8192, 1<<17)
		}, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.db")
			l := &log{}
			s, err := Open(t.Context(), path, options(l))
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			before := someChanges(300)
			mustCommit(t, s, "d-1", before)
			mustCommit(t, s, "d-2", before)
			if err := tt.do(path); err != nil {
				t.Fatal(err)
			}

			// The change alone would be half a state, so the whole is asked for, once.
			delta := window.Changes{
				Meta: before.Meta, Put: someTasks(300, 2), Places: before.Places,
				Delete: []string{someTask(0).ID}, DropCounters: []window.CounterID{before.Counters[0].CounterID},
			}
			all := before
			all.Put, all.Counters = someTasks(1, 301), before.Counters[1:]
			all.Delete, all.DropCounters = delta.Delete, delta.DropCounters
			calls := 0
			err = s.Commit("d-1", delta, func() window.Changes { calls++; return all })
			if err != nil || calls != 1 {
				t.Fatalf("Commit returned %v and asked %d times for the whole state", err, calls)
			}
			if !s.Up() {
				t.Error("not Up after a good commit")
			}
			more := window.Changes{Meta: all.Meta, Put: someTasks(302, 1), Places: all.Places}
			mustCommit(t, s, "d-1", more)
			mustCommit(t, s, "d-new", before) // the first commit of another directory is none that lost anything
			if err := s.Commit("d-2", delta, func() window.Changes { calls++; return before }); err != nil || calls != 2 {
				t.Errorf("the other directory: Commit returned %v, the whole was asked for %d times in all", err, calls)
			}
			if aside, _ := filepath.Glob(path + ".damaged-*"); (len(aside) == 1) != tt.aside {
				t.Errorf("set aside: %v", aside)
			}
			s.Close()
			s = mustOpen(t, path)
			all.Put = someTasks(1, 302)
			wantLoad(t, s, "d-1", savedOf(all))
			wantLoad(t, s, "d-2", savedOf(before))
			if !strings.Contains(l.String(), "level=ERROR") {
				t.Errorf("log: %s", l)
			}
		})
	}
}

func overwrite(path string, from, n int64) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	garbage := make([]byte, n-from)
	for i := range garbage {
		garbage[i] = byte(i * 7)
	}
	_, err = f.WriteAt(garbage, from)
	return err
}

// The file becomes shorter after the look at its size: SIGBUS inside bbolt.
func TestCutOffInsideTransaction(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := mustOpen(t, path)
	mustCommit(t, s, "d-1", someChanges(300))
	s.size = 0 // so it does not see
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	whole := someChanges(301)
	if err := s.Commit("d-1", someChanges(1), func() window.Changes { return whole }); err != nil {
		t.Fatal(err)
	}
	wantLoad(t, s, "d-1", savedOf(whole))

	var f *fault
	s.size = 0
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Load("d-1"); !errors.As(err, &f) {
		t.Errorf("Load returned %v, want a fault", err)
	}
	wantLoad(t, s, "d-1", nil)
	mustCommit(t, s, "d-1", someChanges(1)) // Load has said that there is nothing

	s.size = 0
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	if err := s.Retain([]string{"d-1"}); !errors.As(err, &f) {
		t.Errorf("Retain returned %v, want a fault", err)
	}
	if err := os.Truncate(path, 0); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// While the new file cannot be made there is no use in asking for the whole state.
func TestLostAndNoNewFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s := mustOpen(t, filepath.Join(dir, "state.db"))
	mustCommit(t, s, "d-1", someChanges(3))
	if err := os.Rename(dir, dir+".away"); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		err := s.Commit("d-1", someChanges(1), nothingLost)
		if err == nil || !strings.Contains(err.Error(), "create the folder "+dir) || s.Up() {
			t.Errorf("Commit returned %v, Up %v", err, s.Up())
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	whole := someChanges(4)
	if err := s.Commit("d-1", someChanges(1), func() window.Changes { return whole }); err != nil || !s.Up() {
		t.Errorf("Commit returned %v, Up %v", err, s.Up())
	}
	wantLoad(t, s, "d-1", savedOf(whole))
}
