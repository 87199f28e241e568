package apiclient

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"strings"
)

const (
	// maxBody is the most that is read of an answer, in bytes. A page of 20 tasks has some ten thousand.
	maxBody = 8 << 20
	// largeBody is from how many bytes on an answer needs a place of Config.Decoding.
	largeBody = 256 << 10
)

const (
	errTooLarge = known("body over 8 MiB")
	errEncoding = known("the body has a Content-Encoding that was not asked for: only gzip is read")
)

// readDecoded reads the body without its encoding. None was asked for, but some
// proxies compress whatever passes. A large body first waits for a place of
// Config.Decoding, not longer than ctx; release gives it back.
func (c *Client) readDecoded(ctx context.Context, res *http.Response) (body []byte, release func(), err error) {
	release = func() {}
	if res.ContentLength > maxBody {
		return nil, release, errTooLarge
	}
	r := io.Reader(res.Body)
	switch strings.ToLower(res.Header.Get("Content-Encoding")) {
	case "", "identity":
	case "gzip", "x-gzip":
		if r, err = gzip.NewReader(r); err != nil {
			return nil, release, err
		}
	default:
		return nil, release, errEncoding
	}
	body, err = io.ReadAll(io.LimitReader(r, largeBody))
	if err != nil || len(body) < largeBody {
		return body, release, err
	}
	select {
	case c.config.Decoding <- struct{}{}:
		release = func() { <-c.config.Decoding }
	case <-ctx.Done():
		return nil, release, ctx.Err()
	}
	body, err = readBody(io.MultiReader(bytes.NewReader(body), r))
	return body, release, err
}

// readBody reads a body up to maxBody.
func readBody(r io.Reader) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r, maxBody+1))
	if len(body) > maxBody {
		return nil, errTooLarge
	}
	return body, err
}
