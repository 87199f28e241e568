package refresh

import (
	"context"
	"sync"
	"time"
)

// flight is one refresh attempt under way. Any number of scrapes wait for it.
type flight struct {
	answered chan struct{} // closed when its result is published
	done     chan struct{} // closed when it has ended
	began    time.Time     // local time

	mu      sync.Mutex
	stalled time.Time     // local time before which nothing can come of it
	changed chan struct{} // closed when stalled has moved
}

func newFlight(began time.Time) *flight {
	return &flight{
		answered: make(chan struct{}),
		done:     make(chan struct{}),
		changed:  make(chan struct{}),
		began:    began,
	}
}

// isAnswered reports whether there is nothing to wait for any more.
func (f *flight) isAnswered() bool {
	select {
	case <-f.answered:
		return true
	default:
		return false
	}
}

// stall says that nothing can come of the attempt before until, local time.
func (f *flight) stall(until time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stalled = until
	close(f.changed)
	f.changed = make(chan struct{})
}

// wait returns when the result is published, when ctx has ended, or when it is
// clear that the attempt cannot make it before ctx's deadline.
func (f *flight) wait(ctx context.Context, now func() time.Time) {
	if left, bounded := timeLeft(ctx); bounded && now().Sub(f.began) > left {
		return // it has already taken longer than this scrape can wait
	}
	for {
		f.mu.Lock()
		stalled, changed := f.stalled, f.changed
		f.mu.Unlock()
		if left, bounded := timeLeft(ctx); bounded && stalled.Sub(now()) > left {
			return
		}
		select {
		case <-f.answered:
			return
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

// timeLeft is how long ctx lasts, by the clock that contexts go by.
func timeLeft(ctx context.Context) (time.Duration, bool) {
	deadline, bounded := ctx.Deadline()
	return time.Until(deadline), bounded
}
