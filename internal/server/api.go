package server

import (
	"bufio"
	"encoding/json"
	"iter"
	"net/http"
	"slices"
	"time"

	"cloudsso_exporter/internal/ledger"
	"cloudsso_exporter/internal/refresh"
	"cloudsso_exporter/internal/task"
)

// taskJSON is a task in the answers of /api/v1/tasks and /api/v1/failures. The
// keys are the metrics' label names. docs/http-api.md describes it.
type taskJSON struct {
	DirectoryID             string     `json:"directory_id"`
	TaskID                  string     `json:"task_id"`
	TaskType                string     `json:"task_type"`
	Status                  string     `json:"status"`
	AccessConfigurationID   string     `json:"access_configuration_id"`
	AccessConfigurationName string     `json:"access_configuration_name"`
	TargetID                string     `json:"target_id"`
	TargetName              string     `json:"target_name"`
	TargetPathName          string     `json:"target_path_name"`
	PrincipalType           string     `json:"principal_type"`
	PrincipalID             string     `json:"principal_id"`
	PrincipalName           string     `json:"principal_name"`
	OriginTargetID          string     `json:"origin_target_id"`
	Started                 *time.Time `json:"started"` // null when it is not known, as all times
	Ended                   *time.Time `json:"ended"`
	FailureReason           string     `json:"failure_reason"` // bounded, as in the metrics; empty unless it failed
	FailureText             string     `json:"failure_text"`   // as the API wrote it, its first 512 bytes
}

// failureJSON is an unresolved failure: its latest task, and the subject as it was when the streak began.
type failureJSON struct {
	taskJSON
	Since    *time.Time `json:"since"`
	Attempts int        `json:"attempts"`
}

func taskOf(s *refresh.State, t task.Task, reason string) taskJSON {
	if s.HideNames {
		t = t.WithoutNames()
	}
	return taskJSON{
		DirectoryID: s.DirectoryID, TaskID: t.ID, TaskType: string(t.Type), Status: string(t.Status),
		AccessConfigurationID: t.AccessConfigurationID, AccessConfigurationName: t.AccessConfigurationName,
		TargetID: t.TargetID, TargetName: t.TargetName, TargetPathName: t.TargetPathName,
		PrincipalType: t.PrincipalType, PrincipalID: t.PrincipalID, PrincipalName: t.PrincipalName,
		OriginTargetID: t.OriginTargetID, Started: moment(t.Start), Ended: moment(t.End),
		FailureReason: reason, FailureText: t.FailureReason,
	}
}

func failureOf(s *refresh.State, f ledger.Failure) failureJSON {
	t := f.Labels
	t.ID, t.Status, t.Start, t.End, t.FailureReason = f.Latest.ID, f.Latest.Status, f.Latest.Start, f.Latest.End, f.Latest.FailureReason
	return failureJSON{taskJSON: taskOf(s, t, f.Reason), Since: moment(f.Since), Attempts: f.Attempts}
}

// directoryJSON says what a list knows of a directory: an empty list means
// nothing where up is not true.
type directoryJSON struct {
	DirectoryID string     `json:"directory_id"`
	Up          *bool      `json:"up"` // null before the first refresh has ended
	LastSuccess *time.Time `json:"last_success"`
}

// directoriesOf is never nil: JSON shows it as a list.
func directoriesOf(states []*refresh.State) []directoryJSON {
	all := make([]directoryJSON, len(states))
	for i, s := range states {
		all[i] = directoryJSON{DirectoryID: s.DirectoryID, Up: up(s), LastSuccess: moment(s.LastSuccess)}
	}
	return all
}

// failing is an unresolved failure and its directory.
type failing struct {
	state *refresh.State
	ledger.Failure
}

// unresolved lists the failures of directories: DeleteAccessAssignment first, then the newest.
func unresolved(states []*refresh.State) []failing {
	var all []failing
	for _, s := range states {
		if s.Snapshot == nil {
			continue
		}
		for _, f := range s.Snapshot.Failures {
			all = append(all, failing{s, f})
		}
	}
	slices.SortStableFunc(all, func(a, b failing) int {
		revocation := a.revocation()
		switch {
		case revocation == b.revocation():
			return b.Latest.End.Compare(a.Latest.End)
		case revocation:
			return -1
		}
		return 1
	})
	return all
}

func (f failing) revocation() bool { return f.Latest.Type == task.DeleteAccessAssignment }

func (s *server) failures(w http.ResponseWriter, r *http.Request) {
	q := s.query(r)
	q.narrow("directory_id", "task_type", "access_configuration_id", "target_id", "principal_id")
	if q.refuse(w) {
		return
	}
	s.list(w, "failures", q.states, func(yield func(any) bool) {
		for _, f := range unresolved(q.states) {
			if q.matches(f.Latest) && !yield(failureOf(f.state, f.Failure)) {
				return
			}
		}
	})
}

func (s *server) tasks(w http.ResponseWriter, r *http.Request) {
	q := s.query(r)
	q.narrow("directory_id", "status", "task_type", "access_configuration_id", "target_id", "principal_id")
	since, limit := q.since("since"), q.number("limit", 100)
	if q.refuse(w) {
		return
	}
	s.list(w, "tasks", q.states, func(yield func(any) bool) {
		n := 0
		asked := func(state *refresh.State) task.Query {
			q.wanted.From = since(s.apiTime(state))
			return q.wanted
		}
		for state, t := range newest(q.states, asked) {
			if n++; !yield(taskOf(state, t.Task, t.Reason)) || n == limit {
				return
			}
		}
	})
}

// newest merges the remembered tasks that are asked for of directories, the newest first.
func newest(states []*refresh.State, asked func(*refresh.State) task.Query) iter.Seq2[*refresh.State, ledger.Record] {
	return func(yield func(*refresh.State, ledger.Record) bool) {
		type source struct {
			state *refresh.State
			next  func() (ledger.Record, bool)
			head  ledger.Record
		}
		var sources []*source
		for _, state := range states {
			if state.Snapshot == nil {
				continue
			}
			next, stop := iter.Pull(state.Snapshot.Remembered(asked(state)))
			defer stop()
			if head, ok := next(); ok {
				sources = append(sources, &source{state, next, head})
			}
		}
		for len(sources) > 0 {
			first := 0
			for i, s := range sources {
				if s.head.Start.After(sources[first].head.Start) {
					first = i
				}
			}
			s := sources[first]
			if !yield(s.state, s.head) {
				return
			}
			var ok bool
			if s.head, ok = s.next(); !ok {
				sources = append(sources[:first], sources[first+1:]...)
			}
		}
	}
}

// list answers {"directories": [what is known of them], "name": [elements]}, one
// element after another, so that a list of any length needs no memory.
func (s *server) list(w http.ResponseWriter, name string, states []*refresh.State, elements iter.Seq[any]) {
	directories, err := json.Marshal(directoriesOf(states))
	if err != nil {
		s.Log.Error("an answer cannot be written", "path", name, "err", err)
		http.Error(w, "The answer could not be written; the log says why.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	out := bufio.NewWriter(w)
	_, _ = out.WriteString(`{"directories": ` + string(directories) + `, "` + name + `": [`)
	between := "\n"
	for e := range elements {
		text, err := json.Marshal(e)
		if err != nil {
			s.Log.Error("an answer cannot be written", "path", name, "err", err)
			return
		}
		_, _ = out.WriteString(between)
		if _, err := out.Write(text); err != nil {
			return // who asked has left
		}
		between = ",\n"
	}
	_, _ = out.WriteString("\n]}\n")
	_ = out.Flush()
}

// apiTime is now by the clock that a directory's times are of.
func (s *server) apiTime(state *refresh.State) time.Time { return s.Now().Add(state.Offset) }
