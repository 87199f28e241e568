package apiclient

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"cloudsso_exporter/internal/task"
)

// rawServer answers each connection's request with the bytes, and closes it.
func rawServer(t *testing.T, bytes string) (url string, calls *atomic.Int64) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	calls = new(atomic.Int64)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			calls.Add(1)
			conn.Read(make([]byte, 16<<10))
			io.WriteString(conn, bytes)
			conn.Close()
		}
	}()
	return "http://" + l.Addr().String(), calls
}

func TestAnswersOnTheWire(t *testing.T) {
	const cut = `{"RequestId":"r","Tasks":[{"TaskId":"t-1"`
	for name, tc := range map[string]struct {
		bytes string
		code  string
		retry bool
	}{
		"closed at once":        {"", "network", true},
		"no HTTP":               {"SSH-2.0-OpenSSH\r\n", "network", true},
		"cut by length":         {"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + cut, "network", true},
		"cut chunk":             {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n100\r\n" + cut, "network", true},
		"cut without a length":  {"HTTP/1.1 200 OK\r\n\r\n" + cut, "network", true},
		"whole, but cut JSON":   {fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(cut), cut), "invalid_response", false},
		"whole without length":  {"HTTP/1.0 200 OK\r\n\r\n" + emptyPage, "", false},
		"says it is over 8 MiB": {"HTTP/1.1 200 OK\r\nContent-Length: 8388609\r\n\r\n", "invalid_response", false},
		"bad JSON":              {"HTTP/1.1 200 OK\r\n\r\n{]", "invalid_response", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, calls := rawServer(t, tc.bytes)
			conf := testConfig(newPool(t))
			conf.URL, conf.MaxRetries = url, 1
			_, _, err := read(New(conf), task.Query{}, task.Paging{})
			want := int64(1)
			if tc.retry {
				want = 2
			}
			if calls.Load() != want {
				t.Errorf("%d calls, want %d", calls.Load(), want)
			}
			if tc.code == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if failed := asError(t, err); failed.Code != tc.code {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestBodiesAreReadUpToALimit(t *testing.T) {
	fits := emptyPage + strings.Repeat(" ", maxBody-len(emptyPage))
	for extra, want := range map[string]task.ErrorKind{"": "", " ": task.ErrorInvalidResponse} {
		var sent atomic.Int64
		s := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
			io.WriteString(w, fits+extra)
			for range 64 { // 64 MiB that nobody has to read
				n, err := w.Write(make([]byte, len(extra)<<20))
				if sent.Add(int64(n)); err != nil || n == 0 {
					return
				}
			}
		})
		conf := testConfig(newPool(t))
		conf.URL = s.URL
		_, _, err := read(New(conf), task.Query{}, task.Paging{})
		if want == "" {
			if err != nil {
				t.Error(err)
			}
			continue
		}
		if failed := asError(t, err); failed.Kind != want || !strings.Contains(err.Error(), "8 MiB") {
			t.Errorf("%v", err)
		}
		s.Close() // waits for the handler
		if sent.Load() > 32<<20 {
			t.Errorf("the client took %d MiB more", sent.Load()>>20)
		}
	}
}

// No encoding is asked for; a proxy may compress all the same.
func TestEncodedBodies(t *testing.T) {
	zipped := func(s string) string {
		var b bytes.Buffer
		w := gzip.NewWriter(&b)
		io.WriteString(w, s)
		w.Close()
		return b.String()
	}
	for name, tc := range map[string]struct{ encoding, body, says string }{
		"gzip":                  {"gzip", zipped(emptyPage), ""},
		"gzip, another name":    {"X-GZip", zipped(emptyPage), ""},
		"identity":              {"identity", emptyPage, ""},
		"a byte order mark":     {"", "\ufeff" + emptyPage, ""},
		"gzip and a mark":       {"gzip", zipped("\ufeff" + emptyPage), ""},
		"says gzip, is not":     {"gzip", emptyPage, "gzip"},
		"cut":                   {"gzip", zipped(emptyPage)[:20], "cut off"},
		"over 8 MiB when whole": {"gzip", zipped(emptyPage + strings.Repeat(" ", maxBody)), "8 MiB"},
		"another encoding":      {"br", emptyPage, "Content-Encoding"},
	} {
		s := newServer(t, sends(200, http.Header{"Content-Encoding": {tc.encoding}}, tc.body))
		conf := testConfig(newPool(t))
		conf.URL, conf.MaxRetries = s.URL, 0
		_, _, err := read(New(conf), task.Query{}, task.Paging{})
		if (err == nil) != (tc.says == "") || err != nil && !strings.Contains(err.Error(), tc.says) {
			t.Errorf("%s: %v, want %q", name, err, tc.says)
		}
	}
	refused := newServer(t, sends(403, http.Header{"Content-Encoding": {"gzip"}}, zipped(`{"Code":"NoPermission","RequestId":"r"}`)))
	conf := testConfig(newPool(t))
	conf.URL = refused.URL
	if _, _, err := read(New(conf), task.Query{}, task.Paging{}); asError(t, err).Code != "NoPermission" {
		t.Errorf("%v", err)
	}
}

func TestConnectionsThatDoNotComeAbout(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	untrusted := httptest.NewUnstartedServer(sends(200, nil, emptyPage))
	untrusted.Config.ErrorLog = log.New(io.Discard, "", 0)
	untrusted.StartTLS()
	t.Cleanup(untrusted.Close)
	for name, tc := range map[string]struct {
		url, says string
		attempts  int
	}{
		"refused":     {closed.URL, "connection refused", 2},
		"untrusted":   {untrusted.URL, "certificate", 1},
		"no TLS":      {strings.Replace(newServer(t, sends(200, nil, "")).URL, "http:", "https:", 1), "TLS", 2},
		"no URL":      {"http://[", "not a URL", 1},
		"no protocol": {"ftp://127.0.0.1", "ftp", 2},
	} {
		var seen attempts
		conf := testConfig(newPool(t))
		conf.URL, conf.MaxRetries, conf.Observe = tc.url, 1, seen.Observe
		_, _, err := read(New(conf), task.Query{}, task.Paging{})
		failed := asError(t, err)
		if failed.Kind != task.ErrorNetwork || failed.Code != "network" || !strings.Contains(err.Error(), tc.says) || strings.Contains(err.Error(), "Filter") {
			t.Errorf("%s: %v", name, err)
		}
		if n := len(strings.Fields(seen.String())); n != tc.attempts {
			t.Errorf("%s: %d attempts, want %d", name, n, tc.attempts)
		}
	}
}

func TestProxyThatRefuses(t *testing.T) {
	for _, status := range []int{403, 407} {
		proxy, _ := url.Parse(newServer(t, sends(status, nil, "blocked")).URL)
		conf := testConfig(newPool(t))
		conf.Transport.(*http.Transport).Proxy = http.ProxyURL(proxy)
		conf.URL, conf.MaxRetries = "https://cloudsso.cn-shanghai.aliyuncs.com", 0
		_, _, err := read(New(conf), task.Query{}, task.Paging{})
		if failed := asError(t, err); failed.Kind != task.ErrorNetwork || !strings.Contains(err.Error(), fmt.Sprintf("HTTP %d: the proxy refused", status)) {
			t.Errorf("%v", err)
		}
	}
}

func TestConnectionsAreReused(t *testing.T) {
	var opened atomic.Int64
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(5 * time.Millisecond)
		io.WriteString(w, emptyPage)
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	pool := newPool(t)
	done := make(chan error)
	for range 16 {
		go func() {
			conf := testConfig(pool)
			conf.URL = s.URL
			c := New(conf)
			for range 20 {
				if _, _, err := read(c, task.Query{}, task.Paging{}); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range 16 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if n := opened.Load(); n > 24 {
		t.Errorf("%d connections for 16 clients", n)
	}
}
