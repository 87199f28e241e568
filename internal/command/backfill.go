package command

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/model"

	"cloudsso_exporter/collector"
	"cloudsso_exporter/internal/ledger"
	"cloudsso_exporter/internal/refresh"
	"cloudsso_exporter/internal/task"
)

// Backfill writes what the exporter would have shown during the past 7 days, as
// OpenMetrics text for promtool.
type Backfill struct {
	Listing
	Step   time.Duration // between two samples of a series
	Until  string        // a duration or an RFC 3339 time; empty: until now
	Labels []string      // name=value, for each series
	Output string        // path of a file; empty: Out
}

// Run reads all that is listed, and then shows it step by step.
func (c Backfill) Run(ctx context.Context) error {
	if c.Step < 10*time.Second || c.Step > time.Hour || c.Step%time.Second != 0 {
		return UsageError{fmt.Errorf("--step=%s must be whole seconds, from 10s to 1h", c.Step)}
	}
	var until time.Time
	if c.Until != "" {
		var err error
		if until, err = c.moment("--until", c.Until); err != nil {
			return err
		}
	}
	labels, err := labelsOf(c.Labels)
	if err != nil {
		return UsageError{err}
	}
	directories, err := c.open()
	if err != nil {
		return err
	}
	return c.whole(func(w *bufio.Writer) error {
		past := newPast(c.Step, labels)
		var errs []error
		for _, d := range directories {
			began := c.Now()
			tasks, from, err := c.all(ctx, d, task.Query{Filter: d.filter, From: began.Add(-ledger.Retention)})
			if ctx.Err() != nil {
				return err
			}
			if errs = append(errs, err); errors.Join(errs...) != nil {
				continue // to see what is wrong with the others
			}
			to := d.client.Now().Add(began.Sub(c.Now())) // the API's clock is known by now
			if !until.IsZero() && until.Before(to) {
				to = until
			}
			if err := c.replay(ctx, d.Settings, tasks, from, to, past.add); err != nil {
				return err
			}
		}
		if err := errors.Join(errs...); err != nil {
			return err
		}
		return past.write(ctx, w)
	})
}

// listed is a task as the API lists it from some moment on.
type listed struct {
	at   time.Time
	task *task.Task
	ends bool // with this; until then it is in progress
}

func (l listed) answer() task.Task {
	t := *l.task
	if !l.ends && t.Finished() {
		t.Status, t.End, t.FailureReason = task.InProgress, time.Time{}, ""
	}
	return t
}

// replay shows the tasks to a ledger as the API listed them at each step, and what the ledger
// makes of them to show. Steps are multiples of Step. They begin with a whole hour: tasks that
// started earlier are left out, so that two runs within an hour know the same.
func (c Backfill) replay(ctx context.Context, set refresh.Settings, tasks map[string]task.Task, from, to time.Time, show func(time.Time, *refresh.State) error) error {
	from = from.Add(time.Hour - 1).Truncate(time.Hour)
	var changes []listed
	for _, t := range tasks {
		if t.Start.IsZero() {
			t.Start = t.End // as the ledger has it
		}
		if t.Start.Before(from) {
			continue
		}
		lasts := t.Finished() && t.End.After(t.Start)
		changes = append(changes, listed{t.Start, &t, !lasts})
		if lasts {
			changes = append(changes, listed{t.End, &t, true})
		}
	}
	slices.SortFunc(changes, func(a, b listed) int { return a.at.Compare(b.at) })
	if isTerminal(c.Err) {
		defer fmt.Fprint(c.Err, "\r\x1b[K")
	}
	l := ledger.New(set.Settings)
	for at := from.Add(c.Step - 1).Truncate(c.Step); !at.After(to); at = at.Add(c.Step) {
		if ctx.Err() != nil {
			return interrupted(ctx.Err())
		}
		if isTerminal(c.Err) && at.Equal(at.Truncate(time.Hour)) {
			fmt.Fprintf(c.Err, "\r%s: %s\x1b[K", set.DirectoryID, at.Format("Mon 2 Jan 15:04"))
		}
		batch, span := ledger.NewBatch(), ledger.Span{Began: at, At: at}
		if !l.Complete() {
			span.Since = from // there is nothing yet: what follows is counted
		} else {
			for len(changes) > 0 && !changes[0].at.After(at) {
				batch.Add([]task.Task{changes[0].answer()})
				changes = changes[1:]
			}
		}
		l.Apply(batch, span)
		l.Committed(at)
		if err := show(at, &refresh.State{
			DirectoryID: set.DirectoryID, Name: set.Name, Region: set.Region,
			Window: set.Window, Shown: set.Shown, HideNames: set.HideNames, Snapshot: l.Snapshot(),
		}); err != nil {
			return err
		}
	}
	return nil
}

// labelsOf reads labels as flags have them.
func labelsOf(flags []string) (pairs []*dto.LabelPair, err error) {
	taken := map[string]string{model.MetricNameLabel: "a label of Prometheus' own", model.BucketLabel: "a label of histograms"}
	for _, m := range collector.Metrics() {
		for _, name := range m.Labels {
			taken[name] = "a label of the exporter's own"
		}
	}
	for _, flag := range flags {
		name, value, _ := strings.Cut(flag, "=")
		why := taken[name]
		switch {
		case !model.LegacyValidation.IsValidLabelName(name) || value == "" || !model.LabelValue(value).IsValid():
			why = "not NAME=VALUE, such as job=cloudsso"
		case why == "" && strings.HasPrefix(name, model.ReservedLabelPrefix):
			why = "a label of Prometheus' own"
		}
		if why != "" {
			return nil, fmt.Errorf("--label=%s is %s", flag, why)
		}
		taken[name] = "given twice"
		pairs = append(pairs, &dto.LabelPair{Name: &name, Value: &value})
	}
	return pairs, nil
}

// whole has fill write the output. A file appears under its name when it is whole, or not at all;
// whether it can be written shows before the API is asked.
func (c Backfill) whole(fill func(*bufio.Writer) error) error {
	out := c.Out
	var file *os.File
	if c.Output != "" {
		if info, err := os.Stat(c.Output); err == nil && !info.Mode().IsRegular() {
			return fmt.Errorf("--output=%s is not a regular file", c.Output)
		}
		var err error
		if file, err = os.OpenFile(fmt.Sprintf("%s.%d.tmp", c.Output, os.Getpid()), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666); err != nil {
			return fmt.Errorf("--output: %w", err)
		}
		defer os.Remove(file.Name())
		defer file.Close()
		out = file
	}
	w := bufio.NewWriterSize(out, 1<<16)
	err := fill(w)
	if err == nil {
		err = w.Flush()
	}
	if err != nil || file == nil {
		return err
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), c.Output)
}
