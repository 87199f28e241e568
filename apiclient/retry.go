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

// ask is what is asked for one page.
type ask struct {
	query   string                 // encoded
	check   func(task.Page) *Error // judges a page that is right in itself
	noRetry bool
}

// page gets one page, with as many attempts as it takes and page_timeout allows.
func (c *Client) page(parent context.Context, a ask) (task.Page, *Error) {
	ctx, cancel := context.WithTimeout(parent, c.config.PageTimeout)
	defer cancel()
	retries := c.config.MaxRetries
	if a.noRetry {
		retries = 0
	}
	pauses := backoff.ExponentialBackOff{
		InitialInterval: firstPause, Multiplier: 2, RandomizationFactor: 0.5, MaxInterval: lastPause,
	}
	now, corrected := c.clock.now, false
	for {
		page, failed := c.attempt(ctx, parent, a, now)
		switch {
		case failed == nil:
			return page, nil
		case parent.Err() != nil:
			return task.Page{}, failed
		case isTimestamp(failed.Code) && !corrected && !failed.date.IsZero():
			// The API finds our time wrong and says its own.
			date, at := failed.date, time.Now()
			now, corrected = func() time.Time { return date.Add(time.Since(at)) }, true
			continue
		case !failed.retry || retries <= 0:
			return task.Page{}, failed
		}
		retries--
		pause, left := pauses.NextBackOff(), timeLeft(ctx)
		if asked := failed.RetryAfter; asked >= pause {
			jitter := min(asked/10, max(left-asked, 0)/2) // must not use up the time
			pause = asked + rand.N(jitter+1)
		}
		if pause >= left {
			failed.Message = tidy(fmt.Sprintf("not tried again, as the wait of %s is longer than what is left of page_timeout: %s", pause.Round(time.Millisecond), failed.Message))
			return task.Page{}, failed
		}
		if err := c.sleep(ctx, pause, failed); err != nil {
			return task.Page{}, gaveUp(err, failed)
		}
	}
}

// await takes a place in the limiter's queue and waits for its turn. Places are
// given in order, and a read holds one at a time: a busy directory does not
// starve a quiet one.
func (c *Client) await(ctx context.Context) *Error {
	if c.config.Limiter == nil {
		return nil
	}
	now := time.Now()
	place := c.config.Limiter.ReserveN(now, 1)
	wait := place.DelayFrom(now)
	if !place.OK() || wait >= timeLeft(ctx) {
		place.CancelAt(now)
		if ctx.Err() != nil {
			return gaveUp(ctx.Err(), nil)
		}
		return &Error{Kind: task.ErrorThrottled, Message: "api.rate_limit leaves no room for this call within page_timeout: raise one of them"}
	}
	if wait <= 0 {
		return nil
	}
	if err := c.sleep(ctx, wait, nil); err != nil {
		place.Cancel()
		return gaveUp(err, nil)
	}
	return nil
}

// sleep ends with ctx, whose error it then returns. Reason is why it is
// necessary, nil for the limiter.
func (c *Client) sleep(ctx context.Context, d time.Duration, reason error) error {
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

func timeLeft(ctx context.Context) time.Duration {
	deadline, _ := ctx.Deadline() // a page has one
	return time.Until(deadline)
}

// gaveUp is the error of a wait that ended with its context; last is what had
// made the wait necessary, or nil.
func gaveUp(err error, last *Error) *Error {
	failed := &Error{Kind: task.ErrorOther, Message: "given up before an answer came", cause: err}
	if errors.Is(err, context.DeadlineExceeded) {
		failed.Kind = task.ErrorTimeout
	}
	if last != nil {
		failed.Message = "given up while waiting to try again after " + last.Code
	}
	return failed
}
