package apiclient

import (
	"cmp"
	"net/http"
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
// before the filter of the directory; pairs stay together.
func parameters(directoryID string, directory task.Filter, q task.Query, token string) string {
	f := directory
	f.AccessConfigurationID = cmp.Or(q.AccessConfigurationID, f.AccessConfigurationID)
	if q.TargetID != "" || q.TargetType != "" {
		f.TargetID, f.TargetType = q.TargetID, q.TargetType
	}
	if q.PrincipalID != "" || q.PrincipalType != "" {
		f.PrincipalID, f.PrincipalType = q.PrincipalID, q.PrincipalType
	}
	filter := ""
	if !q.From.IsZero() {
		filter = "StartTime ge " + q.From.UTC().Format("2006-01-02T15:04:05Z") // rounds down
	}
	pairs := make([]pair, 0, 11)
	for _, p := range []pair{
		{"DirectoryId", directoryID},
		{"AccessConfigurationId", f.AccessConfigurationID},
		{"TargetType", f.TargetType},
		{"TargetId", f.TargetID},
		{"PrincipalType", f.PrincipalType},
		{"PrincipalId", f.PrincipalID},
		{"TaskType", string(q.Type)},
		{"Status", string(q.Status)},
		{"NextToken", token},
		{"MaxResults", strconv.Itoa(pageSize)},
		{"Filter", filter},
	} {
		if p.value != "" {
			pairs = append(pairs, p)
		}
	}
	return encodeQuery(pairs)
}

// retryAfter reads a Retry-After header: seconds, or a date, which is held
// against the answer's own date. 0 when there is none, or rubbish.
func retryAfter(value string, answered time.Time) time.Duration {
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
		// More than an hour is all the same: nobody waits that long.
		return time.Duration(min(max(seconds, 0), 3600)) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil || answered.IsZero() {
		return 0
	}
	return min(max(at.Sub(answered), 0), time.Hour)
}
