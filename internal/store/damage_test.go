package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"cloudsso_exporter/internal/window"
)

// usedFile returns the content of a file with a past (free pages, several
// levels, records over pages) and what is in it.
func usedFile(t testing.TB) ([]byte, map[string]*window.Saved) {
	t.Helper()
	path := filepath.Join(fastDir(t), "state.db")
	s := mustOpen(t, path)
	want := map[string]*window.Saved{}
	for id, n := range map[string]int{"d-1": 60, "d-2": 2} {
		ch := someChanges(n)
		ch.Put[1].Reason = strings.Repeat("long ", 1500)
		gone := someTasks(1000, 30)
		mustCommit(t, s, id, window.Changes{Put: append(gone, ch.Put...)})
		ch2 := ch
		for _, task := range gone {
			ch2.Delete = append(ch2.Delete, task.ID)
		}
		mustCommit(t, s, id, ch2)
		want[id] = savedOf(ch)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// bbolt makes room ahead; only the pages in use are of interest.
	_, _, p, err := readMeta(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	return content[:p.count*p.size], want
}

// openDamaged opens a file with this content and checks what must hold whatever
// that is: the state as it was, or none at all, the file set aside and a log line.
func openDamaged(t *testing.T, dir string, content []byte, want map[string]*window.Saved) (setAside bool) {
	t.Helper()
	path := filepath.Join(dir, "state.db")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(path)
	l := &log{}
	s, err := Open(t.Context(), path, options(l))
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	defer s.Close()
	aside, err := filepath.Glob(path + ".damaged-*")
	if err != nil || len(aside) > 1 {
		t.Fatalf("set aside as %v, %v", aside, err)
	}
	setAside = len(aside) == 1
	if logged := strings.Contains(l.String(), "counting starts anew"); logged != setAside {
		t.Errorf("set aside: %v, but the log is: %s", setAside, l)
	}
	if setAside {
		defer os.Remove(aside[0])
		if kept, err := os.ReadFile(aside[0]); err != nil || !bytes.Equal(kept, content) {
			t.Errorf("what was set aside is not what was there (%v)", err)
		}
		for id := range want {
			wantLoad(t, s, id, nil)
		}
		// It works.
		mustCommit(t, s, "d-1", someChanges(1))
		return true
	}
	for id, state := range want {
		wantLoad(t, s, id, state)
	}
	// Also the writing side finds all in order: nothing in use is on the free list.
	mustCommit(t, s, "d-3", someChanges(20))
	for id, state := range want {
		wantLoad(t, s, id, state)
	}
	return false
}

func TestFlippedBytes(t *testing.T) {
	content, want := usedFile(t)
	dir := fastDir(t)
	step, setAside, sound := 97, 0, 0
	if testing.Short() {
		step = 997
	}
	random := rand.New(rand.NewPCG(1, 2))
	for at := 0; at < len(content); at += step {
		mask := byte(0xff)
		if at%2 == 0 {
			mask = byte(1 + random.IntN(255))
		}
		damaged := bytes.Clone(content)
		damaged[at] ^= mask
		if openDamaged(t, dir, damaged, want) {
			setAside++
		} else {
			sound++
		}
		if t.Failed() {
			t.Fatalf("byte %d of page %d, mask %#x", at%4096, at/4096, mask)
		}
	}
	t.Logf("%d bytes: %d set aside, %d of no effect", len(content), setAside, sound)
	if setAside == 0 {
		t.Error("no flipped byte was noticed")
	}
}

// What bbolt's structure depends on is small and in known places: every byte of every page header and
// the start of its elements, with small changes that make one page look like another.
func TestPageHeaders(t *testing.T) {
	content, want := usedFile(t)
	dir := fastDir(t)
	for page := 0; page < len(content)/4096; page++ {
		for at := range 48 {
			if testing.Short() && at%7 != page%7 {
				continue
			}
			for _, mask := range []byte{1, 2, 3} {
				damaged := bytes.Clone(content)
				damaged[page*4096+at] ^= mask
				err := readPages(bytes.NewReader(damaged), int64(len(damaged)), newVerifier(t))
				if err != nil && !errors.Is(err, errDamaged) {
					t.Fatalf("byte %d of page %d, mask %d: %v", at, page, mask, err)
				}
				if err == nil && mask == 1 && at%5 == 0 {
					openDamaged(t, dir, damaged, want)
				}
			}
		}
	}
}

func newVerifier(t testing.TB) *verifier {
	c, err := newCodec()
	if err != nil {
		t.Fatal(err)
	}
	return &verifier{codec: c}
}

func TestMetaPagesAreNotDispensable(t *testing.T) {
	content, want := usedFile(t)
	for page := range 2 {
		damaged := bytes.Clone(content)
		damaged[page*4096+60] ^= 1
		if !openDamaged(t, fastDir(t), damaged, want) {
			t.Errorf("with meta page %d damaged the state of another commit was served", page)
		}
	}
}

func TestTruncatedAndZeroed(t *testing.T) {
	content, want := usedFile(t)
	dir := fastDir(t)
	for n := 1; n < len(content); n += 1531 {
		if !openDamaged(t, dir, content[:n], want) {
			t.Fatalf("truncated to %d of %d bytes: not set aside", n, len(content))
		}
	}
	for page := 0; page < len(content)/4096; page++ {
		damaged := bytes.Clone(content)
		clear(damaged[page*4096:][:4096])
		openDamaged(t, dir, damaged, want)
		if t.Failed() {
			t.Fatalf("page %d zeroed", page)
		}
	}
	for a := 2; a < len(content)/4096-1; a++ { // two pages that changed places, each sound in itself
		damaged := bytes.Clone(content)
		copy(damaged[a*4096:], content[(a+1)*4096:][:4096])
		copy(damaged[(a+1)*4096:], content[a*4096:][:4096])
		openDamaged(t, dir, damaged, want)
		if t.Failed() {
			t.Fatalf("pages %d and %d swapped", a, a+1)
		}
	}
}

func TestOtherContent(t *testing.T) {
	random := make([]byte, 100_000)
	r := rand.New(rand.NewPCG(3, 4))
	for i := range random {
		random[i] = byte(r.Uint32())
	}
	used, _ := usedFile(t)
	tests := map[string]struct {
		content  []byte
		setAside bool
	}{
		"empty":                           {nil, false},
		"a line of text":                  {[]byte("hello\n"), true},
		"zeros":                           {make([]byte, 65536), true},
		"random":                          {random, true},
		"a state file with a header lost": {append(make([]byte, 8192), used[8192:]...), true},
		"something after the last page":   {append(bytes.Clone(used), random...), false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := openDamaged(t, fastDir(t), tt.content, nil); got != tt.setAside {
				t.Errorf("set aside: %v, want %v", got, tt.setAside)
			}
		})
	}
}

// bbolt follows such a branch for ever.
func TestBranchToItself(t *testing.T) {
	content, want := usedFile(t)
	found := false
	for page := 2; page < len(content)/4096; page++ {
		damaged := bytes.Clone(content)
		p := damaged[page*4096:][:4096]
		if binary.NativeEndian.Uint16(p[8:]) != flagBranch || binary.NativeEndian.Uint64(p) != uint64(page) {
			continue
		}
		found = true
		binary.NativeEndian.PutUint64(p[pageHeader+8:], uint64(page))
		err := readPages(bytes.NewReader(damaged), int64(len(damaged)), newVerifier(t))
		if err == nil { // a free page
			continue
		}
		if !openDamaged(t, fastDir(t), damaged, want) {
			t.Error("not set aside")
		}
	}
	if !found {
		t.Error("the file has no branch page")
	}
}

// A page in use that is also on the free list would be overwritten by the next commit.
func TestFreeListNamesPagesInUse(t *testing.T) {
	content, want := usedFile(t)
	root, freelist, _, err := readMeta(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	ids := content[freelist*4096+pageHeader:]
	if binary.NativeEndian.Uint16(content[freelist*4096+10:]) == 0 {
		t.Fatal("the file has no free pages")
	}
	binary.NativeEndian.PutUint64(ids, root)
	if !openDamaged(t, fastDir(t), content, want) {
		t.Error("not set aside")
	}
}

// Records that are sound each in itself, but not as written together.
func TestRecordsMissingOrMoved(t *testing.T) {
	tests := map[string]func(tx *bbolt.Tx) error{
		"a task is missing": func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte(bucketDirectories)).Bucket([]byte("d-1")).Bucket([]byte(bucketTasks)).Delete([]byte(someTask(3).ID))
		},
		"a counter is missing": func(tx *bbolt.Tx) error {
			b := tx.Bucket([]byte(bucketDirectories)).Bucket([]byte("d-1")).Bucket([]byte(bucketCounters))
			key, _ := b.Cursor().First()
			return b.Delete(key)
		},
		"no tasks at all": func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte(bucketDirectories)).Bucket([]byte("d-1")).DeleteBucket([]byte(bucketTasks))
		},
		"no meta": func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte(bucketDirectories)).Bucket([]byte("d-1")).Delete([]byte(keyMeta))
		},
		"a record of another directory": func(tx *bbolt.Tx) error {
			all := tx.Bucket([]byte(bucketDirectories))
			key := []byte(keyPlaces)
			return all.Bucket([]byte("d-1")).Put(key, all.Bucket([]byte("d-2")).Get(key))
		},
		"a directory under another name": func(tx *bbolt.Tx) error {
			all := tx.Bucket([]byte(bucketDirectories))
			other, err := all.CreateBucket([]byte("d-3"))
			if err != nil {
				return err
			}
			return all.Bucket([]byte("d-1")).ForEach(func(k, v []byte) error {
				if v == nil {
					return all.Bucket([]byte("d-1")).MoveBucket(k, other)
				}
				return other.Put(k, v)
			})
		},
		"no directories": func(tx *bbolt.Tx) error { return tx.DeleteBucket([]byte(bucketDirectories)) },
		"a bucket too many": func(tx *bbolt.Tx) error {
			_, err := tx.CreateBucket([]byte("zoo"))
			return err
		},
		"an empty record": func(tx *bbolt.Tx) error {
			return tx.Bucket([]byte(bucketDirectories)).Bucket([]byte("d-1")).Put([]byte(keyPlaces), nil)
		},
	}
	content, want := usedFile(t)
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			dir := fastDir(t)
			if !openDamaged(t, dir, changed(t, content, change), want) {
				t.Error("not set aside")
			}
		})
	}
}

// changed returns the content of the file after a transaction of somebody else.
func changed(t testing.TB, content []byte, change func(tx *bbolt.Tx) error) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "changed.db")
	if content != nil {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Update(change); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	content, err = os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestSetAsideNamesAreUnique(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	for i := range 3 {
		if err := os.WriteFile(path, fmt.Appendf(nil, "damage %d", i), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := Open(t.Context(), path, options(&log{}))
		if err != nil {
			t.Fatal(err)
		}
		s.Close()
	}
	for i, suffix := range []string{"", "-2", "-3"} {
		got, err := os.ReadFile(path + ".damaged-20261124T120000Z" + suffix)
		if want := fmt.Sprintf("damage %d", i); string(got) != want {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
}

// Whatever is in the file: an error or the records, no panic, no circle.
func FuzzReadPages(f *testing.F) {
	content, _ := usedFile(f)
	f.Add(uint32(8200), uint64(7), uint32(0), uint64(0))
	f.Add(uint32(40), uint64(1), uint32(12_300), uint64(0xffff))
	f.Fuzz(func(t *testing.T, at uint32, xor uint64, at2 uint32, xor2 uint64) {
		damaged := bytes.Clone(content)
		for _, c := range []struct {
			at  uint32
			xor uint64
		}{{at, xor}, {at2, xor2}} {
			word := damaged[int(c.at)%(len(damaged)-8):]
			binary.NativeEndian.PutUint64(word, binary.NativeEndian.Uint64(word)^c.xor)
		}
		v := newVerifier(t)
		if err := readPages(bytes.NewReader(damaged), int64(len(damaged)), v); err != nil && !errors.Is(err, errDamaged) {
			t.Error(err)
		}
	})
}
