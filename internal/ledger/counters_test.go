package ledger

import (
	"fmt"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"cloudsso_exporter/internal/task"
)

func TestFirstStartOnOldTasks(t *testing.T) {
	s := begin(t, plain)
	var old []task.Task
	want := map[string]int{}
	for i := range 130 {
		typ, id := task.Types()[i%4], fmt.Sprint("t", i)
		at := -time.Duration(i+1) * hours
		one := succeeded(typ, id, at, at+minutes)
		switch {
		case i < 10:
			one = running(typ, id, at)
		case i < 30:
			one = failed(typ, id, at, at+minutes)
			want[fmt.Sprintf("failed %s NoPermission", typ)]++
		}
		want[fmt.Sprintf("%s %s", typ, one.Status)]++
		old = append(old, one)
	}
	s.refresh(0, old...)
	if diff := gocmp.Diff(want, s.gauges()); diff != "" {
		t.Errorf("gauges (-want +got):\n%s", diff)
	}
	if got := s.counts(); len(got) != 0 {
		t.Errorf("the baseline counts: %v", got)
	}
	zero := map[Metric]int{}
	for _, c := range s.Snapshot().Counters {
		zero[c.Metric]++
	}
	if diff := gocmp.Diff(map[Metric]int{Started: 4, Finished: 8, Durations: 8, Expired: 4, Overflow: 1}, zero); diff != "" {
		t.Errorf("zero series (-want +got):\n%s", diff)
	}
	if got := len(s.Snapshot().Tasks); got != 12 {
		t.Errorf("%d combinations of type and status, want 12", got)
	}

	// What was running then counts as finished, not as started.
	s.refresh(minutes, succeeded(provision, "t0", -hours, minutes), failed(deprovision, "t1", -2*hours, minutes))
	if diff := gocmp.Diff(map[string]uint64{
		"finished ProvisionAccessConfiguration Success":        1,
		"durations ProvisionAccessConfiguration Success":       1,
		"finished DeprovisionAccessConfiguration Failed":       1,
		"durations DeprovisionAccessConfiguration Failed":      1,
		"failures DeprovisionAccessConfiguration NoPermission": 1,
	}, s.counts()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	sum := 0.0
	for _, d := range ofMetric(s.Snapshot().Counters, Durations) {
		sum += d.Histogram.Sum
	}
	if want := (3*hours + 2*minutes).Seconds(); sum != want {
		t.Errorf("durations sum up to %v s, want %v", sum, want)
	}
}

func TestEachTransitionCountsOnce(t *testing.T) {
	s := begin(t, plain)
	s.refresh(0)
	a, b := running(create, "a", minutes), of("u-2", failed(create, "b", minutes, 2*minutes))
	want := map[string]uint64{
		"started CreateAccessAssignment ":              2,
		"finished CreateAccessAssignment Failed":       1,
		"durations CreateAccessAssignment Failed":      1,
		"failures CreateAccessAssignment NoPermission": 1,
	}
	check := func(when string) {
		t.Helper()
		if diff := gocmp.Diff(want, s.counts()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}
	for i := range time.Duration(5) {
		s.refresh((i+1)*minutes, a, b, b, a)
		check("while it runs")
		if i == 2 {
			s.restart((i+1)*minutes, plain)
			check("after a restart")
		}
	}
	a = succeeded(create, "a", minutes, 6*minutes)
	want["finished CreateAccessAssignment Success"]++
	want["durations CreateAccessAssignment Success"]++
	for i := range time.Duration(7 * 24) {
		// Pages that shift list a task twice, as it was and as it is.
		s.refresh(6*minutes+i*hours, running(create, "a", minutes), b, a, running(create, "a", minutes))
		if i%50 == 0 {
			s.restart(6*minutes+i*hours, plain)
		}
		check("once it has ended")
	}
	s.refresh(9 * days)
	if len(s.records) != 1 || len(s.file.tasks) != 1 { // b is unresolved
		t.Errorf("remembers %d tasks, %d in the file, want the unresolved one", len(s.records), len(s.file.tasks))
	}
}

func TestShortWindowLosesNothingInALongDowntime(t *testing.T) {
	set := plain
	set.Window = hours
	s := begin(t, set)
	s.refresh(0, running(create, "long", -30*minutes))
	s.restart(2*hours, set)
	if got := s.From(); !got.Equal(noon) {
		t.Errorf("the next refresh looks from %v, want the start of the last", got)
	}
	s.refresh(2*hours,
		succeeded(create, "long", -30*minutes, 20*minutes),
		on("1002", failed(revoke, "gone", 10*minutes, 11*minutes)),
		succeeded(provision, "recent", 90*minutes, 91*minutes))
	if diff := gocmp.Diff(map[string]uint64{
		"started DeleteAccessAssignment ":                1,
		"started ProvisionAccessConfiguration ":          1,
		"finished CreateAccessAssignment Success":        1,
		"finished DeleteAccessAssignment Failed":         1,
		"finished ProvisionAccessConfiguration Success":  1,
		"failures DeleteAccessAssignment NoPermission":   1,
		"durations CreateAccessAssignment Success":       1,
		"durations DeleteAccessAssignment Failed":        1,
		"durations ProvisionAccessConfiguration Success": 1,
	}, s.counts()); diff != "" {
		t.Errorf("counters (-want +got):\n%s", diff)
	}
	if diff := gocmp.Diff(map[string]int{"ProvisionAccessConfiguration Success": 1}, s.gauges()); diff != "" {
		t.Errorf("gauges (-want +got):\n%s", diff)
	}
	if diff := gocmp.Diff(map[string]time.Duration{"gone": 11 * minutes}, s.unresolvedSince()); diff != "" {
		t.Errorf("unresolved (-want +got):\n%s", diff)
	}
}

func TestCountersWaitForTheStateFileGaugesDoNot(t *testing.T) {
	s := begin(t, plain)
	s.refresh(0)
	s.refresh(minutes, succeeded(create, "a", 0, minutes))
	durable := s.counts()
	s.read(2*minutes, succeeded(create, "b", minutes, 2*minutes))
	s.read(3*minutes, succeeded(create, "c", 2*minutes, 3*minutes))
	if diff := gocmp.Diff(durable, s.counts()); diff != "" {
		t.Errorf("counters before the commit (-want +got):\n%s", diff)
	}
	if got := s.gauges()["CreateAccessAssignment Success"]; got != 3 {
		t.Errorf("the gauge is %d, want 3", got)
	}
	s.commit(3 * minutes)
	if got := s.counts()["finished CreateAccessAssignment Success"]; got != 3 {
		t.Errorf("the counter is %d after the commit, want 3", got)
	}
	// A crash before a commit: what was read is read again and counts once.
	s.read(4*minutes, succeeded(create, "d", 3*minutes, 4*minutes))
	s.restart(5*minutes, plain)
	if got := s.counts()["finished CreateAccessAssignment Success"]; got != 3 {
		t.Errorf("the counter is %d after the crash, want 3", got)
	}
	s.refresh(5*minutes, succeeded(create, "d", 3*minutes, 4*minutes))
	if got := s.counts()["finished CreateAccessAssignment Success"]; got != 4 {
		t.Errorf("the counter is %d, want 4", got)
	}
}

func TestAPublishedSnapshotNeverChanges(t *testing.T) {
	s := begin(t, plain)
	s.refresh(0)
	s.refresh(minutes, failed(create, "a", 0, minutes))
	before := s.Snapshot()
	durations := ofMetric(before.Counters, Durations)
	sum, n := durations[0].Histogram.Sum, len(before.Failures)
	counts := s.counts()
	s.refresh(2*minutes, failed(create, "b", 0, 2*minutes), succeeded(revoke, "c", 0, 3*minutes))
	if durations[0].Histogram.Sum != sum || len(before.Failures) != n || before.Failures[0].Latest.ID != "a" {
		t.Error("a later refresh changed it")
	}
	if gocmp.Equal(counts, s.counts()) {
		t.Error("nothing happened")
	}
}

func TestCreatedTimestamps(t *testing.T) {
	held := plain
	held.Hold = 2 * minutes
	s := begin(t, held)
	// A first read that was cut off and went on: the refresh began at 0, what is looked from is 5m.
	s.Apply(NewBatch(), Span{First: noon, Began: noon.Add(5 * minutes), At: noon.Add(6 * minutes), Since: noon.Add(-Retention)})
	s.commit(6 * minutes)
	for name, at := range s.created() {
		if at != 0 {
			t.Errorf("%s is as old as %v, want the start of the first refresh", name, at)
		}
	}
	if got := s.From(); !got.Equal(noon.Add(5 * minutes)) {
		t.Errorf("From is %v", got)
	}
	s.refresh(10*minutes, failed(create, "a", 9*minutes, 10*minutes))
	want := s.created()
	if got := want["failures CreateAccessAssignment NoPermission"]; got != 6*minutes {
		t.Errorf("a new reason is as old as %v, want the end of the refresh before", got)
	}
	for i := range time.Duration(5) {
		s.refresh(11*minutes+i*minutes, failed(create, fmt.Sprint("b", i), 10*minutes, 11*minutes+i*minutes))
		s.restart(11*minutes+i*minutes, held)
	}
	if diff := gocmp.Diff(want, s.created()); diff != "" {
		t.Errorf("they moved (-want +got):\n%s", diff)
	}
}
