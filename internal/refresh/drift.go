package refresh

import (
	"context"
	"time"

	"cloudsso_exporter/internal/ledger"
	"cloudsso_exporter/internal/task"
)

// driftShare is which part of the calls that reading the window at every refresh
// would make goes into the walk for drift, driftCalls how many it makes after a
// refresh at most, on average, and driftRest how long it rests after a full read.
const (
	driftShare = 0.002
	driftCalls = 10
	driftRest  = time.Hour
)

// drift is a slow walk through the whole window beside the refreshes, a few
// pages at a time, that finds what no plan would: a task that was listed later
// than the overlap, or whose answer was wrong when it was read. Its pages are read
// when a refresh has been published, so that no scrape waits for them, and taken
// in by the next one.
//
// At its usual pace it takes 1/driftShare refreshes, or more in a window of many
// pages; where the API does not take a token or a Filter for so long, it saves up
// its calls and takes fewer refreshes.
type drift struct {
	ledger.Walk
	found []task.Task // what is not known and not taken in yet
}

const maxPace = 1 / driftShare

// rest lets no walk begin for a while: at now the whole window has been read at once.
func (w *drift) rest(now time.Time) {
	// One call is there from the start: a window of one page is not to wait for it to add up.
	w.Rested, w.Credit, w.Active = now.Add(driftRest), 1, false
}

// plan decides how many pages to read after the refresh that has just been
// made, spacing after the last one, of a window that takes so many calls to read.
func (w *drift) plan(now time.Time, spacing, window time.Duration, size int) (pages int) {
	if now.Before(w.Rested) {
		return 0
	}
	share := min(driftShare*float64(size), driftCalls)
	w.Pace = max(w.Pace, 1)
	w.Credit = min(w.Credit+share, float64(size))
	if !w.Active && w.Credit >= float64(size)*(1-1/w.Pace) {
		lasts := float64(size) / share / w.Pace * float64(spacing)
		w.begin(now, window, time.Duration(1.5*lasts))
	}
	if !w.Active {
		return 0
	}
	pages = int(min(w.Credit, max(1, w.Pace*share)))
	w.Credit -= float64(pages)
	return pages
}

// begin starts a walk. The API may check the age of the Filter at each page, so
// that it has to be good until the end.
func (w *drift) begin(now time.Time, window, lasts time.Duration) {
	margin := min(lasts+firstMargin, maxMargin)
	w.From = later(now.Add(-window), now.Add(margin-listed)).Truncate(time.Second)
	w.Token, w.Active = "", true
}

// walk reads so many pages and keeps what is news of them. An error ends it: it goes on after the next refresh.
func (w *drift) walk(ctx context.Context, api api, pages int, news func([]task.Task) []task.Task) {
	if pages == 0 {
		return
	}
	for page, err := range api.Pages(ctx, task.Query{From: w.From}, task.Paging{Token: w.Token, NoRetry: true}) {
		if err != nil {
			if refusesQuery(err) { // the token or the Filter is too old
				w.Active = false
				w.Pace = min(4*w.Pace, maxPace)
			}
			return
		}
		w.found = append(w.found, news(page.Tasks)...)
		w.Token = page.Next
		w.Active = page.Next != ""
		if pages--; pages == 0 || !w.Active {
			return
		}
	}
}

// take returns what has been found and not taken in.
func (w *drift) take() []task.Task {
	found := w.found
	w.found = nil
	return found
}
