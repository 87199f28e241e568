package ledger

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"cloudsso_exporter/internal/task"
)

// Whatever the API says, nothing counts twice, the rest of the refresh is right, and it is reported.
func TestOddAnswers(t *testing.T) {
	noStart := func(t task.Task) task.Task { t.Start = time.Time{}; return t }
	noEnd := func(t task.Task) task.Task { t.End = time.Time{}; return t }
	one := map[string]uint64{
		"started CreateAccessAssignment ":         1,
		"finished CreateAccessAssignment Success": 1,
	}
	tests := map[string]struct {
		answers []task.Task // one a refresh, from minute 1 on
		odd     []Oddity
		counts  map[string]uint64
		lasted  time.Duration // of all tasks; 0: no duration is counted
		gauges  map[string]int
	}{
		"goes back from Success to InProgress": {
			[]task.Task{succeeded(create, "a", 0, minutes), running(create, "a", 0)},
			[]Oddity{WentBack}, one, minutes, map[string]int{"CreateAccessAssignment Success": 1}},
		"changes its outcome": {
			[]task.Task{succeeded(create, "a", 0, minutes), failed(create, "a", 0, minutes)},
			[]Oddity{ChangedOutcome}, one, minutes,
			map[string]int{"CreateAccessAssignment Failed": 1, "failed CreateAccessAssignment NoPermission": 1}},
		"changes its type": {
			[]task.Task{succeeded(create, "a", 0, minutes), succeeded(revoke, "a", 0, minutes)},
			[]Oddity{ChangedType}, one, minutes, map[string]int{"DeleteAccessAssignment Success": 1}},
		"has no EndTime": {
			[]task.Task{noEnd(succeeded(create, "a", 0, 0))},
			[]Oddity{NoEnd}, one, 0, map[string]int{"CreateAccessAssignment Success": 1}},
		"has no StartTime": {
			[]task.Task{noStart(succeeded(create, "a", 0, minutes))},
			[]Oddity{NoStart}, one, 0, map[string]int{"CreateAccessAssignment Success": 1}},
		"has no StartTime while it runs": {
			[]task.Task{noStart(running(create, "a", 0)), succeeded(create, "a", 0, 2*minutes)},
			[]Oddity{NoStart}, one, 2 * minutes, map[string]int{"CreateAccessAssignment Success": 1}},
		"has neither": {
			[]task.Task{noStart(noEnd(succeeded(create, "a", 0, 0)))},
			[]Oddity{NoStart, NoEnd}, one, 0, map[string]int{"CreateAccessAssignment Success": 1}},
		"ends before it starts": {
			[]task.Task{succeeded(create, "a", minutes, 0)},
			[]Oddity{EndsBeforeStart}, one, 0, map[string]int{"CreateAccessAssignment Success": 1}},
		"lies in the future": {
			[]task.Task{succeeded(create, "a", hours, 2*hours)},
			[]Oddity{InTheFuture}, one, 0, map[string]int{}},
		"lies in the year 9999": {
			[]task.Task{succeeded(create, "a", 70_000*hours, 70_000*hours+minutes)},
			[]Oddity{InTheFuture}, one, 0, map[string]int{}},
		"lies in 1970": {
			[]task.Task{succeeded(create, "a", -20_000*days, -20_000*days+minutes)},
			nil, map[string]uint64{}, 0, map[string]int{}},
		"has an unknown status and an end": {
			[]task.Task{job(create, "a", "Cancelled", 0, minutes)},
			[]Oddity{UnknownStatus}, map[string]uint64{"started CreateAccessAssignment ": 1, "finished CreateAccessAssignment Cancelled": 1},
			minutes, map[string]int{"CreateAccessAssignment Cancelled": 1}},
		"has an unknown status and no end": {
			[]task.Task{noEnd(job(create, "a", "Queued", 0, 0))},
			[]Oddity{UnknownStatus}, map[string]uint64{"started CreateAccessAssignment ": 1}, 0, map[string]int{"CreateAccessAssignment Queued": 1}},
		"has an unknown type": {
			[]task.Task{succeeded("Repair", "a", 0, minutes)},
			[]Oddity{UnknownType}, map[string]uint64{"started Repair ": 1, "finished Repair Success": 1}, minutes, map[string]int{"Repair Success": 1}},
		"has neither type nor status": {
			[]task.Task{noEnd(job("", "a", "", 0, 0))},
			[]Oddity{UnknownType, UnknownStatus}, map[string]uint64{"started other ": 1}, 0, map[string]int{"other other": 1}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := begin(t, plain)
			s.refresh(0)
			odd := map[Oddity]string{}
			at := minutes
			tell := func(answers ...task.Task) {
				for _, a := range answers {
					for o, id := range s.refresh(at, a, on("1002", succeeded(provision, "rest", 0, minutes))).Oddities {
						odd[o] = id
					}
					at += minutes
				}
			}
			tell(tt.answers...)
			tell(tt.answers...)
			s.restart(at, plain)
			tell(tt.answers...)
			for _, o := range tt.odd {
				if odd[o] != "a" {
					t.Errorf("not reported: %s", o)
				}
			}
			counts, lasted := s.counts(), time.Duration(0)
			for _, d := range ofMetric(s.Snapshot().Counters, Durations) {
				lasted += time.Duration(d.Histogram.Sum * float64(time.Second))
				delete(counts, "durations "+string(d.Type)+" "+d.Label)
			}
			gauges := s.gauges()
			wantEqual(t, "the rest, started", 1, counts["started ProvisionAccessConfiguration "])
			wantEqual(t, "the rest, finished", 1, counts["finished ProvisionAccessConfiguration Success"])
			wantEqual(t, "the rest, in the window", 1, gauges["ProvisionAccessConfiguration Success"])
			delete(counts, "started ProvisionAccessConfiguration ")
			delete(counts, "finished ProvisionAccessConfiguration Success")
			delete(gauges, "ProvisionAccessConfiguration Success")
			wantEqual(t, "counts", tt.counts, counts)
			wantEqual(t, "gauges", tt.gauges, gauges)
			wantEqual(t, "durations", minutes+tt.lasted, lasted)
		})
	}
}

func TestTwoTasksWithOneId(t *testing.T) {
	s := begin(t, plain)
	s.refresh(0)
	for i := range time.Duration(3) {
		s.refresh((i+1)*minutes, succeeded(create, "a", 0, minutes), failed(revoke, "a", 0, minutes))
		s.refresh((i+2)*minutes, failed(revoke, "a", 0, minutes), succeeded(create, "a", 0, minutes))
	}
	counts := s.counts()
	wantEqual(t, "started", 1, counts["started CreateAccessAssignment "]+counts["started DeleteAccessAssignment "])
	wantEqual(t, "finished", 1, counts["finished CreateAccessAssignment Success"]+counts["finished DeleteAccessAssignment Failed"])
	wantEqual(t, "gauges: the later answer", map[string]int{"CreateAccessAssignment Success": 1}, s.gauges())
	wantEqual(t, "unresolved", map[string]time.Duration{}, s.unresolvedSince())
}

func TestTaskInTheFutureCountsOnceItsTimeHasCome(t *testing.T) {
	s := begin(t, plain)
	s.refresh(0, succeeded(create, "a", hours, 2*hours), running(create, "soon", 4*time.Second))
	wantEqual(t, "before", map[string]int{"CreateAccessAssignment InProgress": 1}, s.gauges())
	s.refresh(hours)
	wantEqual(t, "then", map[string]int{"CreateAccessAssignment InProgress": 1, "CreateAccessAssignment Success": 1}, s.gauges())
}

// Rubbish that is read at every refresh must not become a change each time.
func TestEndInTheFutureStaysWhereItWasFirstSeen(t *testing.T) {
	s := begin(t, plain)
	s.refresh(0)
	s.refresh(minutes, failed(create, "a", 0, 9*hours))
	want := s.unresolvedSince()
	s.read(2*minutes, failed(create, "a", 0, 9*hours))
	wantEqual(t, "unresolved", want, s.unresolvedSince())
	wantEqual(t, "changed tasks", 0, len(changed(s.Change())))
	s.refresh(10*hours, failed(create, "a", 0, 9*hours))
	wantEqual(t, "unresolved, once its time has come", map[string]time.Duration{"a": 9 * hours}, s.unresolvedSince())
}

func TestHugeAndBrokenTexts(t *testing.T) {
	s := begin(t, plain)
	s.refresh(0)
	rubbish := strings.Repeat("\x00x é", 1<<18) + "\xe4\xbd"
	one := because(rubbish, failed(create, "a", 0, minutes))
	one.AccessConfigurationName, one.TargetName, one.PrincipalName = rubbish, rubbish[1:], rubbish[2:]
	other := because(strings.Repeat("\xff", 1<<20), failed(create, "b", 0, 2*minutes))
	s.refresh(minutes, one, other)
	for _, f := range s.Snapshot().Failures {
		for _, text := range []string{f.Reason, f.Latest.AccessConfigurationName, f.Latest.TargetName, f.Latest.PrincipalName, f.Latest.FailureReason} {
			if len(text) > maxText || !utf8.ValidString(text) {
				t.Errorf("%d bytes, valid UTF-8: %t", len(text), utf8.ValidString(text))
			}
		}
	}
	wantEqual(t, "failures in the window", 2, s.gauges()["CreateAccessAssignment Failed"])
}

func TestTruncateCutsBetweenRunes(t *testing.T) {
	for n := range 4 {
		got := truncate(strings.Repeat("a", maxText-n)+"你好", maxText)
		if want := strings.Repeat("a", maxText-n) + map[bool]string{true: "你"}[n == 3]; got != want {
			t.Errorf("%d bytes before the rune: %q", maxText-n, got[maxText-n:])
		}
	}
}

func TestRenamingIsShownAndCountsNothing(t *testing.T) {
	s := begin(t, plain)
	one := failed(create, "a", -minutes, 0)
	s.refresh(0, one)
	one.PrincipalName, one.TargetName, one.AccessConfigurationName = "p", "t", "ac"
	wantEqual(t, "no name", "", s.Snapshot().Failures[0].Latest.PrincipalName)
	s.refresh(minutes, one)
	for _, when := range []string{"names", "names after a restart"} {
		got := s.Snapshot().Failures[0].Latest
		wantEqual(t, when, []string{"p", "t", "ac"}, []string{got.PrincipalName, got.TargetName, got.AccessConfigurationName})
		s.restart(minutes, plain)
	}
	wantEqual(t, "counts", map[string]uint64{}, s.counts())
	wantEqual(t, "gauges", 1, s.gauges()["CreateAccessAssignment Failed"])
}
