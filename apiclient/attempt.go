package apiclient

import (
	"cmp"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"

	"cloudsso_exporter/internal/task"
)

// attempt makes one call and tells how it ended. Without keys nothing is sent.
func (c *Client) attempt(ctx context.Context, r pageRequest) (task.Page, *Error) {
	keys, failed := c.keys(ctx)
	if failed == nil {
		failed = c.await(ctx, r)
	}
	if failed != nil {
		return task.Page{}, failed
	}
	limited, cancel := timeLimit{"request_timeout", c.config.RequestTimeout}.begin(ctx)
	defer cancel()
	if idle, ok := c.config.Transport.(interface{ CloseIdleConnections() }); ok && c.stale.Swap(false) {
		idle.CloseIdleConnections()
	}
	began := c.config.Now()
	page, failed := c.call(limited, r, keys)
	if limited.Err() != nil && failed != nil && (failed.Kind == task.ErrorNetwork || failed.Kind == task.ErrorTimeout) {
		c.stale.Store(true)
		if failed = ended(limited); failed.Kind != task.ErrorTimeout {
			return page, failed // the caller's doing, not an outcome of the call
		}
		failed.Code, failed.retry = codeTimeout, ctx.Err() == nil
	}
	code := codeOK
	if failed != nil {
		code = failed.Code
	}
	c.config.Observe(action, code, c.config.Now().Sub(began))
	if source, ok := c.config.Keys.(refusable); ok && failed != nil && failed.Kind == task.ErrorCredentials {
		failed.credential = fmt.Sprint(source)
		source.Refused(keys)
	}
	return page, failed
}

// keys are those to sign with.
func (c *Client) keys(ctx context.Context) (Keys, *Error) {
	keys, err := c.config.Keys.Keys(ctx)
	var own timeLimit
	switch {
	case err == nil:
		return keys, nil
	case errors.As(context.Cause(ctx), &own):
		err = fmt.Errorf("no credentials within %w: check the source of the credential", own)
	case ctx.Err() != nil:
		return Keys{}, ended(ctx)
	}
	return Keys{}, &Error{Kind: task.ErrorCredentials, Message: Keys{}.redact(err.Error())}
}

// call sends the request and judges the answer.
func (c *Client) call(ctx context.Context, r pageRequest, keys Keys) (task.Page, *Error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.config.URL+"/?"+r.query, nil)
	if err != nil {
		return task.Page{}, &Error{Kind: task.ErrorNetwork, Code: codeNetwork, Message: "the endpoint is not a URL"}
	}
	request.Header = http.Header{
		"Accept": {"application/json"}, "User-Agent": {"cloudsso_exporter"}, "X-Acs-Action": {action}, "X-Acs-Version": {version},
	}
	sign(request, keys, r.now(), randomNonce())

	began := c.config.Now()
	res, err := c.config.Transport.RoundTrip(request) // not http.Client: it would follow redirects
	if err != nil {
		return task.Page{}, broken(err, keys)
	}
	defer res.Body.Close()
	took, date := c.config.Now().Sub(began), dateOf(res.Header)

	page, failed := c.readAnswer(ctx, res, keys)
	ofAPI := failed == nil || isAPICode(failed.Code) // the time of a gateway is not the API's
	doubt := ofAPI && c.clock.learn(date, took)
	switch {
	case failed != nil:
		failed.date, failed.HTTPStatus = date, res.StatusCode
		failed.RetryAfter = retryAfter(res.Header.Get("Retry-After"), cmp.Or(date, c.clock.now()))
	case doubt && !r.confirms:
		failed = &Error{Code: codeOK, doubt: true}
	case doubt: // what started within the window cannot be told from this
		failed = invalid("the Date headers of two answers in a row (the last one: %s) contradict the time known so far and each other", date.Format("2006-01-02 15:04:05 MST"))
	default:
		failed = r.check(page)
	}
	return page, failed
}

// readAnswer tells a page, a refusal and an invalid answer apart. The code
// decides, not the status, which is not reliable.
func (c *Client) readAnswer(ctx context.Context, res *http.Response, keys Keys) (task.Page, *Error) {
	body, release, err := c.readDecoded(ctx, res)
	defer release()
	switch {
	case errors.Is(err, errTooLarge), errors.Is(err, errEncoding), errors.Is(err, gzip.ErrHeader):
		return task.Page{}, invalid("%s", err)
	case err != nil:
		return task.Page{}, broken(fmt.Errorf("the answer was cut off: %w", err), keys)
	case res.StatusCode/100 == 2:
		page, failed := decodePage(body, keys)
		// Where nothing but the connection's end says where the body ends, it may have been cut.
		if untilClosed := res.ProtoMajor == 1 && res.ContentLength < 0 && len(res.TransferEncoding) == 0; untilClosed && failed != nil && failed.cut {
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

// gatewayError is about an answer that is not the API's: a proxy, a load
// balancer or a login page stands between. Nothing of it is quoted.
func gatewayError(status int) *Error {
	name := http.StatusText(status)
	switch {
	case status == http.StatusTooManyRequests:
		return &Error{Kind: task.ErrorThrottled, Code: codeThrottled, Message: "too many requests", retry: true}
	case status/100 == 3:
		return invalid("%s: the answer is a redirect, which is not followed", name)
	case status >= 500:
		failed := invalid("%s: the API or something in front of it is down", name)
		failed.retry = true
		return failed
	default:
		return invalid("%s: the answer has no error code of the API", name)
	}
}

// broken is about a connection that did not come about, or broke.
func broken(err error, keys Keys) *Error {
	failed := &Error{Kind: task.ErrorNetwork, Code: codeNetwork, Message: keys.redact(err.Error()), retry: true}
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
