package ledger

import (
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"cloudsso_exporter/internal/task"
)

func wantEqual[T any](t *testing.T, what string, want, got T) {
	t.Helper()
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func only(account string, set Settings) Settings {
	set.Filter = task.Filter{TargetType: "RD-Account", TargetID: account}
	return set
}

// A task is in the window from the moment it starts until it has started longer ago than the window.
func TestWindowSlides(t *testing.T) {
	set := plain
	set.Window = hours
	s := begin(t, set)
	s.refresh(0, failed(create, "a", time.Second, time.Second), running(revoke, "b", time.Second), succeeded(provision, "p", 0, 0))
	wantEqual(t, "at first", map[string]int{"CreateAccessAssignment Failed": 1, "failed CreateAccessAssignment NoPermission": 1,
		"DeleteAccessAssignment InProgress": 1, "ProvisionAccessConfiguration Success": 1}, s.gauges())
	s.refresh(hours) // is cut at 1h0m1s
	wantEqual(t, "on the edge", map[string]int{"CreateAccessAssignment Failed": 1, "failed CreateAccessAssignment NoPermission": 1,
		"DeleteAccessAssignment InProgress": 1}, s.gauges())
	lastEnds := []StatusTime{{create, task.Failed, noon.Add(time.Second)}, {provision, task.Success, noon}}
	wantEqual(t, "last ends", lastEnds, s.Snapshot().LastEnd)
	s.refresh(hours + time.Second)
	wantEqual(t, "beyond", map[string]int{}, s.gauges())
	wantEqual(t, "last ends", lastEnds, s.Snapshot().LastEnd)
	wantEqual(t, "the running one is followed", []TypeTime{{revoke, noon.Add(time.Second)}}, s.Snapshot().OldestInProgress)
}

func TestLastEndIsTheNewestSeen(t *testing.T) {
	set := plain
	set.Window = hours
	s := begin(t, set)
	s.refresh(0, succeeded(create, "long", -59*minutes, -minutes), succeeded(create, "short", -30*minutes, -29*minutes),
		succeeded(create, "shorter", -30*minutes, -29*minutes-time.Second), failed(create, "f", -minutes, 0))
	wantEqual(t, "newest", []StatusTime{{create, task.Failed, noon}, {create, task.Success, noon.Add(-minutes)}}, s.Snapshot().LastEnd)
	s.refresh(5 * minutes)
	wantEqual(t, "once it has left the window", []StatusTime{{create, task.Failed, noon}, {create, task.Success, noon.Add(-minutes)}}, s.Snapshot().LastEnd)
	s.restart(9*days, set)
	s.refresh(9 * days)
	wantEqual(t, "once it is forgotten", []StatusTime{{create, task.Failed, noon}, {create, task.Success, noon.Add(-minutes)}}, s.Snapshot().LastEnd)
}

func TestRunningTasksAreFollowedUntilTheyCannotBeListed(t *testing.T) {
	set := plain
	set.Window = hours
	s := begin(t, set)
	s.refresh(0, running(create, "old", -3*days), running(create, "new", -minutes), running(revoke, "r", -2*days))
	wantEqual(t, "oldest", []TypeTime{{create, noon.Add(-3 * days)}, {revoke, noon.Add(-2 * days)}}, s.Snapshot().OldestInProgress)
	var ids []string
	for _, r := range s.Running() {
		ids = append(ids, r.ID)
	}
	wantEqual(t, "followed, the oldest first", []string{"old", "r", "new"}, ids)
	s.refresh(4*days - time.Second) // cut when "old" started 7 days before
	wantEqual(t, "on the edge", 3, len(s.Running()))
	s.refresh(4 * days)
	wantEqual(t, "oldest", []TypeTime{{create, noon.Add(-minutes)}, {revoke, noon.Add(-2 * days)}}, s.Snapshot().OldestInProgress)
	s.refresh(5*days, succeeded(revoke, "r", -2*days, 5*days))
	wantEqual(t, "oldest", []TypeTime{{create, noon.Add(-minutes)}}, s.Snapshot().OldestInProgress)
	s.refresh(8 * days)
	wantEqual(t, "followed", 0, len(s.Running()))
	wantEqual(t, "counts", map[string]uint64{"finished DeleteAccessAssignment Success": 1, "durations DeleteAccessAssignment Success": 1}, s.counts())
}

func TestRunningSaysWhatNarrowsAQuery(t *testing.T) {
	s := begin(t, plain)
	half := running(create, "half", -minutes)
	half.TargetType, half.PrincipalID = "", ""
	s.refresh(0, running(create, "a", -2*minutes), half)
	wantEqual(t, "running", []Running{
		{ID: "a", Type: create, Start: noon.Add(-2 * minutes), Subject: task.Filter{AccessConfigurationID: "ac-1",
			TargetType: "RD-Account", TargetID: "1001", PrincipalType: "User", PrincipalID: "u-1"}},
		{ID: "half", Type: create, Start: noon.Add(-minutes), Subject: task.Filter{AccessConfigurationID: "ac-1"}},
	}, s.Running())
}

func TestStartedSince(t *testing.T) {
	s := begin(t, plain)
	s.refresh(0, succeeded(create, "a", -3*minutes, 0), succeeded(create, "b", -2*minutes, 0), running(create, "c", -minutes), running(create, "d", hours))
	for since, want := range map[time.Duration]int{-3 * minutes: 3, -2 * minutes: 2, -minutes: 1, 0: 0} {
		wantEqual(t, since.String(), want, s.StartedSince(noon.Add(since)))
	}
	wantEqual(t, "since ever", 3, s.StartedSince(time.Time{}))
	wantEqual(t, "since when nothing can be listed any more", 3, s.StartedSince(noon.Add(-365*days)))
	s.refresh(9 * days) // all but what is followed is forgotten
	wantEqual(t, "a long time later", 0, len(s.pages.members))
}

func TestWiderWindowShowsABaseline(t *testing.T) {
	set := plain
	set.Window = hours
	s := begin(t, set)
	s.refresh(0)
	s.refresh(2*hours, succeeded(create, "a", 30*minutes, 31*minutes))
	before := s.counts()
	wantEqual(t, "full read needed", false, s.NeedsFull())
	s.reload(plain)
	wantEqual(t, "full read needed", true, s.NeedsFull())
	s.restart(2*hours, plain)
	wantEqual(t, "full read needed after a restart", true, s.NeedsFull())
	s.read(2*hours+minutes, succeeded(create, "a", 30*minutes, 31*minutes), succeeded(create, "b", -2*hours, -hours),
		running(create, "r", -3*hours), failed(revoke, "c", 2*hours, 2*hours+minutes))
	s.commit(2*hours + minutes)
	before["started DeleteAccessAssignment "]++
	before["finished DeleteAccessAssignment Failed"]++
	before["durations DeleteAccessAssignment Failed"]++
	before["failures DeleteAccessAssignment NoPermission"]++
	wantEqual(t, "only what happened since counts", before, s.counts())
	wantEqual(t, "gauges", map[string]int{"CreateAccessAssignment Success": 2, "CreateAccessAssignment InProgress": 1,
		"DeleteAccessAssignment Failed": 1, "failed DeleteAccessAssignment NoPermission": 1}, s.gauges())
	wantEqual(t, "full read needed", false, s.NeedsFull())
	s.refresh(3*hours, succeeded(create, "r", -3*hours, 3*hours), succeeded(provision, "late", -90*minutes, -hours))
	before["started ProvisionAccessConfiguration "]++
	before["finished ProvisionAccessConfiguration Success"]++
	before["durations ProvisionAccessConfiguration Success"]++
	before["finished CreateAccessAssignment Success"]++
	before["durations CreateAccessAssignment Success"]++
	wantEqual(t, "a running one of the baseline counts as finished, one listed late as new", before, s.counts())
}

func TestNarrowerWindowAndBackCountsNothingTwice(t *testing.T) {
	narrow := plain
	narrow.Window = hours
	s := begin(t, plain)
	s.refresh(0)
	a := succeeded(create, "a", minutes, 2*minutes)
	s.refresh(2*hours, a)
	counts, gauges := s.counts(), s.gauges()
	s.reload(narrow)
	wantEqual(t, "full read needed", false, s.NeedsFull())
	wantEqual(t, "gauges are cut at once", map[string]int{}, s.gauges())
	s.refresh(3 * hours)
	s.reload(plain)
	wantEqual(t, "full read needed", true, s.NeedsFull())
	s.refresh(4*hours, a)
	wantEqual(t, "counters", counts, s.counts())
	wantEqual(t, "gauges", gauges, s.gauges())
}

func TestAWiderWindowStaysUnreadUntilAFullRead(t *testing.T) {
	set := plain
	set.Window = hours
	s := begin(t, set)
	s.refresh(0)
	s.reload(plain)
	s.Apply(NewBatch(), Span{Began: noon.Add(minutes), At: noon.Add(minutes)})
	wantEqual(t, "full read needed", true, s.NeedsFull())
}

func TestChangedFilterShowsABaseline(t *testing.T) {
	s := begin(t, only("1001", plain))
	s.refresh(0)
	s.refresh(minutes, failed(create, "a", 0, minutes), running(revoke, "r", 0))
	counts := s.counts()

	s.reload(only("1002", plain))
	wantEqual(t, "full read needed", true, s.NeedsFull())
	wantEqual(t, "hidden at once", map[string]int{}, s.gauges())
	s.refresh(2*minutes, on("1002", succeeded(create, "b", minutes, 2*minutes)), on("1002", running(create, "c", minutes)))
	wantEqual(t, "what it newly shows does not count", counts, s.counts())
	wantEqual(t, "gauges", map[string]int{"CreateAccessAssignment Success": 1, "CreateAccessAssignment InProgress": 1}, s.gauges())
	wantEqual(t, "unresolved", map[string]time.Duration{}, s.unresolvedSince())
	s.refresh(3*minutes, on("1002", succeeded(create, "c", minutes, 3*minutes)), on("1002", succeeded(create, "d", 2*minutes, 3*minutes)))
	counts["started CreateAccessAssignment "]++
	counts["finished CreateAccessAssignment Success"] += 2
	counts["durations CreateAccessAssignment Success"] += 2
	wantEqual(t, "what happens from then on counts", counts, s.counts())

	// Back: nothing counts twice, and what failed may have been resolved unseen.
	s.reload(only("1001", plain))
	if got := s.From(); !got.Equal(noon.Add(minutes)) {
		t.Errorf("looks from %v, want the end of the failure", got)
	}
	s.restart(4*minutes, only("1001", plain))
	if got := s.From(); !got.Equal(noon.Add(minutes)) {
		t.Errorf("after a restart it looks from %v, want the end of the failure", got)
	}
	s.refresh(4*minutes, failed(create, "a", 0, minutes), succeeded(create, "e", 2*minutes, 3*minutes), succeeded(revoke, "r", 0, 3*minutes))
	counts["finished DeleteAccessAssignment Success"]++
	counts["durations DeleteAccessAssignment Success"]++
	wantEqual(t, "counters", counts, s.counts())
	wantEqual(t, "unresolved", map[string]time.Duration{}, s.unresolvedSince())
	wantEqual(t, "gauges", map[string]int{"CreateAccessAssignment Failed": 1, "failed CreateAccessAssignment NoPermission": 1,
		"CreateAccessAssignment Success": 1, "DeleteAccessAssignment Success": 1}, s.gauges())
}

func TestNarrowerFilterKeepsCounting(t *testing.T) {
	s := begin(t, plain)
	s.refresh(0)
	s.reload(only("1001", plain))
	s.refresh(minutes, succeeded(create, "a", 0, minutes))
	wantEqual(t, "an event that the filter before showed too", uint64(1), s.counts()["started CreateAccessAssignment "])
}

// A filter that was changed back before anything was read with it leaves no trace, not even over a restart.
func TestFilterChangedAndBackBeforeARead(t *testing.T) {
	s := begin(t, plain)
	s.refresh(0, failed(create, "a", -minutes, 0))
	want := s.gauges()
	s.reload(only("1002", plain))
	s.commit(minutes)
	s.restart(2*minutes, plain)
	wantEqual(t, "full read needed", false, s.NeedsFull())
	wantEqual(t, "gauges after a restart", want, s.gauges())
	s.reload(only("1002", plain))
	s.reload(plain)
	wantEqual(t, "gauges", want, s.gauges())
	wantEqual(t, "unresolved", map[string]time.Duration{"a": 0}, s.unresolvedSince())
}

func TestHiddenTasksAreForgottenInTheirTime(t *testing.T) {
	s := begin(t, plain)
	s.refresh(0, failed(create, "a", -minutes, 0), running(revoke, "r", -minutes), succeeded(create, "far", 5*days, 5*days))
	s.reload(only("1002", plain))
	s.refresh(minutes)
	wantEqual(t, "remembered", 3, len(s.records))
	s.refresh(memory + minutes)
	wantEqual(t, "remembered", 1, len(s.records)) // it may still be listed
	s.refresh(5*days + memory + minutes)
	wantEqual(t, "remembered", 0, len(s.records))
	wantEqual(t, "in the file", 0, len(s.file.tasks))
}
