package refresh

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"cloudsso_exporter/internal/ledger"
	"cloudsso_exporter/internal/task"
)

// api is ListTasks of one directory.
type api interface {
	// Pages pages through q and stops at the first error.
	Pages(ctx context.Context, q task.Query, p task.Paging) iter.Seq2[task.Page, error]
	// Now is API time: local time and the offset learned from the API's answers.
	Now() time.Time
}

// clockTolerance is by how much API time may move during a read before what was
// planned with the old time is planned again.
const clockTolerance = 5 * time.Second

// Margins keep a Filter from being refused: the API takes none older than 7
// days, perhaps at each page, so that the margin has to cover the whole read.
const (
	firstMargin   = 5 * time.Minute
	refusedMargin = 30 * time.Minute
	// strictMargin is as far as it grows while the very first call is refused: more likely it is not the Filter.
	strictMargin = 4 * time.Hour
	maxMargin    = listed / 2
)

// agingRead is how long a read of all that is listed takes until it is begun anew with a margin
// that is good for a longer one: it costs less than being refused on the way.
const agingRead = firstMargin / 2

// longRead is from how many pages on a read shows its progress.
const longRead = 10

// errReplan says that the plan was made with a wrong idea of the time it is or takes.
var errReplan = errors.New("the plan assumed another time")

// reading is a read under way: what it has got so far and where it stopped. One
// that was interrupted goes on later.
type reading struct {
	plan        Plan
	batch       *ledger.Batch
	first       time.Time // when it began, API time
	began       time.Time // the same, or when it began to list what had started meanwhile
	next        int       // index of the query being read
	token       string    // where it stopped within that query
	resumed     bool      // the token is from an earlier attempt
	interrupted bool      // it has stopped before its end
	pages       int
}

// reader reads a directory by plan. It belongs to the attempt under way.
type reader struct {
	api         api
	now         func() time.Time // local time
	probe       bool             // the first call is a single one without retry
	unnamed     bool             // no name is kept of what is read
	margin      time.Duration    // grows when the API refuses a Filter
	interrupted *reading         // to be gone on with; nil when there is none
	ghosts      ghosts
	onPage      func(*reading)
}

// read asks everything the plan for k says, and returns it whole or not at all.
func (r *reader) read(ctx context.Context, k Known) (*ledger.Batch, ledger.Span, error) {
	for replans := 0; ; {
		k.Margin = r.margin
		rd := r.interrupted
		r.interrupted = nil
		if rd == nil {
			now := r.api.Now()
			rd = &reading{plan: MakePlan(k, now), batch: ledger.NewBatch(), first: now, began: now}
		} else {
			rd.resumed = rd.token != ""
		}
		err := r.run(ctx, rd, k)
		switch {
		case err == nil:
			span := ledger.Span{First: rd.first, Began: rd.began, At: r.api.Now()}
			if rd.plan.Full {
				span.Since = rd.plan.Since
			}
			return rd.batch, span, nil
		case errors.Is(err, errReplan) && replans < 3:
			replans++
		case r.refused(err, rd) && ctx.Err() == nil:
		default:
			if rd.pages > 0 {
				rd.interrupted = true
				r.interrupted = rd
			}
			return nil, ledger.Span{}, err
		}
	}
}

// refused reports whether a query was refused for a reason that another try can
// mend: a token that no longer holds, or a Filter that has become too old.
func (r *reader) refused(err error, rd *reading) bool {
	if !refusesQuery(err) {
		return false
	}
	if rd.resumed {
		return true // without the token this time
	}
	asked := rd.plan.Queries[min(rd.next, len(rd.plan.Queries)-1)].From
	if asked.After(rd.plan.Listed.Add(r.margin)) || r.margin >= maxMargin {
		return false
	}
	if rd.pages == 0 { // not the time that reading took; perhaps the margin all the same, for the next refresh
		r.margin = max(r.margin, min(max(2*r.margin, refusedMargin), strictMargin))
		return false
	}
	took := r.api.Now().Sub(rd.began)
	if r.margin >= refusedMargin && 2*took < r.margin {
		return false // no Filter has become too old so soon: it is something else that is refused
	}
	r.margin = min(max(2*r.margin, 2*took, refusedMargin), maxMargin)
	return true
}

// run asks what is left of the reading.
func (r *reader) run(ctx context.Context, rd *reading, k Known) error {
	for ; rd.next < len(rd.plan.Queries); rd.next++ {
		if err := r.query(ctx, rd, rd.plan.Queries[rd.next]); err != nil {
			return err
		}
	}
	now := r.api.Now()
	r.ghosts.keep(k.Running)
	missing := rd.plan.Missing(k, func(id string) bool { return rd.batch.Has(id) || r.ghosts.quiet(id, now) })
	for _, q := range Stragglers(k, missing) {
		err := r.small(ctx, rd, q)
		gone := q.Filter != (task.Filter{}) && (refusesQuery(err) || kindOf(err) == task.ErrorNotFound)
		if err != nil && !gone { // what it names is gone, and so is the task
			return err
		}
	}
	r.ghosts.note(missing, rd.batch.Has, now)
	if rd.pages <= len(rd.plan.Queries) || !rd.plan.Full && !rd.interrupted {
		return nil
	}
	// Tasks that started while a read lasted may be listed before the pages it had read.
	began := r.api.Now()
	if err := r.small(ctx, rd, task.Query{From: rd.began.Add(-Overlap).Truncate(time.Second)}); err != nil {
		return err
	}
	rd.began = began
	return nil
}

// small is query for one that begins anew when it is cut off.
func (r *reader) small(ctx context.Context, rd *reading, q task.Query) error {
	err := r.query(ctx, rd, q)
	if err != nil {
		rd.token = ""
	}
	return err
}

// query pages through q, from where the reading stopped.
func (r *reader) query(ctx context.Context, rd *reading, q task.Query) error {
	for {
		planned, local := r.api.Now(), r.now()
		probing, first := r.probe, rd.pages == 0
		for page, err := range r.api.Pages(ctx, q, task.Paging{Token: rd.token, NoRetry: probing}) {
			if first {
				first = false
				moved := r.api.Now().Sub(planned) - r.now().Sub(local)
				if moved.Abs() >= clockTolerance && rd.replan(moved) {
					return errReplan
				}
			}
			if err != nil {
				return fmt.Errorf("tasks since %s: %w", q.From.UTC().Format(time.RFC3339), err)
			}
			rd.batch.Add(r.named(page.Tasks))
			rd.token, rd.resumed = page.Next, false
			rd.pages++
			r.probe = false
			r.onPage(rd)
			if rd.token != "" && r.takesLong(rd, q) {
				r.margin = refusedMargin
				return errReplan
			}
			if probing {
				break // it answers: what is left is read as usual
			}
		}
		if rd.token == "" {
			return nil
		}
	}
}

// named is what is kept of tasks: all, or no names. The text of a failure stays until it is classified.
func (r *reader) named(tasks []task.Task) []task.Task {
	if !r.unnamed {
		return tasks
	}
	kept := make([]task.Task, len(tasks))
	for i, t := range tasks {
		kept[i] = t.WithoutNames()
		kept[i].FailureReason = t.FailureReason
	}
	return kept
}

// takesLong reports whether the Filter of a read may become too old before its end.
func (r *reader) takesLong(rd *reading, q task.Query) bool {
	return !rd.interrupted && r.margin < refusedMargin && !q.From.After(rd.plan.Listed) &&
		r.api.Now().Sub(rd.first) >= agingRead
}

// replan takes into account that the API's clock turned out to be ahead by
// moved, and reports whether the plan would have been another one.
func (rd *reading) replan(moved time.Duration) bool {
	rd.first, rd.began = rd.first.Add(moved), rd.began.Add(moved)
	return rd.plan.Since.Equal(rd.plan.Listed) // as that of a full read does
}

// kindOf is the kind of a read's error.
func kindOf(err error) task.ErrorKind {
	var kind interface{ ErrorKind() task.ErrorKind }
	if errors.As(err, &kind) {
		return kind.ErrorKind()
	}
	return task.ErrorOther
}

// refusesQuery reports whether the API refused what was asked: a parameter, the
// Filter or the token.
func refusesQuery(err error) bool {
	var refusal interface{ RefusesQuery() bool }
	return errors.As(err, &refusal) && refusal.RefusesQuery()
}
