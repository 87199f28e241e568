package simulator

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"cloudsso_exporter/internal/task"
)

const week = 7 * 24 * time.Hour

// play returns a server that plays the scenario, its clock at the epoch.
func play(t *testing.T, sc Scenario) (*Server, *fakeClock, []*Directory) {
	t.Helper()
	s, clock := newTestServer(t, Options{})
	sc.Epoch = testNow
	return s, clock, sc.Play(s)
}

// listing is everything that the API says of a directory, a task a line.
func listing(t *testing.T, s *Server, id string, window time.Duration) []string {
	t.Helper()
	params := []string{"DirectoryId", id, "MaxResults", "20", "Filter", "StartTime ge " + s.Now().Add(-window).Format(dateForm)}
	var lines []string
	for next := params; ; {
		a := ask(s, next...)
		if a.Code != "" || a.err != nil {
			t.Fatal(a.Code, a.Message, a.err)
		}
		for _, x := range a.Tasks {
			lines = append(lines, fmt.Sprint(x))
		}
		if !a.IsTruncated {
			return lines
		}
		next = append(slices.Clone(params), "NextToken", a.NextToken)
	}
}

// Seed and time decide, not what was asked before.
func TestScenarioIsPure(t *testing.T) {
	moments := []time.Duration{0, 90 * time.Second, time.Hour, 26 * time.Hour, 9 * 24 * time.Hour}
	look := func(seed uint64, moments []time.Duration) map[time.Duration]string {
		s, clock, directories := play(t, Scenario{Seed: seed, Speed: 0.3})
		seen := map[time.Duration]string{}
		for _, m := range moments {
			clock.now = testNow.Add(m)
			for _, d := range directories {
				seen[m] += strings.Join(listing(t, s, d.ID(), 10*time.Minute), "\n") + "\n"
			}
		}
		return seen
	}
	forwards := look(1, moments)
	for _, m := range moments {
		if n := strings.Count(forwards[m], "\n"); n < 2 {
			t.Errorf("after %s: only %d tasks", m, n)
		}
		if once := look(1, []time.Duration{m}); once[m] != forwards[m] {
			t.Errorf("after %s: the answer depends on earlier questions", m)
		}
	}
	backwards := slices.Clone(moments)
	slices.Reverse(backwards)
	if !maps.Equal(look(1, backwards), forwards) {
		t.Error("asked in another order, the answers differ")
	}
	if other := look(2, moments[1:2]); other[moments[1]] == forwards[moments[1]] {
		t.Error("another seed makes the same company")
	}
	// The same in every release: a demo's seed can be quoted.
	first, _, _ := strings.Cut(forwards[0], "\n")
	if want := "TaskId:" + goldenTaskID; !strings.Contains(first, want) {
		t.Errorf("the first task is %s, want %s", first, want)
	}
}

const goldenTaskID = "t-ng7ojr5wh38g9bfqfc81"

// What is listed is what the generator makes, at each moment of two days.
func TestScenarioListsItsTruth(t *testing.T) {
	s, clock, directories := play(t, Scenario{Seed: 7, Speed: 0.1})
	for hours := 0; hours <= 48; hours += 12 {
		clock.now = testNow.Add(time.Duration(hours) * time.Hour).Add(12345 * time.Millisecond)
		from := clock.now.Add(time.Second - week).Truncate(time.Second)
		for _, d := range directories {
			var want []string
			for _, x := range d.Tasks(from, clock.now) {
				want = append(want, x.ID)
			}
			got := walk(t, s, nil, "DirectoryId", d.ID(), "MaxResults", "20", "Filter", "StartTime ge "+from.Format(dateForm))
			slices.Sort(got)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				t.Fatalf("after %d h, %s: %d tasks are listed, %d made", hours, d.ID(), len(got), len(want))
			}
		}
	}
}

func TestScenarioIsBelievable(t *testing.T) {
	for _, speed := range []float64{1, 10} {
		for _, seed := range []uint64{1} {
			t.Run(fmt.Sprint(speed, " ", seed), func(t *testing.T) {
				_, _, directories := play(t, Scenario{Seed: seed, Speed: speed})
				if len(directories) != 2 {
					t.Fatalf("%d directories", len(directories))
				}
				for _, d := range directories {
					believable(t, d, max(speed, 1))
				}
			})
		}
	}
}

func believable(t *testing.T, d *Directory, speed float64) {
	t.Helper()
	minute := time.Duration(float64(time.Minute) / speed)
	atStart := d.Tasks(testNow.Add(-week), testNow)
	if n := len(atStart); n < 200 || n > 900 {
		t.Errorf("%s: %d tasks in the window at the start, want some hundreds", d.ID(), n)
	}
	ids := map[string]bool{}
	for _, x := range d.Tasks(testNow.Add(-week), testNow.Add(time.Hour)) {
		if ids[x.ID] {
			t.Errorf("two tasks %s", x.ID)
		}
		ids[x.ID] = true
		if x.Status == task.Failed && x.FailureReason == "" || strings.ContainsAny(x.FailureReason, "{}") {
			t.Errorf("reason %q of %s", x.FailureReason, x.Status)
		}
		if x.Finished() && x.End.Before(x.Start) || x.TargetPathName == "" || (x.PrincipalID == "") != (x.Type.Kind() == task.Provisioning) {
			t.Errorf("odd task %+v", x)
		}
	}
	var standing, streaks int
	last := map[typeStatus]int{}
	changes := 0
	for now := testNow; now.Before(testNow.Add(30 * minute)); now = now.Add(minute / 3) {
		tasks := d.Tasks(now.Add(-week), now)
		counts := count(tasks)
		for _, kind := range task.Types() {
			for _, status := range task.Statuses() {
				if counts[typeStatus{kind, status}] == 0 {
					t.Errorf("%s %v: no %s is %s", d.ID(), now.Sub(testNow), kind, status)
				}
			}
		}
		if !maps.Equal(counts, last) {
			changes++
		}
		last = counts
		unresolved := standingFailures(tasks)
		if len(unresolved) > 12 {
			t.Errorf("%d failures stand at once", len(unresolved))
		}
		streaks += len(unresolved)
		for _, first := range unresolved {
			if now.Sub(first.End) > 10*time.Minute {
				standing++
			}
		}
	}
	if changes < 86 { // of 90
		t.Errorf("%s: something has moved at %d of 90 looks", d.ID(), changes)
	}
	wantStanding := 0
	if d.ID() == "d-00fc2p61demo" {
		wantStanding = 90 // one at each look: the revocation
	}
	if standing != wantStanding || streaks-standing < 45 {
		t.Errorf("%s: failures that stand for long %d, want %d; others %d in 90 looks", d.ID(), standing, wantStanding, streaks-standing)
	}
	// Failures are the exception: an hour's are below 20 %, where an alert begins.
	hour := testNow.Add(60 * minute)
	finished := count(slices.DeleteFunc(d.Tasks(testNow.Add(-week), hour), func(x task.Task) bool { return !x.Finished() || x.End.Before(testNow) }))
	var failed, all int
	for what, n := range finished {
		all += n
		if what.Status == task.Failed {
			failed += n
		}
	}
	if ratio := float64(failed) / float64(all); ratio < 0.05 || ratio > 0.17 {
		t.Errorf("%s: %d of %d failed", d.ID(), failed, all)
	}
	if perMinute := float64(all) / 60; perMinute < 10 || perMinute > 30 {
		t.Errorf("%s: %.1f tasks a minute finish, want one every few seconds", d.ID(), perMinute)
	}
}

// Every task says where its target is, and some what it was inherited from: a folder
// of the target's, or the target itself.
func TestScenarioHasPathsAndOrigins(t *testing.T) {
	_, _, directories := play(t, Scenario{Seed: 1})
	path := regexp.MustCompile(`^rd-3G\w{4}/r-Wm\w{4}/(fd-\w+)/(\d{16})$`)
	for _, d := range directories {
		seen := map[string]int{}
		tasks := d.Tasks(testNow.Add(-week), testNow.Add(time.Hour))
		for _, x := range tasks {
			parts := path.FindStringSubmatch(x.TargetPath)
			if parts == nil || parts[2] != x.TargetID || !strings.HasSuffix(x.TargetPathName, "/"+x.TargetName) || strings.Count(x.TargetPathName, "/") != 3 {
				t.Fatalf("%s is at %s, %s", x.TargetID, x.TargetPath, x.TargetPathName)
			}
			switch x.OriginTargetID {
			case "":
				seen["none"]++
			case x.TargetID:
				seen["target"]++
			case parts[1]:
				seen["folder"]++
			}
		}
		if n := len(tasks); seen["none"] < n/2 || seen["target"] < n/20 || seen["folder"] < n/20 || seen["none"]+seen["target"]+seen["folder"] != n {
			t.Errorf("%s: origins of %d tasks: %v", d.ID(), n, seen)
		}
	}
}

func TestTheRevocationStaysFailed(t *testing.T) {
	_, _, directories := play(t, Scenario{Seed: 1})
	for _, after := range []time.Duration{0, time.Hour, 30 * time.Hour} {
		now := testNow.Add(after)
		var found int
		for _, first := range standingFailures(directories[0].Tasks(now.Add(-week), now)) {
			if first.Type == task.DeleteAccessAssignment && first.PrincipalName == leaverName {
				found++
				if age := now.Sub(first.End); age < 24*time.Hour+after || age > 27*time.Hour+after {
					t.Errorf("after %s it stands for %s", after, age)
				}
			}
		}
		if found != 1 {
			t.Errorf("after %s: %d revocations of the leaver stand", after, found)
		}
	}
}

func TestSometimesATaskRunsForLong(t *testing.T) {
	_, _, directories := play(t, Scenario{Seed: 1, Speed: 0.1})
	long := 0
	for _, x := range directories[1].Tasks(testNow.Add(-week), testNow.Add(24*time.Hour)) {
		if x.End.Sub(x.Start) > 30*time.Minute {
			long++
		}
	}
	if long < 4 || long > 6 {
		t.Errorf("%d tasks of a day ran over 30 minutes, want about 5", long)
	}
}

type typeStatus struct {
	Type   task.Type
	Status task.Status
}

func count(tasks []task.Task) map[typeStatus]int {
	counts := map[typeStatus]int{}
	for _, t := range tasks {
		counts[typeStatus{t.Type, t.Status}]++
	}
	return counts
}

// standingFailures returns the first failure of each subject that has not
// succeeded since.
func standingFailures(tasks []task.Task) map[task.Subject]task.Task {
	slices.SortFunc(tasks, func(a, b task.Task) int { return a.End.Compare(b.End) })
	failures := map[task.Subject]task.Task{}
	for _, t := range tasks {
		_, failing := failures[t.Subject()]
		switch {
		case t.Status == task.Failed && !failing:
			failures[t.Subject()] = t
		case t.Status == task.Success:
			delete(failures, t.Subject())
		}
	}
	return failures
}
