package command

import (
	"fmt"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"cloudsso_exporter/internal/simulator"
)

// The first read takes no longer than the latency of its calls, or the rate
// limit, makes it: of 10,000 tasks, or of as many as make bench wants.
func TestFirstReadIsBoundByLatencyAndRate(t *testing.T) {
	const latency = 20 * time.Millisecond
	calls := 500
	if more := os.Getenv("FIRST_READ_CALLS"); more != "" {
		fmt.Sscan(more, &calls)
	}
	for _, rate := range []float64{5, 1000} {
		synctest.Test(t, func(t *testing.T) {
			l := newLab(t, fmt.Sprintf("api: {rate_limit: %v, burst: 10}\n%s", rate, directories(1)), simulator.Options{Latency: latency})
			l.api.Directory("d-0000").Schedule(spread(0, 20*calls, time.Now().Add(-160*time.Hour), 159*time.Hour)...)
			began := time.Now()
			l.start()
			for !l.group.States()[0].Up {
				time.Sleep(time.Second)
			}
			took := time.Since(began)
			bound := max(time.Duration(calls)*latency, time.Duration(float64(calls)/rate*float64(time.Second)))
			if ratio := float64(took) / float64(bound); ratio > 1.2 {
				t.Errorf("%v a second: took %v, %.2f times what latency and rate make it", rate, took, ratio)
			} else {
				t.Logf("%v a second: took %v, %.2f times what latency and rate make it", rate, took, ratio)
			}
			l.stop()
		})
	}
}
