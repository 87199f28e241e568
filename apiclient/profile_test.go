package apiclient

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// writeProfiles makes the file of Alibaba Cloud CLI, with these profiles.
func writeProfiles(t *testing.T, home, current string, profiles ...string) {
	t.Helper()
	path := filepath.Join(home, "cli.json")
	content := fmt.Sprintf(`{"current":%q,"profiles":[%s]}`, current, strings.Join(profiles, ","))
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("ALIBABA_CLOUD_CONFIG_FILE", path)
}

func TestProfileType(t *testing.T) {
	sts, base := newSTS(t, grants)
	home := cleanEnvironment(t, base)
	t.Setenv("ALIBABA_CLOUD_PROFILE", "another")
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "of the environment")
	future := time.Now().Add(time.Hour).Unix()
	token := filepath.Join(home, "token")
	os.WriteFile(token, []byte("oidcToken\n"), 0o600)
	cloud := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer goodToken" {
			w.WriteHeader(http.StatusUnauthorized)
			io.WriteString(w, `{"ErrorCode":"InvalidAccessToken","ErrorMessage":"badToken","RequestId":"r"}`)
			return
		}
		io.WriteString(w, `{"CloudCredential":{`+session+`}}`)
	})
	login := func(token string, expires int64) string {
		return fmt.Sprintf(`{"name":"p","mode":"CloudSSO","cloud_sso_sign_in_url":%q,"cloud_sso_account_id":"1","cloud_sso_access_config":"ac-1",`+
			`"access_token":%q,"cloud_sso_access_token_expire":%d}`, cloud.URL, token, expires)
	}
	const cure = "aliyun configure --mode CloudSSO"
	for name, tc := range map[string]struct{ profile, want, says string }{
		"key pair":            {`{"name":"p","mode":"AK","access_key_id":"LTAIp","access_key_secret":"s","sts_token":"left over"}`, "LTAIp", ""},
		"in lower case":       {`{"name":"p","mode":"ak","access_key_id":"LTAIp","access_key_secret":"s"}`, "LTAIp", ""},
		"token":               {`{"name":"p","mode":"ststoken","access_key_id":"STS.p","access_key_secret":"s","sts_token":"t"}`, "STS.p", ""},
		"URI":                 {`{"name":"p","mode":"CredentialsURI","credentials_uri":"` + sts.URL + `"}`, "", "without credentials"},
		"empty keys":          {`{"name":"p","mode":"AK"}`, "", "missing: access_key_id, access_key_secret"},
		"no token":            {`{"name":"p","mode":"StsToken","access_key_id":"STS.p","access_key_secret":"s"}`, "", "missing: security_token"},
		"no role":             {`{"name":"p","mode":"RamRoleArn","access_key_id":"LTAIp","access_key_secret":"s"}`, "", "missing: role_arn"},
		"a role without keys": {`{"name":"p","mode":"RamRoleArn","ram_role_arn":"acs:ram::1:role/r"}`, "", "missing: access_key_id"},
		"no OIDC token":       {`{"name":"p","mode":"OIDC","ram_role_arn":"acs:ram::1:role/r","oidc_provider_arn":"x"}`, "", "missing: oidc_token_file"},
		"a temporary key":     {`{"name":"p","mode":"AK","access_key_id":"STS.p","access_key_secret":"s"}`, "", "without its security token"},
		"no mode":             {`{"name":"p","access_key_id":"LTAIp","access_key_secret":"s"}`, "", "aliyun configure"},
		"OAuth":               {`{"name":"p","mode":"oauth"}`, "", "mode OAuth is not supported: use a credential of type access_key"},
		"External":            {`{"name":"p","mode":"External"}`, "", "mode External is not supported: use a credential of type credentials_uri"},
		"another name":        {`{"name":"q","mode":"AK","access_key_id":"LTAIp","access_key_secret":"s"}`, "", "no such profile"},
		"CloudSSO":            {login("goodToken", future), "STS.session", ""},
		"CloudSSO, expired":   {login("goodToken", 1), "", cure},
		"CloudSSO, revoked":   {login("badToken", future), "", "refused with InvalidAccessToken: log in with " + cure},
		"CloudSSO, no token":  {login("", 0), "", cure},
	} {
		t.Run(name, func(t *testing.T) {
			writeProfiles(t, home, "other", tc.profile, `{"name":"other","mode":"AK","access_key_id":"LTAIo","access_key_secret":"s"}`)
			keys, err := newSource(t, Credential{Type: CredentialProfile, Profile: "p"}).Keys(t.Context())
			if keys.AccessKeyID != tc.want || (err == nil) != (tc.want != "") {
				t.Fatalf("keys of %q, %v", keys.AccessKeyID, err)
			}
			if err != nil && !strings.Contains(err.Error(), tc.says) {
				t.Errorf("%v does not say %q", err, tc.says)
			}
		})
	}
}

// A role of the CLI is assumed with its own settings.
func TestProfilesThatAssumeRoles(t *testing.T) {
	sts, base := newSTS(t, grants)
	base.TLSClientConfig.ServerName = "example.com" // of the test server's certificate
	proxied, _ := url.Parse(tunnel(t, sts.host()))
	base.Proxy = guard(http.ProxyURL(proxied))
	home := cleanEnvironment(t, base)
	token := filepath.Join(home, "token")
	os.WriteFile(token, []byte("oidcToken\n"), 0o600)
	role := `"ram_role_arn":"acs:ram::1:role/r","ram_session_name":"me"`
	for name, tc := range map[string]struct{ profile, action, key string }{
		"RamRoleArn": {`{"name":"p","mode":"RamRoleArn","access_key_id":"LTAIp","access_key_secret":"s",` + role + `}`, "AssumeRole", "LTAIp"},
		"chained":    {`{"name":"p","mode":"chainableramrolearn","source_profile":"other",` + role + `}`, "AssumeRole", "LTAIo"},
		"OIDC":       {`{"name":"p","mode":"OIDC","oidc_provider_arn":"x","oidc_token_file":"` + token + `",` + role + `}`, "AssumeRoleWithOIDC", ""},
	} {
		t.Run(name, func(t *testing.T) {
			writeProfiles(t, home, "p", tc.profile, `{"name":"other","mode":"AK","access_key_id":"LTAIo","access_key_secret":"s"}`)
			if got, err := newSource(t, Credential{Type: CredentialProfile, Profile: "p"}).Keys(t.Context()); err != nil || got != sessionKeys() {
				t.Fatalf("keys of %q, %v", got.AccessKeyID, err)
			}
			asked := sts.asked[len(sts.asked)-1]
			if asked.Get("Action") != tc.action || asked.Get("AccessKeyId") != tc.key || asked.Get("RoleSessionName") != "me" || asked.Get("RoleArn") != "acs:ram::1:role/r" {
				t.Errorf("asked %v", asked)
			}
		})
	}
}

// tunnel is a proxy that connects to one host, whatever it is asked for.
func tunnel(t *testing.T, host string) string {
	return newServer(t, func(w http.ResponseWriter, _ *http.Request) {
		there, err := net.Dial("tcp", host)
		if err != nil {
			t.Error(err)
			return
		}
		here, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { io.Copy(there, here); there.Close() }()
		go func() { io.Copy(here, there); here.Close() }()
	}).URL
}

// Credentials files with types that the library does not know, or without what it needs.
func TestCredentialsFile(t *testing.T) {
	for content, says := range map[string]string{
		"[default]\ntype = sts\naccess_key_id = STS.a":                       "type is not supported",
		"[default]\ntype = oidc_role_arn":                                    "type is not supported",
		"[default]\ntype = access_key\naccess_key_id = LTAIa":                "access_key_secret",
		"[default]\ntype = access_key\naccess_key_id =\naccess_key_secret =": "access_key_id",
		"[default]\naccess_key_id = LTAIa":                                   "missing: type",
		"[other]\ntype = access_key":                                         "no such section",
	} {
		home := cleanEnvironment(t, metadata(t, http.NotFound))
		path := filepath.Join(home, "credentials")
		os.WriteFile(path, []byte(content), 0o600)
		t.Setenv("ALIBABA_CLOUD_CREDENTIALS_FILE", path)
		_, err := newSource(t, Credential{Type: CredentialDefault}).Keys(t.Context())
		if err == nil {
			t.Errorf("%q: no error", content)
			continue
		}
		if _, file, _ := strings.Cut(err.Error(), "credentials file ("); !strings.Contains(file, says) {
			t.Errorf("%q: %v does not say %q", content, err, says)
		}
	}
}
