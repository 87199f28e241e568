package apiclient

import (
	"net/http"
	"net/url"
	"strconv"
	"time"

	"cloudsso_exporter/internal/task"
)

const (
	action  = "ListTasks"
	version = "2021-05-15"
	// pageSize is the most that ListTasks returns at once.
	pageSize = 20
)

// parameters are those of one ListTasks call, encoded. What q filters by goes
// before the filter of the directory.
func parameters(directoryID string, directory task.Filter, q task.Query, token string) string {
	f := q.Over(directory)
	filter := ""
	if !q.From.IsZero() {
		filter = "StartTime ge " + q.From.UTC().Format("2006-01-02T15:04:05Z") // rounds down
	}
	given := url.Values{}
	for name, value := range map[string]string{
		"DirectoryId":           directoryID,
		"AccessConfigurationId": f.AccessConfigurationID,
		"TargetType":            f.TargetType,
		"TargetId":              f.TargetID,
		"PrincipalType":         f.PrincipalType,
		"PrincipalId":           f.PrincipalID,
		"TaskType":              string(q.Type),
		"Status":                string(q.Status),
		"NextToken":             token,
		"MaxResults":            strconv.Itoa(pageSize),
		"Filter":                filter,
	} {
		if value != "" {
			given.Set(name, value)
		}
	}
	return encodeQuery(given)
}

// retryAfter reads a Retry-After header: seconds, or a date, which is held
// against the answer's own date. 0 when there is none, or rubbish.
func retryAfter(value string, answered time.Time) time.Duration {
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
		// More than an hour is all the same: nobody waits that long.
		return time.Duration(min(max(seconds, 0), 3600)) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(answered), 0), time.Hour)
}
