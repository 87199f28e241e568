package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"golang.org/x/term"

	"cloudsso_exporter/apiclient"
	"cloudsso_exporter/internal/config"
	"cloudsso_exporter/internal/ledger"
	"cloudsso_exporter/internal/refresh"
	"cloudsso_exporter/internal/task"
)

// Listing is what tasks and wait ask the API for. Out and Err may be terminals.
type Listing struct {
	Source
	Filter    task.Filter
	Type      task.Type
	Status    task.Status
	Since     string // a duration or an RFC 3339 time
	Now       func() time.Time
	Transport http.RoundTripper
	Out, Err  io.Writer
}

// ExitError ends the process with a code of its own.
type ExitError struct {
	Code int
	Err  error
}

// Error is the text of Err.
func (e ExitError) Error() string { return e.Err.Error() }

// margin keeps the Filter of a read within the 7 days that the API allows, at each of its pages.
const margin = 5 * time.Minute

// directory is one of those to list.
type directory struct {
	client *apiclient.Client
	filter task.Filter // what the flags say, before what the configuration says
	margin time.Duration
	failed error // why a call was tried again; nil once the directory has been read
	refresh.Settings
}

// open loads the configuration and completes the filter.
func (l *Listing) open() ([]*directory, error) {
	if err := l.complete(); err != nil {
		return nil, UsageError{err}
	}
	conf, err := l.load()
	if err != nil {
		return nil, err
	}
	shared := exporter{now: l.Now}
	limiters := shared.limitersFor(conf)
	keys, err := shared.credentialsFor(conf)
	if err != nil {
		return nil, err
	}
	var all []*directory
	for _, d := range conf.Directories {
		c := clientConfig(conf, d, keys[d.Credential], l.Transport, l.Now)
		c.Filter, c.Limiter = task.Filter{}, limiters[accountOf(d)]
		opened := &directory{filter: l.Filter.Over(d.Filter), margin: margin, Settings: shared.settings(conf, d)}
		c.OnRetry = func(_ time.Duration, err error) { opened.failed = cmp.Or(err, opened.failed) }
		opened.client = apiclient.New(c)
		all = append(all, opened)
	}
	return all, nil
}

// complete sets the types that follow from ids: the API ignores half a pair.
func (l *Listing) complete() error {
	f := &l.Filter
	if f.TargetID != "" {
		f.TargetType = "RD-Account"
	}
	switch {
	case f.PrincipalID == "" && f.PrincipalType != "":
		return errors.New("--principal-type needs --principal-id")
	case f.PrincipalID == "" || f.PrincipalType != "":
	case strings.HasPrefix(f.PrincipalID, "u-"):
		f.PrincipalType = "User"
	case strings.HasPrefix(f.PrincipalID, "g-"):
		f.PrincipalType = "Group"
	default:
		return errors.New("--principal-id begins with neither u- nor g-: add --principal-type=User or Group")
	}
	return nil
}

// from is the moment that --since names.
func (l *Listing) from() (time.Time, error) { return l.moment("--since", l.Since) }

// moment is the one that a flag names.
func (l *Listing) moment(flag, text string) (time.Time, error) {
	now := l.Now()
	since, err := model.ParseDuration(text)
	at := now.Add(-time.Duration(since))
	if parsed, timeErr := time.Parse(time.RFC3339, text); timeErr == nil {
		at, err = parsed, nil
	}
	switch {
	case err != nil:
		return at, UsageError{fmt.Errorf("%s=%s is not a duration, such as 24h or 7d, or a time, such as 2026-11-25T08:00:00Z", flag, text)}
	case at.After(now):
		return at, UsageError{fmt.Errorf("%s=%s is in the future", flag, text)}
	case now.Sub(at) > ledger.Retention:
		return at, UsageError{fmt.Errorf("%s=%s is more than 7 days ago: the API lists no older tasks", flag, text)}
	}
	return at, nil
}

// all reads the tasks that q asks for, by id, and says from which start on they are listed.
func (l *Listing) all(ctx context.Context, d *directory, q task.Query) (found map[string]task.Task, from time.Time, err error) {
	found = map[string]task.Task{} // pages may overlap, and list a task again once it has ended
	from, err = l.read(ctx, d, q, func(tasks []task.Task) {
		for _, t := range tasks {
			if old, again := found[t.ID]; !again || t.Finished() || !old.Finished() {
				found[t.ID] = t
			}
		}
	})
	if ctx.Err() != nil {
		err = interrupted(ctx.Err())
	}
	return found, from, err
}

// read gives every page of an answer to q to add, and returns the Filter that it was read with.
// A terminal sees how far it has come. A read that takes so long that its Filter becomes too old
// begins again with a wider margin.
func (l *Listing) read(ctx context.Context, d *directory, q task.Query, add func([]task.Task)) (time.Time, error) {
	wanted := q.From
	for {
		q.From = wanted
		oldest := d.client.Now().Add(d.margin - ledger.Retention)
		tooOld := wanted.Before(oldest)
		if tooOld {
			q.From = oldest
		}
		err := l.pages(ctx, d, q, add)
		var refused interface{ RefusesQuery() bool }
		if tooOld && d.margin < time.Hour && errors.As(err, &refused) && refused.RefusesQuery() {
			d.margin *= 4
			continue
		}
		if err != nil {
			return q.From, d.named(err)
		}
		d.failed = nil
		return q.From, nil
	}
}

// named has an error say which directory it is about.
func (d *directory) named(err error) error {
	return fmt.Errorf("directory %s: %w", d.DirectoryID, err)
}

func (l *Listing) pages(ctx context.Context, d *directory, q task.Query, add func([]task.Task)) error {
	n := 0
	if isTerminal(l.Err) {
		defer fmt.Fprint(l.Err, "\r\x1b[K")
	}
	for page, err := range d.client.Pages(ctx, q, task.Paging{}) {
		if err != nil {
			return err
		}
		add(page.Tasks)
		if n += len(page.Tasks); isTerminal(l.Err) && page.Next != "" {
			fmt.Fprintf(l.Err, "\r%s: %d tasks read…", d.DirectoryID, n)
		}
	}
	return nil
}

// shown is t with no more of it than the configuration allows to show.
func (d *directory) shown(t task.Task) task.Task {
	if !d.HideNames {
		return t
	}
	hidden := t.WithoutNames()
	if t.Status == task.Failed {
		hidden.FailureReason, _ = d.Reasons.Classify(t)
	}
	return hidden
}

// interrupted is the end of a command that was stopped by hand.
func interrupted(err error) error {
	return ExitError{130, fmt.Errorf("stopped: %w", err)}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(interface{ Fd() uintptr })
	return ok && term.IsTerminal(int(f.Fd()))
}

// choose narrows a configuration to one directory.
func choose(c *config.Config, id string) (*config.Config, error) {
	for _, d := range c.Directories {
		if d.ID == id {
			chosen := *c
			chosen.Directories = []config.Directory{d}
			return &chosen, nil
		}
	}
	var ids []string
	for _, d := range c.Directories {
		ids = append(ids, d.ID)
	}
	return nil, fmt.Errorf("--directory-id=%s is not in the file; it has %s", id, strings.Join(ids, ", "))
}
