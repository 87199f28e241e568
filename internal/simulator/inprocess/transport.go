// Package inprocess lets tests call an http.Handler without a network.
package inprocess

import (
	"cmp"
	"io"
	"net/http"
	"net/http/httptest"
	"testing/iotest"
)

// Transport returns a round tripper that calls the handler in the caller's
// goroutine, so that it works inside a synctest bubble. The handler must return
// when the request's context ends. A handler that panics with
// http.ErrAbortHandler breaks the connection.
func Transport(h http.Handler) http.RoundTripper { return transport{h} }

type transport struct{ handler http.Handler }

func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer r.Body.Close()
	}
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	in := r.Clone(r.Context())
	in.Host = cmp.Or(in.Host, r.URL.Host)
	in.URL.Path = cmp.Or(in.URL.Path, "/")
	in.RequestURI = in.URL.RequestURI()
	if in.Body == nil {
		in.Body = http.NoBody
	}
	rec := httptest.NewRecorder()
	broken := serve(t.handler, rec, in)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if broken && !rec.Flushed {
		return nil, io.EOF // what net/http says of a connection that closes before the answer
	}
	answer := rec.Result()
	answer.Request = r
	if broken {
		answer.Body = io.NopCloser(io.MultiReader(answer.Body, iotest.ErrReader(io.ErrUnexpectedEOF)))
	}
	return answer, nil
}

// serve runs the handler and reports whether it broke the connection.
func serve(h http.Handler, w http.ResponseWriter, r *http.Request) (broken bool) {
	defer func() {
		if p := recover(); p != nil {
			if p != any(http.ErrAbortHandler) {
				panic(p)
			}
			broken = true
		}
	}()
	h.ServeHTTP(w, r)
	return false
}
