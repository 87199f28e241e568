package apiclient

import (
	"bytes"
	"context"
	"io"
)

const (
	// maxBody is the most that is read of an answer, in bytes. A page of 20 tasks has some ten thousand.
	maxBody = 8 << 20
	// largeBody is from how many bytes on an answer needs a place of Config.Decoding.
	largeBody = 256 << 10
	// maxObjects is the most that a list of tasks holds, braces within texts included.
	maxObjects = 10_000
)

const (
	errTooLarge = known("body over 8 MiB")
	errEncoding = known("the body has a Content-Encoding that was not asked for: only gzip is read")
)

// place returns functions that wait for one of Config.Decoding's places, not
// longer than ctx, and give it back.
func (c *Client) place(ctx context.Context) (take func() error, leave func()) {
	taken := false
	take = func() error {
		if c.config.Decoding == nil {
			return nil
		}
		select {
		case c.config.Decoding <- struct{}{}:
			taken = true
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return take, func() {
		if taken {
			<-c.config.Decoding
		}
	}
}

// readBody reads a body up to maxBody; size is what the answer says of it, or
// -1. It calls large once before it reads the large part of one.
func readBody(r io.Reader, size int64, large func() error) ([]byte, error) {
	if size > maxBody {
		return nil, errTooLarge
	}
	var b bytes.Buffer
	b.Grow(int(min(max(size, 0), 64<<10)) + bytes.MinRead)
	n, err := b.ReadFrom(io.LimitReader(r, largeBody))
	if err == nil && n == largeBody {
		if err = large(); err == nil {
			_, err = b.ReadFrom(io.LimitReader(r, maxBody+1-largeBody))
		}
	}
	if err == nil && b.Len() > maxBody {
		err = errTooLarge
	}
	return b.Bytes(), err
}
