package command

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"cloudsso_exporter/internal/ledger"
	"cloudsso_exporter/internal/refresh"
	"cloudsso_exporter/internal/simulator"
	"cloudsso_exporter/internal/simulator/faults"
	"cloudsso_exporter/internal/task"
)

// soak is days of two Prometheus servers scraping two directories every 15 s,
// through the real client, while the API misbehaves in all ways, clocks jump and
// the exporter is restarted. Nothing of what it does is counted here: what has
// to be true at the end is counted from the schedule.
type soak struct {
	*lab
	rng  *rand.Rand
	live map[string][]simulator.Record // by directory, what begins after the first read
}

var soakReasons = map[string]string{ // text to label
	"EntityAlreadyExists.Role : The role already exists.": "role_exists",
	"LimitExceeded.Role : The limit is exceeded.":         "role_limit",
	"No Permission.": "no_permission",
}

const soakConfig = `
new_series_hold: 2m
api: {rate_limit: 50, burst: 100}
failure_reasons:
  rules:
    - {match: EntityAlreadyExists, reason: role_exists}
    - {match: LimitExceeded, reason: role_limit}
    - {match: No Permission, reason: no_permission}
directories:
  - {directory_id: d-00soak000one, region: cn-shanghai, credential: *key}
  - {directory_id: d-00soak000two, region: cn-hongkong, credential: *key}
`

func TestSoak(t *testing.T) {
	days, seed := 1.0, uint64(1)
	if v := os.Getenv("SOAK_DAYS"); v != "" {
		days, _ = strconv.ParseFloat(v, 64)
	}
	if v := os.Getenv("SOAK_SEED"); v != "" {
		seed, _ = strconv.ParseUint(v, 10, 64)
	}
	t.Logf("SOAK_SEED=%d SOAK_DAYS=%v", seed, days)
	path := filepath.Join(t.TempDir(), "state")
	synctest.Test(t, func(t *testing.T) {
		s := &soak{rng: rand.New(rand.NewPCG(seed, 2)), live: map[string][]simulator.Record{}}
		s.lab = newLab(t, soakConfig, simulator.Options{Order: simulator.Shuffled, RandomSeed: seed, Latency: 40 * time.Millisecond})
		s.path = path
		until := time.Now().Add(time.Duration(days * 24 * float64(time.Hour)))
		for _, id := range []string{"d-00soak000one", "d-00soak000two"} {
			s.schedule(id, until)
		}
		s.start()
		s.scrapeFor(10 * time.Minute)
		goroutines, heap := s.goroutines(), s.heap()
		for time.Now().Before(until) {
			s.misbehave()
			s.scrapeFor(20 * time.Minute)
			if s.rng.IntN(30) == 0 {
				s.restart()
			}
		}
		s.api.SetFaults()
		s.scrapeFor(10 * time.Minute)
		s.check()
		if n := s.goroutines(); n > goroutines {
			t.Errorf("%d goroutines, %d at the beginning", n, goroutines)
		}
		if now := s.heap(); float64(now) > 1.5*float64(heap)+8e6 {
			t.Errorf("%d bytes of heap, %d at the beginning", now, heap)
		}
		s.stop()
	})
}

// schedule makes up what happens in a directory: as much in the week before as later.
func (s *soak) schedule(id string, until time.Time) {
	d := s.api.Directory(id)
	now := time.Now()
	number := 0
	fill := func(from, to time.Time, latest time.Duration) (records []simulator.Record) {
		for at := from; at.Before(to); at = at.Add(time.Duration(s.rng.ExpFloat64() * float64(3*time.Minute))) {
			number++
			records = append(records, s.record(fmt.Sprintf("%s-%06d", id, number), at.Truncate(time.Second), latest))
		}
		return records
	}
	d.Schedule(fill(now.Add(-163*time.Hour), now.Add(-4*time.Hour), 3*time.Hour)...) // the first read lists these, finished
	s.live[id] = fill(now.Add(5*time.Minute), until, 60*time.Hour)
	d.Schedule(s.live[id]...)
}

// record is one task; none takes longer than longest.
func (s *soak) record(id string, start time.Time, longest time.Duration) simulator.Record {
	lasts := time.Duration(s.rng.ExpFloat64() * float64(20*time.Second))
	switch n := s.rng.IntN(300); {
	case n == 0:
		lasts = time.Duration(s.rng.Float64() * float64(60*time.Hour))
	case n < 20:
		lasts = time.Duration(s.rng.Float64() * float64(20*time.Minute))
	}
	r := simulator.Record{Task: task.Task{
		ID: id, Type: task.Types()[s.rng.IntN(4)], Status: task.Success, Start: start,
		End:                   start.Add(min(lasts, longest).Truncate(time.Second)),
		AccessConfigurationID: fmt.Sprintf("ac-%d", s.rng.IntN(4)), AccessConfigurationName: "ReadOnly",
		TargetType: "RD-Account", TargetID: fmt.Sprint(1000 + s.rng.IntN(10)), TargetName: "shop",
	}}
	if r.Type.Kind() == task.Assignment {
		r.PrincipalType, r.PrincipalID, r.PrincipalName = "User", fmt.Sprintf("u-%d", s.rng.IntN(5)), "wang.fang"
	}
	switch s.rng.IntN(6) { // origins of both kinds
	case 0:
		r.OriginTargetID = r.TargetID
	case 1:
		r.OriginTargetID = "fd-00soak"
	}
	if s.rng.IntN(5) == 0 {
		r.Status = task.Failed
		texts := slices.Sorted(maps.Keys(soakReasons))
		r.FailureReason = texts[s.rng.IntN(len(texts))]
	}
	if s.rng.IntN(8) == 0 { // listed late
		r.Listed = start.Add(time.Duration(s.rng.IntN(91)) * time.Second)
	}
	return r
}

// restart stops the exporter for up to two hours; the clock is another one afterwards.
func (s *soak) restart() {
	s.stop()
	time.Sleep(time.Duration(s.rng.IntN(120)) * time.Minute)
	s.jump()
	s.start()
}

// jump sets the exporter's clock up to an hour off.
func (s *soak) jump() {
	s.skew.Store(int64(time.Duration(s.rng.IntN(7200)-3600) * time.Second))
}

// scrapeFor has two Prometheus servers scrape every 15 s.
func (s *soak) scrapeFor(d time.Duration) {
	until := time.Now().Add(d)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for time.Now().Before(until) {
				ctx, cancel := context.WithTimeout(context.Background(), 9500*time.Millisecond)
				began := time.Now()
				for _, state := range s.group.Await(ctx) {
					if state.Snapshot != nil && len(state.Snapshot.Tasks) < 12 {
						s.Errorf("%d series of tasks", len(state.Snapshot.Tasks))
					}
				}
				cancel()
				if took := time.Since(began); took > 9500*time.Millisecond {
					s.Errorf("a scrape waited %v", took)
				}
				time.Sleep(15*time.Second - time.Since(began)%(15*time.Second))
			}
		})
		time.Sleep(7 * time.Second)
	}
	wg.Wait()
}

// misbehave chooses what is wrong for the next while.
func (s *soak) misbehave() {
	seed := s.rng.Uint64()
	always := func(f simulator.Fault) { s.api.SetFaults(simulator.Rule{Fault: f}) }
	mix := func(p float64, faults []simulator.Fault) { s.api.SetFaults(mix(p, seed, faults)...) }
	pick := func(faults []simulator.Fault) simulator.Fault { return faults[s.rng.IntN(len(faults))] }
	switch s.rng.IntN(14) {
	case 0:
		mix(0.3, faults.Retryable())
	case 1:
		mix(0.2, faults.Rubbish())
	case 2:
		mix(0.2, faults.RubbishTasks())
	case 3:
		mix(0.5, faults.Harmless())
	case 4:
		mix(0.3, faults.Refusals())
	case 5:
		always(pick(faults.Refusals()))
	case 6:
		always(pick(faults.Retryable()))
	case 7:
		always(simulator.Slow(3 * time.Second))
	case 8:
		always(simulator.Slow(time.Minute))
	case 9:
		s.jump()
	case 10:
		s.api.SetFaults(simulator.Rule{When: simulator.FirstAttempts(1), Fault: pick(faults.Retryable())})
	default:
		s.api.SetFaults()
	}
}

// mix strikes with probability p, with one of the faults, decided by the seed and the
// number of the call.
func mix(p float64, seed uint64, faults []simulator.Fault) []simulator.Rule {
	rules := make([]simulator.Rule, len(faults))
	for i, f := range faults {
		rules[i] = simulator.Rule{Fault: f, When: func(c simulator.Call) bool {
			chance := rand.New(rand.NewPCG(seed, uint64(c.Number)))
			return chance.Float64() < p && chance.IntN(len(faults)) == i
		}}
	}
	return rules
}

// goroutines is how many there are when nothing is under way.
func (s *soak) goroutines() int {
	time.Sleep(time.Minute)
	synctest.Wait()
	return runtime.NumGoroutine()
}

// heap is how much is in use, in bytes.
func (s *soak) heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// check compares every number with the schedule.
func (s *soak) check() {
	for _, state := range s.group.States() {
		if !state.Up {
			s.Fatalf("%s is down: %s", state.DirectoryID, state.Error)
		}
		d := s.api.Directory(state.DirectoryID)
		snapshot := state.Snapshot
		if off := time.Until(snapshot.At).Abs(); off > 2*time.Minute {
			s.Errorf("the snapshot is of %v, now is %v", snapshot.At, time.Now())
		}
		s.compare(state, "tasks", tasksOf(snapshot), inWindow(d, snapshot.At.Add(-7*24*time.Hour), snapshot.At))
		s.compare(state, "unresolved", failuresOf(snapshot), truthUnresolved(d, snapshot.At))
		s.compare(state, "counters", countersOf(snapshot), truthCounters(s.live[state.DirectoryID], snapshot.At))
	}
}

func (s *soak) compare(state *refresh.State, what string, got, want any) {
	if diff := gocmp.Diff(want, got); diff != "" {
		s.Errorf("%s, %s (- truth, + exporter):\n%s", state.DirectoryID, what, diff)
	}
}

func tasksOf(s *ledger.Snapshot) map[typeStatus]int {
	counts := map[typeStatus]int{}
	for _, c := range s.Tasks {
		if c.N > 0 {
			counts[typeStatus{c.Type, c.Status}] = c.N
		}
	}
	return counts
}

type standing struct {
	ID, Reason string
	Since      time.Time
}

func failuresOf(s *ledger.Snapshot) map[task.Subject]standing {
	failures := map[task.Subject]standing{}
	for _, f := range s.Failures {
		failures[f.Latest.Subject()] = standing{f.Latest.ID, f.Reason, f.Since}
	}
	return failures
}

func truthUnresolved(d *simulator.Directory, now time.Time) map[task.Subject]standing {
	failures := map[task.Subject]standing{}
	for subject, s := range unresolved(d, now.Add(-60*24*time.Hour), now) {
		failures[subject] = standing{s.last.ID, soakReasons[s.last.FailureReason], s.since()}
	}
	return failures
}

// countersOf are the event counters that are not 0, by their labels.
func countersOf(s *ledger.Snapshot) map[string]float64 {
	counts := map[string]float64{}
	for _, c := range s.Counters {
		labels := " " + string(c.Type) + " " + c.Label
		switch c.Metric {
		case ledger.Started, ledger.Finished, ledger.Failures:
			counts[string(c.Metric)+labels] += float64(c.Value)
		case ledger.Durations:
			counts["durations"+labels] += float64(c.Histogram.Count)
			counts["seconds"+labels] += c.Histogram.Sum
		}
	}
	maps.DeleteFunc(counts, func(_ string, n float64) bool { return n == 0 })
	return counts
}

func truthCounters(live []simulator.Record, now time.Time) map[string]float64 {
	counts := map[string]float64{}
	for _, r := range live {
		if listed := cmp.Or(r.Listed, r.Start); listed.After(now) {
			continue
		}
		counts[fmt.Sprintf("started %s ", r.Type)]++
		if r.End.After(now) {
			continue
		}
		outcome := fmt.Sprintf("%s %s", r.Type, r.Status)
		counts["finished "+outcome]++
		counts["durations "+outcome]++
		counts["seconds "+outcome] += r.End.Sub(r.Start).Seconds()
		if r.Status == task.Failed {
			counts[fmt.Sprintf("failures %s %s", r.Type, soakReasons[r.FailureReason])]++
		}
	}
	maps.DeleteFunc(counts, func(_ string, n float64) bool { return n == 0 })
	return counts
}
