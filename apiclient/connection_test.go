package apiclient

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"cloudsso_exporter/internal/task"
)

// relay passes connections on to addr. Those that were open when it is muted
// stay open, but nothing passes any more.
type relay struct {
	net.Listener
	addr  string
	muted atomic.Int64 // connections up to this number are dead
	n     atomic.Int64
}

func newRelay(t *testing.T, addr string) *relay {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{Listener: l, addr: addr}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			here, err := l.Accept()
			if err != nil {
				return
			}
			there, err := net.Dial("tcp", addr)
			if err != nil {
				here.Close()
				continue
			}
			n := r.n.Add(1)
			go r.pass(n, here, there)
			go r.pass(n, there, here)
		}
	}()
	return r
}

func (r *relay) pass(n int64, from, to net.Conn) {
	b := make([]byte, 32<<10)
	for {
		size, err := from.Read(b)
		if err != nil {
			to.Close()
			return
		}
		if n > r.muted.Load() {
			to.Write(b[:size])
		}
	}
}

func TestDeadHTTP2ConnectionIsReplaced(t *testing.T) {
	var major atomic.Int64
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		major.Store(int64(r.ProtoMajor))
		io.WriteString(w, emptyPage)
	}))
	s.EnableHTTP2 = true
	s.StartTLS()
	t.Cleanup(s.Close)
	relay := newRelay(t, s.Listener.Addr().String())
	pool := newPool(t)
	if h2 := pool.HTTP2; h2 == nil || h2.SendPingTimeout == 0 || h2.PingTimeout == 0 {
		t.Error("idle connections are not checked")
	}
	pool.TLSClientConfig = &tls.Config{RootCAs: s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}
	conf := testConfig(pool)
	conf.URL, conf.RequestTimeout, conf.MaxRetries = "https://"+relay.Addr().String(), 500*time.Millisecond, 1
	c := New(conf)
	if _, _, err := read(c, task.Query{}, task.Paging{}); err != nil || major.Load() != 2 {
		t.Fatalf("%v over HTTP/%d", err, major.Load())
	}
	relay.muted.Store(relay.n.Load())
	if _, _, err := read(c, task.Query{}, task.Paging{}); err != nil {
		t.Errorf("after a timeout: %v", err)
	}
	if n := relay.n.Load(); n != 2 {
		t.Errorf("%d connections, want the dead one and a new one", n)
	}
}

// Answers of usual size do not wait for large ones.
func TestLargeAnswersWaitForAPlace(t *testing.T) {
	large := strings.TrimSuffix(emptyPage, "}") + strings.Repeat(" ", largeBody) + "}"
	synctest.Test(t, func(t *testing.T) {
		conf := testConfig(handled(func(w http.ResponseWriter, r *http.Request) {
			body := emptyPage
			if r.URL.Query().Get("TargetId") != "" {
				body = large
			}
			io.WriteString(w, body)
		}))
		conf.Decoding = make(chan struct{}, 1)
		c := New(conf)
		big := task.Query{Filter: task.Filter{TargetID: "1"}}
		for range 3 { // the place is given back
			if _, _, err := read(c, big, task.Paging{}); err != nil {
				t.Fatal(err)
			}
		}
		conf.Decoding <- struct{}{}
		if _, _, err := read(c, task.Query{}, task.Paging{}); err != nil {
			t.Errorf("a small answer: %v", err)
		}
		if _, _, err := read(c, big, task.Paging{NoRetry: true}); asError(t, err).Kind != task.ErrorTimeout {
			t.Errorf("without a place: %v", err)
		}
		began := time.Now()
		time.AfterFunc(3*time.Second, func() { <-conf.Decoding })
		if _, _, err := read(c, big, task.Paging{NoRetry: true}); err != nil || time.Since(began) != 3*time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
}

// What takes a few bytes in JSON takes hundreds in memory.
func TestListsAreBounded(t *testing.T) {
	for n, ok := range map[int]bool{maxObjects: true, maxObjects + 1: false} {
		body := `{"RequestId":"r","Tasks":[` + strings.TrimSuffix(strings.Repeat(`{"TaskId":"t"},`, n), ",") + `]}`
		if _, failed := decodePage([]byte(body), testKeys()); (failed == nil) != ok || !ok && !strings.Contains(failed.Error(), fmt.Sprintf("more than %d objects", maxObjects)) {
			t.Errorf("%d tasks: %v", n, failed)
		}
	}
}
