package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"cloudsso_exporter/internal/ledger"
	"cloudsso_exporter/internal/task"
)

// Wait waits until the matching tasks have ended, for pipelines.
type Wait struct {
	Listing
	Interval time.Duration // between two polls
	Timeout  time.Duration
	MinTasks int // goes on waiting until so many are listed
}

// exitTimedOut is the exit code of a wait that took too long.
const exitTimedOut = 3

// Run polls until nothing that matches is running. Its error says what failed, or
// is an ExitError when time ran out or it was stopped.
func (c Wait) Run(ctx context.Context) error {
	if c.Interval <= 0 || c.Timeout <= 0 || c.MinTasks < 0 {
		return UsageError{errors.New("--interval and --timeout must be more than 0, --min-tasks 0 or more")}
	}
	from, err := c.from()
	if err != nil {
		return err
	}
	directories, err := c.open()
	if err != nil {
		return err
	}
	deadline := time.NewTimer(c.Timeout)
	defer deadline.Stop()
	said := ""
	for {
		found, err := c.poll(ctx, directories, from)
		switch {
		case ctx.Err() != nil:
			return interrupted(ctx.Err())
		case err != nil && !passes(err):
			return err
		case err == nil && len(found.running) == 0 && found.tasks >= c.MinTasks:
			return found.outcome(c)
		}
		if now := found.state(c.MinTasks, err); now != said {
			said = now
			fmt.Fprintln(c.Out, said)
		}
		select {
		case <-ctx.Done():
			return interrupted(ctx.Err())
		case <-deadline.C:
			return ExitError{exitTimedOut, fmt.Errorf("gave up after %s (--timeout): %s", c.Timeout, said)}
		case <-time.After(c.Interval):
		}
	}
}

// polled is what one poll has found in all directories.
type polled struct {
	tasks   int
	running []task.Task
	failed  []task.Task // latest tasks of subjects
}

// poll reads all that matches since from. The ledger knows which task is a
// subject's latest, and what resolves what.
func (c Wait) poll(ctx context.Context, directories []directory, from time.Time) (polled, error) {
	var all polled
	for _, d := range directories {
		batch := ledger.NewBatch()
		if err := c.read(ctx, d, from, batch.Add); err != nil {
			return all, err
		}
		l := ledger.New(ledger.Settings{Window: ledger.Retention, MaxAge: 2 * ledger.Retention})
		l.Apply(batch, ledger.Span{Began: from, At: d.client.Now(), Since: from})
		snapshot := l.Snapshot()
		all.tasks += batch.Len()
		all.running = append(all.running, snapshot.Running...)
		for _, f := range snapshot.Failures {
			all.failed = append(all.failed, f.Latest)
		}
	}
	return all, nil
}

// passes reports whether the API may answer at the next poll.
func passes(err error) bool {
	var kind interface{ ErrorKind() task.ErrorKind }
	if !errors.As(err, &kind) {
		return false
	}
	switch kind.ErrorKind() {
	case task.ErrorThrottled, task.ErrorTimeout, task.ErrorNetwork, task.ErrorInvalidResponse:
		return true
	}
	return false
}

// state says what is waited for.
func (p polled) state(atLeast int, err error) string {
	switch {
	case err != nil:
		return "Waiting for the API: " + err.Error()
	case len(p.running) == 0:
		return fmt.Sprintf("Waiting for tasks to be listed: %d of %d.", p.tasks, atLeast)
	}
	var names []string
	for _, t := range p.running[:min(3, len(p.running))] {
		names = append(names, describe(t))
	}
	if more := len(p.running) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	return fmt.Sprintf("Waiting for %d of %d tasks: %s.", len(p.running), p.tasks, strings.Join(names, ", "))
}

// outcome is the end of a wait: nil, or an error with a line for each failure.
func (p polled) outcome(c Wait) error {
	if len(p.failed) == 0 {
		fmt.Fprintf(c.Out, "%d tasks have ended, none is failed.\n", p.tasks)
		return nil
	}
	var errs []error
	for _, t := range p.failed {
		errs = append(errs, fmt.Errorf("%s failed: %s", describe(t), cmp.Or(strings.Join(strings.Fields(t.FailureReason), " "), "the API gives no reason")))
	}
	return errors.Join(errs...)
}

// describe names a task for people.
func describe(t task.Task) string {
	name := fmt.Sprintf("%s %s on %s", t.Type, cmp.Or(t.AccessConfigurationName, t.AccessConfigurationID), cmp.Or(t.TargetName, t.TargetID))
	if who := cmp.Or(t.PrincipalName, t.PrincipalID); who != "" {
		name += " for " + who
	}
	return name + " (" + t.ID + ")"
}
