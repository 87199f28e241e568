package store

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"cloudsso_exporter/internal/histogram"
	"cloudsso_exporter/internal/task"
	"cloudsso_exporter/internal/window"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// log collects what a Store logs.
type log struct {
	mu sync.Mutex
	bytes.Buffer
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.Buffer.String()
}

func options(l *log) Options {
	return Options{
		Now:    func() time.Time { return noon },
		Logger: slog.New(slog.NewTextHandler(l, nil)),
	}
}

func mustOpen(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path, options(&log{}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func mustCommit(t testing.TB, s *Store, id string, ch window.Changes) {
	t.Helper()
	if err := s.Commit(id, ch, nothingLost); err != nil {
		t.Fatal(err)
	}
}

// nothingLost is for commits that must not ask for the whole state.
func nothingLost() window.Changes { panic("asked for the whole state") }

// fastDir is a folder in memory where there is one: a test of many files has no use for a disk.
func fastDir(t testing.TB) string {
	if info, err := os.Stat("/dev/shm"); err != nil || !info.IsDir() {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp("/dev/shm", "store")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func someTask(i int) window.SavedTask {
	t := window.SavedTask{Task: task.Task{
		ID:                      fmt.Sprintf("t-%07dsm6twlrqb", i*7919%10_000_000), // in no order
		Type:                    task.Types()[i%4],
		Status:                  task.Statuses()[i%3],
		Start:                   noon.Add(-time.Duration(i) * time.Second),
		End:                     noon.Add(-time.Duration(i)*time.Second + 5*time.Second),
		AccessConfigurationID:   fmt.Sprintf("ac-00jhtfl8thteu6uj%d", i%50),
		AccessConfigurationName: fmt.Sprintf("ECS-Admin-%d", i%50),
		TargetType:              "RD-Account",
		TargetID:                fmt.Sprintf("1142405247%d", i%300),
		TargetName:              fmt.Sprintf("dev-test-%d", i%300),
		PrincipalType:           "User",
		PrincipalID:             fmt.Sprintf("u-00q8wbq42wiltcrk%d", i%900),
		PrincipalName:           fmt.Sprintf("alice.%d", i%900),
	}}
	if t.Status == task.InProgress {
		t.End = time.Time{}
	}
	if t.Status == task.Failed {
		t.Reason = "EntityAlreadyExists.Role"
	}
	return t
}

func someTasks(from, n int) []window.SavedTask {
	tasks := make([]window.SavedTask, n)
	for i := range tasks {
		tasks[i] = someTask(from + i)
	}
	return tasks
}

func someCounters(value uint64) []window.SavedCounter {
	var counters []window.SavedCounter
	for _, typ := range task.Types() {
		h := histogram.New([]float64{1, 2.5, 5}, noon)
		for i := range value {
			h.Observe(time.Duration(i) * 700 * time.Millisecond)
		}
		counters = append(counters,
			window.SavedCounter{CounterID: window.CounterID{Metric: window.Started, Type: typ}, Value: value, Created: noon},
			window.SavedCounter{CounterID: window.CounterID{Metric: window.Durations, Type: typ, Label: "Success"}, Created: noon, Histogram: h},
		)
	}
	return counters
}

func someChanges(n int) window.Changes {
	return window.Changes{
		Meta:     window.Meta{From: noon, At: noon.Add(time.Second), Window: 7 * 24 * time.Hour},
		Put:      someTasks(0, n),
		Counters: someCounters(uint64(n)),
		Places:   []window.Place{{Reason: "EntityAlreadyExists.Role", Last: noon}},
	}
}

// savedOf is the state that ch alone makes.
func savedOf(ch window.Changes) *window.Saved {
	return &window.Saved{Meta: ch.Meta, Tasks: ch.Put, Counters: ch.Counters, Places: ch.Places}
}

// diff compares two states apart from the order of tasks and counters, which has no meaning.
func diff(want, got *window.Saved) string {
	want, got = inOrderOfID(want), inOrderOfID(got)
	if reflect.DeepEqual(want, got) { // much faster, and what nearly always holds
		return ""
	}
	return gocmp.Diff(want, got)
}

func inOrderOfID(s *window.Saved) *window.Saved {
	if s == nil {
		return nil
	}
	c := *s
	c.Tasks = slices.SortedFunc(slices.Values(s.Tasks), func(a, b window.SavedTask) int { return cmp.Compare(a.ID, b.ID) })
	c.Counters = slices.SortedFunc(slices.Values(s.Counters), func(a, b window.SavedCounter) int {
		return cmp.Or(cmp.Compare(a.Metric, b.Metric), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Label, b.Label))
	})
	return &c
}

func wantLoad(t testing.TB, s *Store, id string, want *window.Saved) {
	t.Helper()
	got, err := s.Load(id)
	if err != nil {
		t.Fatal(err)
	}
	if d := diff(want, got); d != "" {
		t.Errorf("directory %s (-want +got):\n%s", id, d)
	}
}

// fill sets everything below v to something that is not its zero value.
func fill(v reflect.Value, n *int64) {
	*n++
	switch x := v.Addr().Interface().(type) {
	case *time.Time:
		*x = time.Unix(*n, *n).UTC()
		return
	case *map[int]uint64:
		*x = map[int]uint64{-int(*n): uint64(*n), int(*n): math.MaxUint64}
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("s%d", *n))
	case reflect.Int64:
		v.SetInt(*n)
	case reflect.Uint64:
		v.SetUint(uint64(*n))
	case reflect.Float64:
		v.SetFloat(float64(*n) + 0.5)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 3, 3))
		for i := range 3 {
			fill(v.Index(i), n)
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			fill(field, n)
		}
	default:
		panic("fill does not know " + v.Type().String())
	}
}

// A field that is added to the state and forgotten here would be lost at the next restart.
func TestEveryFieldIsKept(t *testing.T) {
	var want window.Saved
	var n int64
	fill(reflect.ValueOf(&want).Elem(), &n)
	path := filepath.Join(t.TempDir(), "state.db")
	s := mustOpen(t, path)
	mustCommit(t, s, "d-1", window.Changes{Meta: want.Meta, Put: want.Tasks, Counters: want.Counters, Places: want.Places})
	s.Close()
	wantLoad(t, mustOpen(t, path), "d-1", &want)
}

func TestRoundTripOfOddValues(t *testing.T) {
	far := time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC) // no int64 of nanoseconds holds it
	tests := map[string]window.Changes{
		"nothing":      {},
		"empty slices": {Meta: window.Meta{Types: []task.Type{}, Statuses: []task.Status{}}, Places: []window.Place{}},
		"zero times":   {Put: []window.SavedTask{{Task: task.Task{ID: "t-1"}}}},
		"odd times": {
			Meta: window.Meta{From: far, At: time.Unix(-1, 1).UTC(), CoverageFrom: time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC)},
			Put:  []window.SavedTask{{Task: task.Task{ID: "t-1", Start: far, End: time.Unix(0, 0).UTC()}}},
		},
		"hostile ids": {Put: []window.SavedTask{
			{Task: task.Task{ID: ""}},
			{Task: task.Task{ID: "\x00"}},
			{Task: task.Task{ID: strings.Repeat("x", 255)}},
			{Task: task.Task{ID: strings.Repeat("x", 256)}},
			{Task: task.Task{ID: strings.Repeat("x", 1<<20)}},
		}},
		"hostile text": {
			Put:    []window.SavedTask{{Reason: "half a rune \xe4\xbd", Task: task.Task{ID: "t-\xff\x00", Type: "\xff", TargetName: "a\x00b\n"}}},
			Places: []window.Place{{Reason: "\xc3"}},
		},
		"counters that differ only in where a NUL is": {Counters: []window.SavedCounter{
			{CounterID: window.CounterID{Metric: "m", Type: "a\x00b", Label: "c"}, Value: 1},
			{CounterID: window.CounterID{Metric: "m", Type: "a", Label: "b\x00c"}, Value: 2},
			{CounterID: window.CounterID{Metric: "m", Type: task.Type(strings.Repeat("T", 1<<16))}, Value: math.MaxUint64},
		}},
		"histograms": {Counters: []window.SavedCounter{
			{CounterID: window.CounterID{Metric: "empty"}, Histogram: histogram.New(nil, time.Time{})},
			{CounterID: window.CounterID{Metric: "bare"}, Histogram: &histogram.Histogram{}},
			{CounterID: window.CounterID{Metric: "infinite"}, Histogram: &histogram.Histogram{Sum: math.Inf(1), Native: map[int]uint64{-80: 1}}},
		}},
	}
	for name, ch := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.db")
			s := mustOpen(t, path)
			mustCommit(t, s, "d-1", ch)
			s.Close()
			wantLoad(t, mustOpen(t, path), "d-1", savedOf(ch))
		})
	}
}

func TestTimesComeBackInUTC(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "state.db"))
	local := time.Now().In(time.FixedZone("X", 3600)) // with a monotonic reading, too
	mustCommit(t, s, "d-1", window.Changes{Meta: window.Meta{From: local}})
	got, err := s.Load("d-1")
	if err != nil {
		t.Fatal(err)
	}
	if got.Meta.From != local.Round(0).UTC() {
		t.Errorf("got %#v, want %#v", got.Meta.From, local.Round(0).UTC())
	}
	if got.Meta.At != (time.Time{}) {
		t.Errorf("the zero time came back as %#v", got.Meta.At)
	}
}

func TestLoadOfUnknownDirectory(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "state.db"))
	wantLoad(t, s, "d-1", nil)
	mustCommit(t, s, "d-2", someChanges(1))
	wantLoad(t, s, "d-1", nil)
}

// Random commits, drops, replacements and restarts against a map.
func TestCommitsAddUp(t *testing.T) {
	dir := fastDir(t)
	files := 0
	rapid.Check(t, func(r *rapid.T) {
		files++
		path := filepath.Join(dir, fmt.Sprint(files))
		defer os.Remove(path)
		s := mustOpen(t, path)
		defer func() { s.Close() }()
		type state struct {
			saved    window.Saved
			tasks    map[string]window.SavedTask
			counters map[window.CounterID]window.SavedCounter
		}
		model := map[string]*state{}
		ids := []string{"d-1", "d-2", "d-3"}
		for range rapid.IntRange(1, 12).Draw(r, "steps") {
			id := rapid.SampledFrom(ids).Draw(r, "directory")
			switch rapid.IntRange(0, 9).Draw(r, "step") {
			case 0: // restart
				s.Close()
				var err error
				if s, err = Open(t.Context(), path, Options{}); err != nil {
					r.Fatal(err)
				}
				continue
			case 1: // the state of this directory is lost and written whole
				delete(model, id)
				s.lost[id] = true
				ch := someChanges(rapid.IntRange(0, 400).Draw(r, "tasks"))
				if err := s.Commit(id, window.Changes{Put: someTasks(500, 3)}, func() window.Changes { return ch }); err != nil {
					r.Fatal(err)
				}
				m := &state{saved: *savedOf(ch), tasks: map[string]window.SavedTask{}, counters: map[window.CounterID]window.SavedCounter{}}
				for _, t := range ch.Put {
					m.tasks[t.ID] = t
				}
				for _, c := range ch.Counters {
					m.counters[c.CounterID] = c
				}
				model[id] = m
				continue
			}
			m := model[id]
			if m == nil {
				m = &state{tasks: map[string]window.SavedTask{}, counters: map[window.CounterID]window.SavedCounter{}}
				model[id] = m
			}
			var ch window.Changes
			ch.Meta.From = noon.Add(time.Duration(rapid.Int32().Draw(r, "from")) * time.Second)
			ch.Places = slices.Repeat([]window.Place{{Reason: "x", Last: noon}}, rapid.IntRange(0, 3).Draw(r, "places"))
			m.saved.Meta, m.saved.Places = ch.Meta, ch.Places
			for range rapid.IntRange(0, 5).Draw(r, "deleted runs") {
				from := rapid.IntRange(0, 600).Draw(r, "from")
				for i := from; i < from+rapid.IntRange(0, 60).Draw(r, "n"); i++ {
					ch.Delete = append(ch.Delete, someTask(i).ID)
					delete(m.tasks, someTask(i).ID)
				}
			}
			for range rapid.IntRange(0, 5).Draw(r, "put runs") {
				from := rapid.IntRange(0, 600).Draw(r, "from")
				for _, t := range someTasks(from, rapid.IntRange(0, 100).Draw(r, "n")) {
					t.Reason = rapid.SampledFrom([]string{"", "a", strings.Repeat("b", 3000)}).Draw(r, "reason")
					ch.Put = append(ch.Put, t)
					m.tasks[t.ID] = t
				}
			}
			for _, c := range someCounters(uint64(rapid.IntRange(0, 9).Draw(r, "value"))) {
				if rapid.Bool().Draw(r, "drop") {
					ch.DropCounters = append(ch.DropCounters, c.CounterID)
					delete(m.counters, c.CounterID)
				} else {
					ch.Counters = append(ch.Counters, c)
					m.counters[c.CounterID] = c
				}
			}
			if err := s.Commit(id, ch, nothingLost); err != nil {
				r.Fatal(err)
			}
		}
		s.Close()
		var err error
		if s, err = Open(t.Context(), path, Options{}); err != nil {
			r.Fatal(err)
		}
		for _, id := range ids {
			got, err := s.Load(id)
			if err != nil {
				r.Fatal(err)
			}
			var want *window.Saved
			if m := model[id]; m != nil {
				want = &m.saved
				want.Tasks, want.Counters = nil, nil
				for _, t := range m.tasks {
					want.Tasks = append(want.Tasks, t)
				}
				for _, c := range m.counters {
					want.Counters = append(want.Counters, c)
				}
			}
			if d := diff(want, got); d != "" {
				r.Fatalf("directory %s (-want +got):\n%s", id, d)
			}
		}
		if found, _ := filepath.Glob(path + ".damaged*"); found != nil {
			r.Fatalf("a sound file was set aside: %v", found)
		}
	})
}

func TestManyDirectoriesAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.db")
	s := mustOpen(t, path)
	var wg sync.WaitGroup
	const directories, rounds = 20, 5
	for d := range directories {
		wg.Go(func() {
			id := fmt.Sprintf("d-%d", d)
			for i := range rounds {
				if err := s.Commit(id, window.Changes{Put: someTasks(i*10, 10), Counters: someCounters(uint64(i))}, nothingLost); err != nil {
					t.Error(err)
				}
				if _, err := s.Load(id); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	s.Close()
	s = mustOpen(t, path)
	for d := range directories {
		wantLoad(t, s, fmt.Sprintf("d-%d", d), &window.Saved{Tasks: someTasks(0, 10*rounds), Counters: someCounters(rounds - 1)})
	}
}

func TestRetain(t *testing.T) {
	now := noon
	l := &log{}
	path := filepath.Join(t.TempDir(), "state.db")
	o := options(l)
	o.Now = func() time.Time { return now }
	s, err := Open(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ch := someChanges(3)
	for _, id := range []string{"d-kept", "d-committed", "d-gone"} {
		mustCommit(t, s, id, ch)
	}
	retain := func(ids ...string) {
		t.Helper()
		if err := s.Retain(ids); err != nil {
			t.Fatal(err)
		}
	}
	now = noon.Add(24 * time.Hour)
	mustCommit(t, s, "d-committed", ch)
	now = noon.Add(Keep)
	retain("d-kept")
	wantLoad(t, s, "d-gone", savedOf(ch))

	now = noon.Add(Keep + time.Second)
	retain("d-kept")
	wantLoad(t, s, "d-gone", nil)
	wantLoad(t, s, "d-committed", savedOf(ch))
	wantLoad(t, s, "d-kept", savedOf(ch))
	if got := l.String(); !strings.Contains(got, "directory_id=d-gone") || strings.Contains(got, "directory_id=d-kept") {
		t.Errorf("log: %s", got)
	}
	mustCommit(t, s, "d-gone", ch) // configured again: a new beginning
	wantLoad(t, s, "d-gone", savedOf(ch))

	now = noon.Add(2 * Keep)
	retain("d-committed")
	wantLoad(t, s, "d-kept", savedOf(ch)) // last configured a second less than Keep ago
	now = now.Add(time.Hour)
	retain("d-committed")
	wantLoad(t, s, "d-kept", nil)
}

func TestClosed(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "state.db"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("closing twice: %v", err)
	}
	if err := s.Commit("d-1", someChanges(1), nothingLost); !errors.Is(err, ErrClosed) {
		t.Errorf("Commit: %v", err)
	}
	if _, err := s.Load("d-1"); !errors.Is(err, ErrClosed) {
		t.Errorf("Load: %v", err)
	}
	if err := s.Retain(nil); !errors.Is(err, ErrClosed) {
		t.Errorf("Retain: %v", err)
	}
}
