package refresh

import (
	"context"
	"time"
)

// flight is one refresh attempt under way. Any number of scrapes wait for it.
type flight struct {
	answered chan struct{} // closed when its result is published
	done     chan struct{} // closed when it has ended
	began    time.Time     // local time
}

func newFlight(began time.Time) *flight {
	return &flight{answered: make(chan struct{}), done: make(chan struct{}), began: began}
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

// wait returns when the result is published, when ctx has ended, or when it is
// clear that the attempt cannot make it before ctx's deadline.
func (d *Directory) wait(ctx context.Context, f *flight) {
	if left, bounded := timeLeft(ctx); bounded && d.now().Sub(f.began) > left {
		return // it has already taken longer than this scrape can wait
	}
	for {
		paused, moved := d.meter.pause()
		if left, bounded := timeLeft(ctx); bounded && paused.Sub(d.now()) > left {
			return
		}
		select {
		case <-f.answered:
			return
		case <-ctx.Done():
			return
		case <-moved:
		}
	}
}

// timeLeft is how long ctx lasts, by the clock that contexts go by.
func timeLeft(ctx context.Context) (time.Duration, bool) {
	deadline, bounded := ctx.Deadline()
	return time.Until(deadline), bounded
}
