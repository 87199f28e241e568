package store

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"
	"os"

	"cloudsso_exporter/internal/ledger"
)

// A file begins with its name and version and their CRC-32C. Frames follow: the
// length of the payload (4 bytes, little endian), its CRC-32C, the CRC-32C of these
// 8 bytes, and the payload.
const (
	name    = "cloudsso-state\n"
	version = 1
)

func beginning(version byte) []byte {
	begin := append([]byte(name), version)
	return binary.LittleEndian.AppendUint32(begin, checksum(begin))
}

// begins is how long the beginning is.
const begins = len(name) + 5

const headerSize = 12

// tornAtMost is how long the rest of a file may be that a write left without its
// header: a commit is some kB. Zeros with more behind them are damage.
const tornAtMost = 8 << 10

var (
	// errDamaged says that the content is not as it was written.
	errDamaged = errors.New("damaged")
	// errTorn is damage at the end, as a power failure during a write leaves it.
	errTorn = fmt.Errorf("%w: the file ends within a record", errDamaged)
)

// place is where a frame lies in its file, header included.
type place struct{ at, size int64 }

func (p place) end() int64 { return p.at + p.size }

func (p place) payload(f *os.File) io.Reader {
	return io.NewSectionReader(f, p.at+headerSize, p.size-headerSize)
}

func newSum() hash.Hash32 { return crc32.New(crc32.MakeTable(crc32.Castagnoli)) }

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// checkBeginning reads how the file begins. One that is cut off, or ours but for
// a byte or two, is damage; anything else is not ours to touch.
func checkBeginning(f *os.File) error {
	begin, ours := make([]byte, begins), beginning(version)
	n, err := f.ReadAt(begin, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("state file %s: %w", f.Name(), err)
	}
	different := 0
	for i := range n {
		if begin[i] != ours[i] {
			different++
		}
	}
	v := begin[len(name)]
	switch {
	case n == begins && different == 0:
		return nil
	case different == 0, n == begins && different <= 2:
		return fmt.Errorf("%w at its beginning", errDamaged)
	case n == begins && v > version && bytes.Equal(begin, beginning(v)):
		return fmt.Errorf("%s was written by a newer version of cloudsso_exporter and is left as it is; run that version, or move the file away to start over", f.Name())
	}
	return fmt.Errorf("%s is not a state file of cloudsso_exporter and is left as it is; give --storage.path a folder of its own", f.Name())
}

// verify finds the frames up to the first bad one, and says what is wrong with that.
func verify(f *os.File) (frames []place, damage error) {
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errDamaged, err)
	}
	for at := int64(begins); at < info.Size() || len(frames) == 0; at = frames[len(frames)-1].end() {
		header := make([]byte, headerSize)
		if _, err := f.ReadAt(header, at); errors.Is(err, io.EOF) {
			return frames, errTorn
		}
		if bytes.Equal(header, make([]byte, headerSize)) && info.Size()-at < tornAtMost {
			return frames, errTorn // the header is written last
		}
		p := place{at: at, size: headerSize + int64(binary.LittleEndian.Uint32(header))}
		if checksum(header[:8]) != binary.LittleEndian.Uint32(header[8:]) {
			return frames, fmt.Errorf("%w at byte %d", errDamaged, at)
		}
		sum := newSum()
		switch n, err := io.Copy(sum, p.payload(f)); {
		case err != nil:
			return frames, fmt.Errorf("%w at byte %d: %w", errDamaged, at, err)
		case n < p.size-headerSize:
			return frames, errTorn
		}
		if sum.Sum32() != binary.LittleEndian.Uint32(header[4:]) {
			return frames, fmt.Errorf("%w at byte %d", errDamaged, at)
		}
		frames = append(frames, p)
	}
	return frames, nil
}

// readFrame decodes a frame that was verified and hands it on.
func readFrame(f *os.File, p place, directoryID string, replay func(ledger.Change) error) error {
	c := &coder{in: bufio.NewReaderSize(p.payload(f), 1<<16)}
	var id string
	var change ledger.Change
	c.frame(&id, &change)
	if c.err == nil && id != directoryID {
		return fmt.Errorf("it is of directory %s, not of %s", id, directoryID)
	}
	if c.err != nil {
		return c.err
	}
	return errors.Join(replay(change), c.err)
}

// writeFrame writes a change as a frame and returns where it lies. It goes out
// piece by piece, so that a state of any size needs no memory, the header last.
func writeFrame(f *os.File, at int64, directoryID string, change ledger.Change) (place, error) {
	p := place{at: at, size: headerSize}
	sum := newSum()
	out := io.NewOffsetWriter(f, at+headerSize)
	c := &coder{out: bufio.NewWriterSize(io.MultiWriter(out, sum), 1<<16)}
	c.frame(&directoryID, &change)
	if err := errors.Join(c.err, c.out.Flush()); err != nil {
		return p, err
	}
	length, err := out.Seek(0, io.SeekCurrent)
	if err != nil {
		return p, err
	}
	if length > 1<<32-1 {
		return p, fmt.Errorf("a state of %d bytes is more than a record can hold", length)
	}
	p.size += length
	header := binary.LittleEndian.AppendUint32(nil, uint32(length))
	header = binary.LittleEndian.AppendUint32(header, sum.Sum32())
	header = binary.LittleEndian.AppendUint32(header, checksum(header))
	_, err = f.WriteAt(header, at)
	return p, err
}
