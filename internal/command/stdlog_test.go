package command

import (
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// A server that sends more than it said: what is left over is a token, perhaps.
func TestStandardLogShowsNoBytesOfPeers(t *testing.T) {
	oldFlags, oldOut := log.Flags(), log.Writer()
	t.Cleanup(func() { log.SetFlags(oldFlags); log.SetOutput(oldOut) })
	lines := make(chan string, 10)
	TakeStandardLog(NewLogger(lineWriter(lines), "info", "logfmt"))

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		conn.Read(make([]byte, 4096))
		io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
		time.Sleep(50 * time.Millisecond)
		io.WriteString(conn, "secretToken\"secretToken")
		time.Sleep(time.Second)
		conn.Close()
	}()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	res, err := (&http.Client{Transport: transport}).Get("http://" + l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	io.Copy(io.Discard, res.Body)
	res.Body.Close()
	select {
	case line := <-lines:
		if !strings.Contains(line, "Unsolicited response") || !strings.Contains(line, "level=warn") || strings.Contains(line, "secret") {
			t.Errorf("%q", line)
		}
	case <-time.After(5 * time.Second):
		t.Error("nothing was logged")
	}

	log.Print("http: panic serving 127.0.0.1: x\ngoroutine 7 [running]:\nsecret")
	if line := <-lines; strings.Contains(line, "secret") || !strings.Contains(line, "panic serving") {
		t.Errorf("%q", line)
	}
}

// lineWriter sends what is written, a line at a time.
type lineWriter chan string

func (w lineWriter) Write(line []byte) (int, error) {
	w <- string(line)
	return len(line), nil
}
