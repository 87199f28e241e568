package apiclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/time/rate"

	"cloudsso_exporter/internal/simulator"
	"cloudsso_exporter/internal/simulator/inprocess"
	"cloudsso_exporter/internal/task"
)

// handled is a round tripper that hands each request to h inside the process.
func handled(h http.HandlerFunc) http.RoundTripper { return inprocess.Transport(h) }

// sends is a handler that answers with a status, headers and a body.
func sends(status int, header http.Header, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for name, values := range header {
			w.Header()[name] = values
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

const throttled = `{"Code":"Throttling.User","Message":"Request was denied due to user flow control.","RequestId":"r-1"}`

// noted is a Config whose pauses and attempts are noted.
type noted struct {
	Config
	pauses   []time.Duration
	attempts []time.Duration // when each began, since the start
}

func note(h http.HandlerFunc) *noted {
	n := &noted{}
	began := time.Now()
	n.Config = testConfig(handled(func(w http.ResponseWriter, r *http.Request) {
		n.attempts = append(n.attempts, time.Since(began))
		h(w, r)
	}))
	n.OnRetry = func(wait time.Duration, _ error) { n.pauses = append(n.pauses, wait) }
	return n
}

func TestBackoffGrowsWithJitter(t *testing.T) {
	distinct := map[time.Duration]bool{}
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			n := note(sends(400, nil, throttled))
			if _, _, err := read(New(n.Config), task.Query{}, task.Paging{}); asError(t, err).Code != "Throttling.User" {
				t.Error(err)
			}
			if len(n.pauses) != 4 || len(n.attempts) != 5 {
				t.Fatalf("pauses %v, attempts at %v", n.pauses, n.attempts)
			}
			for i, pause := range n.pauses {
				middle := 500 * time.Millisecond << i
				if pause < middle/2 || pause > middle*3/2+time.Nanosecond {
					t.Errorf("pause %d is %s, want %s and up to half more or less", i+1, pause, middle)
				}
				if waited := n.attempts[i+1] - n.attempts[i]; waited != pause {
					t.Errorf("announced %s, waited %s", pause, waited)
				}
				distinct[pause] = true
			}
		})
	}
	if len(distinct) < 150 {
		t.Errorf("%d different pauses of 200: no jitter", len(distinct))
	}
}

func TestRetryAfterIsObeyed(t *testing.T) {
	base := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		date, after string
		least, most time.Duration
	}{
		"seconds":                     {"", "7", 7 * time.Second, 7700 * time.Millisecond},
		"a date, by the API's clock":  {base.Format(http.TimeFormat), base.Add(9 * time.Second).Format(http.TimeFormat), 9 * time.Second, 9900 * time.Millisecond},
		"a date that is past":         {base.Format(http.TimeFormat), base.Add(-time.Hour).Format(http.TimeFormat), 250 * time.Millisecond, 750 * time.Millisecond},
		"0 seconds":                   {"", "0", 250 * time.Millisecond, 750 * time.Millisecond},
		"negative":                    {"", "-5", 250 * time.Millisecond, 750 * time.Millisecond},
		"rubbish":                     {"", "soon", 250 * time.Millisecond, 750 * time.Millisecond},
		"less than page_timeout just": {"", "59", 59 * time.Second, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				n := note(nil)
				n.Config = testConfig(handled(func(w http.ResponseWriter, r *http.Request) {
					if n.attempts = append(n.attempts, 0); len(n.attempts) > 1 {
						io.WriteString(w, emptyPage)
						return
					}
					w.Header().Set("Retry-After", tc.after)
					if tc.date != "" {
						w.Header().Set("Date", tc.date)
					}
					sends(429, nil, throttled)(w, r)
				}))
				began := time.Now()
				if _, _, err := read(New(n.Config), task.Query{}, task.Paging{}); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(began); took < tc.least || took > tc.most {
					t.Errorf("waited %s, want %s to %s", took, tc.least, tc.most)
				}
			})
		})
	}
}

func TestRetryAfterBeyondPageTimeoutFailsAtOnce(t *testing.T) {
	for _, seconds := range []int{60, 61, 3600, 1 << 40} {
		synctest.Test(t, func(t *testing.T) {
			n := note(sends(429, http.Header{"Retry-After": {strconv.Itoa(seconds)}}, throttled))
			began := time.Now()
			_, _, err := read(New(n.Config), task.Query{}, task.Paging{})
			failed := asError(t, err)
			if time.Since(began) != 0 || len(n.attempts) != 1 || len(n.pauses) != 0 {
				t.Errorf("Retry-After %d: %s and %d attempts", seconds, time.Since(began), len(n.attempts))
			}
			if failed.Kind != task.ErrorThrottled || !strings.Contains(err.Error(), "page_timeout") || failed.RetryAfter < time.Minute {
				t.Errorf("%v (%+v)", err, failed)
			}
		})
	}
}

func TestPageTimeoutCoversAttemptsAndPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := note(func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		n.PageTimeout, n.MaxRetries = 25*time.Second, 100
		var seen attempts
		n.Observe = seen.Observe
		began := time.Now()
		_, _, err := read(New(n.Config), task.Query{}, task.Paging{})
		if took := time.Since(began); took > 25*time.Second || took < 20*time.Second {
			t.Errorf("ended after %s", took)
		}
		if failed := asError(t, err); failed.Kind != task.ErrorTimeout || failed.Code != "timeout" {
			t.Errorf("%v", err)
		}
		if len(n.attempts) != 3 || seen.String() != "timeout timeout timeout" {
			t.Errorf("%d attempts, observed %q", len(n.attempts), seen.String())
		}
	})
}

func TestPageTimeoutIsOfEachPage(t *testing.T) {
	bubble(t, 200, simulator.Options{Latency: 9 * time.Second}, func(t *testing.T, s *simulator.Server, conf Config) {
		conf.PageTimeout = 15 * time.Second
		if ids, _, err := read(New(conf), since(localNow()), task.Paging{}); err != nil || len(ids) != 200 {
			t.Errorf("%d tasks, %v", len(ids), err)
		}
	})
}

func TestContextEndsEverythingAtOnce(t *testing.T) {
	slowKeys := func(ctx context.Context) (Keys, error) { <-ctx.Done(); return Keys{}, ctx.Err() }
	empty := rate.NewLimiter(rate.Every(20*time.Second), 1)
	for name, change := range map[string]func(*Config){
		"during an attempt": func(c *Config) {
			c.Transport = handled(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		},
		"during a pause":             func(c *Config) { c.Transport = handled(sends(429, http.Header{"Retry-After": {"30"}}, throttled)) },
		"waiting for keys":           func(c *Config) { c.Keys = keysFunc(slowKeys) },
		"waiting for the rate limit": func(c *Config) { empty.AllowN(c.Now(), 1); c.Limiter = empty },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				conf := testConfig(handled(sends(200, nil, emptyPage)))
				change(&conf)
				var seen attempts
				conf.Observe = seen.Observe
				ctx, cancel := context.WithCancel(context.Background())
				time.AfterFunc(3*time.Second, cancel)
				began := time.Now()
				for _, err := range New(conf).Pages(ctx, task.Query{}, task.Paging{}) {
					if !errors.Is(err, context.Canceled) {
						t.Errorf("%v is not the context's error", err)
					}
				}
				if took := time.Since(began); took != 3*time.Second {
					t.Errorf("ended after %s", took)
				}
				want := ""
				if name == "during a pause" {
					want = "Throttling.User"
				}
				if seen.String() != want {
					t.Errorf("observed %q, want %q: a call that was given up has no outcome", seen.String(), want)
				}
			})
		})
	}
}

// keysFunc is a KeySource made of a function.
type keysFunc func(context.Context) (Keys, error)

func (f keysFunc) Keys(ctx context.Context) (Keys, error) { return f(ctx) }

func TestCallersDeadlineIsATimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conf := testConfig(handled(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
		var seen attempts
		conf.Observe = seen.Observe
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		for _, err := range New(conf).Pages(ctx, task.Query{}, task.Paging{}) {
			if failed := asError(t, err); failed.Kind != task.ErrorTimeout || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v", err)
			}
		}
		if seen.String() != "timeout" {
			t.Errorf("observed %q", seen.String())
		}
	})
}

func TestWithoutKeysNothingIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := note(sends(200, nil, emptyPage))
		n.Keys = keysFunc(func(context.Context) (Keys, error) { return Keys{}, errors.New("no credential file") })
		var seen attempts
		n.Observe = seen.Observe
		_, _, err := read(New(n.Config), task.Query{}, task.Paging{})
		if failed := asError(t, err); failed.Kind != task.ErrorCredentials || failed.Code != "" || !strings.Contains(err.Error(), "no credential file") {
			t.Errorf("%v", err)
		}
		n.Keys = keysFunc(func(ctx context.Context) (Keys, error) { <-ctx.Done(); return Keys{}, ctx.Err() })
		_, _, err = read(New(n.Config), task.Query{}, task.Paging{})
		if failed := asError(t, err); failed.Kind != task.ErrorCredentials || !strings.Contains(err.Error(), "within page_timeout") {
			t.Errorf("%v", err)
		}
		if len(n.attempts) != 0 || seen.String() != "" {
			t.Errorf("%d calls, observed %q", len(n.attempts), seen.String())
		}
	})
}

func TestGatewayAnswers(t *testing.T) {
	for _, tc := range []struct {
		status   int
		body     string
		kind     task.ErrorKind
		code     string
		attempts int
	}{
		{429, "slow down", task.ErrorThrottled, "Throttling", 5},
		{429, "", task.ErrorThrottled, "Throttling", 5},
		{500, "{}", task.ErrorInvalidResponse, "invalid_response", 5},
		{504, "<html>", task.ErrorInvalidResponse, "invalid_response", 5},
		{403, "<html>blocked</html>", task.ErrorInvalidResponse, "invalid_response", 1},
		{404, "not here", task.ErrorInvalidResponse, "invalid_response", 1},
		{407, "", task.ErrorInvalidResponse, "invalid_response", 1},
		{404, `{"Code":"NoPermission","RequestId":"r"}`, task.ErrorPermission, "NoPermission", 1},
		{503, `{"Code":"NoPermission","RequestId":"r"}`, task.ErrorPermission, "NoPermission", 1},
		{200, `{"Code":"NoPermission","RequestId":"r"}`, task.ErrorPermission, "NoPermission", 1},
		{200, `{"Code":"NoPermission","RequestId":"r","Tasks":[]}`, task.ErrorPermission, "NoPermission", 1},
		{204, "", task.ErrorInvalidResponse, "invalid_response", 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			n := note(sends(tc.status, nil, tc.body))
			var seen attempts
			n.Observe = seen.Observe
			_, _, err := read(New(n.Config), task.Query{}, task.Paging{})
			failed := asError(t, err)
			if failed.Kind != tc.kind || failed.Code != tc.code || failed.HTTPStatus != tc.status || len(n.attempts) != tc.attempts {
				t.Errorf("%d %q: %v (%s, %d attempts)", tc.status, tc.body, err, failed.Kind, len(n.attempts))
			}
			if want := strings.TrimSpace(strings.Repeat(tc.code+" ", tc.attempts)); seen.String() != want {
				t.Errorf("observed %q, want %q", seen.String(), want)
			}
			down, proxy := strings.Contains(err.Error(), "the API or something in front of it is down"), strings.Contains(err.Error(), "check the endpoint")
			if noAnswer := tc.kind == task.ErrorInvalidResponse; down != (noAnswer && tc.status >= 500) || proxy != (noAnswer && tc.status < 500) {
				t.Errorf("%d: %v", tc.status, err)
			}
			if status := fmt.Sprintf("HTTP %d", tc.status); !strings.Contains(err.Error(), status) {
				t.Errorf("%v does not say %s", err, status)
			}
		})
	}
}
