package command

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"cloudsso_exporter/internal/simulator"
	"cloudsso_exporter/internal/simulator/inprocess"
)

// A task that has run for three days and ends costs one call more, once.
func BenchmarkStraggler(b *testing.B) {
	for b.Loop() {
		const size = 10_000
		r := newRig(b, simulator.Options{})
		r.put("d-0000", 0, size, rigBegins.Add(-160*time.Hour), 159*time.Hour)
		straggler := quick(size, rigBegins.Add(-72*time.Hour))
		straggler.End = rigBegins.Add(5*time.Minute - time.Second)
		r.api.Directory("d-0000").Schedule(straggler)
		r.start(unlimited+directories(1), "")
		r.refresh(size + 1)
		r.calls()
		var counts []int
		for range 8 {
			r.pass(time.Minute)
			r.refresh(size + 1)
			counts = append(counts, r.calls())
		}
		r.stop()
		// The running list is asked while it runs and when it has ended, then there is nothing to follow.
		before, at, after := counts[3], counts[4], counts[7]
		b.ReportMetric(float64(at-before), "calls-more")
		if at != before+1 || after >= at {
			b.Errorf("calls of each refresh: %v; at the fifth, when it ends, one more", counts)
		}
	}
}

// The first read of 100,000 tasks takes at most 1.2 times as long as its calls
// have to: one after the other where the API is slow to answer, by the rate
// limit where that is the tighter bound.
func BenchmarkFirstRead100k(b *testing.B) {
	const tasks, calls, most = 100_000, 5_000, 1.2
	for _, bench := range []struct {
		name    string
		latency time.Duration
		rate    int
	}{
		{"latency", 5 * time.Millisecond, 1_000_000},
		{"rate", 200 * time.Microsecond, 500},
	} {
		b.Run(bench.name, func(b *testing.B) {
			for b.Loop() {
				r := newRig(b, simulator.Options{Latency: bench.latency})
				r.began = time.Now() // the rate limit goes by the clock
				r.put("d-0000", 0, tasks, rigBegins.Add(-160*time.Hour), 159*time.Hour)
				yaml := fmt.Sprintf("api: {rate_limit: %d, burst: 10}\n", bench.rate) + directories(1)
				before := bareCall(r) // half of them before, half of them after: the machine is shared
				began := time.Now()
				r.start(yaml, "")
				r.refresh(tasks)
				took := time.Since(began)
				bound := max(calls*(before+bareCall(r))/2, calls*time.Second/time.Duration(bench.rate))
				r.stop()
				ratio := float64(took) / float64(bound)
				b.ReportMetric(ratio, "×bound")
				b.ReportMetric(took.Seconds(), "s/first-read")
				if ratio > most {
					b.Errorf("it took %v, %.2f times the bound of %v; at most %v", took, ratio, bound, most)
				}
			}
		})
	}
}

// bareCall is how long a call takes that the API refuses, after its latency, for want of a signature.
func bareCall(r *rig) time.Duration {
	const calls = 200
	transport := inprocess.Transport(r.api)
	began := time.Now()
	for range calls {
		request, err := http.NewRequestWithContext(r.Context(), http.MethodPost, "https://cloudsso.example/?Action=ListTasks", nil)
		if err != nil {
			r.Fatal(err)
		}
		response, err := transport.RoundTrip(request)
		if err != nil {
			r.Fatal(err)
		}
		response.Body.Close()
	}
	return time.Since(began) / calls
}

// median is the middle one. It sorts all.
func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}
