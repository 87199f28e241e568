package apiclient

import (
	"net/http"
	"strings"
	"testing"
	"time"
	"unsafe"
)

// setWall is t after somebody set the clock by seconds: the wall time moves, the
// monotonic reading does not. Nothing but the layout of time.Time allows that.
func setWall(t time.Time, seconds int64) time.Time {
	if !strings.Contains(t.String(), "m=") {
		panic("no monotonic reading")
	}
	wall := (*uint64)(unsafe.Pointer(&t))
	*wall = uint64(int64(*wall) + seconds<<30)
	return t
}

func TestClockFollowsAnswers(t *testing.T) {
	base := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	type answer struct{ at, date, took time.Duration } // since base
	for name, tc := range map[string]struct {
		answers []answer
		at      time.Duration
		want    time.Duration
	}{
		"no answer":                {nil, time.Hour, time.Hour},
		"right":                    {[]answer{{0, 0, 0}}, time.Hour, time.Hour},
		"4 s off is ignored":       {[]answer{{0, 4 * time.Second, 0}}, time.Minute, time.Minute},
		"1 h behind":               {[]answer{{0, time.Hour, 0}, {0, time.Hour, 0}}, time.Minute, time.Hour + time.Minute},
		"1 h ahead":                {[]answer{{0, -time.Hour, 0}, {0, -time.Hour, 0}}, time.Minute, -time.Hour + time.Minute},
		"no jitter":                {[]answer{{0, time.Hour, 0}, {0, time.Hour, 0}, {time.Minute, time.Hour + time.Minute - 3*time.Second, 0}}, 2 * time.Minute, time.Hour + 2*time.Minute},
		"learned again":            {[]answer{{0, time.Hour, 0}, {0, time.Hour, 0}, {time.Minute, time.Hour + 2*time.Minute - 30*time.Second, 0}}, time.Minute, time.Hour + 2*time.Minute - 30*time.Second},
		"back to right":            {[]answer{{0, time.Hour, 0}, {0, time.Hour, 0}, {time.Minute, time.Minute + 2*time.Second, 0}, {time.Minute, time.Minute + 2*time.Second, 0}}, time.Minute, time.Minute},
		"a slow answer is no skew": {[]answer{{10 * time.Second, 0, 10 * time.Second}}, 10 * time.Second, 10 * time.Second},
		"one wrong date":           {[]answer{{0, 0, 0}, {time.Minute, 40 * 24 * time.Hour, 0}}, time.Hour, time.Hour},
		"the first is wrong":       {[]answer{{0, -time.Hour, 0}, {0, 0, 0}}, time.Hour, time.Hour},
		"two wrong that differ":    {[]answer{{0, 0, 0}, {0, time.Hour, 0}, {0, -time.Hour, 0}}, time.Minute, time.Minute},
		"right in between":         {[]answer{{0, 0, 0}, {0, time.Hour, 0}, {0, 0, 0}, {0, time.Hour, 0}}, time.Minute, time.Minute},
		"as far once more":         {[]answer{{0, time.Hour, 0}, {0, time.Hour, 0}, {0, 2 * time.Hour, 0}}, time.Minute, time.Hour + time.Minute},
		"confirmed later":          {[]answer{{0, time.Hour, 0}, {time.Minute, time.Hour + time.Minute, 0}}, 2 * time.Minute, time.Hour + 2*time.Minute},
	} {
		local := base
		c := clock{local: func() time.Time { return local }}
		for _, a := range tc.answers {
			local = base.Add(a.at)
			c.learn(base.Add(a.date), a.took)
		}
		local = base.Add(tc.at)
		if got := c.now().Sub(base); got != tc.want {
			t.Errorf("%s: %s after the beginning, want %s", name, got, tc.want)
		}
	}
}

func TestClockIgnoresJumpsOfTheLocalClock(t *testing.T) {
	began := time.Now()
	for _, skew := range []time.Duration{0, time.Hour, -time.Hour} {
		var elapsed time.Duration
		var jump int64
		c := clock{local: func() time.Time { return setWall(began.Add(elapsed), jump) }}
		c.learn(began.Add(skew), 0)
		c.learn(began.Add(skew), 0) // which confirms it
		for _, jump = range []int64{0, 3600, -3600, 86400} {
			elapsed += time.Minute
			truth := began.Round(0).Add(elapsed + skew)
			if off := c.now().Sub(truth); off != 0 {
				t.Errorf("skew %s, local clock set by %d s: API time is off by %s", skew, jump, off)
			}
			c.learn(truth.Add(-time.Second), 0)
		}
	}
}

func TestDateOf(t *testing.T) {
	for value, want := range map[string]int64{
		"Tue, 24 Nov 2026 12:00:00 GMT": 1795521600,
		"":                              time.Time{}.Unix(),
		"yesterday":                     time.Time{}.Unix(),
		"Thu, 01 Jan 1970 00:00:00 GMT": time.Time{}.Unix(),
		"Thu, 01 Jan 2970 00:00:00 GMT": time.Time{}.Unix(),
	} {
		if got := dateOf(http.Header{"Date": {value}}); got.Unix() != want {
			t.Errorf("%q is %s", value, got)
		}
	}
}
