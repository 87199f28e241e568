package store

import (
	"fmt"

	"go.etcd.io/bbolt"

	"cloudsso_exporter/internal/window"
)

// Load returns the state of a directory as of its last commit, or nil when there
// is none. Tasks and counters come in no particular order. The result is the caller's.
func (s *Store) Load(directoryID string) (*window.Saved, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.ensure()
	switch {
	case noRoom(err): // for a new file, so there is nothing; what there is by the first commit cannot be built on
		s.seen[directoryID], s.lost[directoryID] = true, true
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("loading directory %s: %w", directoryID, err)
	}
	var saved *window.Saved
	err = guard(func() error {
		return s.db.View(func(tx *bbolt.Tx) (err error) {
			saved, err = s.load(tx, directoryID)
			return err
		})
	})
	if err := s.judge(err); err != nil {
		return nil, fmt.Errorf("loading directory %s: %w", directoryID, err)
	}
	s.seen[directoryID] = true
	delete(s.lost, directoryID)
	return saved, nil
}

func (s *Store) load(tx *bbolt.Tx, id string) (*window.Saved, error) {
	dir := tx.Bucket([]byte(bucketDirectories)).Bucket([]byte(id))
	if dir == nil {
		return nil, nil
	}
	var m wireMeta
	if err := s.codec.unseal(id, "", []byte(keyMeta), dir.Get([]byte(keyMeta)), &m); err != nil {
		return nil, err
	}
	var places []wirePlace
	if err := s.codec.unseal(id, "", []byte(keyPlaces), dir.Get([]byte(keyPlaces)), &places); err != nil {
		return nil, err
	}
	saved := &window.Saved{Meta: m.meta(), Places: placesOf(places)}
	// A slice that grows to its size copies its tasks several times over.
	saved.Tasks = make([]window.SavedTask, 0, m.Digest.Records)
	err := dir.Bucket([]byte(bucketTasks)).ForEach(func(key, record []byte) error {
		var t wireTask
		if err := s.codec.unseal(id, bucketTasks, key, record, &t); err != nil {
			return err
		}
		saved.Tasks = append(saved.Tasks, t.task(key))
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(saved.Tasks) == 0 {
		saved.Tasks = nil
	}
	err = dir.Bucket([]byte(bucketCounters)).ForEach(func(key, record []byte) error {
		var c wireCounter
		if err := s.codec.unseal(id, bucketCounters, key, record, &c); err != nil {
			return err
		}
		saved.Counters = append(saved.Counters, c.counter())
		return nil
	})
	return saved, err
}
