package simulator

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strconv"
)

// Transport returns a round tripper that calls the handler in the caller's
// goroutine: no connection, no buffer of the kernel, so that it works inside a
// synctest bubble. The handler must return when the request's context ends. A
// handler that panics with http.ErrAbortHandler breaks the connection.
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
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	if in.URL.Path == "" {
		in.URL.Path = "/"
	}
	in.RequestURI = in.URL.RequestURI()
	in.RemoteAddr = "127.0.0.1:1"
	rec := &recorder{header: http.Header{}}
	aborted := rec.serve(t.handler, in)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if aborted && !rec.flushed {
		return nil, io.EOF // what net/http says of a connection closed before the answer
	}
	return rec.response(r, aborted), nil
}

// recorder is a ResponseWriter in memory.
type recorder struct {
	header  http.Header
	status  int
	body    bytes.Buffer
	flushed bool
}

func (r *recorder) Header() http.Header { return r.header }
func (r *recorder) Flush()              { r.flushed = true }

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

func (r *recorder) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(b)
}

// serve runs the handler and reports whether it broke the connection.
func (r *recorder) serve(h http.Handler, in *http.Request) (aborted bool) {
	defer func() {
		switch p := recover(); {
		case p == nil:
		case isAbort(p):
			aborted = true
		default:
			panic(p)
		}
	}()
	h.ServeHTTP(r, in)
	return false
}

func isAbort(p any) bool {
	err, ok := p.(error)
	return ok && errors.Is(err, http.ErrAbortHandler)
}

func (r *recorder) response(req *http.Request, aborted bool) *http.Response {
	r.WriteHeader(http.StatusOK)
	length := int64(r.body.Len())
	body := io.Reader(&r.body)
	if aborted {
		length, _ = strconv.ParseInt(r.header.Get("Content-Length"), 10, 64)
		body = io.MultiReader(body, broken{})
	}
	return &http.Response{
		Status:        strconv.Itoa(r.status) + " " + http.StatusText(r.status),
		StatusCode:    r.status,
		Proto:         "HTTP/1.1",
		ProtoMajor:    1,
		ProtoMinor:    1,
		Header:        r.header,
		Body:          io.NopCloser(body),
		ContentLength: length,
		Request:       req,
	}
}

// broken is where a connection breaks.
type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
