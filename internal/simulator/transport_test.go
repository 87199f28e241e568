package simulator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"cloudsso_exporter/internal/simulator/inprocess"
)

// Seven days of calls in a bubble: the clock, the delays and the timeouts are the
// bubble's, and what the server remembers stays bounded.
func TestAWeekInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Keys: []Key{testKey}, Latency: 20 * time.Millisecond})
		directories := Scenario{Seed: 3, Epoch: time.Now(), Speed: 0.05}.Play(s)
		often := func(c Call) bool { return c.Number%12 == 0 }
		s.SetFaults(Rule{When: often, Fault: Slow(time.Second)}, Rule{When: func(c Call) bool { return c.Number%10 == 0 }, Fault: Gateway(502, "")})
		client := &http.Client{Transport: inprocess.Transport(s), Timeout: 500 * time.Millisecond}
		call := func(n int, params url.Values) error {
			r := signed(testKey, time.Now(), fmt.Sprint("bubble-", n), params)
			r.RequestURI = ""
			resp, err := client.Do(r)
			if err != nil {
				return err
			}
			defer resp.Body.Close()
			_, err = io.ReadAll(resp.Body)
			return err
		}
		const calls = 11_000
		timeouts := 0
		for n := range calls {
			begun := time.Now()
			err := call(n, url.Values{"DirectoryId": {directories[n%2].ID()}, "Filter": {"StartTime ge " + begun.UTC().Add(-time.Minute).Format(dateForm)}})
			if took := time.Since(begun); took != 20*time.Millisecond && took != 500*time.Millisecond {
				t.Fatalf("call %d took %s", n, took)
			}
			if errors.Is(err, context.DeadlineExceeded) {
				timeouts++
			}
			time.Sleep(week / calls)
		}
		counts := codes(s)
		if s.Total() != calls || timeouts != calls/12 || counts[codeCanceled] != timeouts || counts[codeOK] < calls*3/4 || counts["HTTP 502"] == 0 {
			t.Errorf("%d timeouts, counts %v", timeouts, counts)
		}
		if n := len(s.nonces.cur) + len(s.nonces.old); n > calls/50 {
			t.Errorf("%d nonces remembered, want those of the last hour", n)
		}
		if n := len(s.Calls()); n < maxCalls || n > 2*maxCalls {
			t.Errorf("%d calls remembered, want %d", n, maxCalls)
		}
		if n := len(s.log.attempts); n > maxAttempts {
			t.Errorf("%d attempts remembered", n)
		}
		d := directories[0]
		if n, all := len(d.listed), len(d.Tasks(time.Now().Add(-2*madeBehind), time.Now())); n > all || len(d.running)+len(d.waiting) > all/4 {
			t.Errorf("%d records, %d running, %d waiting kept of %d tasks", n, len(d.running), len(d.waiting), all)
		}
	})
}

func TestSlowEndsWithTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(Options{Keys: []Key{testKey}})
		s.Directory(testDirectory).Put(someTasks(1)...)
		s.SetFaults(Rule{Fault: Slow(15 * time.Second)})
		for _, test := range []struct {
			timeout, took time.Duration
			want          error
		}{
			{time.Second, time.Second, context.DeadlineExceeded},
			{time.Minute, 15 * time.Second, nil},
		} {
			ctx, cancel := context.WithTimeout(t.Context(), test.timeout)
			begun := time.Now()
			a := send(s, signed(testKey, begun, test.timeout.String(), url.Values{"DirectoryId": {testDirectory}}).WithContext(ctx))
			if took := time.Since(begun); took != test.took || !errors.Is(a.err, test.want) {
				t.Errorf("timeout %s: took %s, %v", test.timeout, took, a.err)
			}
			cancel()
		}
	})
}

func TestOverARealConnection(t *testing.T) {
	s, _ := faulty(t)
	web := httptest.NewServer(s)
	defer web.Close()
	r := signed(testKey, testNow, "n", url.Values{"DirectoryId": {testDirectory}})
	r.URL, r.RequestURI = &url.URL{Scheme: "http", Host: web.Listener.Addr().String(), Path: "/", RawQuery: r.URL.RawQuery}, ""
	resp, err := web.Client().Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 || len(body) == 0 {
		t.Errorf("%d %v: %s", resp.StatusCode, err, body)
	}
}

// For the race detector: everything at once.
func TestConcurrentUse(t *testing.T) {
	s := New(Options{Keys: []Key{testKey}, Order: Shuffled})
	d := Scenario{Seed: 3, Epoch: time.Now()}.Play(s)[0]
	d.Put(someTasks(200)...)
	var all sync.WaitGroup
	for worker := range 8 {
		all.Go(func() {
			for i := range 30 {
				a := send(s, signed(testKey, s.Now(), fmt.Sprint("c-", worker, "-", i), url.Values{"DirectoryId": {d.ID()}}))
				if a.Code != "" && a.Code != "Throttling.User" {
					t.Errorf("got %s %s", a.Code, a.Message)
				}
				switch (worker + i) % 8 {
				case 0:
					d.Put(someTasks(i)...)
				case 1:
					d.Schedule(Record{Task: someTasks(1)[0]})
				case 2:
					s.SetFaults(Rule{When: FirstAttempts(1), Fault: Throttle(400, 0)})
				case 4:
					s.SetKeys(testKey)
				case 5:
					d.Tasks(s.Now().Add(-week), s.Now())
				case 6:
					s.Calls()
					s.ForgetCalls()
				}
			}
		})
	}
	all.Wait()
}
