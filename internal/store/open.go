package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
)

// lockPoll is the time between two attempts to lock.
const lockPoll = 100 * time.Millisecond

// open opens, locks and verifies the file, sets it aside when it is damaged, and
// leaves the Store ready to work. The caller holds s.mu or is alone.
func (s *Store) open(ctx context.Context, wait time.Duration) error {
	deadline := time.Now().Add(wait)
	for {
		f, err := s.acquire(ctx, deadline)
		if err != nil {
			return err
		}
		err = s.use(f)
		if err == nil {
			return nil
		}
		if !errors.Is(err, errDamaged) {
			release(f)
			return fmt.Errorf("state file %s: %w", s.path, err)
		}
		err = s.setAside(err)
		release(f)
		if err != nil {
			return err
		}
	}
}

// acquire returns the file at the path, open and locked, created when there is none.
func (s *Store) acquire(ctx context.Context, deadline time.Time) (*os.File, error) {
	for {
		f, err := os.OpenFile(s.path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, s.explain(err)
		}
		info, err := f.Stat()
		if err == nil && !info.Mode().IsRegular() {
			err = errors.New("not a regular file; --storage.path names the state file itself")
		}
		if err == nil {
			err = s.lock(ctx, f, deadline)
		}
		if err != nil {
			_ = f.Close()
			return nil, fmt.Errorf("state file %s: %w", s.path, err)
		}
		// Whoever held the lock may have set the file aside meanwhile.
		there, err := os.Stat(s.path)
		if err != nil || !os.SameFile(info, there) {
			release(f)
			continue
		}
		if info.Mode().Perm()&^0o600 != 0 { // names of people and accounts are nobody else's business
			if err := f.Chmod(0o600); err != nil {
				s.logger.Warn("the state file is open to others and its mode cannot be changed", "path", s.path, "err", err)
			}
		}
		return f, nil
	}
}

// noRoom reports whether err is that of a full disk, quota or file size limit.
func noRoom(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

// explain says what to do when the file cannot be opened.
func (s *Store) explain(err error) error {
	cure := ""
	switch {
	case errors.Is(err, fs.ErrNotExist):
		cure = "; create the folder " + filepath.Dir(s.path) + " first"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		cure = "; the exporter's user needs to write the file and its folder"
	case errors.Is(err, syscall.EISDIR):
		cure = "; --storage.path names the state file itself, for example " + filepath.Join(s.path, "state.db")
	}
	return fmt.Errorf("state file: %w%s", err, cure)
}

// lock waits for the lock on f until the deadline or the end of ctx.
func (s *Store) lock(ctx context.Context, f *os.File, deadline time.Time) error {
	begun, told := time.Now(), false
	for {
		ok, err := tryLock(f)
		if err != nil {
			return fmt.Errorf("locking: %w", err)
		}
		if ok {
			return nil
		}
		left := time.Until(deadline)
		if left <= 0 {
			return fmt.Errorf("locked by another process (waited %v); stop the other cloudsso_exporter or give this one a --storage.path of its own",
				time.Since(begun).Round(time.Second))
		}
		if !told {
			told = true
			s.logger.Info("the state file is locked by another process, waiting for it",
				"path", s.path, "at_most", left.Round(time.Second))
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the process that has it locked: %w", context.Cause(ctx))
		case <-time.After(min(lockPoll, left)):
		}
	}
}

func release(f *os.File) {
	_ = unlock(f)
	_ = f.Close()
}

// use verifies the locked file f and hands it to bbolt, which owns it on success.
// The error wraps errDamaged when the content is at fault.
func (s *Store) use(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	isNew := info.Size() == 0
	if !isNew {
		if isNew, err = s.verify(f, info.Size()); err != nil {
			return err
		}
	}
	var db *bbolt.DB
	err = guard(func() (err error) {
		db, err = bbolt.Open(f.Name(), 0o600, &bbolt.Options{
			OpenFile: func(string, int, fs.FileMode) (*os.File, error) { return f, nil },
			Timeout:  time.Millisecond, // locked already
			// Without a free list in the file bbolt would rebuild it by a walk in a
			// goroutine of its own, where a fault cannot be caught.
			NoFreelistSync: false,
			FreelistType:   bbolt.FreelistMapType, // the other one slows down as pages are freed
			NoStatistics:   true,
		})
		return err
	})
	var fl *fault
	if errors.As(err, &fl) {
		return fmt.Errorf("%w: %s", errDamaged, err.Error())
	}
	if err == nil && isNew {
		err = guard(func() error { return db.Update(s.begin) })
		if err == nil {
			err = syncFolder(s.path)
		}
		if err != nil {
			_ = guard(db.Close)
		}
	}
	if err != nil {
		if isNew {
			s.empty()
		}
		return fmt.Errorf("opening: %w", err)
	}
	s.db, s.file, s.size = db, f, 0
	if info, err := f.Stat(); err == nil {
		s.size = info.Size()
	}
	return nil
}

// empty takes back what a failed beginning has written, on a full disk perhaps: it
// would look like damage at the next start. bbolt has let go of the file.
func (s *Store) empty() {
	f, err := os.OpenFile(s.path, os.O_RDWR, 0)
	if err != nil {
		return
	}
	defer release(f)
	if ok, err := tryLock(f); ok && err == nil {
		_ = f.Truncate(0)
	}
}

// begin writes what every state file has.
func (s *Store) begin(tx *bbolt.Tx) error {
	about, err := tx.CreateBucketIfNotExists([]byte(bucketAbout))
	if err != nil {
		return err
	}
	if _, err := tx.CreateBucketIfNotExists([]byte(bucketDirectories)); err != nil {
		return err
	}
	record, err := s.codec.seal("", bucketAbout, []byte(keySchema), schema)
	if err != nil {
		return err
	}
	return about.Put([]byte(keySchema), record)
}

// setAside gives the damaged file another name. What it holds is not lost to
// somebody who wants to look, and the next start does not stumble over it again.
func (s *Store) setAside(reason error) error {
	path, err := filepath.EvalSymlinks(s.path) // rename the file, not the link to it
	if err != nil {
		return fmt.Errorf("state file: %w", err)
	}
	aside := path + ".damaged-" + s.now().UTC().Format("20060102T150405Z")
	for n, base := 2, aside; ; n++ {
		if _, err := os.Lstat(aside); errors.Is(err, fs.ErrNotExist) {
			break
		}
		aside = fmt.Sprintf("%s-%d", base, n)
	}
	if err := os.Rename(path, aside); err != nil {
		return fmt.Errorf("state file %s is damaged (%w) and cannot be set aside: %w; move it away by hand", s.path, reason, err)
	}
	if err := syncFolder(path); err != nil {
		return err
	}
	s.logger.Error("the state file is damaged and was set aside; a new one begins, counting starts anew",
		"path", s.path, "set_aside", aside, "err", reason)
	return nil
}

// syncFolder makes a new or changed name in the folder of path durable.
func syncFolder(path string) error {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return fmt.Errorf("state file: %w", err)
	}
	defer d.Close()
	// Some file systems cannot sync a folder; there is nothing else to be done then.
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return fmt.Errorf("state file: %w", err)
	}
	return nil
}
