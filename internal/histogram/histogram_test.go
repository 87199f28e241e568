package histogram

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// client_golang's own histogram is the yardstick: same observations, same buckets.
func TestBucketsAgreeWithClientGolang(t *testing.T) {
	bounds := []float64{1, 2.5, 5, 60}
	want := prometheus.NewHistogram(prometheus.HistogramOpts{
		Name: "x", Buckets: bounds, NativeHistogramBucketFactor: 1.1,
	})
	h := New(bounds, time.Unix(1, 0))
	for _, d := range []time.Duration{
		0, 0, time.Nanosecond, time.Millisecond, 999 * time.Millisecond, time.Second, 1001 * time.Millisecond,
		2 * time.Second, 2500 * time.Millisecond, 3 * time.Second, 4 * time.Second, 59 * time.Second,
		time.Minute, 61 * time.Second, time.Hour, 7 * 24 * time.Hour,
	} {
		h.Observe(d)
		want.Observe(d.Seconds())
	}
	var m dto.Metric
	if err := want.Write(&m); err != nil {
		t.Fatal(err)
	}
	w := m.Histogram
	if w.GetSchema() != Schema {
		t.Fatalf("client_golang chose schema %d, this package has %d", w.GetSchema(), Schema)
	}
	if h.Count != w.GetSampleCount() || h.Sum != w.GetSampleSum() || h.Zero != w.GetZeroCount() {
		t.Errorf("count, sum, zero = %d, %v, %d; want %d, %v, %d",
			h.Count, h.Sum, h.Zero, w.GetSampleCount(), w.GetSampleSum(), w.GetZeroCount())
	}
	var cumulative uint64
	for i, b := range w.Bucket {
		cumulative += h.Classic[i]
		if cumulative != b.GetCumulativeCount() {
			t.Errorf("le=%v: %d, want %d", b.GetUpperBound(), cumulative, b.GetCumulativeCount())
		}
	}
	native := map[int]uint64{}
	index, count := 0, int64(0)
	d := w.GetPositiveDelta()
	for _, s := range w.GetPositiveSpan() {
		index += int(s.GetOffset())
		for range s.GetLength() {
			count += d[0]
			d = d[1:]
			if count != 0 {
				native[index] = uint64(count)
			}
			index++
		}
	}
	if diff := cmp.Diff(native, h.Native); diff != "" {
		t.Errorf("native buckets (-want +got):\n%s", diff)
	}
}

func TestCloneIsApart(t *testing.T) {
	h := New([]float64{1}, time.Unix(1, 0))
	c := h.Clone()
	h.Observe(time.Minute)
	if c.Count != 0 || c.Classic[1] != 0 || len(c.Native) != 0 {
		t.Errorf("the clone moved with the original: %+v", c)
	}
}

func TestNegativeCountsAsZero(t *testing.T) {
	h := New([]float64{1}, time.Unix(1, 0))
	h.Observe(-time.Minute)
	if h.Count != 1 || h.Sum != 0 || h.Zero != 1 || h.Classic[0] != 1 {
		t.Errorf("got %+v", h)
	}
}
