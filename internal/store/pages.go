package store

import (
	"bytes"
	"encoding/binary"
	"hash/fnv"
	"io"
)

// This file reads the pages of a bbolt file without bbolt and without mapping it.
// It believes nothing: not that a page lies in the file, not that a tree
// is one. What passes holds no surprise for bbolt, also not for its writing
// side, which would overwrite a page that is in use but on the free list.
//
// The format is bbolt's version 2, unchanged since 2014, in the byte order of the machine.
const (
	boltMagic   = 0xED0CDAED
	boltVersion = 2

	pageHeader  = 16 // id 8, flags 2, count 2, overflow 4
	elementSize = 16 // branch: pos 4, key size 4, page 8; leaf: flags 4, pos 4, key size 4, value size 4
	bucketSize  = 16 // root page 8, sequence 8
	metaSize    = 64 // magic, version, page size, flags: 4 each; root 16, free list 8, pages 8, transaction 8, checksum 8

	flagBranch   = 0x01
	flagLeaf     = 0x02
	flagFreelist = 0x10
	flagBucket   = 0x01 // of a leaf element

	noFreelist = ^uint64(0)
)

// visitor is told what is in the file, in order of the keys.
type visitor interface {
	enter(bucket []byte) error
	leave() error
	record(key, value []byte) error
}

type pages struct {
	r       io.ReaderAt
	size    uint64 // of a page
	count   uint64 // pages in use or free, the first two included
	seen    []bool // by page
	visitor visitor
}

// readPages checks the file of the given size and tells v all its records. Errors of v are returned as they are.
func readPages(r io.ReaderAt, size int64, v visitor) error {
	root, freelist, p, err := readMeta(r, size)
	if err != nil {
		return err
	}
	p.visitor = v
	// In order first: the tree's own order is slow on a cold disk.
	if _, err := io.Copy(io.Discard, io.NewSectionReader(r, 0, int64(p.count*p.size))); err != nil {
		return err
	}
	if err := p.tree(root, nil, nil); err != nil {
		return err
	}
	return p.free(freelist)
}

// readMeta reads both meta pages, of which bbolt would be content with one. But
// the other one alone is the state of one commit before: counters would go back.
func readMeta(r io.ReaderAt, size int64) (root, freelist uint64, p *pages, err error) {
	read := func(off int64) ([]byte, error) {
		buf := make([]byte, pageHeader+metaSize)
		if off+int64(len(buf)) > size {
			return nil, damagedf("the file ends after %d bytes", size)
		}
		if _, err := r.ReadAt(buf, off); err != nil {
			return nil, err
		}
		m := buf[pageHeader:]
		h := fnv.New64a()
		h.Write(m[:metaSize-8])
		switch {
		case binary.NativeEndian.Uint32(m) != boltMagic:
			return nil, damagedf("not a state file at all")
		case binary.NativeEndian.Uint32(m[4:]) != boltVersion:
			return nil, damagedf("unknown bbolt version %d", binary.NativeEndian.Uint32(m[4:]))
		case binary.NativeEndian.Uint64(m[metaSize-8:]) != h.Sum64():
			return nil, damagedf("wrong checksum of a meta page")
		}
		return m, nil
	}
	m, err := read(0)
	if err != nil {
		return 0, 0, nil, err
	}
	pageSize := binary.NativeEndian.Uint32(m[8:])
	if pageSize < 1024 || pageSize > 1<<24 || pageSize&(pageSize-1) != 0 {
		return 0, 0, nil, damagedf("a page size of %d bytes", pageSize)
	}
	other, err := read(int64(pageSize))
	if err != nil {
		return 0, 0, nil, err
	}
	if binary.NativeEndian.Uint64(other[48:]) > binary.NativeEndian.Uint64(m[48:]) {
		m = other
	}
	p = &pages{r: r, size: uint64(pageSize), count: binary.NativeEndian.Uint64(m[40:])}
	if p.count < 4 || p.count > uint64(size)/p.size {
		return 0, 0, nil, damagedf("%d pages of %d bytes in a file of %d bytes", p.count, p.size, size)
	}
	p.seen = make([]bool, p.count)
	p.seen[0], p.seen[1] = true, true
	return binary.NativeEndian.Uint64(m[16:]), binary.NativeEndian.Uint64(m[32:]), p, nil
}

// claim notes that page id has a use; it must not have two.
func (p *pages) claim(id uint64) error {
	if id >= p.count {
		return damagedf("page %d of %d is used", id, p.count)
	}
	if p.seen[id] {
		return damagedf("page %d is used twice", id)
	}
	p.seen[id] = true
	return nil
}

// read returns page id with its overflow.
func (p *pages) read(id uint64) ([]byte, error) {
	if err := p.claim(id); err != nil {
		return nil, err
	}
	buf := make([]byte, p.size)
	if _, err := p.r.ReadAt(buf, int64(id*p.size)); err != nil {
		return nil, err
	}
	if binary.NativeEndian.Uint64(buf) != id {
		return nil, damagedf("page %d says it is page %d", id, binary.NativeEndian.Uint64(buf))
	}
	overflow := uint64(binary.NativeEndian.Uint32(buf[12:]))
	if overflow == 0 {
		return buf, nil
	}
	for i := range overflow {
		if err := p.claim(id + 1 + i); err != nil {
			return nil, err
		}
	}
	buf = make([]byte, p.size*(overflow+1))
	_, err := p.r.ReadAt(buf, int64(id*p.size))
	return buf, err
}

// tree reads a page and what is below. Its keys are at least low and below high, nil for no limit.
func (p *pages) tree(id uint64, low, high []byte) error {
	buf, err := p.read(id)
	if err != nil {
		return err
	}
	switch flags := binary.NativeEndian.Uint16(buf[8:]); flags {
	case flagLeaf:
		return p.leaf(buf, low, high)
	case flagBranch:
		return p.branch(buf, low, high)
	default:
		return damagedf("page %d is of type %#x", id, flags)
	}
}

func (p *pages) branch(buf, low, high []byte) error {
	n := int(binary.NativeEndian.Uint16(buf[10:]))
	keys, children := make([][]byte, n), make([]uint64, n)
	if n == 0 || pageHeader+n*elementSize > len(buf) {
		return damagedf("a branch page of %d elements", n)
	}
	for i := range n {
		at := pageHeader + i*elementSize
		var err error
		if keys[i], _, err = slot(buf, at, binary.NativeEndian.Uint32(buf[at:]), binary.NativeEndian.Uint32(buf[at+4:]), 0); err != nil {
			return err
		}
		children[i] = binary.NativeEndian.Uint64(buf[at+8:])
		if err := inOrder(keys[i], low, high, i > 0); err != nil {
			return err
		}
		low = keys[i]
	}
	for i := range n {
		end := high
		if i+1 < n {
			end = keys[i+1]
		}
		if err := p.tree(children[i], keys[i], end); err != nil {
			return err
		}
	}
	return nil
}

func (p *pages) leaf(buf, low, high []byte) error {
	n := int(binary.NativeEndian.Uint16(buf[10:]))
	if pageHeader+n*elementSize > len(buf) {
		return damagedf("a leaf page of %d elements", n)
	}
	for i := range n {
		at := pageHeader + i*elementSize
		key, value, err := slot(buf, at, binary.NativeEndian.Uint32(buf[at+4:]), binary.NativeEndian.Uint32(buf[at+8:]), binary.NativeEndian.Uint32(buf[at+12:]))
		if err != nil {
			return err
		}
		if err := inOrder(key, low, high, i > 0); err != nil {
			return err
		}
		low = key
		switch flags := binary.NativeEndian.Uint32(buf[at:]); flags {
		case 0:
			err = p.visitor.record(key, value)
		case flagBucket:
			err = p.bucket(key, value)
		default:
			err = damagedf("an element of type %#x", flags)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// bucket reads the bucket that value describes: its root page, or all of a small one right here.
func (p *pages) bucket(key, value []byte) error {
	if len(value) < bucketSize {
		return damagedf("a bucket of %d bytes", len(value))
	}
	if err := p.visitor.enter(key); err != nil {
		return err
	}
	if root := binary.NativeEndian.Uint64(value); root != 0 {
		if err := p.tree(root, nil, nil); err != nil {
			return err
		}
		return p.visitor.leave()
	}
	inline := value[bucketSize:]
	if len(inline) < pageHeader || binary.NativeEndian.Uint16(inline[8:]) != flagLeaf {
		return damagedf("a small bucket that is no leaf")
	}
	if err := p.leaf(inline, nil, nil); err != nil {
		return err
	}
	return p.visitor.leave()
}

// slot returns the key and value of the element at the given offset of a page.
func slot(buf []byte, at int, pos, keySize, valueSize uint32) (key, value []byte, err error) {
	start := uint64(at) + uint64(pos)
	mid := start + uint64(keySize)
	end := mid + uint64(valueSize)
	if pos < elementSize || keySize == 0 || end > uint64(len(buf)) {
		return nil, nil, damagedf("an element reaches out of its page")
	}
	return buf[start:mid:mid], buf[mid:end:end], nil
}

// inOrder checks low <= key < high, or low < key when strict.
func inOrder(key, low, high []byte, strict bool) error {
	c := bytes.Compare(low, key)
	if low != nil && (c > 0 || strict && c == 0) || high != nil && bytes.Compare(key, high) >= 0 {
		return damagedf("keys out of order")
	}
	return nil
}

// free reads the free list; together with the trees it has to account for every page, once.
func (p *pages) free(id uint64) error {
	if id == noFreelist {
		return damagedf("no free list")
	}
	buf, err := p.read(id)
	if err != nil {
		return err
	}
	if flags := binary.NativeEndian.Uint16(buf[8:]); flags != flagFreelist {
		return damagedf("the free list's page is of type %#x", flags)
	}
	n, ids := uint64(binary.NativeEndian.Uint16(buf[10:])), buf[pageHeader:]
	if n == 0xFFFF { // the real number follows
		n, ids = binary.NativeEndian.Uint64(ids), ids[8:]
	}
	if n > uint64(len(ids))/8 {
		return damagedf("a free list of %d pages", n)
	}
	for i := range n {
		if err := p.claim(binary.NativeEndian.Uint64(ids[i*8:])); err != nil {
			return err
		}
	}
	if i := indexFalse(p.seen); i >= 0 {
		return damagedf("page %d is neither used nor free", i)
	}
	return nil
}

func indexFalse(flags []bool) int {
	for i, set := range flags {
		if !set {
			return i
		}
	}
	return -1
}
