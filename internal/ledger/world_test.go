package ledger

import (
	"fmt"
	"math/rand/v2"
	"time"

	"cloudsso_exporter/internal/task"
)

// world makes up tasks that start, end and are listed late and in any order.
type world struct {
	rng   *rand.Rand
	tasks []task.Task // with their final status and end
	now   time.Time
}

func (w *world) start() {
	types := task.Types()
	t := task.Task{
		ID:                    fmt.Sprintf("t-%04d", len(w.tasks)),
		Type:                  types[w.rng.IntN(len(types))],
		Start:                 w.now.Add(-time.Duration(w.rng.IntN(60)) * time.Second),
		Status:                task.Success,
		AccessConfigurationID: fmt.Sprintf("ac-%d", w.rng.IntN(3)),
		TargetType:            "RD-Account",
		TargetID:              fmt.Sprint(1000 + w.rng.IntN(2)),
	}
	if t.Type.Kind() == task.Assignment {
		t.PrincipalType, t.PrincipalID = "User", fmt.Sprintf("u-%d", w.rng.IntN(2))
	}
	if w.rng.IntN(2) == 0 {
		t.Status = task.Failed
		t.FailureReason = []string{"NoPermission", "EntityNotExist.Role", "unknown"}[w.rng.IntN(3)]
	}
	lasts := time.Duration(w.rng.IntN(120)) * time.Second
	if w.rng.IntN(10) == 0 {
		lasts = time.Duration(w.rng.IntN(8*24)) * time.Hour
	}
	t.End = t.Start.Add(lasts)
	w.tasks = append(w.tasks, t)
}

// at is t as the API lists it at the given time.
func at(t task.Task, now time.Time) task.Task {
	if t.End.After(now) {
		t.Status, t.End, t.FailureReason = task.InProgress, time.Time{}, ""
	}
	return t
}

// list is a list of what may be listed, in any order, some twice, some as they
// were a while ago, some left out at first and so late.
func (w *world) list(full bool, since time.Time, filter task.Filter) []task.Task {
	var list []task.Task
	for _, t := range w.tasks {
		if t.Start.Before(w.now.Add(-Retention)) {
			continue
		}
		changed := !t.Start.Before(since.Add(-2*time.Minute)) || !t.End.Before(since.Add(-2*time.Minute)) && !t.End.After(w.now)
		switch {
		case !filter.Matches(t), !changed && !full && w.rng.IntN(3) > 0, w.rng.IntN(10) == 0:
			continue
		}
		stale := w.rng.IntN(8) == 0
		if stale {
			list = append(list, at(t, w.now.Add(-time.Minute)))
		}
		if !stale || w.rng.IntN(2) == 0 {
			list = append(list, at(t, w.now))
		}
	}
	w.rng.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}
