package apiclient

import (
	"strings"

	"cloudsso_exporter/internal/task"
)

// classify says of which kind a code of the API is, and whether the same call
// may succeed a little later. The HTTP status is not reliable (throttling has
// been seen with 400), so it only decides about codes that say nothing.
func classify(code string, status int) (kind task.ErrorKind, retry bool) {
	has := func(parts ...string) bool {
		for _, part := range parts {
			if strings.Contains(code, part) {
				return true
			}
		}
		return false
	}
	starts := func(prefixes ...string) bool {
		for _, prefix := range prefixes {
			if strings.HasPrefix(code, prefix) {
				return true
			}
		}
		return false
	}
	switch {
	case starts("Throttling", "Rejected.Throttling"):
		return task.ErrorThrottled, true
	case starts("ServiceUnavailable", "InternalError"):
		return task.ErrorOther, true
	case isTimestamp(code), starts("SignatureNonce"):
		return task.ErrorOther, false
	case has("AccessKey", "SecurityToken", "Signature"): // also Forbidden.AccessKeyDisabled and the like
		return task.ErrorCredentials, false
	case starts("NoPermission", "Forbidden", "AccessDenied", "Unauthorized", "NotAuthorized", "AuthenticationFail"):
		return task.ErrorPermission, false
	case starts("InvalidParameter", "InvalidFilter", "InvalidApi", "InvalidAction", "InvalidVersion"), has("NextToken"):
		return task.ErrorOther, status >= 500
	case starts("EntityNotExist"), has("NotFound", "NotExist"):
		return task.ErrorNotFound, false
	default:
		return task.ErrorOther, status >= 500
	}
}

// isTimestamp reports whether the API finds the request too old or too new.
func isTimestamp(code string) bool {
	return strings.HasPrefix(strings.ToLower(code), "invalidtimestamp")
}

// isAPICode reports whether s has the form of an error code of the API. Words
// that mean success, or that count attempts without a code, are none.
func isAPICode(s string) bool {
	if s == "" || len(s) > 100 {
		return false
	}
	switch strings.ToLower(s) {
	case "ok", "success", codeTimeout, codeNetwork, codeInvalidResponse:
		return false
	}
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		later := i > 0 && ('0' <= c && c <= '9' || strings.IndexByte("._-:", c) >= 0)
		if !letter && !later {
			return false
		}
	}
	return true
}
