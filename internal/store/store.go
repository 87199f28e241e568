// Package store keeps the state of directories in one file, so that counters
// and unresolved failures survive a restart, kill -9 included.
//
// It knows how a window.Saved becomes records in a bbolt database, what
// damage looks like and what to do about it. It does not know what the state
// means, when it is written or what a scrape shows: Commit returns once the
// changes are durable, and showing them only then is the caller's part.
//
// The file is locked while it is open. Every record carries a CRC-32C and every
// directory a digest over its records; Open verifies all of it, page by page,
// before bbolt is let near: bbolt itself believes what it reads, and panics, is
// killed by SIGBUS or runs in circles where that is damaged.
package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"
)

// Wait is how long Open should wait for a file that another process holds: as
// long as an orderly stop of the exporter before it takes in a rolling update.
const Wait = 30 * time.Second

// Keep is how long the state of a directory is kept after it was last configured.
const Keep = 30 * 24 * time.Hour

// ErrClosed is what every call gets after Close.
var ErrClosed = errors.New("the state file is closed")

// Options say how a state file is opened.
type Options struct {
	Wait   time.Duration    // for a locked file; 0 fails at once
	Now    func() time.Time // the local clock; time.Now when nil
	Logger *slog.Logger     // discards when nil
}

// Store is an open state file. It is safe for concurrent use.
type Store struct {
	path   string
	now    func() time.Time
	logger *slog.Logger
	codec  *codec
	up     atomic.Bool

	queued sync.Mutex // protects queue
	queue  []*changeset

	mu     sync.Mutex // protects all below: one transaction at a time
	closed bool
	db     *bbolt.DB // nil while there is no usable file
	file   *os.File  // the one db holds, locked
	size   int64     // of the file after the last transaction
	seen   map[string]bool
	lost   map[string]bool // seen, but the file has begun anew since
}

// Open opens the state file at path, or creates it with mode 0600. While another
// process holds the file it waits, up to o.Wait or until ctx ends.
//
// A damaged file is set aside under another name, with a log line, and a new one
// begins. A file that a newer version or another program wrote is an error and
// is not touched. Where the disk is too full for a new file the Store is not Up, and
// begins one when there is room.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	c, err := newCodec()
	if err != nil {
		return nil, err
	}
	s := &Store{
		path: path, now: o.Now, logger: o.Logger, codec: c,
		seen: map[string]bool{}, lost: map[string]bool{},
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.logger == nil {
		s.logger = slog.New(slog.DiscardHandler)
	}
	switch err := s.open(ctx, o.Wait); {
	case err == nil:
		s.up.Store(true)
	case noRoom(err):
		s.logger.Error("there is no room for a state file: counting begins when there is some, which is tried at each refresh", "err", err)
	default:
		return nil, err
	}
	return s, nil
}

// Up reports whether the last attempt to write succeeded, that of Open included.
func (s *Store) Up() bool { return s.up.Load() }

// Close ends the use of the file once a running transaction has ended, and
// unlocks it. Later calls of Close do nothing.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	if s.db == nil {
		return nil
	}
	db := s.db
	s.db, s.file = nil, nil
	if err := guard(db.Close); err != nil {
		return fmt.Errorf("closing the state file %s: %w", s.path, err)
	}
	return nil
}

// ensure makes sure that there is a file to work on and that it is still the one
// at the path: a removed file would take every commit and be gone at the next
// start, a shortened one is damaged. The caller holds s.mu.
func (s *Store) ensure() error {
	if s.closed {
		return ErrClosed
	}
	if s.db != nil {
		reason := s.replaced()
		if reason == "" {
			return nil
		}
		s.logger.Error("the state file was changed by somebody else while in use", "path", s.path, "reason", reason)
		s.abandon()
	}
	return s.open(context.Background(), 0)
}

// replaced says why the open file is no longer good, or nothing.
func (s *Store) replaced() string {
	have, err := s.file.Stat()
	if err != nil {
		return err.Error()
	}
	there, err := os.Stat(s.path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "it was removed"
	case err == nil && !os.SameFile(have, there):
		return "another file has its name"
	case have.Size() < s.size:
		return fmt.Sprintf("it was cut from %d to %d bytes", s.size, have.Size())
	}
	return ""
}

// abandon gives up the open file without another look at its content. bbolt may
// hold its own locks after a panic, so its Close could wait for ever; what it
// mapped is left to the end of the process.
func (s *Store) abandon() {
	_ = unlock(s.file)
	_ = s.file.Close()
	s.db, s.file, s.size = nil, nil, 0
	for id := range s.seen {
		s.lost[id] = true
	}
}

// transact runs fn in one transaction, durable on return. The caller holds s.mu.
func (s *Store) transact(fn func(*bbolt.Tx) error) error {
	err := guard(func() error { return s.db.Update(fn) })
	if info, statErr := s.file.Stat(); statErr == nil {
		s.size = info.Size()
	}
	return s.judge(err)
}

// judge abandons the file after an error that says it cannot be gone on with;
// the next call opens it again, which sets it aside if it is damaged.
func (s *Store) judge(err error) error {
	var f *fault
	if errors.As(err, &f) || errors.Is(err, errDamaged) || errors.Is(err, bolterrors.ErrInvalidMapping) {
		s.logger.Error("the state file cannot be used any longer and is opened anew", "path", s.path, "err", err)
		s.abandon()
	}
	if err != nil {
		return fmt.Errorf("state file %s: %w", s.path, err)
	}
	return nil
}
