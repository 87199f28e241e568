package store

import (
	"bytes"
	"fmt"
	"slices"

	"go.etcd.io/bbolt"

	"cloudsso_exporter/internal/window"
)

// batchRecords is how many records may share a transaction, so that 200
// directories that commit at once wait for few syncs but no commit waits for all others.
const batchRecords = 20_000

// bulkFill is how full pages become when a directory is written at once. Later
// commits write here and there, and need room more than density.
const bulkFill = 0.9

// changeset is what one call commits: encoded, waiting for its transaction.
type changeset struct {
	directoryID string
	replace     bool
	tasks       []change // in order of keys
	counters    []change // in order of keys
	places      []byte
	meta        window.Meta

	done bool // protected by Store.mu, as are lost and err
	lost bool // not written, as the file has not what it builds on
	err  error
}

// change sets the record at a key, or deletes it when the record is nil.
type change struct{ key, record []byte }

// Commit makes the changes of a directory durable, all or none of them. The first
// commit of a directory begins its state. Calls for several directories at once
// share transactions. After an error, whatever it was, the caller keeps the changes
// and commits them again together with later ones; some may be in the file already.
//
// Where earlier commits of the directory are no longer in the file, as it was
// damaged, replaced or removed while in use, ch alone would be half a state: Commit
// then calls all, at most once and in the caller's goroutine, and makes its result
// the whole state. Deletions in that result are of no account.
func (s *Store) Commit(directoryID string, ch window.Changes, all func() window.Changes) error {
	c, err := s.encode(directoryID, ch)
	if err == nil {
		err = s.submit(c)
		if c.lost {
			whole := all()
			whole.Delete, whole.DropCounters = nil, nil
			if c, err = s.encode(directoryID, whole); err == nil {
				c.replace = true
				err = s.submit(c)
			}
		}
	}
	if err != nil {
		return fmt.Errorf("committing directory %s: %w", directoryID, err)
	}
	return nil
}

// submit has c written, together with those that wait at the same time.
func (s *Store) submit(c *changeset) error {
	s.queued.Lock()
	s.queue = append(s.queue, c)
	s.queued.Unlock()
	// Whoever gets the lock first commits for those who wait.
	s.mu.Lock()
	defer s.mu.Unlock()
	for !c.done {
		s.commit(s.dequeue())
	}
	return c.err
}

// dequeue takes as many changesets as fit into one transaction, at least one.
func (s *Store) dequeue() []*changeset {
	s.queued.Lock()
	defer s.queued.Unlock()
	n, records := 0, 0
	for n < len(s.queue) {
		records += len(s.queue[n].tasks) + len(s.queue[n].counters) + 1
		if n > 0 && records > batchRecords {
			break
		}
		n++
	}
	batch := slices.Clone(s.queue[:n])
	s.queue = slices.Delete(s.queue, 0, n)
	return batch
}

// commit writes the batch in one transaction and says so in each changeset. The
// caller holds s.mu.
func (s *Store) commit(batch []*changeset) {
	err := s.ensure()
	usable := err == nil
	var write []*changeset
	for _, c := range batch {
		if usable && (c.replace || !s.lost[c.directoryID]) {
			write = append(write, c)
		}
	}
	if len(write) > 0 {
		err = s.transact(func(tx *bbolt.Tx) error {
			for _, c := range write {
				if err := s.apply(tx, c); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for _, c := range write {
		if err == nil {
			s.seen[c.directoryID] = true
			delete(s.lost, c.directoryID)
		}
	}
	for _, c := range batch {
		c.done, c.err = true, err
		c.lost = usable && !c.replace && s.lost[c.directoryID]
	}
	if !usable || len(write) > 0 { // else only what comes next shows it
		s.up.Store(err == nil)
	}
}

// apply writes one changeset within tx.
func (s *Store) apply(tx *bbolt.Tx, c *changeset) error {
	all := tx.Bucket([]byte(bucketDirectories))
	id := []byte(c.directoryID)
	dir := all.Bucket(id)
	if dir != nil && c.replace {
		if err := all.DeleteBucket(id); err != nil {
			return err
		}
		dir = nil
	}
	var d digest
	isNew := dir == nil
	if isNew {
		var err error
		if dir, err = all.CreateBucket(id); err != nil {
			return err
		}
	} else {
		var m wireMeta
		if err := s.codec.unseal(c.directoryID, "", []byte(keyMeta), dir.Get([]byte(keyMeta)), &m); err != nil {
			return err
		}
		d = digest(m.Digest)
	}
	for _, part := range []struct {
		name    string
		changes []change
	}{{bucketTasks, c.tasks}, {bucketCounters, c.counters}} {
		b, err := dir.CreateBucketIfNotExists([]byte(part.name))
		if err != nil {
			return err
		}
		if isNew {
			b.FillPercent = bulkFill
		}
		for _, ch := range part.changes {
			if err := set(b, &d, ch); err != nil {
				return err
			}
		}
	}
	if err := set(dir, &d, change{[]byte(keyPlaces), c.places}); err != nil {
		return err
	}
	meta, err := s.codec.seal(c.directoryID, "", []byte(keyMeta), metaToWire(c.meta, d))
	if err != nil {
		return err
	}
	if err := dir.Put([]byte(keyMeta), meta); err != nil {
		return err
	}
	return s.putConfigured(dir, c.directoryID)
}

// set makes one change in b and keeps the digest right.
func set(b *bbolt.Bucket, d *digest, c change) error {
	if old := b.Get(c.key); old != nil {
		sum, err := sumOf(old)
		if err != nil {
			return err
		}
		d.remove(sum)
	}
	if c.record == nil {
		return b.Delete(c.key)
	}
	sum, err := sumOf(c.record)
	if err != nil {
		return err
	}
	d.add(sum)
	return b.Put(c.key, c.record)
}

// encode turns changes into records, in the order in which bbolt writes them fastest.
func (s *Store) encode(directoryID string, ch window.Changes) (*changeset, error) {
	c := &changeset{directoryID: directoryID, meta: ch.Meta}
	for _, id := range ch.Delete {
		c.tasks = append(c.tasks, change{key: keyOf([]byte(id))})
	}
	for _, t := range ch.Put {
		key := keyOf([]byte(t.ID))
		record, err := s.codec.seal(directoryID, bucketTasks, key, taskToWire(t, key[0] == hashedKey))
		if err != nil {
			return nil, err
		}
		c.tasks = append(c.tasks, change{key, record})
	}
	for _, id := range ch.DropCounters {
		key, err := s.counterKey(id)
		if err != nil {
			return nil, err
		}
		c.counters = append(c.counters, change{key: key})
	}
	for _, counter := range ch.Counters {
		key, err := s.counterKey(counter.CounterID)
		if err != nil {
			return nil, err
		}
		record, err := s.codec.seal(directoryID, bucketCounters, key, counterToWire(counter))
		if err != nil {
			return nil, err
		}
		c.counters = append(c.counters, change{key, record})
	}
	// Stable: of two changes of one record the later wins, and a put wins over a delete.
	byKey := func(a, b change) int { return bytes.Compare(a.key, b.key) }
	slices.SortStableFunc(c.tasks, byKey)
	slices.SortStableFunc(c.counters, byKey)
	var err error
	c.places, err = s.codec.seal(directoryID, "", []byte(keyPlaces), placesToWire(ch.Places))
	return c, err
}

// counterKey cannot be a plain join of the parts: the API may put anything into them.
func (s *Store) counterKey(id window.CounterID) ([]byte, error) {
	key, err := s.codec.enc.Marshal([]string{string(id.Metric), string(id.Type), id.Label})
	if err != nil {
		return nil, fmt.Errorf("encoding counter %v: %w", id, err)
	}
	return keyOf(key), nil
}
