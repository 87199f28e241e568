package ledger

import (
	"fmt"
	"testing"
	"time"

	"cloudsso_exporter/internal/task"
)

// Short names for the tables of the tests.
const (
	provision   = task.ProvisionAccessConfiguration
	deprovision = task.DeprovisionAccessConfiguration
	create      = task.CreateAccessAssignment
	revoke      = task.DeleteAccessAssignment

	minutes = time.Minute
	hours   = time.Hour
	days    = 24 * time.Hour
)

// noon is when stories begin; their times are relative to it.
var noon = time.Date(2026, 11, 10, 12, 0, 0, 0, time.UTC)

// plain are the settings of most stories: nothing is on hold.
var plain = Settings{Window: Retention, ReasonLimit: 50, MaxAge: 30 * days}

// story is a directory whose refreshes a test tells one by one.
type story struct {
	*testing.T
	*Ledger
	set  Settings
	file *file
	last time.Duration // the start of the last complete refresh
}

func begin(t *testing.T, set Settings) *story {
	return &story{T: t, Ledger: New(set), set: set, file: &file{}}
}

// refresh applies what a refresh at the given time, one second long, has read,
// and commits it. The first and those the window asks for are full.
func (s *story) refresh(at time.Duration, tasks ...task.Task) Report {
	s.Helper()
	r := s.read(at, tasks...)
	s.commit(at)
	return r
}

// read is refresh without the commit.
func (s *story) read(at time.Duration, tasks ...task.Task) Report {
	s.Helper()
	b := NewBatch()
	b.Add(tasks)
	c := Span{Began: noon.Add(at), At: noon.Add(at + time.Second)}
	if s.NeedsFull() {
		c.Since = noon.Add(min(at-s.set.Window, at))
		if s.Complete() && s.From().Before(c.Since) {
			c.Since = s.From()
		}
	}
	s.last = at
	return s.Apply(b, c)
}

func (s *story) commit(at time.Duration) {
	s.Helper()
	s.file.commit(s.T, s.Change())
	s.Committed(noon.Add(at + time.Second))
}

// restart goes on from what the state folder has.
func (s *story) restart(_ time.Duration, set Settings) {
	s.set = set
	s.Ledger = restore(s.T, set, s.file)
}

func (s *story) reload(set Settings) {
	s.set = set
	s.Configure(set)
}

// job is a task that started at start and ended at end, both relative to noon,
// with the given status, on access configuration ac-1, account 1001, for user u-1.
func job(typ task.Type, id string, status task.Status, start, end time.Duration) task.Task {
	t := task.Task{
		ID: id, Type: typ, Status: status, Start: noon.Add(start),
		AccessConfigurationID: "ac-1", TargetType: "RD-Account", TargetID: "1001",
	}
	if status != task.InProgress {
		t.End = noon.Add(end)
	}
	if status == task.Failed {
		t.FailureReason = "NoPermission"
	}
	if typ.Kind() == task.Assignment {
		t.PrincipalType, t.PrincipalID = "User", "u-1"
	}
	return t
}

func running(typ task.Type, id string, start time.Duration) task.Task {
	return job(typ, id, task.InProgress, start, 0)
}

func succeeded(typ task.Type, id string, start, end time.Duration) task.Task {
	return job(typ, id, task.Success, start, end)
}

func failed(typ task.Type, id string, start, end time.Duration) task.Task {
	return job(typ, id, task.Failed, start, end)
}

func because(reason string, t task.Task) task.Task {
	t.FailureReason = reason
	return t
}

func on(target string, t task.Task) task.Task {
	t.TargetID = target
	return t
}

func with(ac string, t task.Task) task.Task {
	t.AccessConfigurationID = ac
	return t
}

func of(principal string, t task.Task) task.Task {
	t.PrincipalID = principal
	return t
}

// counts are the values of all counters that are not 0, as shown.
func (s *story) counts() map[string]uint64 {
	all := map[string]uint64{}
	for _, c := range s.Snapshot().Counters {
		if c.Histogram != nil {
			c.Value = c.Histogram.Count
		}
		if c.Value > 0 {
			all[fmt.Sprintf("%s %s %s", c.Metric, c.Type, c.Label)] = c.Value
		}
	}
	return all
}

// gauges are the window gauges that are not 0.
func (s *story) gauges() map[string]int {
	all := map[string]int{}
	snap := s.Snapshot()
	for _, c := range snap.Tasks {
		if c.N > 0 {
			all[fmt.Sprintf("%s %s", c.Type, c.Status)] = c.N
		}
	}
	for _, c := range snap.Failed {
		all[fmt.Sprintf("failed %s %s", c.Type, c.Reason)] = c.N
	}
	return all
}

// unresolvedSince are the latest tasks of the unresolved failures and when their streaks began.
func (s *story) unresolvedSince() map[string]time.Duration {
	all := map[string]time.Duration{}
	for _, f := range s.Snapshot().Failures {
		all[f.Latest.ID] = f.Since.Sub(noon)
	}
	return all
}

// created is the created timestamp of each series, relative to noon.
func (s *story) created() map[string]time.Duration {
	all := map[string]time.Duration{}
	for _, c := range s.Snapshot().Counters {
		all[fmt.Sprintf("%s %s %s", c.Metric, c.Type, c.Label)] = c.Created.Sub(noon)
	}
	return all
}
