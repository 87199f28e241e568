// Package histogram counts durations in classic and native buckets at once and
// remembers when it began, so that it can be stored, restored and exposed with a
// created timestamp that never moves. It knows no Prometheus types.
package histogram

import (
	"maps"
	"math"
	"slices"
	"time"
)

// Schema is the resolution of the native buckets: 2^3 = 8 a power of two, each
// 9 % wider than the one before.
const Schema = 3

// Histogram is a histogram of seconds. It is not safe for concurrent use;
// what has been published is a Clone. Fields are exported for the state folder.
type Histogram struct {
	Created time.Time
	Count   uint64
	Sum     float64        // seconds
	Bounds  []float64      // upper bounds of the classic buckets, ascending, without +Inf; shared, never changed
	Classic []uint64       // observations per classic bucket, not cumulative; one more than Bounds, for +Inf
	Zero    uint64         // observations of exactly zero
	Native  map[int]uint64 // observations per native bucket of Schema, by index
}

// New returns an empty histogram. It keeps bounds.
func New(bounds []float64, created time.Time) *Histogram {
	return &Histogram{
		Created: created,
		Bounds:  bounds,
		Classic: make([]uint64, len(bounds)+1),
		Native:  map[int]uint64{},
	}
}

// Observe counts one duration; a negative one counts as zero.
func (h *Histogram) Observe(d time.Duration) {
	seconds := max(d, 0).Seconds()
	h.Count++
	h.Sum += seconds
	i, _ := slices.BinarySearch(h.Bounds, seconds)
	h.Classic[i]++
	if seconds == 0 {
		h.Zero++
		return
	}
	h.Native[nativeIndex(seconds)]++
}

// Clone returns a copy that later observations do not touch.
func (h *Histogram) Clone() *Histogram {
	c := *h
	c.Classic = slices.Clone(h.Classic)
	c.Native = maps.Clone(h.Native)
	return &c
}

// nativeIndex is the i for which 2^((i-1)/8) < v <= 2^(i/8).
func nativeIndex(v float64) int {
	frac, exp := math.Frexp(v) // v = frac × 2^exp, 0.5 <= frac < 1
	const perPower = 1 << Schema
	i := 0
	for i < perPower && frac > math.Exp2(float64(i)/perPower-1) {
		i++
	}
	return (exp-1)*perPower + i
}
