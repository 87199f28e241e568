package command

import (
	"fmt"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"cloudsso_exporter/internal/ledger"
	"cloudsso_exporter/internal/refresh"
	"cloudsso_exporter/internal/simulator"
	"cloudsso_exporter/internal/simulator/faults"
)

// What check says a directory costs is what it costs.
func TestCostIsAsChecked(t *testing.T) {
	for _, c := range []struct {
		perDay float64
		every  time.Duration // between scrapes
	}{
		{100, 15 * time.Second},
		{10_000 / 7.0, time.Minute},
		{12_000, 30 * time.Second}, // two calls a refresh
	} {
		synctest.Test(t, func(t *testing.T) {
			l := newLab(t, "api: {rate_limit: 1000, burst: 1000}\n"+directories(1), simulator.Options{Latency: 20 * time.Millisecond})
			const before, lasts = 7 * 24 * time.Hour, 12 * time.Hour
			from := time.Now().Add(-before)
			n := int(c.perDay * (before + lasts).Hours() / 24)
			l.api.Directory("d-0000").Schedule(spread(0, n, from, before+lasts)...)
			l.start()
			for !l.group.States()[0].Up {
				time.Sleep(time.Second)
			}
			first := l.calls()
			for until := time.Now().Add(lasts); time.Now().Before(until); time.Sleep(c.every - time.Duration(time.Now().UnixNano())%c.every) {
				l.scrape()
			}
			synctest.Wait()
			load := refresh.Workload{TasksPerDay: c.perDay, ScrapeInterval: c.every, CacheTTL: 55 * time.Second, Window: 7 * 24 * time.Hour}
			want := load.Steady().PerDay * lasts.Hours() / 24
			got := float64(l.calls())
			if math.Abs(got-want) > 0.1*want {
				t.Errorf("%.0f tasks a day, a scrape every %v: %.0f calls, checked as %.0f", c.perDay, c.every, got, want)
			}
			if promised := load.Steady().FirstRead; first > promised+2 || first < promised-1 {
				t.Errorf("first read: %d calls, checked as %d", first, promised)
			}
			l.stop()
		})
	}
}

// A window of 10,000 tasks, six of them running for days.
func TestSixTasksRunningForDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, directories(1), simulator.Options{Order: simulator.Shuffled})
		d := l.api.Directory("d-0000")
		now := time.Now()
		d.Schedule(spread(0, 10_000, now.Add(-160*time.Hour), 160*time.Hour)...)
		for i := range 6 {
			r := quick(20_000+i, now.Add(-time.Duration(24+20*i)*time.Hour))
			r.End = now.Add(time.Duration(3*i)*time.Minute + 30*time.Second) // one ends now and then
			d.Schedule(r)
		}
		d.Schedule(spread(30_000, 40, now, 14*time.Minute)...)
		l.start()
		time.Sleep(2 * time.Minute) // 5 calls a second
		l.scrape()
		synctest.Wait()
		l.calls()
		refreshes := 0
		for range 12 {
			time.Sleep(time.Minute)
			state := l.scrape()[0]
			if !state.Up {
				t.Fatal(state.Error)
			}
			refreshes++
			truth := inWindow(d, state.Snapshot.At.Add(-7*24*time.Hour), state.Snapshot.At)
			for _, c := range state.Snapshot.Tasks {
				if want := truth[typeStatus{c.Type, c.Status}]; c.N != want {
					t.Errorf("refresh %d: %d %s %s, want %d", refreshes, c.N, c.Type, c.Status, want)
				}
			}
		}
		synctest.Wait()
		drift := 0
		for _, call := range l.api.Calls() {
			if from, err := time.Parse("StartTime ge 2006-01-02T15:04:05Z", call.Params.Get("Filter")); err == nil &&
				time.Since(from) > 6*time.Hour && call.Params.Get("Status") == "" && call.Params.Get("TaskType") == "" {
				drift++
			}
		}
		if n := l.calls() - drift; n > 48 {
			t.Errorf("%d calls, and %d for drift", n, drift)
		} else {
			t.Logf("%d calls, and %d for drift", n, drift)
		}
		l.stop()
	})
}

// An hour of outage, ten directories, a scrape every 15 s.
func TestOutageIsCheap(t *testing.T) {
	for _, fault := range []simulator.Fault{
		simulator.Gateway(503, ""), simulator.Throttle(429, 30*time.Second), simulator.Slow(time.Hour), simulator.Refuse("NoPermission"),
	} {
		synctest.Test(t, func(t *testing.T) {
			l := newLab(t, directories(10), simulator.Options{Latency: 20 * time.Millisecond})
			for i := range 10 {
				l.api.Directory(fmt.Sprintf("d-%04d", i)).Schedule(spread(0, 200, time.Now().Add(-100*time.Hour), 102*time.Hour)...)
			}
			l.start()
			for range 20 {
				l.scrape()
				time.Sleep(15 * time.Second)
			}
			l.api.SetFaults(simulator.Rule{Fault: fault})
			l.calls()
			for until := time.Now().Add(time.Hour); time.Now().Before(until); time.Sleep(15 * time.Second) {
				l.scrape()
			}
			if n := l.calls(); n > 700 {
				t.Errorf("%s: %d calls", fault.Name, n)
			} else {
				t.Logf("%s: %d calls", fault.Name, n)
			}
			l.api.SetFaults()
			time.Sleep(time.Minute)
			l.scrape()
			for _, s := range l.scrape() {
				if !s.Up || startedCount(s) == 0 {
					t.Errorf("%s is not healed in one refresh: %s", s.DirectoryID, s.Error)
				}
			}
			l.stop()
		})
	}
}

// Whatever is wrong with the first attempts at every page, the first refresh succeeds.
func TestFirstAttemptsFail(t *testing.T) {
	for _, fault := range faults.Retryable() {
		synctest.Test(t, func(t *testing.T) {
			l := newLab(t, directories(1), simulator.Options{})
			l.api.Directory("d-0000").Schedule(spread(0, 130, time.Now().Add(-100*time.Hour), 90*time.Hour)...)
			l.api.SetFaults(simulator.Rule{When: simulator.FirstAttempts(1), Fault: fault})
			l.start()
			time.Sleep(2 * time.Minute)
			s := l.group.States()[0]
			if !s.Up || s.FailedAttempts != 0 {
				t.Errorf("%s: %s", fault.Name, s.Error)
			}
			if s.Up && sum(s) != 130 {
				t.Errorf("%s: %d tasks", fault.Name, sum(s))
			}
			l.stop()
		})
	}
}

// What cannot be mended by trying again is tried once.
func TestRefusalsAreTriedOnce(t *testing.T) {
	for _, code := range []string{"NoPermission", "InvalidAccessKeyId.NotFound", "EntityNotExists.Directory", "SignatureDoesNotMatch"} {
		synctest.Test(t, func(t *testing.T) {
			l := newLab(t, directories(1), simulator.Options{})
			l.api.Directory("d-0000")
			l.api.SetFaults(simulator.Rule{Fault: simulator.Refuse(code)})
			l.start()
			time.Sleep(30 * time.Second)
			s := l.scrape()[0]
			counted := false
			for _, r := range s.Requests {
				counted = counted || r.Code == code && r.N == 1
			}
			if n := l.calls(); n != 1 || !counted || s.Up {
				t.Errorf("%s: %d calls, %+v", code, n, s.Requests)
			}
			l.stop()
		})
	}
}

// One busy directory does not starve nine quiet ones of the same account.
func TestRateLimitIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, "api: {rate_limit: 5, burst: 5}\n"+directories(10), simulator.Options{})
		for i := range 10 {
			l.api.Directory(fmt.Sprintf("d-%04d", i))
		}
		l.api.Directory("d-0000").Schedule(spread(0, 20_000, time.Now().Add(-150*time.Hour), 150*time.Hour)...)
		began := time.Now()
		l.start()
		for _, s := range l.scrape()[1:] {
			if !s.Up {
				t.Errorf("%s waits for the busy one", s.DirectoryID)
			}
		}
		if took := time.Since(began); took > 9500*time.Millisecond {
			t.Errorf("took %v", took)
		}
		time.Sleep(10 * time.Minute)
		elapsed := time.Since(began).Seconds()
		if n := float64(l.calls()); n > 5*elapsed+5 {
			t.Errorf("%.0f calls in %.0f s", n, elapsed)
		}
		if s := l.group.States()[0]; !s.Up || sum(s) != 20_000 {
			t.Errorf("the busy one: %d tasks, %+v", sum(s), s.Progress)
		}
		l.stop()
	})
}

func sum(s *refresh.State) int {
	n := 0
	for _, c := range s.Snapshot.Tasks {
		n += c.N
	}
	return n
}

// startedCount is the number of tasks counted as started.
func startedCount(s *refresh.State) (n uint64) {
	for _, c := range s.Snapshot.Counters {
		if c.Metric == ledger.Started {
			n += c.Value
		}
	}
	return n
}
