package collector

import (
	"slices"
	"time"

	"cloudsso_exporter/internal/histogram"
	"cloudsso_exporter/internal/ledger"
	"cloudsso_exporter/internal/refresh"
	"cloudsso_exporter/internal/task"
)

// healthTable is how the exporter fares with each directory.
func healthTable() []description {
	return []description{
		{
			Metric: Metric{
				Name: "cloudsso_up", Type: Gauge, Unit: "0 or 1", Section: Health,
				Help:  "Whether the last refresh of the directory succeeded.",
				Notes: "Absent until the first attempt has ended. While it is 0, all other numbers are those of the last complete refresh.",
				Query: `min by (directory_id) (cloudsso_up) == 0`,
			},
			values: func(s *refresh.State) []sample {
				if !s.Attempted {
					return nil
				}
				return []sample{{value: boolValue(s.Up)}}
			},
		},
		{
			Metric: Metric{
				Name: "cloudsso_last_refresh_error", Type: Gauge, Unit: "0 or 1", Section: Health,
				Help:   "1 for the kind of the last error while cloudsso_up is 0, otherwise 0.",
				Notes:  "All kinds are always present. The log and /api/v1/status have the error itself.",
				Labels: []string{"kind"},
				Query:  `cloudsso_last_refresh_error == 1`,
			},
			values: lastError,
		},
		{
			Metric: Metric{
				Name: "cloudsso_last_refresh_success_timestamp_seconds", Type: Gauge, Unit: "Unix time in seconds", Section: Health,
				Help:  "Unix time of the last successful refresh.",
				Notes: "`time()` minus this is the age of the numbers. Absent until the first success; with a state folder it is there right after a restart.",
				Query: `time() - cloudsso_last_refresh_success_timestamp_seconds`,
			},
			values: func(s *refresh.State) []sample {
				if s.LastSuccess.IsZero() {
					return nil
				}
				return []sample{{value: unix(s.LastSuccess)}}
			},
		},
		{
			Metric: Metric{
				Name: "cloudsso_refreshes_total", Type: Counter, Unit: "refreshes", Section: Health,
				Help:   "Refreshes that have ended, by result: success or error.",
				Labels: []string{"result"},
				Query:  `sum by (result) (rate(cloudsso_refreshes_total[5m]))`,
			},
			values: func(s *refresh.State) []sample {
				began := createdAt(s.Duration)
				return []sample{
					{labels: []string{"success"}, value: float64(s.Succeeded), created: began},
					{labels: []string{"error"}, value: float64(s.FailedAttempts), created: began},
				}
			},
		},
		{
			Metric: Metric{
				Name: "cloudsso_refresh_duration_seconds", Type: Histogram, Unit: "seconds", Section: Health,
				Help:  "Duration of refreshes, including retries and waiting.",
				Query: `histogram_quantile(0.9, sum by (le) (rate(cloudsso_refresh_duration_seconds_bucket[1h])))`,
			},
			values: func(s *refresh.State) []sample { return one(s.Duration) },
		},
		{
			Metric: Metric{
				Name: "cloudsso_api_requests_total", Type: Counter, Unit: "requests", Section: Health,
				Help:   "HTTP requests to the API, including retries, by action and code.",
				Notes:  "The code is OK, the API's error code, or timeout, network or invalid_response. OK and Throttling.User are present from the start. After 32 codes, further ones count as `other`.",
				Labels: []string{"action", "code"},
				Query:  `sum by (code) (increase(cloudsso_api_requests_total{code!="OK"}[1h]))`,
			},
			merge: add,
			values: func(s *refresh.State) (all []sample) {
				began := createdAt(s.RequestDuration)
				for _, r := range s.Requests {
					all = append(all, sample{labels: []string{r.Action, r.Code}, value: float64(r.N), created: began})
				}
				return all
			},
		},
		{
			Metric: Metric{
				Name: "cloudsso_api_request_duration_seconds", Type: Histogram, Unit: "seconds", Section: Health,
				Help:   "Duration of single HTTP requests to the API, by action.",
				Labels: []string{"action"},
				Query:  `sum(rate(cloudsso_api_request_duration_seconds_sum[5m])) / sum(rate(cloudsso_api_request_duration_seconds_count[5m]))`,
			},
			values: func(s *refresh.State) []sample { return one(s.RequestDuration, "ListTasks") },
		},
		{
			Metric: Metric{
				Name: "cloudsso_failure_reasons_overflow_total", Type: Counter, Unit: "tasks", Section: Health,
				Help:  "Failed tasks counted under the reason \"other\" because failure_reasons.limit is reached.",
				Notes: "If it grows, write `failure_reasons.rules` for the reasons that matter, or raise the limit.",
				Query: `increase(cloudsso_failure_reasons_overflow_total[1d]) > 0`,
			},
			values: ofCounter(ledger.Overflow),
		},
	}
}

// lastError is a sample for each kind; one that is not known counts as other.
func lastError(s *refresh.State) (all []sample) {
	kinds := task.ErrorKinds()
	last := s.ErrorKind
	if !slices.Contains(kinds, last) {
		last = task.ErrorOther
	}
	for _, kind := range kinds {
		all = append(all, sample{labels: []string{string(kind)}, value: boolValue(s.Attempted && !s.Up && kind == last)})
	}
	return all
}

// one is the series of h, if there is one.
func one(h *histogram.Histogram, labels ...string) []sample {
	if h == nil {
		return nil
	}
	return []sample{{labels: labels, histogram: h}}
}

// createdAt is when h began. What is counted beside it began with it.
func createdAt(h *histogram.Histogram) time.Time {
	if h == nil {
		return time.Time{}
	}
	return h.Created
}

func boolValue(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
