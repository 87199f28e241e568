package store

import (
	"errors"
	"fmt"
	"os"
	"slices"
)

// verify reads all of f. It reports whether the file holds nothing yet; its error
// wraps errDamaged where the content is not as written.
func (s *Store) verify(f *os.File, size int64) (isNew bool, err error) {
	v := &verifier{codec: s.codec}
	err = guard(func() error { return readPages(f, size, v) })
	if err == nil {
		err = v.end()
	}
	var unexpected *fault
	if errors.As(err, &unexpected) {
		err = fmt.Errorf("%w: %s", errDamaged, err.Error())
	}
	return v.empty(), err
}

// verifier checks what the pages hold: that it is a state file of a known
// schema, and that each directory is whole.
type verifier struct {
	codec   *codec
	path    []string // buckets entered
	root    []string // buckets of the root
	schema  bool     // seen, and known
	foreign bool     // the root begins as no state file does
	present []string // of the directory being read: its buckets and single records
	found   digest   // of the directory being read
	meta    wireMeta // of the directory being read
}

func (v *verifier) empty() bool { return len(v.root) == 0 }

func (v *verifier) enter(bucket []byte) error {
	name := string(bucket)
	if len(v.path) == 0 {
		v.root = append(v.root, name)
		// The order of keys puts it first, so its absence shows now.
		v.foreign = v.foreign || name != bucketAbout && !v.schema
	}
	v.path = append(v.path, name)
	if v.foreign {
		return nil
	}
	known := false
	switch len(v.path) {
	case 1:
		known = name == bucketAbout || name == bucketDirectories
	case 2:
		known = v.path[0] == bucketDirectories
		v.present, v.found, v.meta = nil, digest{}, wireMeta{}
	case 3:
		known = name == bucketTasks || name == bucketCounters
		v.present = append(v.present, name)
	}
	if !known {
		return damagedf("unknown bucket %q", v.path)
	}
	return nil
}

func (v *verifier) leave() error {
	depth := len(v.path)
	name := v.path[depth-1]
	v.path = v.path[:depth-1]
	switch {
	case v.foreign:
	case depth == 1 && name == bucketAbout && !v.schema:
		return damagedf("no schema version")
	case depth == 2:
		whole := []string{keyConfigured, bucketCounters, keyMeta, keyPlaces, bucketTasks} // in order of keys
		if !slices.Equal(v.present, whole) {
			return damagedf("directory %s has %v, not %v", name, v.present, whole)
		}
		if v.found != digest(v.meta.Digest) {
			return damagedf("directory %s has %d records where %d were written, or other ones", name, v.found.Records, v.meta.Digest.Records)
		}
	}
	return nil
}

func (v *verifier) record(key, value []byte) error {
	if v.foreign {
		return nil
	}
	switch len(v.path) {
	case 1:
		if v.path[0] == bucketAbout && string(key) == keySchema {
			return v.checkSchema(key, value)
		}
	case 2:
		v.present = append(v.present, string(key))
		id := v.path[1]
		if string(key) == keyMeta {
			return v.codec.unseal(id, "", key, value, &v.meta)
		}
		sum, err := checkRecord(id, "", key, value)
		if string(key) == keyPlaces {
			v.found.add(sum)
		}
		return err
	case 3:
		sum, err := checkRecord(v.path[1], v.path[2], key, value)
		v.found.add(sum)
		return err
	}
	return damagedf("unknown record %q", key)
}

func (v *verifier) checkSchema(key, value []byte) error {
	var got int
	if err := v.codec.unseal("", bucketAbout, key, value, &got); err != nil {
		return err
	}
	if got > schema {
		return fmt.Errorf("written by a newer cloudsso_exporter (schema %d, this one knows %d); use that version or move the file away", got, schema)
	}
	v.schema = true
	return nil
}

// end checks what only the end shows.
func (v *verifier) end() error {
	ours := slices.Contains(v.root, bucketAbout) || slices.Contains(v.root, bucketDirectories)
	switch {
	case v.empty():
		return nil
	case v.foreign && !ours:
		return errors.New("a database of another program; give --storage.path a file of its own")
	case !slices.Equal(v.root, []string{bucketAbout, bucketDirectories}):
		return damagedf("the buckets %q", v.root)
	}
	return nil
}
