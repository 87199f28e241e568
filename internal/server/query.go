package server

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/prometheus/common/model"

	"cloudsso_exporter/internal/ledger"
	"cloudsso_exporter/internal/refresh"
	"cloudsso_exporter/internal/task"
)

// query is the parameters of a request, taken one after another; what is wrong
// with the first wrong one is its error.
type query struct {
	values  url.Values
	now     time.Time
	states  []*refresh.State // of the directories asked for
	wanted  task.Query
	problem string
}

func (s *server) query(r *http.Request) *query {
	q := &query{now: s.Now(), states: s.Refresher.States()}
	var err error
	if q.values, err = url.ParseQuery(r.URL.RawQuery); err != nil {
		q.fail("the query cannot be read: %v", err)
	}
	return q
}

func (q *query) fail(format string, args ...any) {
	if q.problem == "" {
		q.problem = fmt.Sprintf(format, args...)
	}
}

// take returns a parameter, empty when it is not given.
func (q *query) take(name string) string {
	all := q.values[name]
	delete(q.values, name)
	if len(all) > 1 {
		q.fail("%s is given %d times: give it once", name, len(all))
	}
	if len(all) == 0 {
		return ""
	}
	return all[0]
}

// narrow takes those parameters that say which tasks are wanted.
func (q *query) narrow(names ...string) {
	for _, name := range names {
		value := q.take(name)
		if value == "" {
			continue
		}
		switch name {
		case "directory_id":
			all := q.states
			if q.states = slices.DeleteFunc(slices.Clone(all), func(s *refresh.State) bool { return s.DirectoryID != value }); len(q.states) == 0 {
				q.fail("directory_id=%q is not a directory of the configuration", value)
			}
		case "status":
			if q.wanted.Status = task.Status(value); !slices.Contains(task.Statuses(), q.wanted.Status) {
				q.fail("status=%q is not one of %v", value, task.Statuses())
			}
		case "task_type":
			if q.wanted.Type = task.Type(value); !slices.Contains(task.Types(), q.wanted.Type) {
				q.fail("task_type=%q is not one of %v", value, task.Types())
			}
		case "access_configuration_id":
			q.wanted.AccessConfigurationID = value
		case "target_id":
			q.wanted.TargetID = value
		case "principal_id":
			q.wanted.PrincipalID = value
		}
	}
}

// since takes a duration or a time. It returns the earliest start asked for, by
// the clock of a directory's API; the zero time when the parameter is not given.
func (q *query) since(name string) func(apiNow time.Time) time.Time {
	value := q.take(name)
	if value == "" {
		return func(time.Time) time.Time { return time.Time{} }
	}
	duration, err := model.ParseDuration(value)
	ago := time.Duration(duration)
	at, timeErr := time.Parse(time.RFC3339, value)
	if timeErr == nil {
		now := q.now // of the directory whose clock is furthest ahead: its tasks can be asked for too
		for _, s := range q.states {
			now = slices.MaxFunc([]time.Time{now, q.now.Add(s.Offset)}, time.Time.Compare)
		}
		ago, err = now.Sub(at), nil
	}
	switch {
	case err != nil:
		q.fail("%s=%q is not a duration, such as 24h or 7d, or a time, such as 2026-11-25T08:00:00Z", name, value)
	case ago < 0:
		q.fail("%s=%q is in the future", name, value)
	case ago > ledger.Retention:
		q.fail("%s=%q is more than 7 days ago, which is as long as tasks are remembered", name, value)
	}
	if timeErr == nil {
		return func(time.Time) time.Time { return at }
	}
	return func(apiNow time.Time) time.Time { return apiNow.Add(-ago) }
}

// number takes a whole number of 0 or more.
func (q *query) number(name string, otherwise int) int {
	value := q.take(name)
	if value == "" {
		return otherwise
	}
	n, err := strconv.Atoi(value)
	if err != nil || n < 0 {
		q.fail("%s=%q is not a number of 0 or more", name, value)
	}
	return n
}

func (q *query) matches(t task.Task) bool {
	return q.wanted.Matches(t) && (q.wanted.Type == "" || q.wanted.Type == t.Type)
}

// refuse answers a query with a parameter that is unknown or makes no sense, and reports whether it did.
func (q *query) refuse(w http.ResponseWriter) bool {
	for name := range q.values {
		q.fail("%q is not a parameter of this path", name)
	}
	if q.problem == "" {
		return false
	}
	plain(w, http.StatusBadRequest, q.problem+".")
	return true
}
