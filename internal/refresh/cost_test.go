package refresh

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// A day is played task by task and counted apart from the formula.
func TestCostAgreesWithAPlayedDay(t *testing.T) {
	for _, perDay := range []float64{0, 500, 10_000, 40_000} {
		l := Workload{TasksPerDay: perDay, ScrapeInterval: time.Minute, CacheTTL: 55 * time.Second, Window: 7 * 24 * time.Hour}
		rng := rand.New(rand.NewPCG(1, 2))
		var starts []float64 // seconds
		for at := 0.0; perDay > 0 && at < 86400; at += rng.ExpFloat64() * 86400 / perDay {
			starts = append(starts, at)
		}
		played := 0.0
		for at := 60.0; at <= 86400; at += 60 {
			n := 0
			for _, s := range starts {
				if s >= at-60-Overlap.Seconds() && s < at {
					n++
				}
			}
			played += float64(max(1, (n+19)/20))
		}
		drift := 1440 * math.Min(10, math.Max(1, math.Ceil(perDay*7/20))/500)
		if got, want := l.Steady().PerDay, played+drift; math.Abs(got-want) > 0.02*want {
			t.Errorf("%v tasks a day: %v calls, played %v", perDay, got, want)
		}
	}
}

func TestRefreshInterval(t *testing.T) {
	for _, c := range []struct{ scrape, ttl, want time.Duration }{
		{time.Minute, 55 * time.Second, time.Minute},
		{15 * time.Second, 55 * time.Second, time.Minute},
		{30 * time.Second, 55 * time.Second, time.Minute},
		{time.Minute, 0, time.Minute},
		{time.Minute, time.Minute, time.Minute},
		{5 * time.Minute, 55 * time.Second, 5 * time.Minute},
	} {
		if got := (Workload{ScrapeInterval: c.scrape, CacheTTL: c.ttl}).interval(); got != c.want {
			t.Errorf("scrape %v, cache_ttl %v: %v, want %v", c.scrape, c.ttl, got, c.want)
		}
	}
}

func TestNaive(t *testing.T) {
	l := Workload{TasksPerDay: 10_000 / 7.0, ScrapeInterval: time.Minute, CacheTTL: 55 * time.Second, Window: 7 * 24 * time.Hour}
	if got := l.Naive(); got.PerRefresh != 500 || got.PerDay != 720_000 {
		t.Errorf("got %+v", got)
	}
}
