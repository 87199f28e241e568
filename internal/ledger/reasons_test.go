package ledger

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"cloudsso_exporter/internal/reason"
	"cloudsso_exporter/internal/task"
)

func rules(list ...string) []reason.Rule {
	var all []reason.Rule
	for _, r := range list {
		all = append(all, reason.Rule{Match: regexp.MustCompile("text of " + r), Reason: r})
	}
	return all
}

// reasons are the different reasons of all kinds of series, sorted, and how many failed tasks the window counts.
func (s *story) reasons() (different []string, failed int) {
	snap := s.Snapshot()
	for _, c := range snap.Failed {
		different = append(different, c.Reason)
		failed += c.N
	}
	for _, c := range slices.Concat(snap.Unresolved) {
		different = append(different, c.Reason)
	}
	for _, c := range ofMetric(snap.Counters, Failures) {
		different = append(different, c.Label)
	}
	slices.Sort(different)
	return slices.Compact(different), failed
}

func TestFailuresThatDifferInIdsAndNamesHaveOneReason(t *testing.T) {
	s := begin(t, plain)
	s.refresh(0)
	var all []task.Task
	for i := range 300 {
		one := on(fmt.Sprint(1142405247840000+i), of(fmt.Sprintf("u-00q8wbq42wiltcrk%04d", i), failed(create, fmt.Sprintf("t-%04d", i), 0, minutes)))
		one.PrincipalName, one.TargetName = fmt.Sprintf("user%d@corp.example", i), fmt.Sprintf("account-%d", i)
		all = append(all, because(fmt.Sprintf("The user %s was not found in account %s (%s). RequestId: 0C4C7A2B-71E4-5D5B-9D5A-%012d",
			one.PrincipalName, one.TargetID, one.TargetName, i), one))
	}
	s.refresh(minutes, all...)
	different, failed := s.reasons()
	if len(different) != 1 || failed != 300 || s.counts()["failures CreateAccessAssignment "+different[0]] != 300 {
		t.Errorf("%d failures, reasons %q, counts %v", failed, different, s.counts())
	}
}

func TestHostileTextsKeepTheLimit(t *testing.T) {
	set := plain
	set.ReasonLimit = 30
	s := begin(t, set)
	s.refresh(0)
	for i := range 600 {
		one := on(fmt.Sprint(i), failed(create, fmt.Sprintf("t-%04d", i), 0, minutes))
		name := strings.Map(func(r rune) rune { return 'a' + r - '0' }, fmt.Sprintf("%03d", i))
		s.refresh(time.Duration(i+1)*minutes, because("\x00\xf0\x9f hostile "+name+strings.Repeat(" x", i), one))
	}
	different, failed := s.reasons()
	if len(different) != 31 || !slices.Contains(different, reason.Other) || failed != 600 {
		t.Errorf("%d failures, %d reasons: %q", failed, len(different), different)
	}
	sum := uint64(0)
	for _, c := range ofMetric(s.Snapshot().Counters, Failures) {
		sum += c.Value
	}
	counts := s.counts()
	if sum != 600 || counts["overflow  "] != 570 || counts["failures CreateAccessAssignment other"] != 570 {
		t.Errorf("the sum over reasons is %d of 600, overflow %d, other %d", sum, counts["overflow  "], counts["failures CreateAccessAssignment other"])
	}
	s.restart(600*minutes, set)
	after, _ := s.reasons()
	wantEqual(t, "reasons after a restart", different, after)
}

func TestReasonSlots(t *testing.T) {
	n := 0
	fail := func(s *story, at time.Duration, texts ...string) []string {
		var all []task.Task
		for i, text := range texts {
			n++
			all = append(all, because(text, failed(create, fmt.Sprint("t", n), at-minutes, at-minutes+time.Duration(i)*time.Second)))
		}
		first := n - len(texts) + 1
		slices.Reverse(all) // the list's order must not matter
		s.refresh(at, all...)
		var labels []string
		for i := range texts {
			labels = append(labels, s.records[fmt.Sprint("t", first+i)].reason())
		}
		return labels
	}
	limit := func(n int, list ...string) Settings {
		set := plain
		set.ReasonLimit, set.Reasons.Rules = n, rules(list...)
		set.MaxAge = 8 * days
		return set
	}

	t.Run("given in the order of the failures' ends", func(t *testing.T) {
		s := begin(t, limit(2))
		wantEqual(t, "labels", []string{"A.One", "B.Two", "other", "A.One"}, fail(s, 0, "A.One", "B.Two", "C.Three", "A.One"))
		wantEqual(t, "the baseline does not overflow", 0, s.counts()["overflow  "])
		wantEqual(t, "labels", []string{"other", "other", "B.Two"}, fail(s, minutes, "C.Three", "D.Four", "B.Two"))
		wantEqual(t, "overflow", 2, s.counts()["overflow  "])
		s.restart(2*minutes, limit(2))
		wantEqual(t, "labels after a restart", []string{"other", "A.One"}, fail(s, 2*minutes, "C.Three", "A.One"))
	})
	t.Run("rules' reasons and unknown use up the limit, other does not", func(t *testing.T) {
		s := begin(t, limit(3, "mine"))
		wantEqual(t, "labels", []string{"A.One", "unknown", "other", "mine", "other"},
			fail(s, 0, "A.One", "", "B.Two", "text of mine", "C.Three"))
	})
	t.Run("a rule's reason has a slot when all are taken", func(t *testing.T) {
		s := begin(t, limit(1))
		fail(s, 0, "A.One")
		s.reload(limit(1, "mine"))
		wantEqual(t, "labels", []string{"mine", "other", "A.One"}, fail(s, minutes, "text of mine", "B.Two", "A.One"))
	})
	t.Run("what a rule calls other does not overflow", func(t *testing.T) {
		s := begin(t, limit(5, "other"))
		s.refresh(0)
		wantEqual(t, "labels", []string{"other"}, fail(s, minutes, "text of other"))
		wantEqual(t, "overflow", 0, s.counts()["overflow  "])
		wantEqual(t, "failures", 1, s.counts()["failures CreateAccessAssignment other"])
		wantEqual(t, "slots", 0, len(s.Change().Slots))
	})
	t.Run("a failure is classified once", func(t *testing.T) {
		s := begin(t, limit(5))
		fail(s, 0, "A.One")
		id := fmt.Sprint("t", n)
		s.reload(limit(5, "mine"))
		s.refresh(minutes, because("text of mine", failed(create, id, -minutes, minutes)))
		wantEqual(t, "label", "A.One", s.records[id].reason())
	})
	t.Run("freed after 30 days without a failure, with its series", func(t *testing.T) {
		s := begin(t, limit(2))
		s.refresh(0)
		fail(s, minutes, "A.One", "B.Two") // ended at 0 and 1 s
		fail(s, 10*days, "B.Two")
		s.refresh(30*days - time.Second) // cut at 30 days
		wantEqual(t, "series of A.One", true, gotSeries(s, "A.One"))
		s.refresh(30 * days)
		wantEqual(t, "series of A.One", false, gotSeries(s, "A.One"))
		wantEqual(t, "series of B.Two", true, gotSeries(s, "B.Two"))
		s.refresh(30*days + minutes)
		wantEqual(t, "series of B.Two, which failed again since", true, gotSeries(s, "B.Two"))
		s.restart(30*days+minutes, limit(2))
		wantEqual(t, "series of A.One after a restart", false, gotSeries(s, "A.One"))
		wantEqual(t, "labels", []string{"C.Three", "other"}, fail(s, 30*days+hours, "C.Three", "A.One"))
		wantEqual(t, "series of other", true, gotSeries(s, "other"))
	})
	t.Run("not freed while a failure with it is unresolved", func(t *testing.T) {
		set := limit(1)
		set.MaxAge = 60 * days
		s := begin(t, set)
		fail(s, 0, "A.One")
		s.refresh(40 * days)
		wantEqual(t, "labels", []string{"other"}, fail(s, 40*days+hours, "B.Two"))
	})
	t.Run("a rule's series are there from the first refresh, a later rule's from the reload", func(t *testing.T) {
		held := func(list ...string) Settings {
			set := limit(5, list...)
			set.Hold = 2 * minutes
			return set
		}
		s := begin(t, held("mine"))
		s.refresh(0)
		s.refresh(minutes)
		s.reload(held("mine", "new", "new"))
		s.commit(2 * minutes)
		for _, typ := range task.Types() {
			key := fmt.Sprintf("failures %s ", typ)
			wantEqual(t, key+"mine is as old as", 0, s.created()[key+"mine"])
			wantEqual(t, key+"new is as old as", minutes+time.Second, s.created()[key+"new"])
		}
		fail(s, 3*minutes, "text of mine", "text of new")
		wantEqual(t, "mine", 1, s.counts()["failures CreateAccessAssignment mine"])
		wantEqual(t, "new, on hold", 0, s.counts()["failures CreateAccessAssignment new"])
		fail(s, 5*minutes)
		wantEqual(t, "new", 1, s.counts()["failures CreateAccessAssignment new"])
		s.refresh(60 * days)
		wantEqual(t, "series of a rule without a slot", true, gotSeries(s, "mine"))
		s.reload(held())
		s.refresh(60*days + minutes)
		wantEqual(t, "series of a rule that is gone", false, gotSeries(s, "mine"))
	})
}

func gotSeries(s *story, reason string) bool {
	_, ok := s.created()["failures CreateAccessAssignment "+reason]
	return ok
}

func TestUnknownTypesAndStatusesPassThroughUpToEight(t *testing.T) {
	s := begin(t, plain)
	s.refresh(0)
	want := map[string]int{}
	for i := range 12 {
		typ, status := fmt.Sprintf("Type%02d", i), fmt.Sprintf("Status%02d", i)
		one := job(task.Type(typ), "t"+typ, task.Status(status), 0, minutes)
		r := s.refresh(time.Duration(i+1)*minutes, one)
		if r.Oddities[UnknownType] != one.ID || r.Oddities[UnknownStatus] != one.ID {
			t.Errorf("oddities: %v", r.Oddities)
		}
		if i >= 8 {
			typ, status = "other", "other"
		}
		want[typ+" "+status]++
	}
	wantEqual(t, "gauges", want, s.gauges())
	for key, n := range want {
		wantEqual(t, "finished "+key, uint64(n), s.counts()["finished "+key])
	}
	s.restart(hours, plain)
	wantEqual(t, "gauges after a restart", want, s.gauges())
	s.refresh(hours, job("Type11", "x", "Status00", 0, minutes))
	want["other Status00"]++
	wantEqual(t, "gauges", want, s.gauges())
}
