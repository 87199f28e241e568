package apiclient

import (
	"net/http"
	"regexp"
	"slices"
	"strings"

	"cloudsso_exporter/internal/task"
)

// classify says of which kind a code of the API is, and whether the same call
// may succeed a little later. The HTTP status is not reliable (throttling has
// been seen with 400), so but for 429 it only decides about codes that say nothing.
func classify(code string, status int) (kind task.ErrorKind, retry bool) {
	has := func(parts ...string) bool {
		return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(code, part) })
	}
	starts := func(prefixes ...string) bool {
		return slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(code, prefix) })
	}
	switch {
	case status == http.StatusTooManyRequests, has("Throttl"):
		return task.ErrorThrottled, true
	case starts("ServiceUnavailable", "InternalError", "SignatureNonceUsed"): // each attempt has a nonce of its own
		return task.ErrorOther, true
	case isTimestamp(code), starts("SignatureNonce"):
		return task.ErrorOther, false
	case has("AccessKey", "SecurityToken", "Signature"): // also Forbidden.AccessKeyDisabled and the like
		return task.ErrorCredentials, false
	case starts("NoPermission", "Forbidden", "AccessDenied", "NotAuthorized", "AuthenticationFail", "Inactive"), has("Unauthorized"):
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
	code = strings.ToLower(code)
	return strings.HasPrefix(code, "invalidtimestamp") || strings.HasPrefix(code, "illegaltimestamp")
}

// isAPICode reports whether s has the form of an error code of the API. Words
// that mean success, or that count attempts without a code, are none.
func isAPICode(s string) bool {
	switch strings.ToLower(s) {
	case "", "ok", "success", codeTimeout, codeNetwork, codeInvalidResponse:
		return false
	}
	return regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._:-]{0,99}$`).MatchString(s)
}
