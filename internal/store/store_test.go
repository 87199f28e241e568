package store

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"cloudsso_exporter/internal/ledger"
)

func TestCommitsAddUp(t *testing.T) {
	path := filepath.Join(t.TempDir(), "made", "by us")
	w := newWriter(t, path)
	for range 30 {
		w.commit(t, 10)
		w.check(t)
		w.s.Close()
		w.s = open(t, path)
		w.check(t)
	}
	info, err := os.Stat(filepath.Join(path, fileName("d-1")))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if limit := int64(3 * smallTail); info.Size() > limit {
		t.Errorf("the file has grown to %d bytes, at most %d", info.Size(), limit)
	}
}

// A refresh with three new tasks writes less than 2 kB.
func TestBytesOfACommit(t *testing.T) {
	path := t.TempDir()
	w := newWriter(t, path)
	w.commit(t, 1)
	before := w.s.files["d-1"].end
	w.commit(t, 1)
	if n := w.s.files["d-1"].end - before; n > 2000 {
		t.Errorf("%d bytes", n)
	}
}

// A callback that does not read all records of a change gets the next one all the same.
func TestRecordsLeftUnread(t *testing.T) {
	w := newWriter(t, t.TempDir())
	w.commit(t, 5)
	changes := 0
	if _, err := w.s.Load("d-1", func(c ledger.Change) error {
		for range c.Put {
			break
		}
		changes++
		return nil
	}); err != nil || changes != 5 {
		t.Errorf("%d changes, %v", changes, err)
	}
	boom := errors.New("boom")
	if _, err := w.s.Load("d-1", func(ledger.Change) error { return boom }); !errors.Is(err, boom) {
		t.Errorf("the callback's error became %v", err)
	}
}

func TestDirectoriesDoNotMix(t *testing.T) {
	path := t.TempDir()
	s := open(t, path)
	ids := []string{"d-1", "a/b", "..", "", "目录", strings.Repeat("x", 300), strings.Repeat("x", 301)}
	var wg sync.WaitGroup
	for i, id := range ids {
		wg.Go(func() {
			for n := range 20 {
				c := step(100*i + n)
				if err := s.Commit(id, c, func() ledger.Change { return step(100*i + n) }); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	s.Close()
	s = open(t, path)
	for i, id := range ids {
		got := newState()
		if whole, err := s.Load(id, got.replay); !whole || err != nil || !got.Meta.From.Equal(step(100*i+19).Meta.From) {
			t.Errorf("%q: %v, %v, %v", id, whole, err, got.Meta.From)
		}
	}
	if inside, _ := filepath.Glob(filepath.Join(path, "*")); len(inside) != len(ids)+1 {
		t.Errorf("files: %q", inside)
	}
}

func TestCannotOpen(t *testing.T) {
	dir := t.TempDir()
	taken := filepath.Join(dir, "file")
	if err := os.WriteFile(taken, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), taken, Options{}); err == nil || !strings.Contains(err.Error(), "--storage.path must name a folder") {
		t.Errorf("a file: %v", err)
	}
	if os.Getuid() != 0 { // root may write anywhere
		if err := os.Chmod(dir, 0o500); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), filepath.Join(dir, "new"), Options{}); err == nil || !strings.Contains(err.Error(), "must be able to write it") {
			t.Errorf("not writable: %v", err)
		}
	}
}

func TestLocked(t *testing.T) {
	path := t.TempDir()
	first := open(t, path)
	began := time.Now()
	if _, err := Open(t.Context(), path, Options{Wait: 150 * time.Millisecond}); err == nil || !strings.Contains(err.Error(), "locked by another process") || time.Since(began) < 100*time.Millisecond {
		t.Errorf("got %v after %v", err, time.Since(began))
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("stopped"))
	if _, err := Open(ctx, path, Options{Wait: time.Hour}); err == nil || !strings.Contains(err.Error(), "stopped") {
		t.Errorf("got %v", err)
	}
	var l logbook
	o := l.options()
	o.Wait = time.Minute
	time.AfterFunc(250*time.Millisecond, func() { first.Close() })
	second, err := Open(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	second.Close()
	if strings.Count(l.String(), "waiting for the state folder") != 1 {
		t.Errorf("log: %s", &l)
	}
}

func TestForeignAndNewerFilesAreLeftAsTheyAre(t *testing.T) {
	for name, content := range map[string]string{
		"another program's file": "directories: [{directory_id: d-1}]\n",
		"a short one":            "hi",
		"zeros":                  strings.Repeat("\x00", 4096),
		"a newer version":        string(beginning(version+1)) + "whatever",
	} {
		t.Run(name, func(t *testing.T) {
			path := t.TempDir()
			at := filepath.Join(path, fileName("d-1"))
			if err := os.WriteFile(at, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			s := open(t, path)
			want := "is not a state file"
			if name == "a newer version" {
				want = "newer version"
			}
			if err := s.Check("d-1"); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), at) {
				t.Errorf("Check: %v", err)
			}
			if _, err := s.Load("d-1", newState().replay); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("Load: %v", err)
			}
			if err := s.Commit("d-1", step(1), newState().all); err == nil {
				t.Error("it is overwritten")
			}
			if now, _ := os.ReadFile(at); string(now) != content {
				t.Errorf("it was changed to %q", now)
			}
		})
	}
}

// What happens to the file while it is in use is noticed at the next commit, and
// the file is written again from memory.
func TestFileChangedInUse(t *testing.T) {
	for name, harm := range map[string]func(path string) error{
		"removed": os.Remove,
		"cut":     func(path string) error { return os.Truncate(path, 50) },
		"replaced": func(path string) error {
			return errors.Join(os.Rename(path, path+".old"), os.WriteFile(path, []byte("x"), 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := t.TempDir()
			w := newWriter(t, path)
			w.commit(t, 5)
			if err := harm(filepath.Join(path, fileName("d-1"))); err != nil {
				t.Fatal(err)
			}
			w.commit(t, 1)
			w.check(t)
			w.commit(t, 1)
			w.s.Close()
			w.s = open(t, path)
			w.check(t)
		})
	}
	t.Run("the whole folder removed", func(t *testing.T) {
		path := t.TempDir()
		w := newWriter(t, path)
		w.commit(t, 2)
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
		w.commit(t, 1)
		if !w.s.Up() {
			t.Error("not up")
		}
		w.check(t)
	})
}

func TestRetain(t *testing.T) {
	path := t.TempDir()
	var l logbook
	now := noon
	o := l.options()
	o.Now = func() time.Time { return now }
	s, err := Open(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, id := range []string{"d-1", "d-2"} {
		if err := s.Commit(id, step(1), func() ledger.Change { return step(1) }); err != nil {
			t.Fatal(err)
		}
	}
	there := func() int {
		all, _ := filepath.Glob(filepath.Join(path, "*"+suffix))
		return len(all)
	}
	for _, c := range []struct {
		after      time.Duration
		configured []string
		want       int
	}{{0, []string{"d-1", "d-2", "d-3"}, 2}, {0, []string{"d-1"}, 2}, {Keep, []string{"d-1"}, 2}, {Keep + time.Second, []string{"d-1"}, 1}} {
		now = noon.Add(c.after)
		if err := s.Retain(c.configured); err != nil || there() != c.want {
			t.Errorf("after %v: %d files, want %d, %v", c.after, there(), c.want, err)
		}
	}
	if strings.Count(l.String(), "deleted the state") != 1 {
		t.Errorf("log: %s", &l)
	}
}

func TestClosed(t *testing.T) {
	w := newWriter(t, t.TempDir())
	w.commit(t, 1)
	if err := errors.Join(w.s.Close(), w.s.Close()); err != nil {
		t.Error(err)
	}
	if err := w.try(); !errors.Is(err, ErrClosed) {
		t.Errorf("Commit: %v", err)
	}
	if _, err := w.s.Load("d-1", newState().replay); !errors.Is(err, ErrClosed) {
		t.Errorf("Load: %v", err)
	}
}

// A commit that was lost in a crash is not there; all that returned are.
func TestUnfinishedNewFile(t *testing.T) {
	path := t.TempDir()
	w := newWriter(t, path)
	w.commit(t, 3)
	if err := os.WriteFile(filepath.Join(path, fileName("d-1")+".new"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	w.s.Close()
	w.s = open(t, path)
	w.check(t)
	if got, whole := load(t, w.s); !whole || !gocmp.Equal(got, w.want) {
		t.Error("the rest of a file that was never finished is read")
	}
}
