package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
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
	var all []*waited
	for _, d := range directories {
		all = append(all, &waited{directory: d, from: from, seen: map[string]struct{}{}, ledger: ledger.New(ledger.Settings{
			Window: ledger.Retention, MaxAge: 2 * ledger.Retention,
		})})
	}
	limited, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	said := "the API has not answered"
	for {
		found, errs := c.poll(limited, all)
		switch {
		case ctx.Err() != nil:
			return interrupted(ctx.Err())
		case slices.ContainsFunc(errs, stays):
			return errors.Join(errs...)
		case limited.Err() != nil: // in the middle of a poll
			for _, d := range all {
				if d.failed != nil {
					said = d.named(d.failed).Error()
				}
			}
			return c.timedOut(said)
		case errs == nil && len(found.running) == 0 && found.tasks >= c.MinTasks:
			return found.outcome(c)
		}
		if now := found.state(c.MinTasks, errs); now != said {
			said = now
			fmt.Fprintln(c.Out, said)
		}
		select {
		case <-limited.Done():
			if ctx.Err() != nil {
				return interrupted(ctx.Err())
			}
			return c.timedOut(said)
		case <-time.After(c.Interval):
		}
	}
}

func (c Wait) timedOut(said string) error {
	return ExitError{exitTimedOut, fmt.Errorf("gave up after %s (--timeout): %s", c.Timeout, said)}
}

// waited is what is known of a directory that is waited for.
type waited struct {
	*directory
	ledger *ledger.Ledger
	from   time.Time           // of the next poll
	seen   map[string]struct{} // ids of the matching tasks
}

// listedWithin is how late the API may list a task that has started.
const listedWithin = 2 * time.Minute

// polled is what one poll has found in all directories.
type polled struct {
	tasks   int
	running []string // what they are, for people
	failed  []string // subjects' latest tasks, with the reason
}

// poll reads what can have changed since the last one. The ledger knows which task
// is a subject's latest, and what resolves what. So that it sees what does, the API is asked
// for all types, statuses and principals; those that are not wanted are left out afterwards.
// There is an error for each directory that could not be read.
func (c Wait) poll(ctx context.Context, directories []*waited) (all polled, errs []error) {
	for _, d := range directories {
		f := d.filter
		f.PrincipalType, f.PrincipalID = "", ""
		batch, began := ledger.NewBatch(), d.client.Now()
		_, err := c.read(ctx, d.directory, task.Query{Filter: f, From: d.from}, func(tasks []task.Task) {
			batch.Add(tasks)
			for _, t := range tasks {
				if c.wants(d.filter, t) {
					d.seen[t.ID] = struct{}{}
				}
			}
		})
		if err != nil {
			errs = append(errs, err)
			continue
		}
		span := ledger.Span{Began: began, At: d.client.Now()}
		if !d.ledger.Complete() {
			span.Since = d.from
		}
		d.ledger.Apply(batch, span)
		if next := began.Add(-listedWithin); next.After(d.from) {
			d.from = next
		}
		prefix := ""
		if len(directories) > 1 {
			prefix = "directory " + d.DirectoryID + ": "
		}
		snapshot := d.ledger.Snapshot()
		all.tasks += len(d.seen)
		for _, t := range snapshot.Running {
			if t.Start.Before(d.from) { // its end is listed under its start
				d.from = t.Start
			}
			if c.wants(d.filter, t) {
				all.running = append(all.running, prefix+describe(d.shown(t)))
			}
		}
		for _, failure := range snapshot.Failures {
			if t := failure.Latest; c.wants(d.filter, t) {
				t = d.shown(t)
				why := cmp.Or(strings.Join(strings.Fields(t.FailureReason), " "), "the API gives no reason")
				all.failed = append(all.failed, prefix+describe(t)+" failed: "+why)
			}
		}
	}
	return all, errs
}

// wants reports whether a task is one of those to wait for.
func (c Wait) wants(f task.Filter, t task.Task) bool {
	return f.Matches(t) && (c.Type == "" || c.Type == t.Type) && (c.Status == "" || c.Status == t.Status)
}

// stays reports whether the API will not answer the next poll either.
func stays(err error) bool {
	var refused interface {
		ErrorKind() task.ErrorKind
		RefusesQuery() bool
	}
	if !errors.As(err, &refused) || refused.RefusesQuery() {
		return true
	}
	switch refused.ErrorKind() {
	case task.ErrorCredentials, task.ErrorPermission, task.ErrorNotFound:
		return true
	}
	return false
}

// state says what is waited for.
func (p polled) state(atLeast int, errs []error) string {
	switch {
	case errs != nil:
		return "Waiting for the API: " + strings.ReplaceAll(errors.Join(errs...).Error(), "\n", "; ")
	case len(p.running) == 0:
		return fmt.Sprintf("Waiting for tasks to be listed: %d of %d.", p.tasks, atLeast)
	}
	names := slices.Clone(p.running[:min(3, len(p.running))])
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
	return errors.New(strings.Join(p.failed, "\n"))
}

// describe names a task for people.
func describe(t task.Task) string {
	name := fmt.Sprintf("%s %s on %s", t.Type, cmp.Or(t.AccessConfigurationName, t.AccessConfigurationID), cmp.Or(t.TargetName, t.TargetID))
	if who := cmp.Or(t.PrincipalName, t.PrincipalID); who != "" {
		name += " for " + who
	}
	return name + " (" + t.ID + ")"
}
