package simulator

import (
	"slices"
	"testing"
	"time"

	"cloudsso_exporter/internal/task"
	"github.com/google/go-cmp/cmp"
)

func ids(tasks []task.Task) []string {
	var out []string
	for _, t := range tasks {
		out = append(out, t.ID)
	}
	slices.Sort(out)
	return out
}

func TestStartedFinishedInWindow(t *testing.T) {
	record := func(id string, start, end, listed int) Record {
		r := Record{Task: someTasks(1)[0]}
		r.ID, r.Start, r.Status = id, at(start), task.Failed
		if end != 0 {
			r.End = at(end)
		} else {
			r.End = time.Time{}
		}
		if listed != 0 {
			r.Listed = at(listed)
		}
		return r
	}
	d := newDirectory(testDirectory)
	d.Schedule(
		record("t-before", -100, -50, 0),
		record("t-ends", -100, 50, 0),
		record("t-inside", 10, 20, 0),
		record("t-late", 10, 20, 90),
		record("t-too-late", 10, 20, 101),
		record("t-starts", 60, 160, 0),
		record("t-for-ever", -100, 0, 0),
		record("t-edge", 100, 200, 0),
		record("t-after", 101, 110, 0),
	)
	byHand := record("t-hand", 30, 40, 0).Task
	d.Put(byHand)
	if got, want := ids(d.Started(at(0), at(100))), []string{"t-edge", "t-hand", "t-inside", "t-late", "t-starts"}; !slices.Equal(got, want) {
		t.Errorf("started: got %v, want %v", got, want)
	}
	if got, want := ids(d.Finished(at(0), at(100))), []string{"t-ends", "t-hand", "t-inside", "t-late"}; !slices.Equal(got, want) {
		t.Errorf("finished: got %v, want %v", got, want)
	}
	// What one span leaves to the next is counted once.
	var started, finished []string
	for s := -200; s < 300; s += 7 {
		started = append(started, ids(d.Started(at(s), at(s+7)))...)
		finished = append(finished, ids(d.Finished(at(s), at(s+7)))...)
	}
	if len(started) != 10 || len(finished) != 9 {
		t.Errorf("in small steps: started %v, finished %v", started, finished)
	}
	kind := task.CreateAccessAssignment
	want := map[TypeStatus]int{{kind, task.Failed}: 3, {kind, task.InProgress}: 2}
	if diff := cmp.Diff(want, d.InWindow(at(0), at(100))); diff != "" {
		t.Errorf("in the window (-want +got):\n%s", diff)
	}
}

func TestUnresolved(t *testing.T) {
	on := func(id string, kind task.Type, status task.Status, start, end int, principal string) task.Task {
		x := someTasks(1)[0]
		x.ID, x.Type, x.Status, x.Start, x.End, x.PrincipalID = id, kind, status, at(start), at(end), principal
		if status == task.InProgress {
			x.End = time.Time{}
		}
		return x
	}
	create, remove := task.CreateAccessAssignment, task.DeleteAccessAssignment
	provision, deprovision := task.ProvisionAccessConfiguration, task.DeprovisionAccessConfiguration
	tests := []struct {
		name  string
		tasks []task.Task
		last  []string // by id
		since []int
	}{
		{"one failed", []task.Task{on("a", create, "Failed", -90, -80, "u-1")}, []string{"a"}, []int{-80}},
		{"failed twice", []task.Task{on("a", create, "Failed", -90, -80, "u-1"), on("b", create, "Failed", -70, -60, "u-1")}, []string{"b"}, []int{-80}},
		{"resolved by itself", []task.Task{on("a", create, "Failed", -90, -80, "u-1"), on("b", create, "Success", -70, -60, "u-1")}, nil, nil},
		{"resolved by the reverse", []task.Task{on("a", remove, "Failed", -90, -80, "u-1"), on("b", create, "Success", -70, -60, "u-1")}, nil, nil},
		{"not by another principal", []task.Task{on("a", create, "Failed", -90, -80, "u-1"), on("b", create, "Success", -70, -60, "u-2")}, []string{"a"}, []int{-80}},
		{"not by a retry that runs", []task.Task{on("a", create, "Failed", -90, -80, "u-1"), on("b", create, "InProgress", -70, 0, "u-1")}, []string{"a"}, []int{-80}},
		{"the end decides", []task.Task{on("a", create, "Failed", -90, -20, "u-1"), on("b", create, "Success", -70, -60, "u-1")}, []string{"a"}, []int{-20}},
		{"failed anew", []task.Task{on("a", create, "Failed", -90, -80, "u-1"), on("b", create, "Success", -70, -60, "u-1"), on("c", create, "Failed", -50, -40, "u-1")}, []string{"c"}, []int{-40}},
		{"de-provisioning resolves assignments", []task.Task{on("a", create, "Failed", -90, -80, "u-1"), on("b", provision, "Failed", -75, -70, ""), on("c", deprovision, "Success", -60, -50, "")}, nil, nil},
		{"not those that fail later", []task.Task{on("c", deprovision, "Success", -60, -50, ""), on("a", create, "Failed", -49, -48, "u-1")}, []string{"a"}, []int{-48}},
		{"provisioning does not", []task.Task{on("a", create, "Failed", -90, -80, "u-1"), on("c", provision, "Success", -60, -50, "")}, []string{"a"}, []int{-80}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := newDirectory(testDirectory)
			d.Put(test.tasks...)
			var last []string
			var since []int
			for subject, streak := range d.Unresolved(at(-1000), at(0)) {
				if streak.Last.Subject() != subject {
					t.Errorf("%v under %v", streak.Last, subject)
				}
				last, since = append(last, streak.Last.ID), append(since, int(streak.Since.Sub(testNow).Seconds()))
			}
			if !slices.Equal(last, test.last) || !slices.Equal(since, test.since) {
				t.Errorf("got %v since %v, want %v since %v", last, since, test.last, test.since)
			}
		})
	}
}
