package store

import (
	"fmt"
	"slices"
	"time"

	"go.etcd.io/bbolt"
)

// Retain notes that these directories are the configured ones, and deletes the
// state of every other that has not been for Keep, with a log line each. To
// be called at start, at each reload and once a day.
func (s *Store) Retain(directoryIDs []string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ensure(); err != nil {
		s.up.Store(false)
		return fmt.Errorf("noting the configured directories: %w", err)
	}
	var deleted map[string]time.Time
	err := s.transact(func(tx *bbolt.Tx) (err error) {
		deleted, err = s.retain(tx, directoryIDs)
		return err
	})
	s.up.Store(err == nil)
	if err != nil {
		return fmt.Errorf("noting the configured directories: %w", err)
	}
	for id, last := range deleted {
		delete(s.seen, id)
		delete(s.lost, id)
		s.logger.Info("deleted the state of a directory that is no longer configured",
			"directory_id", id, "last_configured", last)
	}
	return nil
}

func (s *Store) retain(tx *bbolt.Tx, configured []string) (deleted map[string]time.Time, err error) {
	all := tx.Bucket([]byte(bucketDirectories))
	var ids []string // collected first: a bucket must not change under its own cursor
	err = all.ForEachBucket(func(id []byte) error {
		ids = append(ids, string(id))
		return nil
	})
	if err != nil {
		return nil, err
	}
	deleted = map[string]time.Time{}
	for _, id := range ids {
		dir := all.Bucket([]byte(id))
		if slices.Contains(configured, id) {
			if err := s.putConfigured(dir, id); err != nil {
				return nil, err
			}
			continue
		}
		var last stamp
		if err := s.codec.unseal(id, "", []byte(keyConfigured), dir.Get([]byte(keyConfigured)), &last); err != nil {
			return nil, err
		}
		if s.now().Sub(last.time()) <= Keep {
			continue
		}
		if err := all.DeleteBucket([]byte(id)); err != nil {
			return nil, err
		}
		deleted[id] = last.time()
	}
	return deleted, nil
}

// putConfigured notes that the directory is configured now.
func (s *Store) putConfigured(dir *bbolt.Bucket, id string) error {
	record, err := s.codec.seal(id, "", []byte(keyConfigured), stampOf(s.now()))
	if err != nil {
		return err
	}
	return dir.Put([]byte(keyConfigured), record)
}
