// Package refresh decides when and what to ask the API about a directory, asks
// it, and publishes what is then known as one immutable State.
//
// Any number of scrapes share one attempt; an attempt that fails changes nothing
// but what is said of it. What a State shows is durable first. The package knows
// neither HTTP nor Prometheus: it has interfaces of its own for the API and the
// state folder.
package refresh

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"cloudsso_exporter/internal/histogram"
	"cloudsso_exporter/internal/ledger"
	"cloudsso_exporter/internal/task"
)

// Store is the state folder.
type Store interface {
	// Load replays what has been committed of a directory, in order. whole is
	// false where a damaged end was cut off.
	Load(directoryID string, replay func(ledger.Change) error) (whole bool, err error)
	// Commit makes c durable; where what was committed before cannot be gone on
	// with, all of the state instead.
	Commit(directoryID string, c ledger.Change, all func() ledger.Change) error
}

// timeEvery is how often a commit is made when nothing but the time has changed,
// so that a restart does not begin with an old snapshot.
const timeEvery = 5 * time.Minute

// Settings are what the configuration says of a directory.
type Settings struct {
	DirectoryID string
	Name        string
	Region      string
	CacheTTL    time.Duration
	Shown       int  // unresolved failures shown one by one
	HideNames   bool // ids only
	TaskEvents  TaskEvents
	ledger.Settings
}

// Directory keeps one directory's State fresh. It is safe for concurrent use.
type Directory struct {
	now   func() time.Time // local time
	store Store            // nil: nothing survives a restart
	log   *slog.Logger
	meter *Meter

	// The ledger, the reader and the oddities belong to the flight until it is answered,
	// then to who holds mu; the walk for drift belongs to the flight until it is done.
	ledger    *ledger.Ledger
	restored  bool      // what the store has is in the ledger
	committed time.Time // when the ledger was last made durable, API time
	reader    *reader
	odd       map[ledger.Oddity]time.Time // when each kind was last logged, API time
	drift     drift

	mu         sync.Mutex
	set        Settings
	flight     *flight            // nil: nothing is under way
	cancel     context.CancelFunc // of the flight
	closed     bool
	started    time.Time // of the last attempt, local time
	progressed time.Time // when the log last said how far a read has come, local time
	failures   int       // refreshes in a row that failed at the API
	pub        State     // what is published, but for the meter's part
	duration   *histogram.Histogram
	state      *State // what was last given out; nil when something changed since
	counted    int    // requests, in state
}

// NewDirectory returns a directory of which nothing is known; its first attempt
// begins with what the store has of it. api is the client to ask it with, meter
// the one that counts the client's requests.
func NewDirectory(set Settings, api api, meter *Meter, store Store, now func() time.Time, log *slog.Logger) *Directory {
	d := &Directory{
		now: now, store: store, meter: meter, set: set,
		log:      log.With("directory_id", set.DirectoryID),
		ledger:   ledger.New(set.Settings),
		restored: store == nil,
		duration: histogram.New(refreshBounds(), now()),
		odd:      map[ledger.Oddity]time.Time{},
	}
	d.reader = &reader{api: api, now: now, margin: firstMargin, ghosts: ghosts{}, onPage: d.onPage}
	d.describe()
	return d
}

// restore takes up what the store has. It is shown under the settings it was read
// with, as that is what is complete; those that hold now come after.
func (d *Directory) restore() error {
	if d.restored {
		return nil
	}
	restored, err := ledger.Restore(d.set.Settings, func(replay func(ledger.Change) error) (bool, error) {
		return d.store.Load(d.set.DirectoryID, replay)
	})
	if err != nil {
		return storageError{fmt.Errorf("load the state of directory %s: %w", d.set.DirectoryID, err)}
	}
	d.restored = true
	d.ledger = restored
	d.drift = drift{Walk: restored.Walk()}
	if !restored.Complete() {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	snapshot := restored.Snapshot()
	d.pub.Snapshot, d.state = snapshot, nil
	restored.Configure(d.set.Settings)
	d.show()
	if snapshot == nil {
		return nil // the store has said that its end was damaged
	}
	d.pub.LastSuccess = snapshot.At
	d.log.Info("state restored; counters continue", "last_complete_refresh", snapshot.At, "tasks", restored.Len())
	return nil
}

// describe publishes what the settings say. It needs mu, or nobody else.
func (d *Directory) describe() {
	d.pub.DirectoryID = d.set.DirectoryID
	d.pub.Name = d.set.Name
	d.pub.Region = d.set.Region
	d.pub.Window = d.set.Window
	d.pub.CacheTTL = d.set.CacheTTL
	d.pub.Shown = d.set.Shown
	d.pub.HideNames = d.set.HideNames
	d.state = nil
}

// Meter is the meter that counts the directory's requests.
func (d *Directory) Meter() *Meter { return d.meter }

// State returns what there is to say of the directory now.
func (d *Directory) State() *State {
	d.mu.Lock()
	defer d.mu.Unlock()
	if requests := d.meter.total(); d.state == nil || d.counted != requests {
		d.counted = requests
		s := d.pub
		s.Offset = d.reader.api.Now().Sub(d.now())
		s.Duration = d.duration.Clone()
		s.Requests, s.RequestDuration = d.meter.read()
		d.state = &s
	}
	return d.state
}

// trigger begins an attempt if one is due, and returns the flight to wait for,
// nil when there is none.
func (d *Directory) trigger() *flight {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closed:
		return nil
	case d.flight != nil && !d.flight.isAnswered():
	case d.due():
		d.begin()
	case d.releaseDue():
		d.fly(d.release)
	default:
		return nil
	}
	return d.flight
}

// isNew reports whether there has been no attempt yet.
func (d *Directory) isNew() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.started.IsZero()
}

// due reports whether the next attempt may begin. A clock that was set back does not put it off.
func (d *Directory) due() bool {
	since := d.now().Sub(d.started)
	return d.started.IsZero() || since < 0 || since >= interval(d.failures, d.set.CacheTTL)
}

// interval is how long after the start of an attempt the next one is due. In an
// outage attempts thin out.
func interval(failures int, cacheTTL time.Duration) time.Duration {
	if failures >= 2 {
		return max(cacheTTL, time.Minute)
	}
	return cacheTTL
}

// begin starts an attempt in the background. It needs mu.
func (d *Directory) begin() {
	d.started = d.now()
	d.reader.probe, d.reader.unnamed = d.failures >= 2, d.set.HideNames
	d.pub.LastAttempt = d.reader.api.Now()
	d.state = nil
	d.fly(d.attempt)
}

// fly runs something that needs the ledger in the background. A flight that is
// answered and only walks for drift makes way. It needs mu, and no other flight.
func (d *Directory) fly(run func(context.Context, *flight)) {
	last := d.flight
	if last != nil {
		d.cancel()
	}
	ctx, cancel := context.WithCancel(context.Background())
	f := newFlight(d.now())
	d.flight, d.cancel = f, cancel
	d.meter.Pause(f.began) // it does not wait for what the last one did
	go func() {
		defer close(f.done)
		defer cancel()
		if last != nil {
			<-last.done
		}
		run(ctx, f)
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.flight == f {
			d.flight, d.cancel = nil, nil
		}
		if !f.isAnswered() {
			close(f.answered)
		}
	}()
}

// releaseDue reports whether the hold of a counter series is over. It needs mu, and no flight that is not answered.
func (d *Directory) releaseDue() bool {
	next := d.ledger.NextRelease()
	return !next.IsZero() && !d.reader.api.Now().Before(next)
}

// release ends holds of counter series between attempts.
func (d *Directory) release(context.Context, *flight) {
	d.ledger.Release(d.reader.api.Now())
	if err := d.commit(); err != nil {
		return // the next attempt says so
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.show()
}

// show publishes the ledger as it is now, unless the settings show more than has
// been read: then the last complete snapshot stays. It needs mu and the ledger.
func (d *Directory) show() {
	if !d.ledger.NeedsFull() {
		d.pub.Snapshot = d.ledger.Snapshot()
		d.state = nil
	}
}

// commit makes durable what the ledger has learned.
func (d *Directory) commit() error {
	now := d.reader.api.Now()
	if d.store != nil && (d.ledger.Changed() || now.Sub(d.committed).Abs() >= timeEvery) {
		if err := d.store.Commit(d.set.DirectoryID, d.ledger.Change(), d.ledger.Everything); err != nil {
			return storageError{err}
		}
		d.committed = now
	}
	d.ledger.Committed(now)
	return nil
}

type storageError struct{ error }

func (storageError) ErrorKind() task.ErrorKind { return task.ErrorStorage }
func (e storageError) Unwrap() error           { return e.error }

// onPage publishes how far a long read has come.
func (d *Directory) onPage(rd *reading) {
	if !rd.plan.Full && rd.pages < longRead {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.pub.Progress = &Progress{Pages: rd.pages, Tasks: rd.batch.Len(), Since: rd.began}
	d.state = nil
	if now := d.now(); now.Sub(later(d.started, d.progressed)) >= progressEvery {
		d.progressed = now
		d.log.Info("a long read is in progress; nothing new is shown until it is complete", "pages", rd.pages, "tasks", rd.batch.Len())
	}
}
