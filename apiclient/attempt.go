package apiclient

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"cloudsso_exporter/internal/task"
)

// attempt makes one call, signed with the time that now tells. Ctx is the
// page's, parent the caller's. Without keys nothing is sent.
func (c *Client) attempt(ctx, parent context.Context, a ask, now func() time.Time) (task.Page, *Error) {
	keys, err := c.config.Keys.Keys(ctx)
	if err != nil {
		return task.Page{}, c.noKeys(ctx, parent, err)
	}
	if failed := c.await(ctx); failed != nil {
		return task.Page{}, failed
	}
	limited, cancel := context.WithTimeout(ctx, c.config.RequestTimeout)
	defer cancel()
	began := time.Now()
	page, failed := c.call(limited, keys, a.query, now)
	took := time.Since(began)

	if failed == nil {
		failed = a.check(page)
	}
	if failed == nil {
		c.config.Observe(action, codeOK, took)
		return page, nil
	}
	if (failed.Kind == task.ErrorNetwork || failed.Kind == task.ErrorTimeout) && limited.Err() != nil {
		failed = c.cutShort(ctx, parent)
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

// call sends the request and reads the answer.
func (c *Client) call(ctx context.Context, keys Keys, query string, now func() time.Time) (task.Page, *Error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.config.URL+"/?"+query, nil)
	if err != nil {
		return task.Page{}, &Error{Kind: task.ErrorNetwork, Code: codeNetwork, Message: "the endpoint is no URL"}
	}
	r.Header["Accept"] = []string{"application/json"}
	r.Header["User-Agent"] = []string{"cloudsso_exporter"}
	r.Header["X-Acs-Action"] = []string{action}
	r.Header["X-Acs-Version"] = []string{version}

	began := time.Now()
	signer := Signer{Base: c.config.Transport, Keys: keys, Now: now}
	res, err := signer.RoundTrip(r) // not http.Client: it would follow redirects
	if err != nil {
		return task.Page{}, broken(err, keys)
	}
	defer res.Body.Close()
	took, date := time.Since(began), dateOf(res.Header)

	page, failed := readAnswer(res, keys)
	if failed == nil || isAPICode(failed.Code) {
		c.clock.learn(date, took) // the time of a gateway is not the API's
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
	return page, failed
}

// readAnswer tells a page, a refusal and rubbish apart. The code decides, not
// the status, which is not reliable.
func readAnswer(res *http.Response, keys Keys) (task.Page, *Error) {
	body, err := readBody(res.Body, res.ContentLength)
	switch {
	case errors.Is(err, errTooLarge):
		return task.Page{}, invalid("body over 8 MiB")
	case err != nil:
		return task.Page{}, broken(fmt.Errorf("the answer broke off: %w", err), keys)
	case res.StatusCode/100 == 2:
		page, failed := decodePage(body, keys)
		if failed != nil && failed.ended && untilClosed(res) {
			// Nothing but the connection's end says where such a body ends.
			return task.Page{}, broken(errors.New("the answer broke off"), keys)
		}
		return page, failed
	}
	a, failed := decodeAnswer(body)
	if failed == nil && isAPICode(string(a.Code)) {
		return task.Page{}, refusal(a, keys, res.StatusCode)
	}
	return task.Page{}, gatewayError(res.StatusCode)
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

// cutShort is about an attempt that was ended by one of its time limits or by the caller.
func (c *Client) cutShort(ctx, parent context.Context) *Error {
	failed := &Error{Kind: task.ErrorTimeout, Code: codeTimeout}
	switch {
	case errors.Is(parent.Err(), context.Canceled):
		return gaveUp(parent.Err(), nil)
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
		return gaveUp(parent.Err(), nil)
	case ctx.Err() != nil:
		err = fmt.Errorf("no credentials within page_timeout (%s): check what the credential is fetched from", c.config.PageTimeout)
	}
	return &Error{Kind: task.ErrorCredentials, Message: newRedactor(Keys{}).text(err.Error())}
}
