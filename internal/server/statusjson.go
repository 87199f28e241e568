package server

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/prometheus/common/version"

	"cloudsso_exporter/internal/refresh"
)

// status is the answer of /api/v1/status. docs/http-api.md describes it.
type status struct {
	Version     string            `json:"version"`
	Reloaded    bool              `json:"config_last_reload_successful"`
	Directories []directoryStatus `json:"directories"`
}

// directoryStatus is null where something is not known (yet) or there is none.
type directoryStatus struct {
	DirectoryID        string     `json:"directory_id"`
	Name               string     `json:"name"`
	Region             string     `json:"region"`
	Up                 *bool      `json:"up"`
	LastError          *lastError `json:"last_error"`
	LastAttempt        *time.Time `json:"last_attempt"`
	LastSuccess        *time.Time `json:"last_success"`
	SnapshotAgeSeconds *float64   `json:"snapshot_age_seconds"`
	NextAttempt        *time.Time `json:"next_attempt"`
	Progress           *progress  `json:"progress"`
	Calls              []calls    `json:"calls"`
}

type lastError struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
}

type progress struct {
	Pages int        `json:"pages"`
	Tasks int        `json:"tasks"`
	Since *time.Time `json:"since"`
}

type calls struct {
	Action string `json:"action"`
	Code   string `json:"code"`
	Count  uint64 `json:"count"`
}

func (s *server) statusJSON(w http.ResponseWriter, r *http.Request) {
	if s.query(r).refuse(w) {
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	if err := e.Encode(s.statusNow()); err != nil {
		s.Log.Debug("the status could not be sent", "err", err)
	}
}

func (s *server) statusNow() status {
	out := status{Version: version.Version, Reloaded: s.reloaded(), Directories: []directoryStatus{}}
	now := s.Now()
	for _, state := range s.Refresher.States() {
		out.Directories = append(out.Directories, statusOf(state, now))
	}
	return out
}

func statusOf(s *refresh.State, now time.Time) directoryStatus {
	d := directoryStatus{
		DirectoryID: s.DirectoryID,
		Name:        s.Name,
		Region:      s.Region,
		LastAttempt: moment(s.LastAttempt),
		LastSuccess: moment(s.LastSuccess),
		NextAttempt: moment(s.NextAttempt),
		Up:          up(s),
		Calls:       []calls{},
	}
	if s.Attempted && !s.Up {
		d.LastError = &lastError{Kind: string(s.ErrorKind), Message: s.Error}
	}
	if d.LastSuccess != nil {
		d.SnapshotAgeSeconds = new(max(0, now.Add(s.Offset).Sub(s.LastSuccess)).Round(time.Millisecond).Seconds())
	}
	if p := s.Progress; p != nil {
		d.Progress = &progress{Pages: p.Pages, Tasks: p.Tasks, Since: moment(p.Since)}
	}
	for _, r := range s.Requests {
		d.Calls = append(d.Calls, calls{Action: r.Action, Code: r.Code, Count: r.N})
	}
	return d
}

// up is whether the last refresh succeeded, nil before the first has ended.
func up(s *refresh.State) *bool {
	if !s.Attempted {
		return nil
	}
	return new(s.Up)
}

// moment is t in UTC to the millisecond, nil when it is not known.
func moment(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return new(t.UTC().Truncate(time.Millisecond))
}
