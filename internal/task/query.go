package task

import (
	"cmp"
	"time"
)

// Filter narrows what a directory shows. The zero value shows everything.
// TargetID and TargetType, PrincipalID and PrincipalType come in pairs, as the
// API ignores half a pair.
type Filter struct {
	AccessConfigurationID string
	TargetType            string
	TargetID              string
	PrincipalType         string
	PrincipalID           string
}

// Matches reports whether the API would list t under this filter.
func (f Filter) Matches(t Task) bool {
	match := func(want, got string) bool { return want == "" || want == got }
	return match(f.AccessConfigurationID, t.AccessConfigurationID) &&
		match(f.TargetType, t.TargetType) &&
		match(f.TargetID, t.TargetID) &&
		match(f.PrincipalType, t.PrincipalType) &&
		match(f.PrincipalID, t.PrincipalID)
}

// Over is f with what base filters by where f does not. Pairs stay together.
func (f Filter) Over(base Filter) Filter {
	f.AccessConfigurationID = cmp.Or(f.AccessConfigurationID, base.AccessConfigurationID)
	if f.TargetID == "" && f.TargetType == "" {
		f.TargetID, f.TargetType = base.TargetID, base.TargetType
	}
	if f.PrincipalID == "" && f.PrincipalType == "" {
		f.PrincipalID, f.PrincipalType = base.PrincipalID, base.PrincipalType
	}
	return f
}

// Query is one question to ListTasks, to be paged through.
type Query struct {
	Filter
	Type   Type      // empty: all types
	Status Status    // empty: all statuses
	From   time.Time // StartTime ge From, API time; whole seconds are sent, rounded down
}

// Page is one answer to a Query.
type Page struct {
	Tasks []Task
	Next  string // token of the next page; empty on the last
}

// ErrorKind says in one word why a refresh failed.
type ErrorKind string

// The kinds of refresh error; every failure is of exactly one.
const (
	ErrorCredentials     ErrorKind = "credentials"      // no credential to be had, or the API does not accept it
	ErrorPermission      ErrorKind = "permission"       // the credential is good, the RAM policy is not
	ErrorThrottled       ErrorKind = "throttled"        // flow control, retries used up
	ErrorNotFound        ErrorKind = "not_found"        // no such directory
	ErrorTimeout         ErrorKind = "timeout"          // no answer in time
	ErrorNetwork         ErrorKind = "network"          // no connection, or one that broke
	ErrorInvalidResponse ErrorKind = "invalid_response" // an answer that is no ListTasks answer
	ErrorStorage         ErrorKind = "storage"          // the state folder cannot be written
	ErrorOther           ErrorKind = "other"            // any other refusal of the API
)

// ErrorKinds returns every kind, in a fixed order.
func ErrorKinds() []ErrorKind {
	return []ErrorKind{
		ErrorCredentials, ErrorPermission, ErrorThrottled, ErrorNotFound, ErrorTimeout,
		ErrorNetwork, ErrorInvalidResponse, ErrorStorage, ErrorOther,
	}
}

// Paging says how a Query is paged through.
type Paging struct {
	Token   string // where an earlier read of the same Query stopped; empty: from the first page
	NoRetry bool   // one attempt a page, as a probe in an outage
}
