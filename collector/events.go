package collector

import (
	"cloudsso_exporter/internal/ledger"
	"cloudsso_exporter/internal/refresh"
)

// eventTable is the counters and histograms: each task counts once, ever.
func eventTable() []description {
	return []description{
		{
			Metric: Metric{
				Name: "cloudsso_tasks_started_total", Type: Counter, Unit: "tasks", Section: Events,
				Help:   "Tasks that have started, by task type.",
				Notes:  "Tasks listed by the first complete refresh are the baseline and do not count.",
				Labels: []string{"task_type"},
				Query:  `sum by (task_type) (increase(cloudsso_tasks_started_total[1h]))`,
			},
			merge:  add,
			values: ofCounter(ledger.Started),
		},
		{
			Metric: Metric{
				Name: "cloudsso_tasks_finished_total", Type: Counter, Unit: "tasks", Section: Events,
				Help:   "Tasks that have finished, by task type and status.",
				Labels: []string{"task_type", "status"},
				Query: `sum(increase(cloudsso_tasks_finished_total{status="Failed"}[1h]))
  / sum(increase(cloudsso_tasks_finished_total[1h]))`,
			},
			merge:  add,
			values: ofCounter(ledger.Finished),
		},
		{
			Metric: Metric{
				Name: "cloudsso_task_failures_total", Type: Counter, Unit: "tasks", Section: Events,
				Help:   "Tasks that have failed, by task type and failure reason.",
				Notes:  "The series of a new reason stays at 0 for `new_series_hold`, so that `increase()` sees its first failure. Until then the sum over reasons is lower than `cloudsso_tasks_finished_total{status=\"Failed\"}`.",
				Labels: []string{"task_type", "failure_reason"},
				Query:  `topk(5, sum by (failure_reason) (increase(cloudsso_task_failures_total[1d])))`,
			},
			merge:  add,
			values: ofCounter(ledger.Failures),
		},
		{
			Metric: Metric{
				Name: "cloudsso_task_duration_seconds", Type: Histogram, Unit: "seconds", Section: Events,
				Help:   "Duration of finished tasks from start to end, by task type and status.",
				Notes:  "Tasks without a valid start and end are left out. Classic buckets go from 1 s to 1 h; native buckets are 9 % wide.",
				Labels: []string{"task_type", "status"},
				Query:  `histogram_quantile(0.9, sum by (le, task_type) (rate(cloudsso_task_duration_seconds_bucket[1d])))`,
			},
			values: ofCounter(ledger.Durations),
		},
		{
			Metric: Metric{
				Name: "cloudsso_unresolved_failures_expired_total", Type: Counter, Unit: "subjects", Section: Events,
				Help:   "Unresolved failures given up because they were not resolved within unresolved_failures.max_age, by task type.",
				Notes:  "The log names each of them.",
				Labels: []string{"task_type"},
				Query:  `increase(cloudsso_unresolved_failures_expired_total[7d]) > 0`,
			},
			merge:  add,
			values: ofCounter(ledger.Expired),
		},
	}
}

// ofCounter is the series of one counter by task type, and by its second label if it has one.
func ofCounter(m ledger.Metric) values {
	return ofSnapshot(func(s *ledger.Snapshot, _ *refresh.State) (all []sample) {
		for _, c := range s.Counters {
			if c.Metric != m {
				continue
			}
			one := sample{value: float64(c.Value), created: c.Created, histogram: c.Histogram}
			if c.Type != "" {
				one.labels = append(one.labels, string(c.Type))
			}
			if c.Label != "" {
				one.labels = append(one.labels, c.Label)
			}
			all = append(all, one)
		}
		return all
	})
}
