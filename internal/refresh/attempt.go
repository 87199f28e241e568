package refresh

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"cloudsso_exporter/internal/ledger"
	"cloudsso_exporter/internal/task"
)

// oddityEvery is how often an oddity of one kind is logged at most.
const oddityEvery = time.Hour

// usualSpacing is the most that refreshes are apart while somebody scrapes as usual.
const usualSpacing = 10 * time.Minute

// progressEvery is how often a long read says how far it has come.
const progressEvery = 30 * time.Second

// attempt is one refresh: read all that the plan asks, take it in, make it
// durable, publish it; then walk on for drift. An attempt that is cancelled
// before it is published leaves no trace but what it has read of a full read.
func (d *Directory) attempt(ctx context.Context, f *flight) {
	local := d.now()
	if err := d.restore(); err != nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.failed(err)
		close(f.answered)
		return
	}
	first := !d.ledger.Complete()
	known := d.known()
	batch, span, err := d.reader.read(ctx, known)
	if ctx.Err() != nil {
		return
	}
	pages := 0
	if err == nil {
		batch.AddMissing(d.drift.take())
		d.report(d.ledger.Apply(batch, span), span.At)
		pages = d.walkNext(known, span.At)
		d.ledger.SetWalk(d.drift.Walk)
	} else {
		d.ledger.Release(d.reader.api.Now()) // holds that are over do not wait for the API
	}
	if d.ledger.Complete() {
		if failed := d.commit(); err == nil {
			err = failed
		} else if failed != nil {
			err = fmt.Errorf("%w; %w", err, failed) // not errors.Join: an error is a line
		}
	}
	took := d.now().Sub(local)

	d.mu.Lock()
	d.duration.Observe(took)
	d.show()
	d.state = nil
	var stored storageError
	switch read := !span.At.IsZero(); {
	case read && err == nil:
		d.succeeded(span, batch, first, took)
	case read && errors.As(err, &stored): // the gauges go on
		d.failures = 0
		d.pub.LastSuccess, d.pub.Progress = span.At, nil
		d.failed(err)
	default:
		d.failures++
		d.failed(err)
	}
	d.pub.NextAttempt = d.reader.api.Now().Add(max(0, interval(d.failures, d.set.CacheTTL)-d.now().Sub(d.started)))
	api := d.reader.api
	close(f.answered)
	d.mu.Unlock()

	d.drift.walk(ctx, api, pages, d.news)
}

// news picks the answers that say something that is not known.
func (d *Directory) news(tasks []task.Task) []task.Task {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(d.reader.named(tasks)), d.ledger.Knows)
}

// walkNext is how many pages of the walk for drift to read after this refresh.
func (d *Directory) walkNext(before Known, now time.Time) int {
	if before.Full { // what has just been read is the walk
		d.drift.rest(now)
		return 0
	}
	window := d.set.Window
	spacing := min(now.Sub(before.From), usualSpacing) // not that of a gap
	return d.drift.plan(now, spacing, window, calls(d.ledger.StartedSince(now.Add(-window))))
}

// succeeded publishes a success. It needs mu.
func (d *Directory) succeeded(span ledger.Span, batch *ledger.Batch, first bool, took time.Duration) {
	switch {
	case !d.pub.Up && d.pub.Error != "":
		d.log.Info("refresh succeeds again", "took", took, "tasks_read", batch.Len())
	case first:
		d.log.Info("first complete refresh; the tasks listed so far are the baseline and counters start at 0",
			"took", took, "tasks", batch.Len(), "unresolved_failures", len(d.pub.Snapshot.Failures))
	default:
		d.log.Debug("refresh succeeded", "took", took, "tasks_read", batch.Len())
	}
	d.failures = 0
	d.pub.Attempted = true
	d.pub.Succeeded++
	d.pub.Up, d.pub.ErrorKind, d.pub.Error = true, "", ""
	d.pub.LastSuccess, d.pub.Progress = span.At, nil
}

// failed publishes a failure. It needs mu.
func (d *Directory) failed(err error) {
	d.pub.Attempted, d.state = true, nil
	d.pub.FailedAttempts++
	d.pub.Up, d.pub.ErrorKind, d.pub.Error = false, kindOf(err), err.Error()
	shown := "the last complete snapshot stays"
	switch {
	case !d.ledger.Complete():
		shown = "no snapshot is complete yet"
	case kindOf(err) == task.ErrorStorage:
		shown = "gauges go on, counters keep their last durable value"
	}
	d.log.Warn("refresh failed: "+shown, "kind", kindOf(err), "err", err,
		"failures_in_a_row", d.failures, "next_attempt_in", interval(d.failures, d.set.CacheTTL))
}

func (d *Directory) known() Known {
	return Known{
		From:         d.ledger.From(),
		Full:         d.ledger.NeedsFull(),
		Running:      d.ledger.Running(),
		StartedSince: d.ledger.StartedSince,
	}
}

// report logs what an operator may want to know of a batch, each kind of oddity at most once an hour.
func (d *Directory) report(r ledger.Report, now time.Time) {
	for oddity, id := range r.Oddities {
		if last, ok := d.odd[oddity]; ok && now.Sub(last) < oddityEvery {
			continue
		}
		d.odd[oddity] = now
		d.log.Warn("unexpected answer from the API: "+string(oddity), "task_id", id)
	}
	d.logEvents(r.Events)
}
