package e2e

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"cloudsso_exporter/internal/task"
)

// Names that people give, and what the API makes of them. They have to arrive as they are, and nothing may take them for code.
const (
	folder    = "rd-3Gxxxx/root/Wares & {{ $labels }}/shop"
	account   = "shop \"EU\" <b>&amp;</b>\n{{ query \"up\" }} 😀"
	principal = "李伟 'Neo' <script>alert(\"x\")</script>\r\n$labels 🧑‍💻"
	role      = `Read\Only "all" <i>`
	text      = "Refused by <img src=x onerror=alert(1)> & {{ $value }}\nas 权限不足 🚫"
	refused   = "Refused by <img src=x onerror=alert(1)> & {{ $value }} as 权限不足 🚫" // text as a reason
	conflict  = `conflict with "root" <b>{{ .Labels }}</b> 🚫`                      // a rule's reason
	quota     = "quota_exceeded"
)

// The story: everything that an alert is for happens, to a real exporter under a real Prometheus, or VictoriaMetrics and
// vmalert, with the true rules, of which an hour takes a minute, and comes to a webhook through a real Alertmanager: once,
// with the right words, and ends. Meanwhile and afterwards each query of each dashboard finds something.
func TestStory(t *testing.T) {
	t.Parallel()
	for name, monitoring := range map[string]monitoring{"Prometheus": withPrometheus, "VictoriaMetrics": withVictoriaMetrics} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			story(t, monitoring)
		})
	}
}

func story(t *testing.T, monitoring monitoring) {
	s := newStage(t, monitoring)
	begin := s.list(many, failures(task.ProvisionAccessConfiguration, "ac-many", "LimitExceeded.Role", shown+2)...)
	s.run(t)
	looking := s.look(t)
	t.Run("scenes", func(t *testing.T) {
		for name, scene := range map[string]func(*testing.T){
			"failures that stand at a fresh start": func(t *testing.T) { s.more(t, begin) },
			"a failed task is retried":             s.retried,
			"a failure rate":                       s.rate,
			"a task that does not end":             s.endless,
			"access for many":                      s.spike,
			"the key, and a directory taken out":   s.configuration,
			"the API is down":                      s.down,
			"the API is slow":                      s.slow,
			"the API throttles":                    s.throttles,
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				scene(t)
			})
		}
	})
	s.killed(t)
	s.prom.evaluate(t, 3) // whatever else comes
	s.hook.judge(t, func(a alert) bool {
		// They end together with what silences them; which end Alertmanager hears of first is chance.
		return slices.Contains([]string{"CloudSSORefreshFailing", "CloudSSODataStale"}, a.name()) && slices.Contains([]string{down, revoked}, a.Labels["directory_id"])
	})
	looking.report(t)
	t.Log(s.hook.table())
}

// failures are failed tasks of a type about n subjects.
func failures(of task.Type, configuration, reason string, n int) (tasks []task.Task) {
	for i := range n {
		tasks = append(tasks, task.Task{
			Type: of, Status: task.Failed, FailureReason: reason, AccessConfigurationID: configuration, AccessConfigurationName: role,
			TargetType: "RD-Account", TargetID: fmt.Sprint(1001 + i), TargetName: fmt.Sprintf("account %d", i),
		})
	}
	return tasks
}

// about is a task about one person's access, or an account's configuration.
func about(of task.Type, status task.Status, reason string) task.Task {
	t := task.Task{
		Type: of, Status: status, FailureReason: reason, AccessConfigurationID: "ac-00" + string(of), AccessConfigurationName: role,
		TargetType: "RD-Account", TargetID: "1142405247840000", TargetName: account, TargetPathName: folder, OriginTargetID: "fd-origin",
	}
	if t.Type.Kind() == task.Assignment {
		t.PrincipalType, t.PrincipalID, t.PrincipalName = "User", "u-00jqzghi2n3o5hkhxxxx", principal
	}
	return t
}

// printable is a name as it is shown: control characters are replaced.
func printable(name string) string {
	return strings.NewReplacer("\n", "\uFFFD", "\r", "\uFFFD").Replace(name)
}

// subject are the labels of an alert on a failed task: these and no others.
func subject(id, severity string, t task.Task) map[string]string {
	all := map[string]string{
		"directory_id": id, "severity": severity, "task_type": string(t.Type),
		"access_configuration_id": t.AccessConfigurationID, "access_configuration_name": printable(t.AccessConfigurationName),
		"target_id": t.TargetID, "target_name": printable(t.TargetName), "target_path_name": t.TargetPathName, "origin_target_id": t.OriginTargetID,
		"principal_id": t.PrincipalID, "principal_name": printable(t.PrincipalName), "principal_type": t.PrincipalType,
	}
	maps.DeleteFunc(all, func(_, value string) bool { return value == "" })
	return all
}

// ofTarget are the labels of an alert on the exporter's own work.
func (s *stage) ofTarget(id, severity string) map[string]string {
	all := map[string]string{"directory_id": id, "severity": severity, "job": "cloudsso", "instance": s.address}
	if id == "" {
		delete(all, "directory_id")
	}
	return all
}

// fails lists the task as failed, waits for its alert and sees what it says.
func (s *stage) fails(t *testing.T, name, severity string, failed task.Task, reason string) *arrival {
	t.Helper()
	failed.ID = "task-of-" + name
	return s.hook.fires(t, s.list(production, failed), name, subject(production, severity, failed), slices.DeleteFunc([]string{
		failed.TargetPathName, failed.AccessConfigurationName, printable(failed.PrincipalName), production, "Last attempt " + failed.ID + " failed: " + reason,
	}, func(s string) bool { return s == "" })...)
}

// stand fails the test unless the alerts have gone on without a break.
func (s *stage) stand(t *testing.T, alerts ...*arrival) {
	t.Helper()
	for _, a := range alerts {
		if m, _, over := s.hook.first(func(b alert) bool { return b.Fingerprint == a.alert.Fingerprint && b.Status == "resolved" }); over {
			t.Errorf("%s was said to be over at %v", a.alert.name(), m.at)
		}
		began, err := s.prom.began(a.alert.name(), a.alert.Labels["directory_id"])
		if err != nil || len(began) != 1 || !began[0].Truncate(time.Millisecond).Equal(a.alert.StartsAt) { // Alertmanager knows no more exactly
			t.Errorf("%s began at %v, and now: %v, %v", a.alert.name(), a.alert.StartsAt, began, err)
		}
	}
}

func (s *stage) more(t *testing.T, begin time.Time) {
	stands := failures(task.ProvisionAccessConfiguration, "ac-many", "LimitExceeded.Role", shown+2)
	alerts := []*arrival{s.hook.fires(t, begin, "CloudSSOMoreFailures", map[string]string{"directory_id": many, "severity": "warning"},
		many, "2 unresolved failures", fmt.Sprintf("%s, %d subjects: %s", task.ProvisionAccessConfiguration, shown+2, quota))}
	for _, one := range stands[2:] { // the newest
		alerts = append(alerts, s.hook.fires(t, begin, "CloudSSOProvisioningFailed", subject(many, "warning", one), one.TargetName, quota))
	}
	for i := range stands {
		stands[i].Status = task.Success
	}
	righted := s.list(many, stands...)
	for _, a := range alerts {
		a.resolves(t, righted)
	}
}

func (s *stage) retried(t *testing.T) {
	failed := about(task.ProvisionAccessConfiguration, task.Failed, text)
	provisioning := s.fails(t, "CloudSSOProvisioningFailed", "warning", failed, refused)

	failed.ID, failed.Status = "a-retry", task.InProgress
	s.list(production, failed)
	s.shows(t, fmt.Sprintf(`cloudsso_tasks{directory_id=%q,task_type=%q,status="InProgress"} == 1`, production, failed.Type))
	s.prom.evaluate(t, 2)
	s.stand(t, provisioning)

	failed.Status, failed.FailureReason = task.Failed, "EntityAlreadyExists.Role"
	s.list(production, failed)
	s.shows(t, fmt.Sprintf(`cloudsso_unresolved_failure_start_timestamp_seconds{directory_id=%q,task_id="a-retry",failure_reason="EntityAlreadyExists.Role"}`, production))
	s.prom.evaluate(t, 2)
	s.stand(t, provisioning)

	provisioning.resolves(t, s.list(production, about(failed.Type, task.Success, "")))
}

// shows waits until a query finds something.
func (s *stage) shows(t *testing.T, expr string) {
	t.Helper()
	eventually(t, 60*time.Second, func() error {
		found, err := s.prom.query(expr)
		if err == nil && len(found) == 0 {
			err = fmt.Errorf("nothing is found by %s", expr)
		}
		return err
	})
}

// killed: the exporter is killed while failures stand. It is played last, as all scenes would notice.
func (s *stage) killed(t *testing.T) {
	standing := []*arrival{
		s.fails(t, "CloudSSORevocationFailed", "critical", about(task.DeleteAccessAssignment, task.Failed, text), refused),
		s.fails(t, "CloudSSODeprovisioningFailed", "warning", about(task.DeprovisionAccessConfiguration, task.Failed, "DeleteConflict.Role"), conflict),
		s.fails(t, "CloudSSOAssignmentFailed", "warning", about(task.CreateAccessAssignment, task.Failed, "No Permission."), "No Permission."),
	}
	s.harmless(t)

	s.exporter.stop(os.Kill)
	s.run(t)
	s.prom.evaluate(t, 3)
	s.stand(t, standing...)

	at := time.Now()
	s.exporter.stop(os.Kill)
	missed := s.hook.fires(t, at, "CloudSSOExporterDown", s.ofTarget("", "critical"), s.address)
	s.stand(t, standing...)
	// While nobody looks, the role is removed after all.
	s.list(production, about(task.DeprovisionAccessConfiguration, task.Success, ""))
	s.prom.evaluate(t, 2)
	s.stand(t, standing...)
	again := time.Now()
	s.run(t)
	missed.resolves(t, again)
	standing[1].resolves(t, again)
	s.prom.evaluate(t, 2)
	s.stand(t, standing[0], standing[2])

	// Somebody takes the access away by hand, and hands out the other.
	standing[0].resolves(t, s.list(production, about(task.DeleteAccessAssignment, task.Success, "")))
	standing[2].resolves(t, s.list(production, about(task.CreateAccessAssignment, task.Success, "")))
}

// harmless sees that names and reasons are in the table of the dashboard as they are, and that the exporter's own page takes
// none of them for HTML.
func (s *stage) harmless(t *testing.T) {
	page, _, err := get("http://" + s.address + "/")
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range []string{"<script>alert", "<b>&amp;</b>", "<img src=x", "<i>"} {
		if strings.Contains(string(page), code) {
			t.Errorf("the page has %s in it", code)
		}
	}
	for _, q := range queries(t) {
		if q.name() != "cloudsso-failures: table What failed, for whom, why, since when: A" {
			continue
		}
		if !slices.ContainsFunc(s.prom.mustQuery(t, q.filled(ofStory)), func(row series) bool {
			m := row.Metric
			return m["principal_name"] == printable(principal) && m["target_name"] == printable(account) && m["access_configuration_name"] == role && m["failure_reason"] == refused
		}) {
			t.Errorf("%q has no row of the failed revocation", q.name())
		}
		return
	}
	t.Error("no table of what failed")
}

// table says of each alert how long after its cause it came, and how long after it was put right it was said to be over. Of
// those with a threshold in time it is the time of the story.
func (w *webhook) table() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	slices.SortFunc(w.expected, func(a, b *arrival) int {
		return strings.Compare(a.alert.name()+a.alert.Labels["target_id"], b.alert.name()+b.alert.Labels["target_id"])
	})
	var b strings.Builder
	b.WriteString("\n")
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "alert\tdirectory\tfired after\tresolved after\tdescription received")
	for _, a := range w.expected {
		fmt.Fprintf(table, "%s\t%s\t%.1f s\t%.1f s\t%q\n", a.alert.name(), a.alert.Labels["directory_id"], a.fired.Seconds(), a.resolved.Seconds(), a.alert.Annotations["description"])
	}
	table.Flush()
	return b.String()
}
