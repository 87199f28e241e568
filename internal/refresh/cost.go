package refresh

import (
	"math"
	"time"
)

// Workload is what a directory's refreshes have to cope with.
type Workload struct {
	TasksPerDay    float64
	ScrapeInterval time.Duration
	CacheTTL       time.Duration
	Window         time.Duration
}

// Cost is what refreshing a directory costs in API calls.
type Cost struct {
	Interval   time.Duration // between refreshes
	PerRefresh float64       // on average, the walk for drift included
	Drift      float64       // of PerRefresh, what the walk for drift makes
	PerDay     float64
	FirstRead  int // once, when nothing is known: all that is listed
}

// PerMonth is the cost of 30 days.
func (c Cost) PerMonth() float64 { return 30 * c.PerDay }

// Steady is the cost while no task runs longer than Overlap.
func (w Workload) Steady() Cost { return w.cost(0) }

// Busy is the cost while there are always tasks that run longer, and at each
// refresh one of them has ended.
func (w Workload) Busy() Cost { return w.cost(2) }

// Naive is the cost of reading the whole window at every scrape.
func (w Workload) Naive() Cost {
	c := Cost{Interval: w.ScrapeInterval, PerRefresh: float64(w.pages(w.Window))}
	return c.perDay()
}

func (w Workload) cost(extra float64) Cost {
	c := Cost{Interval: w.interval(), FirstRead: w.pages(listed)}
	mean := w.TasksPerDay * (c.Interval + Overlap).Hours() / 24
	c.Drift = min(driftShare*float64(w.pages(w.Window)), driftCalls)
	c.PerRefresh = expectedCalls(mean) + extra + c.Drift
	return c.perDay()
}

func (c Cost) perDay() Cost {
	c.PerDay = c.PerRefresh * float64(24*time.Hour) / float64(c.Interval)
	return c
}

// interval is the time between refreshes: the first scrape after CacheTTL has passed.
func (w Workload) interval() time.Duration {
	scrapes := (w.CacheTTL + w.ScrapeInterval - 1) / w.ScrapeInterval
	return max(1, scrapes) * w.ScrapeInterval
}

// pages is how many calls it takes to read so much of the past.
func (w Workload) pages(past time.Duration) int {
	return calls(int(math.Round(w.TasksPerDay * past.Hours() / 24)))
}

// expectedCalls is the mean number of calls to list a Poisson number of tasks.
func expectedCalls(mean float64) float64 {
	if mean > 20*pageSize { // the last page is half full
		return mean/pageSize + 0.5*(pageSize-1)/pageSize
	}
	sum, p := 0.0, math.Exp(-mean)
	for n := range 40 * pageSize {
		sum += p * float64(calls(n))
		p *= mean / float64(n+1)
	}
	return sum
}
