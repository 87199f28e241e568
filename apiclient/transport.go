package apiclient

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"
)

// metadataHost is where an instance asks for the keys of its role.
const metadataHost = "100.100.100.200"

const (
	errRedirect     = known("the answer is a redirect, which is not followed")
	errProxyRefused = known("the proxy refused to connect: allow the endpoint there, or correct HTTPS_PROXY")
)

// NewTransport returns the connection pool that all Clients of a process
// share. The proxy is that of the environment. A connection stays open long
// enough for the next refresh; CloseIdleConnections closes those not in use.
//
// A process that uses Credentials needs another one as http.DefaultTransport,
// which credentials-go copies for each of its calls: redirects, which would take
// tokens elsewhere, end with an error, and no proxy is asked for the metadata of
// an instance, as it could answer with keys of its own.
func NewTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:               guard(http.ProxyFromEnvironment),
		DialContext:         dialer.DialContext,
		ForceAttemptHTTP2:   true,
		TLSHandshakeTimeout: 5 * time.Second,
		MaxIdleConns:        256,
		// The default of 2 makes every further directory of a region dial again at each refresh.
		MaxIdleConnsPerHost: 64,
		IdleConnTimeout:     90 * time.Second,
		// HTTP/2 would go on with a connection that nothing comes back from.
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 5 * time.Second, WriteByteTimeout: 10 * time.Second},
		MaxResponseHeaderBytes: 256 << 10,
		// A page is some kilobytes: not worth a decompressor, and its size is known in advance.
		DisableCompression: true,
		OnProxyConnectResponse: func(_ context.Context, _ *url.URL, _ *http.Request, res *http.Response) error {
			if res.StatusCode != http.StatusOK { // net/http would say no more than Forbidden
				return fmt.Errorf("HTTP %d: %w", res.StatusCode, errProxyRefused)
			}
			return nil
		},
	}
}

// guard returns a function for http.Transport.Proxy that asks next, but refuses
// to follow redirects and leaves metadataHost alone. Next's errors quote the
// address with its password.
func guard(next func(*http.Request) (*url.URL, error)) func(*http.Request) (*url.URL, error) {
	return func(r *http.Request) (*url.URL, error) {
		switch {
		case r.Response != nil: // what http.Client follows
			return nil, errRedirect
		case r.URL.Hostname() == metadataHost:
			return nil, nil
		}
		u, err := next(r)
		if err != nil {
			return nil, errors.New("the proxy address in HTTPS_PROXY or HTTP_PROXY is not a URL: correct it")
		}
		return u, nil
	}
}

// guarded is an error unless http.DefaultTransport follows no redirect.
func guarded() error {
	redirect := &http.Request{URL: &url.URL{Scheme: "http", Host: metadataHost}, Response: &http.Response{}}
	if t, ok := http.DefaultTransport.(*http.Transport); ok && t.Proxy != nil {
		if _, err := t.Proxy(redirect); errors.Is(err, errRedirect) {
			return nil
		}
	}
	return known("http.DefaultTransport is not one of NewTransport's, so that credentials-go would follow redirects")
}
