package store

import (
	"bytes"
	"fmt"
	"log/slog"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"cloudsso_exporter/internal/histogram"
	"cloudsso_exporter/internal/ledger"
	"cloudsso_exporter/internal/task"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// state is what changes add up to.
type state struct {
	Meta    ledger.Meta
	Records map[string]ledger.Record
	Series  map[ledger.SeriesID]ledger.Series
	Slots   map[string]time.Time
	Streaks []ledger.Streak
}

func newState() *state {
	return &state{Records: map[string]ledger.Record{}, Series: map[ledger.SeriesID]ledger.Series{}, Slots: map[string]time.Time{}}
}

func (s *state) replay(c ledger.Change) error {
	s.Meta = c.Meta
	if c.Put != nil {
		for r := range c.Put {
			s.Records[r.ID] = r
		}
	}
	for _, id := range c.Forgotten {
		delete(s.Records, id)
	}
	for _, one := range c.Series {
		s.Series[one.SeriesID] = one
	}
	for _, id := range c.Dropped {
		delete(s.Series, id)
	}
	for _, slot := range c.Slots {
		s.Slots[slot.Reason] = slot.Last
	}
	for _, reason := range c.Freed {
		delete(s.Slots, reason)
	}
	s.Streaks = append(s.Streaks, c.Streaks...)
	return nil
}

// all is the state as one change.
func (s *state) all() ledger.Change {
	c := ledger.Change{
		Meta: s.Meta, Put: maps.Values(s.Records), Series: slices.Collect(maps.Values(s.Series)), Streaks: s.Streaks,
	}
	for reason, last := range s.Slots {
		c.Slots = append(c.Slots, ledger.Slot{Reason: reason, Last: last})
	}
	return c
}

// step is the nth change of a made-up directory: three tasks that end, and what follows from that.
func step(n int) ledger.Change {
	at := noon.Add(time.Duration(n) * time.Minute)
	id := ledger.SeriesID{Metric: ledger.Started, Type: task.CreateAccessAssignment}
	c := ledger.Change{
		Meta:   ledger.Meta{From: at, At: at.Add(time.Second), Window: 7 * 24 * time.Hour},
		Put:    slices.Values(tasks(n*3, 3)),
		Series: []ledger.Series{{SeriesID: id, Value: uint64(3 * n), Created: noon}},
		Slots:  []ledger.Slot{{Reason: fmt.Sprint("reason ", n%5), Last: at}},
	}
	for i, status := range []string{"Success", "Failed", "Cancelled"} {
		h := histogram.New([]float64{1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600}, noon)
		for j := range 20 {
			h.Observe(time.Duration(n+i+j*j*17) * time.Second)
		}
		c.Series = append(c.Series, ledger.Series{
			SeriesID: ledger.SeriesID{Metric: ledger.Durations, Type: task.DeleteAccessAssignment, Label: status}, Created: noon, Histogram: h,
		})
	}
	if n > 10 {
		c.Forgotten = []string{taskID((n - 10) * 3)}
	}
	return c
}

func taskID(n int) string { return fmt.Sprintf("t-sh5k4gesm6twl%08d", n) }

func tasks(first, n int) []ledger.Record {
	all := make([]ledger.Record, n)
	for i := range all {
		k := first + i
		all[i] = ledger.Record{Task: task.Task{
			ID: taskID(k), Type: task.Types()[k%4], Status: task.Failed, Start: noon.Add(time.Duration(k) * time.Second), End: noon.Add(time.Duration(k+9) * time.Second),
			FailureReason:         "NoPermission: role AliyunReservedSSO-Admin, Action: ram:DeleteRole",
			AccessConfigurationID: fmt.Sprintf("ac-00jhtfl8thteu6uj%04d", k%40), AccessConfigurationName: fmt.Sprintf("Access-%d", k%40),
			TargetType: "RD-Account", TargetID: fmt.Sprintf("114240524784%04d", k%500), TargetName: fmt.Sprintf("account-%d", k%500),
			TargetPath: fmt.Sprintf("rd-3G/r-Wm/%d", k%500), TargetPathName: fmt.Sprintf("rd-3G/root/account-%d", k%500),
			PrincipalType: "User", PrincipalID: fmt.Sprintf("u-00q8wbq42wiltcrk%04d", k%5000), PrincipalName: fmt.Sprintf("user%d@corp.example", k%5000),
		}, Reason: "NoPermission"}
	}
	return all
}

// logbook is a log that a test reads.
type logbook struct{ bytes.Buffer }

func (l *logbook) options() Options {
	return Options{Now: func() time.Time { return noon }, Logger: slog.New(slog.NewTextHandler(l, nil))}
}

func open(t testing.TB, path string) *Store {
	t.Helper()
	s, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func load(t testing.TB, s *Store) (*state, bool) {
	t.Helper()
	got := newState()
	whole, err := s.Load("d-1", got.replay)
	if err != nil {
		t.Fatal(err)
	}
	return got, whole
}

// writer commits steps to a directory and knows what they add up to.
type writer struct {
	s    *Store
	want *state
	n    int
}

func (w *writer) commit(t testing.TB, n int) {
	t.Helper()
	for range n {
		if err := w.try(); err != nil {
			t.Fatal(err)
		}
	}
}

// try commits the next step; it counts only if that succeeds.
func (w *writer) try() error {
	next := *w.want
	next.Records, next.Series, next.Slots = maps.Clone(w.want.Records), maps.Clone(w.want.Series), maps.Clone(w.want.Slots)
	if err := next.replay(step(w.n + 1)); err != nil {
		return err
	}
	if err := w.s.Commit("d-1", step(w.n+1), next.all); err != nil {
		return err
	}
	w.want, w.n = &next, w.n+1
	return nil
}

func (w *writer) check(t testing.TB) {
	t.Helper()
	if got, whole := load(t, w.s); !whole || !gocmp.Equal(w.want, got) {
		t.Errorf("after %d commits, whole %t (-want +got):\n%s", w.n, whole, gocmp.Diff(w.want, got))
	}
}

func newWriter(t testing.TB, path string) *writer {
	w := &writer{s: open(t, path), want: newState()}
	load(t, w.s)
	return w
}

// fill puts a value of its own into every field of what v points to, so that one
// that is left out of the file is missed.
func fill(v reflect.Value, n *int) {
	*n++
	switch v.Interface().(type) {
	case time.Time:
		v.Set(reflect.ValueOf(noon.Add(time.Duration(*n) * 1_234_567)))
		return
	case map[int]uint64:
		v.Set(reflect.ValueOf(map[int]uint64{-*n: 3, *n: 1 << 60}))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("text %d 中\x00", *n))
	case reflect.Int64, reflect.Int:
		v.SetInt(-int64(*n))
	case reflect.Uint64:
		v.SetUint(1<<63 + uint64(*n))
	case reflect.Float64:
		v.SetFloat(-0.1 * float64(*n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			fill(v.Index(i), n)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case reflect.Func: // Put, filled apart
	default:
		panic(v.Type())
	}
}

func TestEveryFieldIsKept(t *testing.T) {
	var want ledger.Change
	var records []ledger.Record
	n := 0
	fill(reflect.ValueOf(&want).Elem(), &n)
	fill(reflect.ValueOf(&records).Elem(), &n)
	want.Put = slices.Values(records)
	path := t.TempDir()
	if err := open(t, path).Commit("d-1", ledger.Change{}, func() ledger.Change { return want }); err != nil {
		t.Fatal(err)
	}
	var got ledger.Change
	var gotRecords []ledger.Record
	f := &file{id: "d-1", path: path + "/" + fileName("d-1"), log: slog.New(slog.DiscardHandler)}
	if whole, err := f.load(func(c ledger.Change) error {
		got = c
		gotRecords = slices.Collect(c.Put)
		return nil
	}); !whole || err != nil {
		t.Fatal(whole, err)
	}
	want.Put, got.Put = nil, nil
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if diff := gocmp.Diff(records, gotRecords); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

func TestEmptyValuesAreKept(t *testing.T) {
	path := t.TempDir()
	s := open(t, path)
	zero := ledger.Record{Task: task.Task{ID: "t"}}
	if err := s.Commit("d-1", ledger.Change{}, func() ledger.Change { return ledger.Change{Put: slices.Values([]ledger.Record{zero})} }); err != nil {
		t.Fatal(err)
	}
	got, _ := load(t, s)
	want := newState()
	want.Records["t"] = zero
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
