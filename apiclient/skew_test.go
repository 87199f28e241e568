package apiclient

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"cloudsso_exporter/internal/simulator"
	"cloudsso_exporter/internal/task"
)

func TestSkewIsLearned(t *testing.T) {
	for _, skew := range []time.Duration{0, 3 * time.Second, time.Hour, -time.Hour, 30 * time.Hour} {
		for _, noRetry := range []bool{false, true} {
			bubble(t, 45, simulator.Options{}, func(t *testing.T, s *simulator.Server, conf Config) {
				s.SetSkew(skew)
				c := New(conf)
				ids, _, err := read(c, task.Query{From: s.Now().Add(-6 * 24 * time.Hour)}, task.Paging{NoRetry: noRetry})
				if err != nil || len(ids) != 45 {
					t.Errorf("skew %s: %d tasks, %v", skew, len(ids), err)
				}
				extra := 0
				if skew.Abs() >= time.Hour {
					extra = 1 // refused once for its date; the offset is known from then on
				}
				if n := len(s.Calls()); n != 3+extra {
					t.Errorf("skew %s: %d calls, want %d", skew, n, 3+extra)
				}
				off := c.Now().Sub(s.Now())
				if off.Abs() >= 5*time.Second {
					t.Errorf("skew %s: API time is off by %s", skew, off)
				}
			})
		}
	}
}

const badTime = `{"Code":"IllegalTimestamp","Message":"Specified time stamp or date value is expired.","RequestId":"r"}`

func TestInvalidTimeStampGetsOneMoreTry(t *testing.T) {
	for name, tc := range map[string]struct {
		date  string
		tries int
	}{
		"always refused": {"Tue, 24 Nov 2026 12:00:00 GMT", 2},
		"without a Date": {"", 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			var dates []string
			conf := testConfig(handled(func(w http.ResponseWriter, r *http.Request) {
				dates = append(dates, r.Header.Get("x-acs-date"))
				if tc.date != "" {
					w.Header().Set("Date", tc.date)
				}
				sends(400, nil, badTime)(w, r)
			}))
			var seen attempts
			conf.Observe = seen.Observe
			_, _, err := read(New(conf), task.Query{}, task.Paging{NoRetry: true})
			failed := asError(t, err)
			if failed.Kind != task.ErrorOther || failed.RefusesQuery() || len(dates) != tc.tries {
				t.Errorf("%s: %v after %d tries", name, err, len(dates))
			}
			if tc.tries == 2 && dates[1] != "2026-11-24T12:00:00Z" {
				t.Errorf("%s: signed at %s", name, dates[1])
			}
		})
	}
}

// An answer whose Date contradicts what is known is asked for once more. A wrong
// one is then forgotten, and a clock that is wrong here is known before the page.
func TestDateIsConfirmed(t *testing.T) {
	for name, tc := range map[string]struct {
		off     []time.Duration // of the answers' dates
		calls   int
		learned time.Duration
		fails   string
	}{
		"right":                {[]time.Duration{0, 0}, 2, 0, ""},
		"one 40 days ahead":    {[]time.Duration{40 * 24 * time.Hour, 0, 0}, 3, 0, ""},
		"one of the last page": {[]time.Duration{0, 40 * 24 * time.Hour, 0}, 3, 0, ""},
		"two that differ":      {[]time.Duration{40 * 24 * time.Hour, -time.Hour, 0}, 2, 0, "contradict"}, // no page counts by a time that nothing confirms
		"local clock is off":   {[]time.Duration{10 * time.Minute, 10 * time.Minute, 10 * time.Minute}, 3, 10 * time.Minute, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			calls := 0
			conf := testConfig(handled(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Date", localNow().Add(tc.off[calls]).UTC().Format(http.TimeFormat))
				calls++
				body := `{"RequestId":"r","Tasks":[{"TaskId":"t-1"}],"IsTruncated":true,"NextToken":"n"}`
				if r.URL.Query().Get("NextToken") != "" {
					body = emptyPage
				}
				io.WriteString(w, body)
			}))
			var seen attempts
			conf.Observe = seen.Observe
			c := New(conf)
			for _, err := range c.Pages(t.Context(), task.Query{}, task.Paging{NoRetry: true}) {
				if (err != nil) != (tc.fails != "") || err != nil && !strings.Contains(err.Error(), tc.fails) {
					t.Errorf("%s: %v", name, err)
				}
				if off := c.Now().Sub(localNow().Add(tc.learned)); off.Abs() >= time.Second+tolerance {
					t.Errorf("%s: API time is off by %s", name, off)
				}
			}
			if calls != tc.calls || len(strings.Fields(seen.String())) != calls {
				t.Errorf("%s: %d calls, observed %q, want %d", name, calls, seen.String(), tc.calls)
			}
		})
	}
}

// A gateway in front of the API has a clock of its own.
func TestTimeOfGatewaysIsNotLearned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		conf := testConfig(handled(sends(502, http.Header{"Date": {"Tue, 24 Nov 2020 12:00:00 GMT"}}, "<html>")))
		conf.MaxRetries = 0
		c := New(conf)
		if _, _, err := read(c, task.Query{}, task.Paging{}); err == nil {
			t.Fatal("no error")
		}
		if off := c.Now().Sub(localNow()); off != 0 {
			t.Errorf("API time is off by %s", off)
		}
	})
}
