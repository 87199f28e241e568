package simulator

import (
	"fmt"
	"math/rand/v2"
)

// dice is a small repeatable source of chance (SplitMix64). The same start gives the
// same throws on every machine and in every release, which is what makes a
// scenario a function of its seed.
type dice uint64

// hash mixes a seed and a text.
func hash(seed uint64, text string) uint64 {
	d := dice(seed)
	h := d.next()
	for _, c := range []byte(text) {
		h = (h ^ uint64(c)) * 0x100000001b3 // FNV-1a's step
	}
	d = dice(h)
	return d.next()
}

// throw returns the dice of a seed and some numbers.
func throw(seed uint64, numbers ...uint64) dice {
	d := dice(seed)
	for _, n := range numbers {
		d = dice(d.next() ^ n)
	}
	return d
}

func (d *dice) next() uint64 {
	*d += 0x9e3779b97f4a7c15
	z := uint64(*d)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below returns a number in [0, n).
func (d *dice) below(n int) int { return int(d.next() % uint64(n)) }

// chance is true with probability p.
func (d *dice) chance(p float64) bool { return float64(d.next()>>11)/(1<<53) < p }

const letters = "0123456789abcdefghijklmnopqrstuvwxyz"

// letters returns n characters as they stand in ids.
func (d *dice) letters(n int) string { return d.of(letters, n) }

// digits returns an n-digit number that does not begin with 0.
func (d *dice) digits(n int) string { return d.of("123456789", 1) + d.of("0123456789", n-1) }

func (d *dice) of(alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[d.below(len(alphabet))]
	}
	return string(b)
}

// uuid returns a request id: a UUID in capitals.
func (d *dice) uuid() string {
	a, b := d.next(), d.next()
	return fmt.Sprintf("%08X-%04X-5%03X-%04X-%012X", a>>32, a>>16&0xffff, a&0xfff, b>>48&0x3fff|0x8000, b&0xffffffffffff)
}

func newRequestID() string {
	d := dice(rand.Uint64())
	return d.uuid()
}
