package apiclient

import (
	"net/http"
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

const badTime = `{"Code":"InvalidTimeStamp.Expired","Message":"Specified time stamp or date value is expired.","RequestId":"r"}`

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
