package store

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"time"
)

// coder writes values to out, or reads them from in: which values a thing is made
// of and in which order is said once, for both ways. After an error it does nothing.
type coder struct {
	out *bufio.Writer // nil when it reads
	in  *bufio.Reader
	err error

	written map[string]uint64 // interned texts written so far, by number
	read    []string          // and those read so far
}

// maxString is more than any text that is kept.
const maxString = 1 << 20

func (c *coder) reads() bool { return c.out == nil }

func (c *coder) fail(err error) {
	if c.err == nil && err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		c.err = fmt.Errorf("a record with a good checksum cannot be read: %w", err)
	}
}

func (c *coder) uint(v *uint64) {
	switch {
	case c.err != nil:
	case c.reads():
		n, err := binary.ReadUvarint(c.in)
		c.fail(err)
		*v = n
	default:
		_, c.err = c.out.Write(binary.AppendUvarint(c.out.AvailableBuffer(), *v))
	}
}

func (c *coder) int(v *int64) {
	n := uint64(*v)<<1 ^ uint64(*v>>63)
	c.uint(&n)
	*v = int64(n>>1) ^ -int64(n&1)
}

func (c *coder) bool(v *bool) {
	n := uint64(0)
	if *v {
		n = 1
	}
	c.uint(&n)
	*v = n != 0
}

func (c *coder) float(v *float64) {
	bits := math.Float64bits(*v)
	c.uint(&bits)
	*v = math.Float64frombits(bits)
}

// string is for texts that hardly repeat.
func (c *coder) string(v *string) {
	n := uint64(len(*v))
	c.uint(&n)
	switch {
	case c.err != nil:
	case !c.reads():
		_, c.err = c.out.WriteString(*v)
	case n > maxString:
		c.fail(fmt.Errorf("a text of %d bytes", n))
	default:
		text := make([]byte, n)
		_, err := io.ReadFull(c.in, text)
		c.fail(err)
		*v = string(text)
	}
}

// interned is for texts that repeat: written out once in a frame, by its number from
// then on. Number 0 says that a new one follows.
func interned[T ~string](c *coder, v *T) {
	text := string(*v)
	n := uint64(0)
	if !c.reads() {
		n = c.written[text]
	}
	c.uint(&n)
	switch {
	case c.err != nil:
	case n == 0:
		c.string(&text)
		if c.written == nil {
			c.written = map[string]uint64{}
		}
		if c.reads() {
			c.read = append(c.read, text)
		} else {
			c.written[text] = uint64(len(c.written)) + 1
		}
	case c.reads() && n > uint64(len(c.read)):
		c.fail(fmt.Errorf("there is no text number %d", n))
	case c.reads():
		text = c.read[n-1]
	}
	*v = T(text)
}

// time keeps a moment to the nanosecond; the zero time stays zero.
func (c *coder) time(v *time.Time) {
	zero := time.Time{}.Unix()
	seconds, nanoseconds := v.Unix()-zero, int64(v.Nanosecond())
	c.int(&seconds)
	c.int(&nanoseconds)
	*v = time.Unix(seconds+zero, nanoseconds).UTC()
}

func (c *coder) duration(v *time.Duration) { c.int((*int64)(v)) }

// list is a slice of things; an empty one is read as nil.
func list[T any](c *coder, all *[]T, each func(*T)) {
	n := uint64(len(*all))
	c.uint(&n)
	if !c.reads() {
		for i := range *all {
			each(&(*all)[i])
		}
		return
	}
	*all = nil
	for ; n > 0 && c.err == nil; n-- {
		var one T
		each(&one)
		*all = append(*all, one)
	}
}
