package collector

import (
	"time"

	"cloudsso_exporter/internal/ledger"
	"cloudsso_exporter/internal/refresh"
	"cloudsso_exporter/internal/task"
)

// stateTable is the gauges: what one complete refresh saw, whole or not at all,
// and what the configuration says.
func stateTable() []description {
	return []description{
		{
			Metric: Metric{
				Name: "cloudsso_tasks", Type: Gauge, Unit: "tasks", Section: Tasks,
				Help:   "Tasks started within the window, by task type and status.",
				Notes:  "From the first complete refresh on, every documented type and status has a series, at 0 if there is no such task. The value falls as tasks leave the window; use the counters for rates.",
				Labels: []string{"task_type", "status"},
				Query:  `sum by (task_type) (cloudsso_tasks{status="Failed"})`,
			},
			merge: add,
			values: ofSnapshot(func(s *ledger.Snapshot, _ *refresh.State) (all []sample) {
				for _, c := range s.Tasks {
					all = append(all, sample{labels: []string{string(c.Type), string(c.Status)}, value: float64(c.N)})
				}
				return all
			}),
		},
		{
			Metric: Metric{
				Name: "cloudsso_failed_tasks", Type: Gauge, Unit: "tasks", Section: Tasks,
				Help:   "Failed tasks started within the window, by task type and failure reason.",
				Notes:  "It counts tasks, including those that were retried with success since. A reason without a failed task in the window has no series.",
				Labels: []string{"task_type", "failure_reason"},
				Query:  `topk(5, sum by (failure_reason) (cloudsso_failed_tasks))`,
			},
			merge: add,
			values: ofSnapshot(func(s *ledger.Snapshot, _ *refresh.State) []sample {
				return byReason(s.Failed)
			}),
		},
		{
			Metric: Metric{
				Name: "cloudsso_unresolved_failures", Type: Gauge, Unit: "subjects", Section: Tasks,
				Help:   "Subjects whose latest finished task failed, by that task's type.",
				Notes:  "What is broken now. A subject is an access configuration on a target, with the principal for access assignments. A later success of the same or the reverse task resolves it; a retry that is still running does not. All four task types are always present.",
				Labels: []string{"task_type"},
				Query:  `sum by (directory_id, task_type) (cloudsso_unresolved_failures) > 0`,
			},
			merge: add,
			values: ofSnapshot(func(s *ledger.Snapshot, _ *refresh.State) (all []sample) {
				for _, t := range task.Types() {
					all = append(all, sample{labels: []string{string(t)}})
				}
				for _, c := range s.Unresolved {
					all = append(all, sample{labels: []string{string(c.Type)}, value: float64(c.N)})
				}
				return all
			}),
		},
		{
			Metric: Metric{
				Name: "cloudsso_unresolved_failures_by_reason", Type: Gauge, Unit: "subjects", Section: Tasks,
				Help:   "Subjects whose latest finished task failed, by that task's type and failure reason.",
				Notes:  "A type and reason without any has no series.",
				Labels: []string{"task_type", "failure_reason"},
				Query:  `topk(5, sum by (failure_reason) (cloudsso_unresolved_failures_by_reason))`,
			},
			merge: add,
			values: ofSnapshot(func(s *ledger.Snapshot, _ *refresh.State) []sample {
				return byReason(s.Unresolved)
			}),
		},
		{
			Metric: Metric{
				Name: "cloudsso_unresolved_failures_unlisted", Type: Gauge, Unit: "subjects", Section: Tasks,
				Help:  "Unresolved failures beyond unresolved_failures.limit, which have no series of their own.",
				Notes: "`/api/v1/failures` and the status page list all of them.",
				Query: `cloudsso_unresolved_failures_unlisted > 0`,
			},
			values: ofSnapshot(func(s *ledger.Snapshot, state *refresh.State) []sample {
				return []sample{{value: float64(len(s.Failures) - len(shown(s.Failures, state)))}}
			}),
		},
		{
			Metric: Metric{
				Name: "cloudsso_subject_failing", Type: Gauge, Unit: "1 or 0", Section: Tasks,
				Help:   "1 for each unresolved failure; 0 for an hour after it was resolved or given up.",
				Notes:  "At most `unresolved_failures.limit` series are at 1: failed DeleteAccessAssignment first, then the newest. As many are at 0: those resolved last. The labels are fixed when a streak of failures begins; a retry, a restart with state or a new name changes none of them. With `unresolved_failures.names: false`, names and path are empty.",
				Labels: subjectLabels(),
				Query:  `cloudsso_subject_failing{task_type="DeleteAccessAssignment"} == 1`,
			},
			values: ofSnapshot(func(s *ledger.Snapshot, state *refresh.State) (all []sample) {
				for _, f := range shown(s.Failures, state) {
					all = append(all, sample{labels: subject(f.Labels, state), value: 1})
				}
				for _, r := range shown(s.Resolved, state) {
					all = append(all, sample{labels: subject(r.Labels, state)})
				}
				return all
			}),
		},
		{
			Metric: Metric{
				Name: "cloudsso_unresolved_failure_start_timestamp_seconds", Type: Gauge, Unit: "Unix time in seconds", Section: Tasks,
				Help:   "When each unresolved failure began: the end of the first failed task of its streak.",
				Notes:  "The same subjects as `cloudsso_subject_failing` at 1. `task_id` and `failure_reason` are those of the latest attempt, so a retry that fails starts a new series.",
				Labels: append(subjectLabels(), "task_id", "failure_reason"),
				Query:  `time() - cloudsso_unresolved_failure_start_timestamp_seconds{task_type="DeleteAccessAssignment"}`,
			},
			values: ofSnapshot(func(s *ledger.Snapshot, state *refresh.State) (all []sample) {
				for _, f := range shown(s.Failures, state) {
					all = append(all, sample{labels: append(subject(f.Labels, state), f.Latest.ID, f.Reason), value: unix(f.Since)})
				}
				return all
			}),
		},
		{
			Metric: Metric{
				Name: "cloudsso_last_task_end_timestamp_seconds", Type: Gauge, Unit: "Unix time in seconds", Section: Tasks,
				Help:   "End of the newest finished task seen, by task type and status.",
				Notes:  "It stays when that task has left the window. Absent until one is seen.",
				Labels: []string{"task_type", "status"},
				Query:  `time() - cloudsso_last_task_end_timestamp_seconds{status="Success"}`,
			},
			merge: func(a, b float64) float64 { return max(a, b) },
			values: ofSnapshot(func(s *ledger.Snapshot, _ *refresh.State) (all []sample) {
				for _, e := range s.LastEnd {
					all = append(all, sample{labels: []string{string(e.Type), string(e.Status)}, value: unix(e.At)})
				}
				return all
			}),
		},
		{
			Metric: Metric{
				Name: "cloudsso_oldest_in_progress_start_timestamp_seconds", Type: Gauge, Unit: "Unix time in seconds", Section: Tasks,
				Help:   "Start of the oldest task in progress, by task type.",
				Notes:  "Includes tasks older than the window. Absent when none is in progress. The API lists a task for 7 days; after that it is no longer followed.",
				Labels: []string{"task_type"},
				Query:  `time() - cloudsso_oldest_in_progress_start_timestamp_seconds > 30 * 60`,
			},
			merge: func(a, b float64) float64 { return min(a, b) },
			values: ofSnapshot(func(s *ledger.Snapshot, _ *refresh.State) (all []sample) {
				for _, o := range s.OldestInProgress {
					all = append(all, sample{labels: []string{string(o.Type)}, value: unix(o.At)})
				}
				return all
			}),
		},
		{
			Metric: Metric{
				Name: "cloudsso_window_seconds", Type: Gauge, Unit: "seconds", Section: Tasks,
				Help:  "The configured window: how far back the gauges count tasks.",
				Query: `cloudsso_window_seconds / 86400`,
			},
			values: func(s *refresh.State) []sample { return []sample{{value: s.Window.Seconds()}} },
		},
		{
			Metric: Metric{
				Name: "cloudsso_directory_info", Type: Gauge, Unit: "always 1", Section: Tasks,
				Help:   "A constant 1 for each configured directory, with its name and region as labels.",
				Notes:  "Joins names to the ids in other metrics.",
				Labels: []string{"name", "region"},
				Query:  `sum by (directory_id) (cloudsso_unresolved_failures) * on (directory_id) group_left (name) cloudsso_directory_info`,
			},
			values: func(s *refresh.State) []sample {
				return []sample{{labels: []string{s.Name, s.Region}, value: 1}}
			},
		},
	}
}

// ofSnapshot is values of the snapshot, none before the first complete refresh.
func ofSnapshot(of func(*ledger.Snapshot, *refresh.State) []sample) values {
	return func(s *refresh.State) []sample {
		if s.Snapshot == nil {
			return nil
		}
		return of(s.Snapshot, s)
	}
}

func byReason(counts []ledger.ReasonCount) (all []sample) {
	for _, c := range counts {
		all = append(all, sample{labels: []string{string(c.Type), c.Reason}, value: float64(c.N)})
	}
	return all
}

// shown are those that the settings allow to be shown one by one; the snapshot
// has them in order of importance.
func shown[T any](all []T, s *refresh.State) []T {
	return all[:min(max(s.Shown, 0), len(all))]
}

// subjectLabels are the labels that say whom a failure is about.
func subjectLabels() []string {
	return []string{
		"task_type", "access_configuration_id", "access_configuration_name", "target_id", "target_name", "target_path_name",
		"principal_type", "principal_id", "principal_name", "origin_target_id",
	}
}

// subject are the values of subjectLabels.
func subject(t task.Task, s *refresh.State) []string {
	if s.HideNames {
		t = t.WithoutNames()
	}
	return []string{
		string(t.Type), t.AccessConfigurationID, t.AccessConfigurationName, t.TargetID, t.TargetName, t.TargetPathName,
		t.PrincipalType, t.PrincipalID, t.PrincipalName, t.OriginTargetID,
	}
}

// unix is Unix time in seconds, to the millisecond; 0 for a time not known.
func unix(t time.Time) float64 {
	if t.IsZero() {
		return 0
	}
	return float64(t.UnixMilli()) / 1e3
}
