package store

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.etcd.io/bbolt"
)

func TestModeIs0600(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	mode := func() fs.FileMode {
		t.Helper()
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Mode()
	}
	mustOpen(t, path).Close()
	if got := mode(); got != 0o600 {
		t.Errorf("a new file has mode %v", got)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, path).Close()
	if got := mode(); got != 0o600 {
		t.Errorf("a file that was open to others has mode %v", got)
	}
}

func TestCannotOpen(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct{ path, want string }{
		"no such folder":   {filepath.Join(dir, "none", "state.db"), "create the folder " + filepath.Join(dir, "none")},
		"a folder":         {dir, "for example " + filepath.Join(dir, "state.db")},
		"a file as folder": {filepath.Join(file, "state.db"), "not a directory"},
		"a device":         {os.DevNull, "not a regular file"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Open(t.Context(), tt.path, Options{})
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), tt.path) {
				t.Errorf("got %v, want it to say %q", err, tt.want)
			}
		})
	}
}

func TestPermissionDenied(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may write everywhere")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	_, err := Open(t.Context(), filepath.Join(dir, "state.db"), Options{})
	if err == nil || !strings.Contains(err.Error(), "needs to write the file and its folder") {
		t.Errorf("got %v", err)
	}
}

// What is behind a link is renamed where it is; the new file begins there, too.
func TestSymlink(t *testing.T) {
	real, link := filepath.Join(t.TempDir(), "real.db"), filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(real, link); err != nil {
		t.Skip(err)
	}
	s := mustOpen(t, link)
	mustCommit(t, s, "d-1", someChanges(2))
	s.Close()
	wantLoad(t, mustOpen(t, real), "d-1", savedOf(someChanges(2)))
}

func TestDamagedBehindSymlink(t *testing.T) {
	real, link := filepath.Join(t.TempDir(), "real.db"), filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(real, link); err != nil {
		t.Skip(err)
	}
	if err := os.WriteFile(real, []byte("damage"), 0o600); err != nil {
		t.Fatal(err)
	}
	mustOpen(t, link).Close()
	if got, err := os.ReadFile(real + ".damaged-20261124T120000Z"); string(got) != "damage" {
		t.Errorf("set aside: %q, %v", got, err)
	}
	if info, err := os.Lstat(real); err != nil || !info.Mode().IsRegular() {
		t.Errorf("the new file: %v, %v", info, err)
	}
}

// refused opens a file with this content and returns the error, having made sure
// that all stayed as it was.
func refused(t *testing.T, content []byte) error {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "state.db")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), path, Options{})
	if err == nil {
		s.Close()
		t.Fatal("opened")
	}
	if got, _ := os.ReadFile(path); string(got) != string(content) {
		t.Error("the file has been changed")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("the folder holds %v", entries)
	}
	return err
}

func TestNewerSchemaIsRefused(t *testing.T) {
	content, _ := usedFile(t)
	c := newVerifier(t).codec
	err := refused(t, changed(t, content, func(tx *bbolt.Tx) error {
		record, err := c.seal("", bucketAbout, []byte(keySchema), schema+1)
		if err != nil {
			return err
		}
		if err := tx.Bucket([]byte(bucketAbout)).Put([]byte(keySchema), record); err != nil {
			return err
		}
		_, err = tx.CreateBucket([]byte("what nobody knows yet"))
		return err
	}))
	const want = "written by a newer cloudsso_exporter (schema 2, this one knows 1); use that version or move the file away"
	if !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}

func TestAnotherProgramsDatabaseIsRefused(t *testing.T) {
	err := refused(t, changed(t, nil, func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket([]byte("members"))
		return err
	}))
	if !strings.Contains(err.Error(), "database of another program") {
		t.Errorf("got %v", err)
	}
}

// A process that ended between creating the file and writing the first record left nothing to be sorry for.
func TestBareDatabaseIsNew(t *testing.T) {
	content := changed(t, nil, func(*bbolt.Tx) error { return nil })
	if openDamaged(t, t.TempDir(), content, nil) {
		t.Error("set aside")
	}
}

func TestLockedIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "state.db")
		first := mustOpen(t, path)
		mustCommit(t, first, "d-1", someChanges(1))
		time.AfterFunc(20*time.Second, func() { first.Close() })
		l := &log{}
		o := options(l)
		o.Wait = Wait
		begun := time.Now()
		s, err := Open(t.Context(), path, o)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if d := time.Since(begun); d < 20*time.Second || d > 21*time.Second {
			t.Errorf("opened after %v", d)
		}
		if got := l.String(); strings.Count(got, "locked by another process, waiting") != 1 {
			t.Errorf("log: %s", got)
		}
		wantLoad(t, s, "d-1", savedOf(someChanges(1)))
	})
}

func TestLockedForTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "state.db")
		mustOpen(t, path)
		o := options(&log{})
		o.Wait = Wait
		begun := time.Now()
		_, err := Open(t.Context(), path, o)
		if err == nil || !strings.Contains(err.Error(), "locked by another process (waited 30s)") {
			t.Errorf("got %v", err)
		}
		if d := time.Since(begun); d != Wait {
			t.Errorf("gave up after %v", d)
		}
		if _, err := Open(t.Context(), path, Options{}); err == nil || time.Since(begun) != Wait {
			t.Errorf("without Wait: %v after %v", err, time.Since(begun)-Wait)
		}
	})
}

func TestWaitingStopsWithContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "state.db")
		mustOpen(t, path)
		o := options(&log{})
		o.Wait = Wait
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		begun := time.Now()
		_, err := Open(ctx, path, o)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != 3*time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}

// The file under the name is not the one that was locked while it was waited for.
func TestReplacedWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "state.db")
		first := mustOpen(t, path)
		mustCommit(t, first, "d-1", someChanges(1))
		time.AfterFunc(time.Second, func() {
			os.Rename(path, path+".away")
			first.Close()
		})
		o := options(&log{})
		o.Wait = Wait
		s, err := Open(t.Context(), path, o)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		wantLoad(t, s, "d-1", nil)
		mustCommit(t, s, "d-2", someChanges(1))
		if _, err := os.Stat(path); err != nil {
			t.Errorf("what was opened has no name: %v", err)
		}
	})
}
