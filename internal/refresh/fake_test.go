package refresh

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"sync"
	"time"

	"cloudsso_exporter/internal/task"
)

// fakeAPI lists tasks from memory as the reference says, 20 a page, oldest
// first, and fails when told to.
type fakeAPI struct {
	mu     sync.Mutex
	skew   time.Duration // by how much the local clock is behind the API's
	known  time.Duration // what has been learned of it
	tasks  []task.Task   // with their final status and end
	calls  []task.Query
	probes int                                 // calls with NoRetry
	fail   func(call int, q task.Query) error  // 1 is the first call; nil: never
	slow   func(ctx context.Context, call int) // before each answer
	strict bool                                // refuses a Filter over 7 days old at each page
}

type apiError struct {
	kind    task.ErrorKind
	refuses bool
}

func (e apiError) Error() string             { return "the API says " + string(e.kind) }
func (e apiError) ErrorKind() task.ErrorKind { return e.kind }
func (e apiError) RefusesQuery() bool        { return e.refuses }

// local is what the local clock says.
func (f *fakeAPI) local() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Now().Add(-f.skew)
}

func (f *fakeAPI) Now() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return time.Now().Add(f.known - f.skew)
}

func (f *fakeAPI) Pages(ctx context.Context, q task.Query, p task.Paging) iter.Seq2[task.Page, error] {
	return func(yield func(task.Page, error) bool) {
		offset, _ := strconv.Atoi(p.Token)
		for {
			page, err := f.page(ctx, q, offset, p.NoRetry)
			if !yield(page, err) || err != nil || page.Next == "" {
				return
			}
			offset, _ = strconv.Atoi(page.Next)
		}
	}
}

func (f *fakeAPI) page(ctx context.Context, q task.Query, offset int, probe bool) (task.Page, error) {
	f.mu.Lock()
	f.calls = append(f.calls, q)
	call, slow, fail := len(f.calls), f.slow, f.fail
	if probe {
		f.probes++
	}
	f.mu.Unlock()
	if slow != nil {
		slow(ctx, call)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if ctx.Err() != nil {
		return task.Page{}, fmt.Errorf("stopped: %w", ctx.Err())
	}
	f.known = f.skew
	now := time.Now()
	if fail != nil {
		if err := fail(call, q); err != nil {
			return task.Page{}, err
		}
	}
	if f.strict && q.From.Before(now.Add(-7*24*time.Hour)) {
		return task.Page{}, apiError{task.ErrorOther, true}
	}
	var list []task.Task
	for _, t := range f.tasks {
		t = asOf(t, now)
		if !t.Start.Before(q.From) && !t.Start.After(now) && (q.Status == "" || q.Status == t.Status) &&
			(q.Type == "" || q.Type == t.Type) && q.Matches(t) {
			list = append(list, t)
		}
	}
	slices.SortStableFunc(list, func(a, b task.Task) int { return a.Start.Compare(b.Start) })
	end := min(offset+pageSize, len(list))
	page := task.Page{Tasks: list[min(offset, end):end]}
	if end < len(list) {
		page.Next = strconv.Itoa(end)
	}
	return page, nil
}

// asOf is t as the API lists it at the given time.
func asOf(t task.Task, now time.Time) task.Task {
	if t.End.IsZero() || t.End.After(now) {
		t.Status, t.End, t.FailureReason = task.InProgress, time.Time{}, ""
	}
	return t
}

func (f *fakeAPI) add(tasks ...task.Task) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tasks = append(f.tasks, tasks...)
}

// take returns the number of calls since it was last asked.
func (f *fakeAPI) take() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := len(f.calls)
	f.calls = nil
	return n
}

func newTask(id string, start time.Time, lasts time.Duration) task.Task {
	return task.Task{
		ID: id, Type: task.CreateAccessAssignment, Status: task.Success, Start: start, End: start.Add(lasts),
		AccessConfigurationID: "ac-1", TargetType: "RD-Account", TargetID: "1001",
		PrincipalType: "User", PrincipalID: "u-" + id,
	}
}
