package apiclient

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"cloudsso_exporter/internal/task"
)

// attempt makes one call, dated by the time that now tells. Ctx is the page's,
// parent the caller's. Without keys nothing is sent.
func (c *Client) attempt(ctx, parent context.Context, r pageRequest, now func() time.Time) (task.Page, *Error) {
	keys, err := c.config.Keys.Keys(ctx)
	if err != nil {
		return task.Page{}, c.noKeys(ctx, parent, err)
	}
	if failed := c.await(ctx, r); failed != nil {
		return task.Page{}, failed
	}
	limited, cancel := context.WithTimeout(ctx, c.config.RequestTimeout)
	defer cancel()
	if idle, ok := c.config.Transport.(interface{ CloseIdleConnections() }); ok && c.stale.Swap(false) {
		idle.CloseIdleConnections()
	}
	began := c.config.Now()
	page, doubt, failed := c.call(limited, keys, r.query, now())
	took := c.config.Now().Sub(began)

	if failed == nil && doubt && !r.confirms {
		// The answer's Date contradicts what is known: ask again, by another connection.
		c.config.Observe(action, codeOK, took)
		c.stale.Store(true)
		r.confirms = true
		return c.attempt(ctx, parent, r, now)
	}
	if failed == nil {
		failed = r.check(page)
	}
	if failed == nil {
		c.config.Observe(action, codeOK, took)
		return page, nil
	}
	if (failed.Kind == task.ErrorNetwork || failed.Kind == task.ErrorTimeout) && limited.Err() != nil {
		c.stale.Store(true)
		failed = c.timedOut(ctx, parent)
		if errors.Is(failed.cause, context.Canceled) {
			return task.Page{}, failed // the caller's doing, not an outcome of the call
		}
	}
	c.config.Observe(action, failed.Code, took)
	if source, ok := c.config.Keys.(refusable); ok && failed.Kind == task.ErrorCredentials {
		source.Refused(keys)
	}
	return task.Page{}, failed
}

// call sends the request and reads the answer. It reports whether the answer's
// Date is in doubt.
func (c *Client) call(ctx context.Context, keys Keys, query string, now time.Time) (page task.Page, doubt bool, failed *Error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.config.URL+"/?"+query, nil)
	if err != nil {
		return task.Page{}, false, &Error{Kind: task.ErrorNetwork, Code: codeNetwork, Message: "the endpoint is not a URL"}
	}
	r.Header["Accept"] = []string{"application/json"}
	r.Header["User-Agent"] = []string{"cloudsso_exporter"}
	r.Header["X-Acs-Action"] = []string{action}
	r.Header["X-Acs-Version"] = []string{version}
	sign(r, keys, now, randomNonce())

	began := c.config.Now()
	res, err := c.config.Transport.RoundTrip(r) // not http.Client: it would follow redirects
	if err != nil {
		return task.Page{}, false, broken(err, keys)
	}
	defer res.Body.Close()
	took, date := c.config.Now().Sub(began), dateOf(res.Header)

	page, failed = c.readAnswer(ctx, res, keys)
	if failed == nil || isAPICode(failed.Code) {
		doubt = c.clock.learn(date, took) // the time of a gateway is not the API's
	}
	if failed != nil {
		if date.IsZero() {
			date = c.clock.now()
		} else {
			failed.date = date
		}
		failed.HTTPStatus = res.StatusCode
		failed.RetryAfter = retryAfter(res.Header.Get("Retry-After"), date)
	}
	return page, doubt, failed
}

// readAnswer tells a page, a refusal and an invalid answer apart. The code
// decides, not the status, which is not reliable.
func (c *Client) readAnswer(ctx context.Context, res *http.Response, keys Keys) (task.Page, *Error) {
	large, leave := c.place(ctx)
	defer leave()
	body, err := readDecoded(res, large)
	switch {
	case errors.Is(err, errTooLarge), errors.Is(err, errEncoding), errors.Is(err, gzip.ErrHeader):
		return task.Page{}, invalid("%s", err)
	case err != nil:
		return task.Page{}, broken(fmt.Errorf("the answer was cut off: %w", err), keys)
	case res.StatusCode/100 == 2:
		page, failed := decodePage(body, keys)
		if failed != nil && failed.ended && untilClosed(res) {
			// Nothing but the connection's end says where such a body ends.
			return task.Page{}, broken(errors.New("the answer was cut off"), keys)
		}
		return page, failed
	}
	a, failed := decodeAnswer(body)
	if failed == nil && isAPICode(a.Code) {
		return task.Page{}, refusal(a, keys, res.StatusCode)
	}
	return task.Page{}, gatewayError(res.StatusCode)
}

// readDecoded reads the body without its encoding. None was asked for, but some
// proxies compress whatever passes.
func readDecoded(res *http.Response, large func() error) ([]byte, error) {
	switch strings.ToLower(res.Header.Get("Content-Encoding")) {
	case "", "identity":
		return readBody(res.Body, res.ContentLength, large)
	case "gzip", "x-gzip":
		body, err := gzip.NewReader(res.Body)
		if err != nil {
			return nil, err
		}
		return readBody(body, -1, large)
	default:
		return nil, errEncoding
	}
}

// gatewayError is about an answer that is not the API's: a proxy, a load
// balancer or a login page stands between. Nothing of it is quoted.
func gatewayError(status int) *Error {
	name := http.StatusText(status)
	switch {
	case status == http.StatusTooManyRequests:
		return &Error{Kind: task.ErrorThrottled, Code: codeThrottled, Message: "too many requests", retry: true}
	case status/100 == 3:
		return invalid("%s: the answer is a redirect, which is not followed", name)
	default:
		failed := invalid("%s: the answer has no error code of the API", name)
		failed.retry = status >= 500
		return failed
	}
}

// untilClosed reports whether the body says neither its length nor its end.
func untilClosed(res *http.Response) bool {
	return res.ProtoMajor == 1 && res.ContentLength < 0 && len(res.TransferEncoding) == 0
}

// broken is about a connection that did not come about, or broke.
func broken(err error, keys Keys) *Error {
	failed := &Error{Kind: task.ErrorNetwork, Code: codeNetwork, Message: newRedactor(keys).text(err.Error()), retry: true}
	var untrusted *tls.CertificateVerificationError
	if errors.As(err, &untrusted) {
		failed.retry = false // will be the same certificate
	}
	var network net.Error
	if errors.As(err, &network) && network.Timeout() {
		failed.Kind, failed.Code = task.ErrorTimeout, codeTimeout
	}
	return failed
}

// timedOut is about an attempt that was ended by one of its time limits or by the caller.
func (c *Client) timedOut(ctx, parent context.Context) *Error {
	failed := &Error{Kind: task.ErrorTimeout, Code: codeTimeout}
	switch {
	case errors.Is(parent.Err(), context.Canceled):
		return gaveUp(parent.Err(), noAnswer)
	case parent.Err() != nil:
		failed.Message, failed.cause = "no answer in the caller's time", parent.Err()
	case ctx.Err() != nil:
		failed.Message = fmt.Sprintf("no answer within page_timeout (%s)", c.config.PageTimeout)
	default:
		failed.Message, failed.retry = fmt.Sprintf("no answer within request_timeout (%s)", c.config.RequestTimeout), true
	}
	return failed
}

// noKeys is about a call that was not made for want of keys.
func (c *Client) noKeys(ctx, parent context.Context, err error) *Error {
	switch {
	case parent.Err() != nil:
		return gaveUp(parent.Err(), noAnswer)
	case ctx.Err() != nil:
		err = fmt.Errorf("no credentials within page_timeout (%s): check what the credential is fetched from", c.config.PageTimeout)
	}
	return &Error{Kind: task.ErrorCredentials, Message: newRedactor(Keys{}).text(err.Error())}
}
