// Package apiclient asks CloudSSO's ListTasks over HTTP: it obtains
// credentials, signs (ACS3-HMAC-SHA256), sends, retries, decodes and pages.
//
// It keeps no task and judges none: what a page means is for the caller to
// say. It logs nothing and counts nothing; attempts and retries are told to
// hooks. No error, whichever way it is printed or unwrapped, holds a secret, a
// token or a signature.
package apiclient

import (
	"context"
	"fmt"
	"hash/maphash"
	"iter"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"cloudsso_exporter/internal/task"
)

// Config is what a Client needs to know. URL, DirectoryID, Keys, Transport, Now
// and both time-outs are required.
type Config struct {
	DirectoryID string
	URL         string      // of the endpoint, as https://cloudsso.cn-shanghai.aliyuncs.com
	Filter      task.Filter // of the directory; what a Query filters by goes before it
	Keys        KeySource
	Transport   http.RoundTripper // shared by all Clients of a process: NewTransport
	Limiter     *rate.Limiter     // shared by the directories of one account and region; nil: no limit
	Decoding    chan struct{}     // shared by all Clients of a process: holds as many places as there may be large answers in memory; nil: one of this Client

	RequestTimeout time.Duration // of one attempt
	PageTimeout    time.Duration // of one page: keys, attempts and all waiting
	MaxRetries     int           // after the first attempt, of one page

	Now func() time.Time // local clock

	// Observe is told of each HTTP attempt that came to an end: how, by a code of
	// the API or OK, timeout, network or invalid_response, and how long it took.
	// One that the caller gave up (context.Canceled) has no outcome and is not
	// told of. May be nil.
	Observe func(action, code string, took time.Duration)

	// OnRetry is told of a pause of 100ms or more before it begins: with the
	// error that makes the next attempt necessary, or nil when it is the
	// Limiter's. May be nil.
	OnRetry func(wait time.Duration, err error)
}

// Client asks for the tasks of one directory. It may be used by several
// goroutines at once, and needs no closing.
type Client struct {
	config Config
	clock  clock
	stale  atomic.Bool // connections may be dead: open a new one
}

// New returns a Client. It calls nobody.
func New(c Config) *Client {
	c.URL = strings.TrimRight(c.URL, "/")
	if c.Limiter == nil {
		c.Limiter = rate.NewLimiter(rate.Inf, 0)
	}
	if c.Decoding == nil {
		c.Decoding = make(chan struct{}, 1)
	}
	if c.Observe == nil {
		c.Observe = func(string, string, time.Duration) {}
	}
	if c.OnRetry == nil {
		c.OnRetry = func(time.Duration, error) {}
	}
	return &Client{config: c, clock: clock{local: c.Now}}
}

// Format names the directory and nothing else: keys are not for printing.
func (c *Client) Format(f fmt.State, _ rune) {
	fmt.Fprint(f, "client of directory ", c.config.DirectoryID)
}

// Now is API time in UTC: local time plus the offset learned from the answers.
// It does not follow when the local clock is set while the process runs.
func (c *Client) Now() time.Time { return c.clock.now() }

// Pages pages through q from where p says. It makes a call for each page that is
// taken, and stops at the first error, which is an *Error; a page beside an
// error is empty. Each range over it is a read of its own.
func (c *Client) Pages(ctx context.Context, q task.Query, p task.Paging) iter.Seq2[task.Page, error] {
	return func(yield func(task.Page, error) bool) {
		r := pageRequest{check: newLoopGuard(p.Token).check, retries: c.config.MaxRetries, now: c.Now}
		if p.NoRetry {
			r.retries = 0
		}
		for token := p.Token; ; {
			r.query = parameters(c.config.DirectoryID, c.config.Filter, q, token)
			page, failed := c.page(ctx, r)
			if failed != nil {
				yield(task.Page{}, failed)
				return
			}
			if !yield(page, nil) || page.Next == "" {
				return
			}
			token = page.Next
		}
	}
}

// loopGuard notices a read that does not come to an end. It keeps hashes: a read
// of a million tasks has as many ids.
type loopGuard struct {
	seed        maphash.Seed
	tokens, ids map[uint64]struct{}
	stood       bool // the page before brought nothing new
}

func newLoopGuard(token string) *loopGuard {
	g := &loopGuard{seed: maphash.MakeSeed(), tokens: map[uint64]struct{}{}, ids: map[uint64]struct{}{}}
	g.isNew(g.tokens, token)
	return g
}

// check takes the next page. One that says there is more has to bring a token
// that was not used yet, and something new. A page of known tasks may still be
// right, once: as many as it holds have started since the page before, and the
// list, if the newest come first, has moved on by a page.
func (g *loopGuard) check(page task.Page) *Error {
	if page.Next == "" {
		return nil
	}
	if !g.isNew(g.tokens, page.Next) {
		return invalid("NextToken repeats: the list would never end")
	}
	found := false
	for _, t := range page.Tasks {
		found = g.isNew(g.ids, t.ID) || found
	}
	stood := g.stood
	g.stood = !found
	if !found && (stood || len(page.Tasks) == 0) {
		return invalid("a page makes no progress: none of its %d tasks is new, but there is a NextToken", len(page.Tasks))
	}
	return nil
}

// isNew notes s and reports whether it was not there before.
func (g *loopGuard) isNew(seen map[uint64]struct{}, s string) bool {
	before := len(seen)
	seen[maphash.String(g.seed, s)] = struct{}{}
	return len(seen) > before
}
