package apiclient

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// known is an error of ours about credentials: it may be shown.
type known string

// Error is the text.
func (k known) Error() string { return string(k) }

// failure is the error of a credential: which type it is, why, and what to do,
// which a long reason must not push over the length of an Error's message.
func (c Credential) failure(why string) error {
	whose, cure := fmt.Sprint(c)+": ", "; "+c.Type.cure()
	return errors.New(whose + truncate(why, longestMessage-len(whose)-len(cure)) + cure)
}

// cause says in words of our own why credentials-go failed. Its texts are
// never quoted: they may hold a profile with its secrets, or a signed URL.
func cause(err error) string {
	var ours known
	if errors.As(err, &ours) {
		return string(ours)
	}
	text := err.Error()
	switch code := refusalIn(text); {
	case isTimestamp(code):
		return "refused with " + code + ": set the local clock right, which dates such a request"
	case code != "" && strings.Contains(text, "from sso failed"):
		return "refused with " + code + cloudSSOCure
	case code != "":
		return "refused with " + code
	}
	for _, c := range causes() {
		if slices.ContainsFunc(c[1:], func(part string) bool { return strings.Contains(text, part) }) {
			return c[0]
		}
	}
	if status := regexp.MustCompile(`(?:httpStatus: |credentials/\S* )([1-5]\d\d)\b`).FindStringSubmatch(text); status != nil {
		return "HTTP " + status[1]
	}
	return "the reason is not shown, because it may hold a secret"
}

// refusalIn is the code of an API's refusal within a text, empty when there is none.
func refusalIn(text string) string {
	at := strings.IndexByte(text, '{')
	if at < 0 {
		return ""
	}
	var body struct{ Code, ErrorCode string } // CloudSSO says ErrorCode
	if json.NewDecoder(strings.NewReader(text[at:])).Decode(&body) != nil {
		return ""
	}
	code := cmp.Or(body.Code, body.ErrorCode)
	if !isAPICode(code) {
		return ""
	}
	return Keys{}.word(code)
}

// cloudSSOCure is what to do about a login that no service can renew.
const cloudSSOCure = ": log in with aliyun configure --mode CloudSSO, or use a credential of another type"

// causes are what texts of credentials-go and net/http mean: words of ours, then
// parts of such texts.
func causes() [][]string {
	return [][]string{
		{errRedirect.Error(), errRedirect.Error()},
		{errProxyRefused.Error(), errProxyRefused.Error()},
		{"not set up", "OIDCTokenFilePath is empty"},
		{"no provider ARN", "OIDCProviderARN is empty"},
		{"no role ARN", "RoleArn is empty"},
		{"switched off", "IMDS credentials is disabled"},
		{"the CloudSSO login has expired" + cloudSSOCure, "CloudSSO access token is empty or expired", "access token is expired"},
		{"the CloudSSO profile is not complete" + cloudSSOCure, "CloudSSO sign in url"},
		{"CloudSSO refused the login" + cloudSSOCure, "session token from sso failed: "},
		{"no such section", "Can not load section"},
		{"missing: type", "Can not find credential type"},
		{"its type is not supported; access_key, ram_role_arn and ecs_ram_role are", "ERROR: Failed to get credential"},
		{"access_key_id, access_key_secret, role_arn, role_session_name or role_name is missing or empty", "ERROR: Failed to get value", "ERROR: Value can't be empty"},
		{"a file that cannot be read", "Can not open file"},
		{"no file", "no such file or directory"},
		{"a file may not be read", "permission denied"},
		{"connection refused", "connection refused"},
		{"host not known", "no such host"},
		{"certificate not trusted", "x509:"},
		{"TLS failed", "tls:"},
		{"no TLS", "HTTP response to HTTPS client"},
		{"no answer in time", "Client.Timeout", "timeout", "deadline exceeded"},
		{"unreachable", "unreachable", "no route to host"},
		{"connection broke", "connection reset", "EOF"},
		{"url is not a URL", "unsupported protocol scheme", "missing protocol scheme", "invalid port", "invalid URL"},
		{"an answer that is not JSON", "json.Unmarshal fail"},
		{"an answer without credentials", "fail to get credentials"},
		{"an answer that says it is not a success", "Code is not Success"},
		{"an answer with an expiration that is not a time", "parsing time"},
	}
}
