package server

import (
	"bufio"
	"bytes"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"cloudsso_exporter/internal/refresh"
)

// pipes is a listener whose connections have no buffer: who does not read blocks the server at once.
type pipes struct {
	net.Listener // nil: the rest is not used
	accepted     chan net.Conn
	closed       chan struct{}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accepted:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p pipes) Close() error   { close(p.closed); return nil }
func (p pipes) Addr() net.Addr { return &net.UnixAddr{} }

func (p pipes) request(path string) net.Conn {
	client, server := net.Pipe()
	p.accepted <- server
	_, _ = client.Write([]byte("GET " + path + " HTTP/1.1\r\nHost: exporter\r\n\r\n"))
	return client
}

// Clients that ask for metrics and never read the answer take all slots for ten seconds, not for ever.
func TestClientsThatDoNotRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(t, &fakeRefresher{states: []*refresh.State{attempted("d-1")}}, Settings{MaxRequests: 5})
		l := pipes{accepted: make(chan net.Conn), closed: make(chan struct{})}
		s := &http.Server{Handler: h, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)}
		go s.Serve(l)
		defer s.Close()
		for _, path := range []string{"/metrics", "/", "/api/v1/status"} {
			for range 5 {
				defer l.request(path).Close()
			}
		}
		synctest.Wait()
		answered := func() string {
			c := l.request("/metrics")
			defer c.Close()
			line, _ := bufio.NewReader(c).ReadString('\n')
			return line
		}
		if got := answered(); !strings.Contains(got, "503") {
			t.Errorf("while all slots are taken: %q", got)
		}
		time.Sleep(11 * time.Second)
		if got := answered(); !strings.Contains(got, "200") {
			t.Errorf("ten seconds later: %q", got)
		}
	})
}

// leaving is the connection of a client that leaves after some bytes.
type leaving struct {
	*httptest.ResponseRecorder
	left int
}

func (l *leaving) Write(p []byte) (int, error) {
	if l.left -= len(p); l.left < 0 {
		return 0, &net.OpError{Op: "write", Err: syscall.ECONNRESET}
	}
	return l.ResponseRecorder.Write(p)
}

// A scraper that leaves in the middle is no error of the exporter, in the log or in a metric.
func TestScrapersThatLeave(t *testing.T) {
	var log bytes.Buffer
	h, err := New(Options{
		Refresher: &fakeRefresher{states: []*refresh.State{attempted("d-1")}}, Now: time.Now,
		Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelInfo})),
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, encoding := range []string{"gzip", "identity", "gzip;q=0", ""} {
		r := httptest.NewRequest("GET", "/metrics", nil)
		r.Header.Set("Accept-Encoding", encoding)
		h.ServeHTTP(&leaving{httptest.NewRecorder(), 100}, r)
	}
	if log.Len() > 0 {
		t.Errorf("log: %s", &log)
	}
	body := do(h, "GET", "/metrics").Body.String()
	for _, cause := range []string{"encoding", "gathering"} {
		if want := `promhttp_metric_handler_errors_total{cause="` + cause + `"} 0`; !strings.Contains(body, want) {
			t.Errorf("not there: %s", want)
		}
	}
}

func TestGzipRefused(t *testing.T) {
	var log bytes.Buffer
	h, err := New(Options{
		Refresher: &fakeRefresher{states: []*refresh.State{attempted("d-1")}}, Now: time.Now, Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	w := do(h, "GET", "/metrics", "Accept-Encoding", "gzip;q=0")
	if w.Code != 200 || w.Header().Get("Content-Encoding") == "gzip" || !strings.Contains(w.Body.String(), "cloudsso_up") || log.Len() > 0 {
		t.Errorf("%d %v, log: %s", w.Code, w.Header(), &log)
	}
}
