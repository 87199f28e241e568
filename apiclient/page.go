package apiclient

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"cloudsso_exporter/internal/task"
)

// Pauses between attempts: half a second, doubled each time, each by up to half
// longer or shorter so that directories refused together do not come back together.
const (
	firstPause = 500 * time.Millisecond
	lastPause  = 15 * time.Second
	// longPause is what is worth telling those who wait.
	longPause = 100 * time.Millisecond
)

// pageRequest is what is asked for one page.
type pageRequest struct {
	query    string                 // encoded
	check    func(task.Page) *Error // judges a page that is right in itself
	retries  int                    // that are left
	now      func() time.Time       // dates the call
	confirms bool                   // the Date of an answer that has just come
	deadline time.Time              // by page_timeout, local
}

// page gets one page, with as many attempts as it takes and page_timeout allows.
func (c *Client) page(ctx context.Context, r pageRequest) (task.Page, *Error) {
	ctx, cancel := timeLimit{"page_timeout", c.config.PageTimeout}.begin(ctx)
	defer cancel()
	r.deadline = c.config.Now().Add(c.config.PageTimeout)
	middle := firstPause
	for {
		page, failed := c.attempt(ctx, r)
		switch {
		case failed == nil:
			return page, nil
		case failed.doubt: // by another connection
			c.stale.Store(true)
			r.confirms = true
			continue
		case isTimestamp(failed.Code) && !r.confirms && !failed.date.IsZero(): // the API finds our time wrong and says its own
			date, at := failed.date, c.config.Now()
			r.now = func() time.Time { return date.Add(c.config.Now().Sub(at)) }
			r.confirms = true
			continue
		case !failed.retry || r.retries <= 0:
			return page, failed
		}
		r.retries--
		pause, left := middle/2+rand.N(middle), c.left(r)
		middle = min(2*middle, lastPause)
		if asked := failed.RetryAfter; asked >= pause {
			jitter := min(asked/10, max(left-asked, 0)/2) // must not use up the time
			pause = asked + rand.N(jitter+1)
		}
		if pause >= left {
			failed.Message = tidy(fmt.Sprintf("not retried, because the wait of %s exceeds what is left of page_timeout: %s", pause.Round(time.Millisecond), failed.Message))
			return page, failed
		}
		if ended := c.sleep(ctx, pause, failed); ended != nil {
			ended.Message += ", while waiting to try again after " + failed.Code
			return page, ended
		}
	}
}

// left is how much of page_timeout is left.
func (c *Client) left(r pageRequest) time.Duration { return r.deadline.Sub(c.config.Now()) }

// await waits for the limiter. Turns are given in order, and a read holds one at
// a time: a busy directory does not starve a quiet one.
func (c *Client) await(ctx context.Context, r pageRequest) *Error {
	now := c.config.Now()
	turn := c.config.Limiter.ReserveN(now, 1)
	wait := turn.DelayFrom(now)
	if wait >= c.left(r) {
		turn.CancelAt(now)
		if ctx.Err() != nil {
			return ended(ctx)
		}
		return &Error{Kind: task.ErrorThrottled, Message: "api.rate_limit leaves no room for this call within page_timeout: raise one of them"}
	}
	failed := c.sleep(ctx, wait, nil)
	if failed != nil {
		turn.CancelAt(c.config.Now())
	}
	return failed
}

// sleep ends with ctx, which is then its error. Reason is why it is necessary,
// nil for the limiter.
func (c *Client) sleep(ctx context.Context, d time.Duration, reason error) *Error {
	if d >= longPause {
		c.config.OnRetry(d, reason)
	}
	if d <= 0 && ctx.Err() == nil {
		return nil
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ended(ctx)
	}
}

// timeLimit is one of the configuration. A context that it ended has it as its cause.
type timeLimit struct {
	name  string
	lasts time.Duration
}

func (l timeLimit) begin(parent context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(parent, l.lasts, l)
}

// Error names the limit.
func (l timeLimit) Error() string { return fmt.Sprintf("%s (%s)", l.name, l.lasts) }

// ended is the error of what ctx ended: one of the limits, or the caller, whose
// context's error is wrapped.
func ended(ctx context.Context) *Error {
	var own timeLimit
	switch {
	case errors.As(context.Cause(ctx), &own):
		return &Error{Kind: task.ErrorTimeout, Message: "no answer within " + own.Error()}
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &Error{Kind: task.ErrorTimeout, Message: "no answer in the caller's time", cause: ctx.Err()}
	default:
		return &Error{Kind: task.ErrorOther, Message: "cancelled before an answer arrived", cause: ctx.Err()}
	}
}
