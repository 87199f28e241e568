package collector

import (
	"time"

	"cloudsso_exporter/internal/histogram"
	"cloudsso_exporter/internal/ledger"
	"cloudsso_exporter/internal/refresh"
	"cloudsso_exporter/internal/task"
)

// started is the state of a directory before its first attempt has ended.
func started() *refresh.State {
	return &refresh.State{
		DirectoryID: "d-00fc2p61", Name: "production", Region: "cn-shanghai",
		Window: 7 * 24 * time.Hour, Shown: 50,
		LastAttempt:     noon,
		Duration:        histogram.New([]float64{1, 10}, noon),
		RequestDuration: histogram.New([]float64{0.1, 1}, noon),
		Requests: []refresh.Requests{
			{Action: "ListTasks", Code: "OK"},
			{Action: "ListTasks", Code: "Throttling.User"},
		},
	}
}

// failed is s after an attempt that failed.
func failed(s *refresh.State, kind task.ErrorKind) *refresh.State {
	s.Attempted, s.Up, s.ErrorKind, s.Error = true, false, kind, "the API says no"
	s.FailedAttempts++
	s.Duration.Observe(2 * time.Second)
	s.RequestDuration.Observe(50 * time.Millisecond)
	s.Requests = append(s.Requests, refresh.Requests{Action: "ListTasks", Code: "InvalidAccessKeyId.NotFound", N: 1})
	return s
}

// succeeded is the state of a directory after a first success.
func succeeded() *refresh.State {
	s := started()
	s.Attempted, s.Up = true, true
	s.Succeeded = 1
	s.LastSuccess = at(1500 * time.Millisecond)
	s.Snapshot = snapshot()
	s.Duration.Observe(1500 * time.Millisecond)
	for range 3 {
		s.RequestDuration.Observe(200 * time.Millisecond)
	}
	s.Requests[0].N = 3
	return s
}

// snapshot has something of everything: a revocation that failed twice, a
// provisioning that failed before, one task running for long.
func snapshot() *ledger.Snapshot {
	s := &ledger.Snapshot{At: at(1500 * time.Millisecond), Window: 7 * 24 * time.Hour}
	counts := map[task.Type][3]int{ // in progress, success, failed
		task.CreateAccessAssignment:       {1, 20, 0},
		task.DeleteAccessAssignment:       {0, 3, 2},
		task.ProvisionAccessConfiguration: {0, 7, 1},
	}
	for _, typ := range task.Types() {
		for i, status := range task.Statuses() {
			s.Tasks = append(s.Tasks, ledger.StatusCount{Type: typ, Status: status, N: counts[typ][i]})
		}
	}
	s.Failed = []ledger.ReasonCount{
		{Type: task.DeleteAccessAssignment, Reason: "No Permission.", N: 2},
		{Type: task.ProvisionAccessConfiguration, Reason: "role_already_exists", N: 1},
	}
	s.Unresolved = []ledger.ReasonCount{
		{Type: task.DeleteAccessAssignment, Reason: "No Permission.", N: 1},
		{Type: task.ProvisionAccessConfiguration, Reason: "role_already_exists", N: 1},
	}
	s.LastEnd = []ledger.StatusTime{
		{Type: task.CreateAccessAssignment, Status: task.Success, At: at(-time.Minute)},
		{Type: task.DeleteAccessAssignment, Status: task.Failed, At: at(-10 * time.Minute)},
	}
	s.OldestInProgress = []ledger.TypeTime{{Type: task.CreateAccessAssignment, At: at(-8 * 24 * time.Hour)}}
	s.Failures = []ledger.Failure{
		{
			Latest: task.Task{
				ID: "t-revoke-2", Type: task.DeleteAccessAssignment, Status: task.Failed,
				Start: at(-11 * time.Minute), End: at(-10 * time.Minute),
				AccessConfigurationID: "ac-1", AccessConfigurationName: "Admin",
				TargetType: "RD-Account", TargetID: "1114", TargetName: "billing",
				PrincipalType: "User", PrincipalID: "u-7", PrincipalName: "eve@example.com",
			},
			Reason: "No Permission.", Since: at(-30*time.Minute + 250*time.Millisecond),
		},
		{
			Latest: task.Task{
				ID: "t-provision", Type: task.ProvisionAccessConfiguration, Status: task.Failed,
				Start: at(-2 * time.Hour), End: at(-119 * time.Minute),
				AccessConfigurationID: "ac-2", AccessConfigurationName: "ReadOnly",
				TargetType: "RD-Account", TargetID: "1115", TargetName: "sandbox",
			},
			Reason: "role_already_exists", Since: at(-119 * time.Minute),
		},
	}
	for i := range s.Failures { // as they were when the streak began
		l := &s.Failures[i].Labels
		*l = s.Failures[i].Latest
		l.ID, l.Status, l.Start, l.End, l.TargetPathName = "", "", time.Time{}, time.Time{}, "rd-3G/root/"+l.TargetName
	}
	s.Failures[0].Labels.OriginTargetID = "fd-9"
	s.Resolved = []ledger.Streak{{Labels: s.Failures[1].Labels, Resolved: at(-5 * time.Minute)}}
	s.Resolved[0].Labels.TargetID = "1116"
	took := histogram.New([]float64{1, 10, 60}, at(-3*time.Hour))
	for _, d := range []time.Duration{0, 400 * time.Millisecond, 9 * time.Second, 10 * time.Second, 5 * time.Minute} {
		took.Observe(d)
	}
	born := at(-3 * time.Hour)
	count := func(m ledger.Metric, t task.Type, label string, value uint64, created time.Time) {
		id := ledger.SeriesID{Metric: m, Type: t, Label: label}
		s.Counters = append(s.Counters, ledger.Series{SeriesID: id, Value: value, Created: created})
	}
	count(ledger.Started, task.CreateAccessAssignment, "", 4, born)
	count(ledger.Finished, task.DeleteAccessAssignment, "Failed", 2, born)
	count(ledger.Finished, task.DeleteAccessAssignment, "Success", 3, born)
	count(ledger.Failures, task.DeleteAccessAssignment, "No Permission.", 0, at(-time.Minute)) // on hold
	count(ledger.Failures, task.DeleteAccessAssignment, "role_already_exists", 0, born)
	count(ledger.Durations, task.DeleteAccessAssignment, "Success", 0, born)
	s.Counters[len(s.Counters)-1].Histogram = took
	count(ledger.Expired, task.DeleteAccessAssignment, "", 1, born)
	count(ledger.Overflow, "", "", 5, born)
	return s
}

// hostile has whatever an API, or who chooses names, could put into a label.
func hostile() *refresh.State {
	s := succeeded()
	s.Name = "a\"b\\c\nd\te,f{g=\"h\"}"
	s.Region = "\xff\xfe"
	s.Requests = append(s.Requests, refresh.Requests{Action: "ListTasks", Code: "# HELP\n} 1", N: 1})
	f := &s.Snapshot.Failures[0]
	f.Reason = "原因: \"quoted\"\n# EOF"
	f.Labels.PrincipalName = "Robert'); DROP TABLE users;--\u2028\u202e"
	f.Labels.TargetName = "<script>alert(1)</script>"
	f.Labels.AccessConfigurationName = "half \xe5\x8e of a character"
	f.Labels.Type = "a type of its own\n"
	return s
}
