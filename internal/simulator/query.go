package simulator

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"cloudsso_exporter/internal/task"
)

const (
	maxWindow     = 7 * 24 * time.Hour
	defaultWindow = 24 * time.Hour
	maxPageSize   = 20
	defaultSize   = 10
	targetAccount = "RD-Account"
)

// query is one valid ListTasks call.
type query struct {
	params    url.Values
	directory *Directory
	want      wanted
	from      time.Time // StartTime ge, whole seconds
	size      int       // entries per page
	at        position  // where the page begins
}

// wanted is what a task must be; empty: anything.
type wanted struct {
	task.Filter
	taskType task.Type
	status   task.Status
}

// fits reports whether a value is wanted; empty: any is.
func fits[T ~string](want, got T) bool { return want == "" || want == got }

func (w wanted) matches(t *task.Task, status task.Status) bool {
	return fits(w.AccessConfigurationID, t.AccessConfigurationID) &&
		fits(w.TargetType, t.TargetType) && fits(w.TargetID, t.TargetID) &&
		fits(w.PrincipalType, t.PrincipalType) && fits(w.PrincipalID, t.PrincipalID) &&
		fits(w.taskType, t.Type) && fits(w.status, status)
}

// parameters are all that ListTasks has.
func parameters() []string {
	return []string{
		"DirectoryId", "AccessConfigurationId", "TargetType", "TargetId", "PrincipalType", "PrincipalId",
		"TaskType", "Status", "NextToken", "MaxResults", "Filter",
	}
}

// parseQuery enforces the rules of the request parameters.
func (s *Server) parseQuery(r *http.Request, now time.Time) (query, *refusal) {
	params, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return query{}, refusef("InvalidParameter", "The query cannot be read.")
	}
	for name, values := range params {
		if !slices.Contains(parameters(), name) {
			return query{}, refusef("InvalidParameter."+name, "ListTasks has no parameter %s.", name)
		}
		if len(values) != 1 {
			return query{}, refusef("InvalidParameter."+name, "The parameter %s is given %d times.", name, len(values))
		}
	}
	q := query{params: params, size: defaultSize}
	if refused := checkWords(params); refused != nil {
		return query{}, refused
	}
	q.want = wanted{task.Filter{
		AccessConfigurationID: params.Get("AccessConfigurationId"),
		TargetType:            params.Get("TargetType"),
		TargetID:              params.Get("TargetId"),
		PrincipalType:         params.Get("PrincipalType"),
		PrincipalID:           params.Get("PrincipalId"),
	}, task.Type(params.Get("TaskType")), task.Status(params.Get("Status"))}
	if text := params.Get("MaxResults"); text != "" {
		size, err := strconv.ParseUint(text, 10, 8)
		if err != nil || size < 1 || size > maxPageSize {
			return query{}, refusef("InvalidParameter.MaxResults", "The MaxResults %q is not a number from 1 to %d.", text, maxPageSize)
		}
		q.size = int(size)
	}
	var refused *refusal
	if q.from, refused = parseFilter(params.Get("Filter"), now); refused != nil {
		return query{}, refused
	}
	id := params.Get("DirectoryId")
	if id == "" {
		return query{}, refusef("MissingParameter.DirectoryId", "DirectoryId is mandatory for this action.")
	}
	s.mu.RLock()
	q.directory = s.directories[id]
	s.mu.RUnlock()
	if q.directory == nil {
		return query{}, refusef("EntityNotExists.Directory", "The directory %s does not exist.", id)
	}
	if q.at, refused = parseToken(params); refused != nil {
		return query{}, refused
	}
	return q, nil
}

// checkWords refuses values that the reference does not know, and half a pair: "You
// can use the type to filter access permissions only if you specify both". The API
// may ignore the half; here the mistake shows.
func checkWords(params url.Values) *refusal {
	for _, pair := range [][2]string{{"TargetType", "TargetId"}, {"PrincipalType", "PrincipalId"}} {
		if (params.Get(pair[0]) == "") != (params.Get(pair[1]) == "") {
			return refusef("InvalidParameter."+pair[0], "Specify both %s and %s.", pair[0], pair[1])
		}
	}
	for _, p := range [][]string{
		{"TargetType", targetAccount},
		{"PrincipalType", "User", "Group"},
		{"TaskType", "ProvisionAccessConfiguration", "DeprovisionAccessConfiguration", "CreateAccessAssignment", "DeleteAccessAssignment"},
		{"Status", "InProgress", "Success", "Failed"},
	} {
		name, valid := p[0], p[1:]
		if value := params.Get(name); value != "" && !slices.Contains(valid, value) {
			return refusef("InvalidParameter."+name, "The %s %q is not one of %s.", name, value, strings.Join(valid, ", "))
		}
	}
	return nil
}

// parseFilter returns the earliest StartTime asked for. It is called for every
// page, so that a Filter that has grown too old is refused half way.
func parseFilter(filter string, now time.Time) (time.Time, *refusal) {
	if filter == "" {
		return now.Add(-defaultWindow).Truncate(time.Second), nil
	}
	// "The condition is not case-sensitive."
	text, ok := strings.CutPrefix(strings.ToUpper(filter), "STARTTIME GE ")
	from, valid := parseDate(text)
	if !ok || !valid {
		return time.Time{}, refusef("InvalidParameter.Filter", "The Filter %q is not in the form StartTime ge YYYY-MM-DDTHH:mm:SSZ.", filter)
	}
	if now.Sub(from) > maxWindow {
		return time.Time{}, refusef("InvalidParameter.Filter", "The StartTime of the Filter %q is more than 7 days from the current time.", filter)
	}
	return from, nil
}
