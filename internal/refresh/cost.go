package refresh

import (
	"math"
	"time"
)

// Load is what a directory's refreshes have to cope with.
type Load struct {
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
func (l Load) Steady() Cost { return l.cost(0) }

// Busy is the cost while there are always tasks that run longer, and at each
// refresh one of them has ended.
func (l Load) Busy() Cost { return l.cost(2) }

// Naive is the cost of reading the whole window at every scrape.
func (l Load) Naive() Cost {
	c := Cost{Interval: l.ScrapeInterval, PerRefresh: float64(l.pages(l.Window))}
	return c.perDay()
}

func (l Load) cost(extra float64) Cost {
	c := Cost{Interval: l.interval(), FirstRead: l.pages(listed)}
	mean := l.TasksPerDay * (c.Interval + Overlap).Hours() / 24
	c.Drift = min(driftShare*float64(l.pages(l.Window)), driftCalls)
	c.PerRefresh = expectedCalls(mean) + extra + c.Drift
	return c.perDay()
}

func (c Cost) perDay() Cost {
	c.PerDay = c.PerRefresh * float64(24*time.Hour) / float64(c.Interval)
	return c
}

// interval is the time between refreshes: the first scrape after CacheTTL has passed.
func (l Load) interval() time.Duration {
	scrapes := (l.CacheTTL + l.ScrapeInterval - 1) / l.ScrapeInterval
	return max(1, scrapes) * l.ScrapeInterval
}

// pages is how many calls it takes to read so much of the past.
func (l Load) pages(past time.Duration) int {
	return calls(int(math.Round(l.TasksPerDay * past.Hours() / 24)))
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
