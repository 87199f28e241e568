package e2e

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"cloudsso_exporter/internal/simulator"
	"cloudsso_exporter/internal/task"
)

func (s *stage) rate(t *testing.T) {
	s.shows(t, fmt.Sprintf(`cloudsso_tasks_finished_total{directory_id=%q} == 0`, busy)) // what is counted before goes unseen
	// Half of the tasks fail, and each is put right at once.
	tasks := failures(task.ProvisionAccessConfiguration, "ac-busy", "LimitExceeded.Role", 6)
	for _, one := range tasks {
		one.Status = task.Success
		tasks = append(tasks, one)
	}
	high := s.hook.fires(t, s.list(busy, tasks...), "CloudSSOFailureRatioHigh", map[string]string{"directory_id": busy, "severity": "warning"},
		busy, "50% of the tasks", quota+" (", " × "+string(task.ProvisionAccessConfiguration))

	// Others go well.
	tasks = failures(task.DeleteAccessAssignment, "ac-busy", "", 40)
	for i := range tasks {
		tasks[i].Status, tasks[i].PrincipalID = task.Success, "u-busy"
	}
	high.resolves(t, s.list(busy, tasks...))
}

func (s *stage) endless(t *testing.T) {
	running := about(task.ProvisionAccessConfiguration, task.InProgress, "")
	running.ID = "endless"
	since := s.list(stuck, running).Truncate(time.Second).Add(30 * time.Minute / faster)
	alert := s.hook.fires(t, since, "CloudSSOTaskStuck",
		map[string]string{"directory_id": stuck, "severity": "warning", "task_type": string(running.Type)},
		stuck, string(running.Type), "/api/v1/tasks?status=InProgress&task_type="+string(running.Type))
	running.Status = task.Success
	alert.resolves(t, s.list(stuck, running))
}

func (s *stage) spike(t *testing.T) {
	var tasks []task.Task
	for i := range 60 {
		one := about(task.CreateAccessAssignment, task.Success, "")
		one.PrincipalID = fmt.Sprint("u-", i)
		tasks = append(tasks, one)
	}
	at := s.list(spike, tasks...)
	alert := s.hook.fires(t, at, "CloudSSOAssignmentSpike", map[string]string{"directory_id": spike, "severity": "info"}, spike, "60 access assignments")
	alert.resolves(t, at.Add(time.Hour/faster)) // by itself, when the hour is over
}

// configuration: a key is revoked; the people change the configuration, and lose a directory; they notice, and put both right.
func (s *stage) configuration(t *testing.T) {
	at := time.Now()
	s.grant(revoked)
	rejected := s.hook.fires(t, at, "CloudSSOCredentialsRejected", s.ofTarget(revoked, "critical"), revoked, "Kind of error: credentials")
	at = time.Now()
	s.reload(t, func(keys map[string]simulator.Key) { delete(keys, vanishing) })
	gone := s.hook.fires(t, at, "CloudSSOExporterDown", s.ofTarget(vanishing, "critical"), vanishing, "Was it removed from the configuration?")
	s.silenced(t, "CloudSSORefreshFailing", revoked)
	s.silenced(t, "CloudSSODataStale", revoked)

	at = time.Now()
	change := func(keys map[string]simulator.Key) {
		keys[vanishing] = keyOf(vanishing, 1)
		keys[revoked] = keyOf(revoked, 2)
	}
	s.mu.Lock()
	change(s.keys)
	s.mu.Unlock()
	s.grant()
	s.reload(t, change)
	gone.resolves(t, at)
	rejected.resolves(t, at)
}

// silenced waits until Alertmanager has an alert, and keeps it to itself because of another.
func (s *stage) silenced(t *testing.T, name, id string) {
	t.Helper()
	eventually(t, 60*time.Second, func() error {
		inhibited, err := s.alertmanager.inhibited(name, id)
		if err == nil && !inhibited {
			err = errors.New("Alertmanager does not silence " + name + " of " + id)
		}
		return err
	})
	if _, a, ok := s.hook.first(func(a alert) bool { return a.name() == name && a.Labels["directory_id"] == id && a.Status == "firing" }); ok {
		t.Errorf("nobody silenced %q", a.Labels)
	}
}

func (s *stage) down(t *testing.T) {
	at := time.Now()
	s.fault(down, nil, &simulator.Fault{HangUp: true})
	failing := s.hook.fires(t, at, "CloudSSORefreshFailing", s.ofTarget(down, "warning"), down, "Kind of error: network")
	s.silenced(t, "CloudSSODataStale", down)
	at = time.Now()
	s.fault(down, nil, nil)
	failing.resolves(t, at)
}

func (s *stage) slow(t *testing.T) {
	at := time.Now()
	s.fault(slow, nil, &simulator.Fault{Delay: 25 * time.Second})
	stale := s.hook.fires(t, at, "CloudSSODataStale", s.ofTarget(slow, "warning"), slow)
	at = time.Now()
	s.fault(slow, nil, nil)
	stale.resolves(t, at)
}

func (s *stage) throttles(t *testing.T) {
	at := time.Now()
	fault := simulator.Throttle(429, 0)
	s.fault(throttled, simulator.FirstAttempts(1), &fault)
	throttling := s.hook.fires(t, at, "CloudSSOThrottled", s.ofTarget(throttled, "info"), throttled, "throttling errors")
	at = time.Now()
	s.fault(throttled, nil, nil)
	throttling.resolves(t, at)
}
