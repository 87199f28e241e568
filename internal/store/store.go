// Package store keeps the state of directories in a folder, so that counters and
// unresolved failures survive a restart, kill -9 included.
//
// Each directory has one append-only file: a change is a checksummed frame,
// synced before Commit returns. Every prefix of a file is a true state of some
// moment, so whatever is damaged costs no more than what came after it. The
// package knows how changes become bytes; it does not know what they mean, when
// they are written or what a scrape shows.
package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"cloudsso_exporter/internal/ledger"
)

// Wait is how long Open should wait for a folder that another process holds: as
// long as an orderly stop of the exporter before it takes in a rolling update.
const Wait = 30 * time.Second

// Keep is how long the state of a directory is kept after it was last configured.
const Keep = 30 * 24 * time.Hour

// ErrClosed is what every call gets after Close.
var ErrClosed = errors.New("the state folder is closed")

// Options say how a state folder is opened.
type Options struct {
	Wait   time.Duration    // for a locked folder; 0 fails at once
	Now    func() time.Time // the local clock; time.Now when nil
	Logger *slog.Logger     // discards when nil
}

// Store is an open state folder. It is safe for concurrent use; the directories
// do not wait for one another.
type Store struct {
	path string
	now  func() time.Time
	log  *slog.Logger
	up   atomic.Bool

	mu     sync.Mutex
	closed bool
	locked *os.File         // nil while there is no room for a folder
	files  map[string]*file // by directory id
}

// Open opens the state folder at path and creates it if missing. While another
// process holds it, Open waits, up to o.Wait or until ctx ends. Where the disk is
// too full for a new folder the Store is not Up, and tries again at each call.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	s := &Store{path: path, now: o.Now, log: o.Logger, files: map[string]*file{}}
	if s.now == nil {
		s.now = time.Now
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	err := s.open(ctx, o.Wait)
	s.up.Store(err == nil)
	if isFull(err) {
		s.log.Error("no room for the state folder; counters stay as they are, and each refresh tries again", "err", err)
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	return s, nil
}

// open creates and locks the folder. It needs mu, or nobody else.
func (s *Store) open(ctx context.Context, wait time.Duration) error {
	if err := os.MkdirAll(s.path, 0o700); err != nil {
		return explain(err, s.path)
	}
	f, err := os.OpenFile(filepath.Join(s.path, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return explain(err, s.path)
	}
	if err := s.lock(ctx, f, time.Now().Add(wait)); err != nil {
		_ = f.Close()
		return fmt.Errorf("state folder %s: %w", s.path, err)
	}
	s.locked = f
	return nil
}

// isFull reports whether err is that of a full disk, quota or file size limit.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EFBIG)
}

// explain says what to do about a folder that cannot be used.
func explain(err error, path string) error {
	cure := ""
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		cure = "; the exporter's user must be able to write it"
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EEXIST):
		cure = "; --storage.path must name a folder"
	}
	return fmt.Errorf("state folder %s: %w%s", path, err, cure)
}

// lock waits for the lock on f until the deadline or the end of ctx.
func (s *Store) lock(ctx context.Context, f *os.File, deadline time.Time) error {
	const poll = 100 * time.Millisecond
	for begun, told := time.Now(), false; ; {
		ok, err := tryLock(f)
		if ok || err != nil {
			return err
		}
		left := time.Until(deadline)
		if left <= 0 {
			return fmt.Errorf("locked by another process (waited %v); stop the other cloudsso_exporter or give this one a --storage.path of its own",
				time.Since(begun).Round(time.Second))
		}
		if !told {
			told = true
			s.log.Info("waiting for the state folder; another process holds its lock", "path", s.path, "at_most", left.Round(time.Second))
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the process that has it locked: %w", context.Cause(ctx))
		case <-time.After(min(poll, left)):
		}
	}
}

// Up reports whether the last attempt to write succeeded, that of Open included.
func (s *Store) Up() bool { return s.up.Load() }

// file returns what is known of a directory's file, in a folder that is ready.
func (s *Store) file(directoryID string) (*file, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	if _, err := os.Stat(s.path); s.locked != nil && errors.Is(err, fs.ErrNotExist) { // removed with all in it
		_ = s.locked.Close()
		s.locked = nil
	}
	if s.locked == nil {
		if err := s.open(context.Background(), 0); err != nil {
			return nil, err
		}
	}
	f := s.files[directoryID]
	if f == nil {
		f = &file{id: directoryID, path: filepath.Join(s.path, fileName(directoryID)), log: s.log}
		s.files[directoryID] = f
	}
	return f, nil
}

// Check reports as an error what Load would refuse: a file that another program
// or a newer version wrote. It reads a few bytes.
func (s *Store) Check(directoryID string) error {
	f, err := s.file(directoryID)
	if isFull(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.check()
}

// Load replays what has been committed of a directory, in order. whole is false
// where a damaged end was cut off: what was replayed is then true of an earlier moment.
func (s *Store) Load(directoryID string, replay func(ledger.Change) error) (whole bool, err error) {
	f, err := s.file(directoryID)
	if isFull(err) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return f.load(replay)
}

// Commit makes c durable: it is appended and synced. Where it cannot be appended
// to what was committed before, or the file has grown to twice what is live, all
// of the state is written to a new file instead.
func (s *Store) Commit(directoryID string, c ledger.Change, all func() ledger.Change) error {
	f, err := s.file(directoryID)
	if err == nil {
		err = f.commit(c, all)
	}
	s.up.Store(err == nil)
	return err
}

// Retain notes that these directories are the configured ones, and deletes the
// files of those that have not been for Keep, with a log line each. To be called
// at start, at each reload and once a day.
func (s *Store) Retain(directoryIDs []string) error {
	now := s.now()
	configured := map[string]bool{}
	for _, id := range directoryIDs {
		name := fileName(id)
		configured[name] = true
		err := os.Chtimes(filepath.Join(s.path, name), now, now)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("note that directory %s is configured: %w", id, err)
		}
	}
	files, err := filepath.Glob(filepath.Join(s.path, "*"+suffix+"*"))
	if err != nil {
		return err
	}
	for _, path := range files {
		info, err := os.Stat(path)
		if err != nil || configured[strings.TrimSuffix(filepath.Base(path), ".damaged")] || now.Sub(info.ModTime()) <= Keep {
			continue
		}
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("delete the state of a directory that is no longer configured: %w", err)
		}
		s.log.Info("deleted the state of a directory that is no longer configured", "path", path, "last_configured", info.ModTime().UTC())
	}
	return nil
}

// Close ends the use of the folder once running commits have ended, and unlocks
// it. Later calls of Close do nothing.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	for _, f := range s.files {
		f.close()
	}
	if s.locked == nil {
		return nil
	}
	if err := s.locked.Close(); err != nil {
		return fmt.Errorf("unlock the state folder %s: %w", s.path, err)
	}
	return nil
}
