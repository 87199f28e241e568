package apiclient

import (
	"testing"

	"cloudsso_exporter/internal/task"
)

func TestClassify(t *testing.T) {
	for _, tc := range []struct {
		code   string
		status int
		kind   task.ErrorKind
		retry  bool
	}{
		{"Throttling", 429, task.ErrorThrottled, true},
		{"Throttling.User", 400, task.ErrorThrottled, true},
		{"Throttling.Api", 200, task.ErrorThrottled, true},
		{"Rejected.Throttling", 503, task.ErrorThrottled, true},
		{"ServiceUnavailable", 400, task.ErrorOther, true},
		{"InternalError", 200, task.ErrorOther, true},
		{"InvalidAccessKeyId.NotFound", 404, task.ErrorCredentials, false},
		{"InvalidAccessKeyId.Inactive", 500, task.ErrorCredentials, false},
		{"Forbidden.AccessKeyDisabled", 403, task.ErrorCredentials, false},
		{"SignatureDoesNotMatch", 400, task.ErrorCredentials, false},
		{"IncompleteSignature", 400, task.ErrorCredentials, false},
		{"InvalidSecurityToken.Expired", 400, task.ErrorCredentials, false},
		{"MissingSecurityToken", 400, task.ErrorCredentials, false},
		{"NoPermission", 403, task.ErrorPermission, false},
		{"NoPermission.System", 403, task.ErrorPermission, false},
		{"Forbidden.RAM", 403, task.ErrorPermission, false},
		{"Forbidden", 403, task.ErrorPermission, false},
		{"EntityNotExists.Directory", 404, task.ErrorNotFound, false},
		{"EntityNotExist.Directory", 404, task.ErrorNotFound, false},
		{"InvalidParameter.Filter", 400, task.ErrorOther, false},
		{"InvalidParameter.NextToken", 400, task.ErrorOther, false},
		{"InvalidAction.NotFound", 404, task.ErrorOther, false},
		{"InvalidTimeStamp.Expired", 400, task.ErrorOther, false},
		{"IllegalTimestamp", 400, task.ErrorOther, false},
		{"SignatureNonceUsed", 400, task.ErrorOther, true},
		{"SignatureNonceMissing", 400, task.ErrorOther, false},
		{"NoPermission", 429, task.ErrorThrottled, true},
		{"NeverHeardOf", 429, task.ErrorThrottled, true},
		{"Api.Throttled", 400, task.ErrorThrottled, true},
		{"Request.UserThrottling", 503, task.ErrorThrottled, true},
		{"Inactive", 403, task.ErrorPermission, false},
		{"Inactive.Service", 403, task.ErrorPermission, false},
		{"ActionUnauthorized", 403, task.ErrorPermission, false},
		{"NeverHeardOf", 400, task.ErrorOther, false},
		{"NeverHeardOf", 500, task.ErrorOther, true},
	} {
		kind, retry := classify(tc.code, tc.status)
		if kind != tc.kind || retry != tc.retry {
			t.Errorf("%s with %d: %s, retry %v; want %s, %v", tc.code, tc.status, kind, retry, tc.kind, tc.retry)
		}
	}
}

func TestIsAPICode(t *testing.T) {
	for code, want := range map[string]bool{
		"Throttling.User": true, "EntityNotExists.Directory": true, "NoPermission": true,
		"": false, "OK": false, "Success": false, "SUCCESS": false, "200": false, "timeout": false, "a b": false,
		"<html>": false, "Ünknown": false, "line\nbreak": false,
	} {
		if got := isAPICode(code); got != want {
			t.Errorf("%q: %v", code, got)
		}
	}
}
