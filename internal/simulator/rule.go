package simulator

import (
	"fmt"
	"sync/atomic"
	"time"
)

// Rule says when a fault strikes.
type Rule struct {
	When  When // nil: always
	Fault Fault
}

// When decides whether a rule applies to a call, whose Code is not known yet.
// It is called from many goroutines at once.
type When func(Call) bool

// Page is the nth page of each read, from 1.
func Page(n int) When { return func(c Call) bool { return c.Page == n } }

// FromPage is the nth page of each read and those after it.
func FromPage(n int) When { return func(c Call) bool { return c.Page >= n } }

// FirstAttempts is the first n attempts of each page; then it gets a good answer.
func FirstAttempts(n int) When { return func(c Call) bool { return c.Attempt <= n } }

// In is every call for the directory.
func In(directoryID string) When { return func(c Call) bool { return c.Directory() == directoryID } }

// Between is every call in [from, until) of the API's clock; a zero until is never.
func Between(from, until time.Time) When {
	return func(c Call) bool { return !c.Time.Before(from) && (until.IsZero() || c.Time.Before(until)) }
}

// Chance is a call with probability p, decided by the seed and the number of
// the call.
func Chance(p float64, seed uint64) When {
	return func(c Call) bool {
		d := throw(seed, uint64(c.Number))
		return d.chance(p)
	}
}

// All is where every condition holds.
func All(conditions ...When) When {
	return func(c Call) bool {
		for _, when := range conditions {
			if when != nil && !when(c) {
				return false
			}
		}
		return true
	}
}

// Times is the first n calls where the condition holds (nil: any call). Rules
// that are each good for one call, one after the other, make a queue.
func Times(n int, when When) When {
	var used atomic.Int64
	return func(c Call) bool {
		return (when == nil || when(c)) && used.Add(1) <= int64(n)
	}
}

// Mix strikes with probability p, with one of the faults, decided by the seed
// and the number of the call.
func Mix(p float64, seed uint64, faults ...Fault) []Rule {
	rules := make([]Rule, len(faults))
	for i, f := range faults {
		rules[i] = Rule{Fault: f, When: func(c Call) bool {
			d := throw(seed, uint64(c.Number))
			return d.chance(p) && d.below(len(faults)) == i
		}}
	}
	return rules
}

// Outages returns the names that Outage knows.
func Outages() []string { return []string{"throttling", "slow", "down"} }

// Outage returns the fault of a named outage, as it strikes every call:
// throttling (Throttling.User with Retry-After), slow (an answer after 15 s,
// longer than a client waits), down (503 from a gateway).
func Outage(name string) (Fault, error) {
	switch name {
	case "throttling":
		return Throttle(400, 2*time.Second), nil
	case "slow":
		return Slow(15 * time.Second), nil
	case "down":
		return Gateway(503, "<html><head><title>503 Service Temporarily Unavailable</title></head></html>\n"), nil
	default:
		return Fault{}, fmt.Errorf("no outage is called %q: take one of %q", name, Outages())
	}
}
