package ledger

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"cloudsso_exporter/internal/task"
)

// Each case is what has happened; the outcome is the same whether it becomes
// known at once, one by one, or in any other order.
func TestUnresolvedFailures(t *testing.T) {
	type since = map[string]time.Duration
	tests := map[string]struct {
		tasks []task.Task
		want  since
	}{
		"a failure stands since it ended": {
			[]task.Task{failed(create, "a", -9*minutes, -8*minutes)}, since{"a": -8 * minutes}},
		"resolved by the same task": {
			[]task.Task{failed(create, "a", -9*minutes, -8*minutes), succeeded(create, "b", -7*minutes, -6*minutes)}, since{}},
		"resolved by the reverse task": {
			[]task.Task{failed(create, "a", -9*minutes, -8*minutes), succeeded(revoke, "b", -7*minutes, -6*minutes)}, since{}},
		"a provisioning resolved by its reverse": {
			[]task.Task{failed(deprovision, "a", -9*minutes, -8*minutes), succeeded(provision, "b", -7*minutes, -6*minutes)}, since{}},
		"not resolved by what another principal got": {
			[]task.Task{failed(create, "a", -9*minutes, -8*minutes), of("u-2", succeeded(create, "b", -7*minutes, -6*minutes))},
			since{"a": -8 * minutes}},
		"not resolved on another account": {
			[]task.Task{failed(create, "a", -9*minutes, -8*minutes), on("1002", succeeded(create, "b", -7*minutes, -6*minutes))},
			since{"a": -8 * minutes}},
		"not resolved with another access configuration": {
			[]task.Task{failed(create, "a", -9*minutes, -8*minutes), with("ac-2", succeeded(create, "b", -7*minutes, -6*minutes))},
			since{"a": -8 * minutes}},
		"a provisioning does not resolve an assignment": {
			[]task.Task{failed(create, "a", -9*minutes, -8*minutes), succeeded(provision, "b", -7*minutes, -6*minutes)},
			since{"a": -8 * minutes}},
		"an assignment does not resolve a provisioning": {
			[]task.Task{failed(provision, "a", -9*minutes, -8*minutes), succeeded(create, "b", -7*minutes, -6*minutes)},
			since{"a": -8 * minutes}},
		"not resolved by a retry still running": {
			[]task.Task{failed(create, "a", -9*minutes, -8*minutes), running(create, "b", -7*minutes)}, since{"a": -8 * minutes}},
		"EndTime decides, whatever started first": {
			[]task.Task{failed(create, "a", -9*minutes, -3*minutes), succeeded(create, "b", -7*minutes, -6*minutes)},
			since{"a": -3 * minutes}},
		"at the same EndTime StartTime decides: the failure started later": {
			[]task.Task{failed(create, "a", -7*minutes, -3*minutes), succeeded(create, "b", -9*minutes, -3*minutes)},
			since{"a": -3 * minutes}},
		"at the same EndTime StartTime decides: the success started later": {
			[]task.Task{failed(create, "b", -9*minutes, -3*minutes), succeeded(create, "a", -7*minutes, -3*minutes)}, since{}},
		"at the same times TaskId decides: the failure's is greater": {
			[]task.Task{failed(create, "b", -9*minutes, -3*minutes), succeeded(create, "a", -9*minutes, -3*minutes)},
			since{"b": -3 * minutes}},
		"at the same times TaskId decides: the success's is greater": {
			[]task.Task{failed(create, "a", -9*minutes, -3*minutes), succeeded(create, "b", -9*minutes, -3*minutes)}, since{}},
		"a streak stands since its first failure and is named by its latest": {
			[]task.Task{failed(create, "a", -9*minutes, -8*minutes), failed(revoke, "b", -7*minutes, -6*minutes), failed(create, "c", -5*minutes, -4*minutes)},
			since{"c": -8 * minutes}},
		"a success in the middle splits a streak": {
			[]task.Task{failed(create, "a", -9*minutes, -8*minutes), failed(create, "b", -7*minutes, -6*minutes),
				succeeded(create, "c", -6*minutes, -5*minutes), failed(create, "d", -4*minutes, -3*minutes), failed(create, "e", -3*minutes, -2*minutes)},
			since{"e": -3 * minutes}},
		"a deprovisioning resolves earlier failed assignments of the access configuration on the account": {
			[]task.Task{failed(create, "a", -9*minutes, -8*minutes), of("u-2", failed(revoke, "b", -9*minutes, -8*minutes)),
				succeeded(deprovision, "c", -7*minutes, -6*minutes)}, since{}},
		"a deprovisioning does not resolve later failed assignments": {
			[]task.Task{failed(create, "a", -9*minutes, -8*minutes), succeeded(deprovision, "b", -7*minutes, -6*minutes),
				failed(create, "c", -5*minutes, -4*minutes)}, since{"c": -4 * minutes}},
		"a deprovisioning resolves nothing on another account": {
			[]task.Task{on("1002", failed(create, "a", -9*minutes, -8*minutes)), succeeded(deprovision, "b", -7*minutes, -6*minutes)},
			since{"a": -8 * minutes}},
		"a deprovisioning resolves nothing of another access configuration": {
			[]task.Task{with("ac-2", failed(create, "a", -9*minutes, -8*minutes)), succeeded(deprovision, "b", -7*minutes, -6*minutes)},
			since{"a": -8 * minutes}},
		"a failed deprovisioning resolves nothing": {
			[]task.Task{failed(create, "a", -9*minutes, -8*minutes), failed(deprovision, "b", -7*minutes, -6*minutes)},
			since{"a": -8 * minutes, "b": -6 * minutes}},
		"a deprovisioning before the latest success changes nothing": {
			[]task.Task{failed(create, "a", -9*minutes, -8*minutes), succeeded(create, "b", -5*minutes, -4*minutes),
				succeeded(deprovision, "c", -7*minutes, -6*minutes), failed(create, "d", -3*minutes, -2*minutes)}, since{"d": -2 * minutes}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := begin(t, plain)
			s.refresh(0, tt.tasks...)
			if diff := gocmp.Diff(tt.want, s.unresolvedSince()); diff != "" {
				t.Errorf("known at once (-want +got):\n%s", diff)
			}
			for seed := range uint64(24) {
				order := slices.Clone(tt.tasks)
				rand.New(rand.NewPCG(seed, 0)).Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
				s := begin(t, plain)
				s.refresh(0)
				for i, one := range order {
					s.refresh(time.Duration(i+1)*minutes, one)
				}
				if diff := gocmp.Diff(tt.want, s.unresolvedSince()); diff != "" {
					t.Errorf("one by one, seed %d (-want +got):\n%s", seed, diff)
				}
				s.restart(hours, plain)
				if diff := gocmp.Diff(tt.want, s.unresolvedSince()); diff != "" {
					t.Errorf("after a restart, seed %d (-want +got):\n%s", seed, diff)
				}
			}
		})
	}
}

func TestUnresolvedIsKeptBeyondTheWindowUntilResolved(t *testing.T) {
	set := plain
	set.Window = hours
	s := begin(t, set)
	s.refresh(0, failed(create, "a", -9*minutes, -8*minutes))
	for d := range time.Duration(20) {
		s.refresh((d + 1) * days)
		if d == 10 {
			s.restart((d+1)*days, set)
		}
		if diff := gocmp.Diff(map[string]time.Duration{"a": -8 * minutes}, s.unresolvedSince()); diff != "" {
			t.Fatalf("after %d days (-want +got):\n%s", d+1, diff)
		}
	}
	if got := s.gauges(); len(got) != 0 {
		t.Errorf("the window still counts %v", got)
	}
	// A failure of the reverse task 20 days later begins a streak of its own; a success ends both.
	s.refresh(20*days+hours, failed(revoke, "b", 20*days, 20*days+minutes))
	if diff := gocmp.Diff(map[string]time.Duration{"b": 20*days + minutes}, s.unresolvedSince()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	s.refresh(20*days+2*hours, succeeded(revoke, "c", 20*days+hours, 20*days+hours+minutes))
	if got := s.unresolvedSince(); len(got) != 0 {
		t.Errorf("still unresolved: %v", got)
	}
	s.refresh(20*days + 3*hours)
	if _, kept := s.file.tasks["a"]; kept {
		t.Error("a failure that was resolved and cannot be listed any more is still in the state folder")
	}
}

func TestUnresolvedIsGivenUpAtMaxAge(t *testing.T) {
	s := begin(t, plain)
	s.refresh(0, failed(create, "a", -9*minutes, -8*minutes))
	s.refresh(minutes, failed(create, "b", 0, minutes))
	if r := s.refresh(30*days+minutes-time.Second, running(create, "x", 30*days)); len(givenUp(r)) > 0 {
		t.Errorf("given up too early: %v", givenUp(r))
	}
	s.refresh(30*days+minutes-time.Second, failed(create, "old", -9*minutes, -8*minutes)) // late, and no reason to begin again
	r := s.refresh(30*days + minutes + time.Second)
	if given := givenUp(r); len(given) != 1 || given[0].Task.ID != "b" || !given[0].Since.Equal(noon.Add(-8*minutes)) {
		t.Errorf("given up: %v, want b since -8m", given)
	}
	if got := s.counts()["expired CreateAccessAssignment "]; got != 1 {
		t.Errorf("expired %d, want 1", got)
	}
	if _, kept := s.file.tasks["b"]; kept {
		t.Error("a failure that was given up and cannot be listed any more is still in the state folder")
	}
	s.restart(30*days+2*minutes, plain)
	if r := s.refresh(30*days + 3*minutes); len(givenUp(r)) != 0 || len(s.unresolvedSince()) != 0 || s.counts()["expired CreateAccessAssignment "] != 1 {
		t.Errorf("after a restart: given up %v, unresolved %v, counts %v", givenUp(r), s.unresolvedSince(), s.counts())
	}
	s.refresh(31*days, failed(create, "c", 31*days-2*minutes, 31*days-minutes))
	if diff := gocmp.Diff(map[string]time.Duration{"c": 31*days - minutes}, s.unresolvedSince()); diff != "" {
		t.Errorf("a new failure begins a new streak (-want +got):\n%s", diff)
	}
}

func TestFailureSeenTooLateIsNeitherShownNorExpired(t *testing.T) {
	set := plain
	set.MaxAge = days
	s := begin(t, set)
	s.refresh(0, failed(create, "a", -2*days, -2*days+minutes))
	r := s.refresh(minutes, failed(revoke, "b", -2*days, -2*days+minutes))
	if len(givenUp(r)) != 0 || len(s.unresolvedSince()) != 0 || s.counts()["expired DeleteAccessAssignment "] != 0 {
		t.Errorf("given up %v, unresolved %v, counts %v", givenUp(r), s.unresolvedSince(), s.counts())
	}
}

func TestRevocationsAreListedFirstThenTheNewest(t *testing.T) {
	s := begin(t, plain)
	s.refresh(0,
		failed(provision, "p", -2*minutes, -minutes),
		of("u-1", failed(create, "c-old", -9*minutes, -8*minutes)),
		of("u-2", failed(create, "c-new", -9*minutes, -7*minutes)),
		of("u-3", failed(revoke, "r-old", -9*minutes, -8*minutes)),
		of("u-4", failed(revoke, "r-new", -9*minutes, -7*minutes)),
	)
	var got []string
	for _, f := range s.Snapshot().Failures {
		got = append(got, f.Latest.ID)
	}
	if diff := gocmp.Diff([]string{"r-new", "r-old", "p", "c-new", "c-old"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSuccessTakenBackBringsTheFailuresBack(t *testing.T) {
	s := begin(t, plain)
	s.refresh(0, failed(create, "a", -9*minutes, -8*minutes), succeeded(create, "b", -7*minutes, -6*minutes))
	r := s.refresh(minutes, failed(create, "b", -7*minutes, -6*minutes))
	if diff := gocmp.Diff(map[string]time.Duration{"b": -8 * minutes}, s.unresolvedSince()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if r.Oddities[ChangedOutcome] != "b" {
		t.Errorf("oddities: %v", r.Oddities)
	}
	s.refresh(2*minutes, succeeded(deprovision, "d", -5*minutes, -4*minutes))
	s.refresh(3*minutes, failed(deprovision, "d", -5*minutes, -4*minutes))
	if diff := gocmp.Diff(map[string]time.Duration{"b": -8 * minutes, "d": -4 * minutes}, s.unresolvedSince()); diff != "" {
		t.Errorf("a deprovisioning taken back (-want +got):\n%s", diff)
	}
}

func TestResolvedStaysResolvedForAFailureThatEndsBeforeItStarts(t *testing.T) {
	a, b := failed(create, "a", 50*minutes, 10*minutes), succeeded(create, "b", 20*minutes, 30*minutes)
	for name, order := range map[string][]task.Task{"failure first": {a, b}, "success first": {b, a}} {
		s := begin(t, plain)
		s.refresh(0)
		s.refresh(hours, order[0])
		s.refresh(hours+minutes, order[1])
		s.refresh(memory + 40*minutes) // b is forgotten, a is not
		s.restart(memory+41*minutes, plain)
		wantEqual(t, name, map[string]time.Duration{}, s.unresolvedSince())
		wantEqual(t, name+", remembered", 1, len(s.records))
	}
}

func TestFailureInTheFutureIsUnresolvedOnceItHasEndedLast(t *testing.T) {
	s := begin(t, plain)
	s.refresh(0)
	s.refresh(10*minutes, failed(create, "a", hours, hours+minutes)) // ended by 10m, for all we know
	s.refresh(20*minutes, succeeded(create, "b", 12*minutes, 15*minutes))
	wantEqual(t, "resolved for now", map[string]time.Duration{}, s.unresolvedSince())
	s.refresh(2*hours, failed(create, "a", hours, hours+minutes))
	wantEqual(t, "once its time has come", map[string]time.Duration{"a": hours + minutes}, s.unresolvedSince())
}

func givenUp(r Report) []Event {
	return slices.DeleteFunc(slices.Clone(r.Events), func(e Event) bool { return e.Kind != FailureGivenUp })
}
