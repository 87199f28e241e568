package apiclient

import (
	"errors"
	"net"
	"net/http"
	"net/url"
	"time"
)

// NewTransport returns the connection pool that all Clients of a process
// share. The proxy is that of the environment. A connection stays open long
// enough for the next refresh; CloseIdleConnections closes those not in use.
func NewTransport() *http.Transport {
	dialer := &net.Dialer{Timeout: 5 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:               proxy,
		DialContext:         dialer.DialContext,
		ForceAttemptHTTP2:   true,
		TLSHandshakeTimeout: 5 * time.Second,
		MaxIdleConns:        256,
		// The default of 2 makes every further directory of a region dial anew at each refresh.
		MaxIdleConnsPerHost:    64,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: 256 << 10,
		// A page is some kilobytes: not worth a decompressor, and its size is known in advance.
		DisableCompression: true,
	}
}

// proxy is http.ProxyFromEnvironment, whose errors quote the address with its password.
func proxy(r *http.Request) (*url.URL, error) {
	u, err := http.ProxyFromEnvironment(r)
	if err != nil {
		return nil, errors.New("the proxy address in HTTPS_PROXY or HTTP_PROXY is no URL: correct it")
	}
	return u, nil
}
