package store

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/fxamacker/cbor/v2"
)

// The layout of the file: bucket "about" says what it is, bucket "directories"
// has a bucket per directory_id, with a record for each task and counter in
// buckets of their own and three single records. The name of "about" sorts
// first, so that a reader learns the schema before anything else.
const (
	bucketAbout       = "about"
	keySchema         = "schema"
	bucketDirectories = "directories"
	bucketTasks       = "tasks"
	bucketCounters    = "counters"
	keyMeta           = "meta"
	keyPlaces         = "places"
	keyConfigured     = "configured"
)

// schema is the version of that layout. Another bucket or single record is a new
// schema, as this version takes what it does not know for damage; another field
// of a record is not.
const schema = 1

// errDamaged is wrapped by every error that says the content is not what was written.
var errDamaged = errors.New("damaged")

func damagedf(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{errDamaged}, args...)...)
}

// A record is the CRC-32C of where it belongs and what it says, big endian, and
// then the latter as CBOR. So one that turns up elsewhere is as bad as a changed one.
const sumSize = 4

func checksum(directoryID, bucket string, key, payload []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	sum := crc32.Checksum([]byte(directoryID+"\x00"+bucket+"\x00"), table)
	sum = crc32.Update(sum, table, key)
	return crc32.Update(sum, table, payload)
}

// sumOf is the checksum that record carries.
func sumOf(record []byte) (uint32, error) {
	if len(record) < sumSize {
		return 0, damagedf("a record of %d bytes", len(record))
	}
	return binary.BigEndian.Uint32(record), nil
}

// checkRecord returns the checksum of a record that proves to be as written.
func checkRecord(directoryID, bucket string, key, record []byte) (uint32, error) {
	sum, err := sumOf(record)
	if err != nil {
		return 0, err
	}
	if sum != checksum(directoryID, bucket, key, record[sumSize:]) {
		return 0, damagedf("wrong checksum of record %s/%s/%q", directoryID, bucket, key)
	}
	return sum, nil
}

// codec turns values into records and back. It is safe for concurrent use.
type codec struct {
	enc cbor.EncMode
	dec cbor.DecMode
}

func newCodec() (*codec, error) {
	enc, err := cbor.EncOptions{Sort: cbor.SortBytewiseLexical}.EncMode() // the same state, the same bytes
	if err != nil {
		return nil, err
	}
	dec, err := cbor.DecOptions{
		UTF8:             cbor.UTF8DecodeInvalid, // whatever the API said must be readable again
		MaxArrayElements: 1 << 24,
		MaxMapPairs:      1 << 24,
	}.DecMode()
	if err != nil {
		return nil, err
	}
	return &codec{enc: enc, dec: dec}, nil
}

// seal makes the record of v at its place.
func (c *codec) seal(directoryID, bucket string, key []byte, v any) ([]byte, error) {
	payload, err := c.enc.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encoding record %s/%s/%q: %w", directoryID, bucket, key, err)
	}
	record := make([]byte, sumSize, sumSize+len(payload))
	binary.BigEndian.PutUint32(record, checksum(directoryID, bucket, key, payload))
	return append(record, payload...), nil
}

// unseal checks the record at its place and decodes it into v.
func (c *codec) unseal(directoryID, bucket string, key, record []byte, v any) error {
	if _, err := checkRecord(directoryID, bucket, key, record); err != nil {
		return err
	}
	// The checksum says that this is what was written, so it is no damage.
	if err := c.dec.Unmarshal(record[sumSize:], v); err != nil {
		return fmt.Errorf("decoding record %s/%s/%q: %w", directoryID, bucket, key, err)
	}
	return nil
}

// hashedKey marks a key that is not the name itself but its hash.
const hashedKey = 0

// keyOf makes a bbolt key of a name. Task ids are their own keys. One that is
// absurdly long, or empty, must not make every commit fail.
func keyOf(name []byte) []byte {
	if len(name) > 0 && len(name) <= 255 && name[0] != hashedKey {
		return name
	}
	sum := sha256.Sum256(name)
	return append([]byte{hashedKey}, sum[:]...)
}

// digest stands for all records of a directory but keyMeta and keyConfigured. It tells when
// one is missing, has come back or is an earlier version: each of them alone looks sound.
type digest struct {
	Records uint64
	Sum     uint32 // the exclusive or of their checksums
}

func (d *digest) add(sum uint32)    { d.Records++; d.Sum ^= sum }
func (d *digest) remove(sum uint32) { d.Records--; d.Sum ^= sum }
