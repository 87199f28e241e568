package apiclient

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/cenkalti/backoff/v5"

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
	noRetry  bool
	confirms bool      // the Date of an answer that has just come
	deadline time.Time // by page_timeout, local
}

// page gets one page, with as many attempts as it takes and page_timeout allows.
func (c *Client) page(parent context.Context, r pageRequest) (task.Page, *Error) {
	ctx, cancel := context.WithTimeout(parent, c.config.PageTimeout)
	defer cancel()
	r.deadline = c.config.Now().Add(c.config.PageTimeout)
	retries := c.config.MaxRetries
	if r.noRetry {
		retries = 0
	}
	pauses := backoff.ExponentialBackOff{
		InitialInterval: firstPause, Multiplier: 2, RandomizationFactor: 0.5, MaxInterval: lastPause,
	}
	now, corrected := c.clock.now, false
	for {
		page, failed := c.attempt(ctx, parent, r, now)
		switch {
		case failed == nil:
			return page, nil
		case parent.Err() != nil:
			return task.Page{}, failed
		case isTimestamp(failed.Code) && !corrected && !failed.date.IsZero():
			// The API finds our time wrong and says its own.
			date, at := failed.date, c.config.Now()
			now, corrected = func() time.Time { return date.Add(c.config.Now().Sub(at)) }, true
			continue
		case !failed.retry || retries <= 0:
			return task.Page{}, failed
		}
		retries--
		pause, left := pauses.NextBackOff(), c.left(r)
		if asked := failed.RetryAfter; asked >= pause {
			jitter := min(asked/10, max(left-asked, 0)/2) // must not use up the time
			pause = asked + rand.N(jitter+1)
		}
		if pause >= left {
			failed.Message = tidy(fmt.Sprintf("not tried again, as the wait of %s is longer than what is left of page_timeout: %s", pause.Round(time.Millisecond), failed.Message))
			return task.Page{}, failed
		}
		if err := c.sleep(ctx, pause, failed); err != nil {
			return task.Page{}, gaveUp(err, "given up while waiting to try again after "+failed.Code)
		}
	}
}

// left is how much of page_timeout is left.
func (c *Client) left(r pageRequest) time.Duration { return r.deadline.Sub(c.config.Now()) }

// await takes a place in the limiter's queue and waits for its turn. Places are
// given in order, and a read holds one at a time: a busy directory does not
// starve a quiet one.
func (c *Client) await(ctx context.Context, r pageRequest) *Error {
	if c.config.Limiter == nil {
		return nil
	}
	now := c.config.Now()
	place := c.config.Limiter.ReserveN(now, 1)
	wait := place.DelayFrom(now)
	if !place.OK() || wait >= c.left(r) {
		place.CancelAt(now)
		if ctx.Err() != nil {
			return gaveUp(ctx.Err(), noAnswer)
		}
		return &Error{Kind: task.ErrorThrottled, Message: "api.rate_limit leaves no room for this call within page_timeout: raise one of them"}
	}
	if err := c.sleep(ctx, wait, nil); err != nil {
		place.CancelAt(c.config.Now())
		return gaveUp(err, noAnswer)
	}
	return nil
}

// sleep ends with ctx, whose error it then returns. Reason is why it is
// necessary, nil for the limiter.
func (c *Client) sleep(ctx context.Context, d time.Duration, reason error) error {
	if d <= 0 {
		return ctx.Err()
	}
	if d >= longPause {
		c.config.OnRetry(d, reason)
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

const noAnswer = "given up before an answer came"

// gaveUp is the error of a wait that ended with its context.
func gaveUp(err error, message string) *Error {
	failed := &Error{Kind: task.ErrorOther, Message: message, cause: err}
	if errors.Is(err, context.DeadlineExceeded) {
		failed.Kind = task.ErrorTimeout
	}
	return failed
}
