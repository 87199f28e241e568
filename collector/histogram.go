package collector

import (
	"maps"
	"slices"

	dto "github.com/prometheus/client_model/go"

	"cloudsso_exporter/internal/histogram"
)

// zeroThreshold is the width of the native zero bucket that client_golang uses, 2^-128.
const zeroThreshold = 0x1p-128

// maxGap is how many empty native buckets are written out rather than skipped by a new span.
const maxGap = 2

// exposed is h with classic and native buckets at once: text has the classic
// ones, and a scraper of protobuf takes those it wants.
func exposed(h *histogram.Histogram) *dto.Histogram {
	out := &dto.Histogram{
		SampleCount:      new(h.Count),
		SampleSum:        new(h.Sum),
		CreatedTimestamp: created(h.Created),
		Bucket:           make([]*dto.Bucket, len(h.Bounds)), // +Inf is the sample count
		Schema:           new(int32(histogram.Schema)),
		ZeroThreshold:    new(zeroThreshold),
		ZeroCount:        new(h.Zero),
	}
	var cumulative uint64
	for i, bound := range h.Bounds {
		cumulative += h.Classic[i]
		out.Bucket[i] = &dto.Bucket{UpperBound: new(bound), CumulativeCount: new(cumulative)}
	}
	out.PositiveSpan, out.PositiveDelta = spans(h.Native)
	return out
}

// spans writes native buckets as the exposition format has them: runs of
// buckets, and each count as the difference from the one before.
func spans(native map[int]uint64) (runs []*dto.BucketSpan, deltas []int64) {
	var last int64
	write := func(n uint64) {
		*runs[len(runs)-1].Length++
		deltas = append(deltas, int64(n)-last)
		last = int64(n)
	}
	next := 0 // index after the last written bucket
	for _, i := range slices.Sorted(maps.Keys(native)) {
		if gap := i - next; len(runs) == 0 || gap > maxGap {
			runs = append(runs, &dto.BucketSpan{Offset: new(int32(gap)), Length: new(uint32(0))})
		} else {
			for range gap {
				write(0)
			}
		}
		write(native[i])
		next = i + 1
	}
	return runs, deltas
}
