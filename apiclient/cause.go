package apiclient

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
)

// known is an error of ours about credentials: it may be shown.
type known string

// Error is the text.
func (k known) Error() string { return string(k) }

// failure is the error of a credential: which type it is, why, and what to do,
// which a long reason must not push over the length of an Error's message.
func (c Credential) failure(why string) error {
	whose, cure := c.String()+": ", "; "+c.Type.cure()
	return errors.New(whose + cut(why, longestMessage-len(whose)-len(cure)) + cure)
}

func (t CredentialType) cure() string {
	switch t {
	case CredentialAccessKey, CredentialSTS:
		return "correct the key"
	case CredentialRAMRoleARN:
		return "check role_arn, the role's trust policy, the keys that assume it and sts_endpoint"
	case CredentialOIDCRoleARN:
		return "check role_arn, oidc_provider_arn, the token file and sts_endpoint"
	case CredentialECSRAMRole:
		return "check role_name and that the instance has the role"
	case CredentialURI:
		return "check url and the server behind it"
	default:
		return "set one of them up or choose another type"
	}
}

// cause says in words of our own why credentials-go failed. Its texts are
// never quoted: they may hold a profile with its secrets, or a signed URL.
func cause(err error) string {
	if err == nil {
		return "nothing"
	}
	var ours known
	if errors.As(err, &ours) {
		return string(ours)
	}
	text := err.Error()
	switch code := refusalIn(text); {
	case isTimestamp(code):
		return "refused with " + code + ": set the local clock right, it is what such a request is dated by"
	case code != "":
		return "refused with " + code
	}
	for _, c := range causes() {
		if strings.Contains(text, c.part) {
			return c.words
		}
	}
	if status := regexp.MustCompile(`(?:httpStatus: |credentials/\S* )([1-5]\d\d)\b`).FindStringSubmatch(text); status != nil {
		return "HTTP " + status[1]
	}
	return "it failed for a reason that is not shown, as it may hold a secret"
}

// refusalIn is the code of an API's refusal within a text, empty when there is none.
func refusalIn(text string) string {
	at := strings.IndexByte(text, '{')
	if at < 0 {
		return ""
	}
	var body struct{ Code string }
	if json.NewDecoder(strings.NewReader(text[at:])).Decode(&body) != nil || !isAPICode(body.Code) {
		return ""
	}
	return newRedactor(Keys{}).word(body.Code)
}

// causes are parts of the texts of credentials-go and net/http, and what they mean.
func causes() []struct{ part, words string } {
	return []struct{ part, words string }{
		{"environment variable (ALIBABA_CLOUD_ACCESS_KEY_ID)", "no ALIBABA_CLOUD_ACCESS_KEY_ID"},
		{"environment variable (ALIBABA_CLOUD_ACCESS_KEY_SECRET)", "no ALIBABA_CLOUD_ACCESS_KEY_SECRET"},
		{"OIDCTokenFilePath is empty", "not set up"},
		{"OIDCProviderARN is empty", "no provider ARN"},
		{"RoleArn is empty", "no role ARN"},
		{"the url is empty", "not set up"},
		{"IMDS credentials is disabled", "switched off"},
		{"CLI profile is disabled", "switched off"},
		{"unmarshal aliyun cli config", "no JSON of the CLI's form"},
		{"no any configured profiles", "no profile"},
		{"unable to get profile", "no such profile"},
		{"unsupported profile mode", "a mode that is not supported"},
		{"Can not load section", "no such section"},
		{"no such file or directory", "no file"},
		{"permission denied", "a file may not be read"},
		{"Can not open file", "a file that cannot be read"},
		{"access token is expired", "expired: log in anew"},
		{"connection refused", "connection refused"},
		{"no such host", "host not known"},
		{"x509:", "certificate not trusted"},
		{"tls:", "TLS failed"},
		{"HTTP response to HTTPS client", "no TLS"},
		{"Client.Timeout", "no answer in time"},
		{"timeout", "no answer in time"},
		{"deadline exceeded", "no answer in time"},
		{"unreachable", "unreachable"},
		{"no route to host", "unreachable"},
		{"connection reset", "connection broke"},
		{"EOF", "connection broke"},
		{"unsupported protocol scheme", "url is no URL"},
		{"missing protocol scheme", "url is no URL"},
		{"invalid port", "url is no URL"},
		{"invalid URL", "url is no URL"},
		{"json.Unmarshal fail", "an answer that is no JSON"},
		{"json unmarshal fail", "an answer that is no JSON"},
		{"fail to get credentials", "an answer without credentials"},
		{"refresh credentials from", "an answer without credentials"},
		{"Code is not Success", "an answer that says it is no success"},
		{"parsing time", "an answer with an expiration that is no time"},
	}
}
