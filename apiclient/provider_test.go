package apiclient

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cloudsso_exporter/internal/task"
)

// cleanEnvironment takes away whatever credentials-go may find on this machine.
// Its own transport is made of http.DefaultTransport: what base says of proxies and trust holds there.
func cleanEnvironment(t *testing.T, base *http.Transport) (home string) {
	t.Helper()
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, "ALIBABA_CLOUD_") {
			t.Setenv(name, "")
		}
	}
	home = t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	t.Setenv("DEBUG", "")
	if base.Proxy == nil {
		base.Proxy = guard(func(*http.Request) (*url.URL, error) { return nil, nil })
	}
	old := http.DefaultTransport
	http.DefaultTransport = base
	t.Cleanup(func() { http.DefaultTransport = old })
	return home
}

// stsServer is a made-up STS (or credentials server) that notes what it was asked.
type stsServer struct {
	*httptest.Server
	mu     sync.Mutex
	asked  []url.Values // query and form
	answer http.HandlerFunc
}

func (s *stsServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.ParseForm()
	s.mu.Lock()
	s.asked = append(s.asked, r.Form)
	s.mu.Unlock()
	s.answer(w, r)
}

func newSTS(t *testing.T, answer http.HandlerFunc) (s *stsServer, base *http.Transport) {
	s = &stsServer{answer: answer}
	s.Server = httptest.NewTLSServer(s)
	t.Cleanup(s.Close)
	return s, &http.Transport{TLSClientConfig: &tls.Config{RootCAs: s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}}
}

func (s *stsServer) host() string { return strings.TrimPrefix(s.URL, "https://") }

const session = `"AccessKeyId":"STS.session","AccessKeySecret":"sessionSecret","SecurityToken":"sessionToken","Expiration":"2099-01-01T00:00:00Z"`

func grants(w http.ResponseWriter, _ *http.Request) {
	io.WriteString(w, `{"RequestId":"r","AssumedRoleUser":{},"Credentials":{`+session+`}}`)
}

func sessionKeys() Keys {
	return Keys{AccessKeyID: "STS.session", AccessKeySecret: "sessionSecret", SecurityToken: "sessionToken"}
}

func newSource(t *testing.T, c Credential) *Credentials {
	t.Helper()
	s, err := NewCredentials(c, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStaticTypes(t *testing.T) {
	cleanEnvironment(t, &http.Transport{})
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "of the environment")
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "of the environment")
	t.Setenv("ALIBABA_CLOUD_SECURITY_TOKEN", "of the environment")
	pair := Credential{Type: CredentialAccessKey, AccessKeyID: "id", AccessKeySecret: "secret"}
	token := pair
	token.Type, token.SecurityToken = CredentialSTS, "token"
	for _, tc := range []struct {
		credential Credential
		want       Keys
	}{{pair, Keys{"id", "secret", ""}}, {token, Keys{"id", "secret", "token"}}} {
		if got, err := newSource(t, tc.credential).Keys(t.Context()); err != nil || got != tc.want {
			t.Errorf("%s: %v", tc.credential, err)
		}
	}
	// What is missing is not taken from the environment.
	for _, c := range []Credential{
		{Type: CredentialAccessKey, AccessKeyID: "id"}, {Type: CredentialAccessKey, AccessKeySecret: "secret"},
		{Type: CredentialSTS, AccessKeyID: "id", AccessKeySecret: "secret"}, {Type: CredentialRAMRoleARN, AccessKeyID: "id", RoleARN: "arn"},
		{Type: CredentialRAMRoleARN}, {Type: CredentialOIDCRoleARN}, {Type: CredentialURI},
	} {
		if got, err := newSource(t, c).Keys(t.Context()); err == nil {
			t.Errorf("%s, incomplete: keys of %q", c, got.AccessKeyID)
		}
	}
}

func TestRAMRole(t *testing.T) {
	sts, base := newSTS(t, grants)
	cleanEnvironment(t, base)
	role := Credential{
		Type: CredentialRAMRoleARN, AccessKeyID: "LTAIbase", AccessKeySecret: "baseSecret", SecurityToken: "baseToken",
		RoleARN: "acs:ram::1:role/reader", Policy: `{"Version":"1"}`, ExternalID: "external", STSEndpoint: sts.host(),
	}
	if got, err := newSource(t, role).Keys(t.Context()); err != nil || got != sessionKeys() {
		t.Fatalf("keys of %q, %v", got.AccessKeyID, err)
	}
	asked := sts.asked[0]
	got := map[string]string{}
	want := map[string]string{
		"Action": "AssumeRole", "AccessKeyId": "LTAIbase", "SecurityToken": "baseToken", "RoleArn": "acs:ram::1:role/reader",
		"RoleSessionName": "cloudsso-exporter", "Policy": `{"Version":"1"}`, "ExternalId": "external", "DurationSeconds": "3600",
	}
	for name := range want {
		got[name] = asked.Get(name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("AssumeRole (-want +got):\n%s", diff)
	}

	// On top of the chain.
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAIenvironment")
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "environmentSecret")
	role.AccessKeyID, role.AccessKeySecret, role.SecurityToken, role.RoleSessionName = "", "", "", "me"
	if got, err := newSource(t, role).Keys(t.Context()); err != nil || got != sessionKeys() {
		t.Fatalf("keys of %q, %v", got.AccessKeyID, err)
	}
	if a := sts.asked[1]; a.Get("AccessKeyId") != "LTAIenvironment" || a.Get("RoleSessionName") != "me" {
		t.Errorf("asked with %v", a)
	}
}

func TestOIDCRole(t *testing.T) {
	sts, base := newSTS(t, grants)
	home := cleanEnvironment(t, base)
	path := filepath.Join(home, "token")
	os.WriteFile(path, []byte("oidcToken1\n"), 0o600)
	t.Setenv("ALIBABA_CLOUD_OIDC_TOKEN", "of the environment")
	s := newSource(t, Credential{
		Type: CredentialOIDCRoleARN, RoleARN: "acs:ram::1:role/reader", OIDCProviderARN: "acs:ram::1:oidc-provider/x", OIDCTokenFile: path,
		Policy: `{"Version":"1"}`, STSEndpoint: sts.host(),
	})
	for _, token := range []string{"oidcToken1", "oidcToken2"} {
		os.WriteFile(path, []byte(token), 0o600)
		for range 3 {
			if got, err := s.Keys(t.Context()); err != nil || got != sessionKeys() {
				t.Fatalf("keys of %q, %v", got.AccessKeyID, err)
			}
		}
		asked := sts.asked[len(sts.asked)-1]
		if asked.Get("Action") != "AssumeRoleWithOIDC" || asked.Get("OIDCToken") != token || asked.Get("RoleArn") != "acs:ram::1:role/reader" ||
			asked.Get("OIDCProviderArn") != "acs:ram::1:oidc-provider/x" || asked.Get("Policy") != `{"Version":"1"}` || asked.Get("RoleSessionName") != "cloudsso-exporter" {
			t.Errorf("asked %v", asked)
		}
	}
	if len(sts.asked) != 2 {
		t.Errorf("%d calls for two tokens", len(sts.asked))
	}
}

func TestCredentialsURI(t *testing.T) {
	s := newServer(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "{"+session+"}") })
	cleanEnvironment(t, &http.Transport{})
	if got, err := newSource(t, Credential{Type: CredentialURI, URL: s.URL + "/c?x=1"}).Keys(t.Context()); err != nil || got != sessionKeys() {
		t.Errorf("keys of %q, %v", got.AccessKeyID, err)
	}
}

// metadata answers for 100.100.100.200, by way of a proxy that is asked in spite of guard.
func metadata(t *testing.T, h http.HandlerFunc) *http.Transport {
	s := newServer(t, h)
	u, _ := url.Parse(s.URL)
	return &http.Transport{Proxy: func(r *http.Request) (*url.URL, error) {
		if _, err := guard(http.ProxyURL(u))(r); err != nil {
			return nil, err
		}
		return u, nil
	}}
}

func instance(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/latest/api/token":
		io.WriteString(w, "metadataToken")
	case "/latest/meta-data/ram/security-credentials/":
		io.WriteString(w, "reader\n")
	case "/latest/meta-data/ram/security-credentials/reader":
		io.WriteString(w, `{"Code":"Success",`+session+`}`)
	default:
		http.NotFound(w, r)
	}
}

func TestInstanceRole(t *testing.T) {
	cleanEnvironment(t, metadata(t, instance))
	for _, role := range []string{"", "reader"} {
		if got, err := newSource(t, Credential{Type: CredentialECSRAMRole, RoleName: role}).Keys(t.Context()); err != nil || got != sessionKeys() {
			t.Errorf("role %q: keys of %q, %v", role, got.AccessKeyID, err)
		}
	}
	_, err := newSource(t, Credential{Type: CredentialECSRAMRole, RoleName: "nobody"}).Keys(t.Context())
	if err == nil || !strings.Contains(err.Error(), "HTTP 404") {
		t.Errorf("%v", err)
	}
}

func TestChainGoesOnToWhatWorks(t *testing.T) {
	home := cleanEnvironment(t, metadata(t, http.NotFound))
	s := newSource(t, Credential{Type: CredentialDefault})
	now := time.Now()
	s.now = func() time.Time { return now }
	_, err := s.Keys(t.Context())
	if err == nil {
		t.Fatal("no error")
	}
	for _, link := range []string{"environment", "OIDC", "CLI profile", "credentials file", "instance metadata (HTTP 404)", "credentials URI"} {
		if !strings.Contains(err.Error(), link) {
			t.Errorf("%v does not name %s", err, link)
		}
	}
	if n := len(err.Error()); n > 300 {
		t.Errorf("%d characters: %v", n, err)
	}
	// After one total failure the library's own chain would only ask the last provider.
	os.MkdirAll(filepath.Join(home, ".aliyun"), 0o700)
	profile := `{"current":"default","profiles":[{"name":"default","mode":"AK","access_key_id":"LTAIprofile","access_key_secret":"profileSecret"}]}`
	os.WriteFile(filepath.Join(home, ".aliyun", "config.json"), []byte(profile), 0o600)
	now = now.Add(time.Second)
	if keys, err := s.Keys(t.Context()); err != nil || keys.AccessKeyID != "LTAIprofile" {
		t.Errorf("keys of %q, %v", keys.AccessKeyID, err)
	}
}

func TestCLIProfiles(t *testing.T) {
	const secret = "profileSecretProfile"
	for name, tc := range map[string]struct{ config, want, says string }{
		"key pair":     {`{"current":"a","profiles":[{"name":"b"},{"name":"a","mode":"AK","access_key_id":"LTAIa","access_key_secret":"` + secret + `"}]}`, "LTAIa", ""},
		"bad JSON":     {`{"current":"a","profiles":[{"name":"a","mode":"AK","access_key_secret":"` + secret + `"`, "", "not JSON"},
		"other JSON":   {`{"profiles":{"access_key_secret":"` + secret + `"}}`, "", "not JSON"},
		"null":         {`{"current":"a","profiles":[null,{"access_key_secret":"` + secret + `"}]}`, "", "no such profile"},
		"none":         {`{"current":"` + secret + `","profiles":[]}`, "", "no profile"},
		"no such":      {`{"current":"` + secret + `","profiles":[{"name":"b","mode":"AK"}]}`, "", "no such profile"},
		"unknown mode": {`{"current":"a","profiles":[{"name":"a","mode":"` + secret + `"}]}`, "", "not supported"},
		"External": {`{"current":"a","profiles":[{"name":"a","mode":"External","process_command":"echo ` + secret + `"}]}`,
			"", "External is not supported"},
		"behind another": {`{"current":"a","profiles":[{"name":"a","mode":"ChainableRamRoleArn","ram_role_arn":"x","source_profile":"b"},` +
			`{"name":"b","mode":"OAuth","oauth_refresh_token":"` + secret + `"}]}`, "", "OAuth is not supported"},
		"its own source": {`{"current":"a","profiles":[{"name":"a","mode":"ChainableRamRoleArn","source_profile":"a","access_key_secret":"` + secret + `"}]}`,
			"", "its own source"},
	} {
		t.Run(name, func(t *testing.T) {
			home := cleanEnvironment(t, metadata(t, http.NotFound))
			path := filepath.Join(home, "cli.json")
			os.WriteFile(path, []byte(tc.config), 0o600)
			t.Setenv("ALIBABA_CLOUD_CONFIG_FILE", path)
			out := captureStdout(t)
			keys, err := newSource(t, Credential{Type: CredentialDefault}).Keys(t.Context())
			if printed := out(); printed != "" {
				t.Errorf("printed %q", printed)
			}
			if keys.AccessKeyID != tc.want || (err == nil) != (tc.want != "") {
				t.Errorf("keys of %q, %v", keys.AccessKeyID, err)
			}
			if err != nil {
				mustHide(t, shown(err), secret)
				if !strings.Contains(err.Error(), tc.says) {
					t.Errorf("%v does not say %q", err, tc.says)
				}
			}
		})
	}
}

// What is behind a redirect gets neither a token nor a signature, and gives no keys.
func TestCredentialCallsFollowNoRedirect(t *testing.T) {
	elsewhere := newServer(t, func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s was redirected", r.Method, r.URL)
		grants(w, r)
	})
	for _, status := range []int{302, 307} {
		sts, base := newSTS(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, status) })
		home := cleanEnvironment(t, base)
		path := filepath.Join(home, "token")
		os.WriteFile(path, []byte("oidcToken"), 0o600)
		writeProfiles(t, home, "sso", `{"name":"sso","mode":"CloudSSO","cloud_sso_sign_in_url":"`+sts.URL+`","cloud_sso_account_id":"1",`+
			`"cloud_sso_access_config":"ac-1","access_token":"t","cloud_sso_access_token_expire":99999999999}`)
		for _, c := range []Credential{
			{Type: CredentialRAMRoleARN, AccessKeyID: "LTAIa", AccessKeySecret: "s", RoleARN: "acs:ram::1:role/r", STSEndpoint: sts.host()},
			{Type: CredentialOIDCRoleARN, OIDCTokenFile: path, RoleARN: "acs:ram::1:role/r", OIDCProviderARN: "p", STSEndpoint: sts.host()},
			{Type: CredentialURI, URL: sts.URL},
			{Type: CredentialProfile, Profile: "sso"},
		} {
			_, err := newSource(t, c).Keys(t.Context())
			if err == nil || !strings.Contains(err.Error(), "redirect") && !strings.Contains(err.Error(), fmt.Sprintf("HTTP %d", status)) {
				t.Errorf("%s: %v", c, err)
			}
		}
	}
	// Without the guard in http.DefaultTransport nothing is asked.
	cleanEnvironment(t, &http.Transport{Proxy: http.ProxyFromEnvironment})
	c := Credential{Type: CredentialRAMRoleARN, AccessKeyID: "LTAIa", AccessKeySecret: "s", RoleARN: "acs:ram::1:role/r", STSEndpoint: "127.0.0.1:1"}
	if _, err := newSource(t, c).Keys(t.Context()); err == nil || !strings.Contains(err.Error(), "http.DefaultTransport") {
		t.Errorf("%v", err)
	}
}

// A proxy could answer with keys of its own.
func TestMetadataIsAskedDirectly(t *testing.T) {
	proxied, _ := url.Parse(newServer(t, func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("the proxy was asked for %s", r.URL)
		instance(w, r)
	}).URL)
	cleanEnvironment(t, &http.Transport{Proxy: guard(http.ProxyURL(proxied))})
	if keys, err := newSource(t, Credential{Type: CredentialECSRAMRole, RoleName: "reader"}).Keys(t.Context()); err == nil {
		t.Errorf("keys of %q", keys.AccessKeyID)
	}
}

func TestEnvironmentIsTrimmed(t *testing.T) {
	cleanEnvironment(t, metadata(t, http.NotFound))
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "LTAIa\n")
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", " secret\r\n")
	if got, err := newSource(t, Credential{Type: CredentialDefault}).Keys(t.Context()); err != nil || got != (Keys{"LTAIa", "secret", ""}) {
		t.Errorf("keys of %q, %v", got.AccessKeyID, err)
	}
	// Keys that cannot be right do not lead to those of another account.
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "STS.a")
	_, err := newSource(t, Credential{Type: CredentialDefault}).Keys(t.Context())
	if err == nil || !strings.Contains(err.Error(), "environment") || !strings.Contains(err.Error(), "without its security token") {
		t.Errorf("%v", err)
	}
}

func TestCredentialsServers(t *testing.T) {
	with := func(expiration string) string {
		return strings.ReplaceAll("{"+session+"}", "2099-01-01T00:00:00Z", expiration)
	}
	for _, tc := range []struct {
		status     int
		body, says string
	}{
		{200, with("2099-01-01T08:00:00+08:00"), ""},
		{200, with("2099-01-01T00:00:00.123+00:00"), ""},
		{200, with("soon"), "expiration"},
		{200, with(""), "without credentials"},
		{200, "<html>", "not JSON"},
		{500, "{" + session + "}", "HTTP 500"},
		{200, strings.Repeat(" ", maxBody) + with("2099-01-01T00:00:00Z"), "8 MiB"},
	} {
		s := newServer(t, sends(tc.status, nil, tc.body))
		cleanEnvironment(t, &http.Transport{})
		got, err := newSource(t, Credential{Type: CredentialURI, URL: s.URL}).Keys(t.Context())
		if tc.says == "" && got != sessionKeys() || tc.says != "" && (err == nil || !strings.Contains(err.Error(), tc.says)) {
			t.Errorf("%d %.60q: keys of %q, %v", tc.status, tc.body, got.AccessKeyID, err)
		}
	}
}

// Keys of a credentials server are asked for again only before they expire.
func TestCredentialsServerIsAskedSeldom(t *testing.T) {
	now, asked := time.Now(), 0
	s := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
		asked++
		io.WriteString(w, strings.ReplaceAll("{"+session+"}", "2099-01-01T00:00:00Z", now.Add(time.Hour).UTC().Format(time.RFC3339)))
	})
	cleanEnvironment(t, &http.Transport{})
	source, err := NewCredentials(Credential{Type: CredentialURI, URL: s.URL}, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	for range 120 {
		mustGive(t, source, "STS.session")
		now = now.Add(time.Minute)
	}
	if asked != 3 {
		t.Errorf("asked %d times in 2 hours, want 3", asked)
	}
}

// captureStdout returns a function that returns what was printed since.
func captureStdout(t *testing.T) func() string {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "stdout")
	if err != nil {
		t.Fatal(err)
	}
	oldOut, oldErr := os.Stdout, os.Stderr
	os.Stdout, os.Stderr = f, f
	return func() string {
		os.Stdout, os.Stderr = oldOut, oldErr
		f.Close()
		b, _ := os.ReadFile(f.Name())
		return string(b)
	}
}

func TestErrorsOfCredentialsHoldNoSecret(t *testing.T) {
	const token, secret, key = "tokenTokenTokenToken", "secretSecretSecret", "LTAIkeyKeyKey"
	refuse := func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm()
		message, _ := json.Marshal("specified signature is not matched with our calculation. server string to sign is:" + r.Form.Encode() + secret)
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprintf(w, `{"Code":"SignatureDoesNotMatch","RequestId":"r","Message":%s}`, message)
	}
	echo := func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm()
		fmt.Fprintf(w, "oops: %s %s", r.URL, r.Form.Encode()+secret)
	}
	hangUp := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	half := func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"Credentials":{"AccessKeyId":%q,"AccessKeySecret":%q,"SecurityToken":%q},"AccessKeyId":%[1]q,"AccessKeySecret":%[2]q,"SecurityToken":%[3]q}`, key, secret, token)
	}
	for name, h := range map[string]http.HandlerFunc{"refuse": refuse, "echo": echo, "hang up": hangUp, "half": half} {
		sts, base := newSTS(t, h)
		sts.Config.ErrorLog = nil
		plain := newServer(t, h)
		home := cleanEnvironment(t, base)
		path := filepath.Join(home, "token")
		os.WriteFile(path, []byte(token), 0o600)
		for _, c := range []Credential{
			{Type: CredentialRAMRoleARN, AccessKeyID: key, AccessKeySecret: secret, SecurityToken: token, RoleARN: "acs:ram::1:role/r", STSEndpoint: sts.host()},
			{Type: CredentialOIDCRoleARN, OIDCTokenFile: path, RoleARN: "acs:ram::1:role/r", OIDCProviderARN: "p", STSEndpoint: sts.host()},
			{Type: CredentialURI, URL: plain.URL + "/?token=" + token},
			{Type: CredentialURI, URL: "http://user:" + secret + "@127.0.0.1:1/?token=" + token},
			{Type: CredentialURI, URL: "://" + token},
		} {
			_, err := newSource(t, c).Keys(t.Context())
			if err == nil {
				t.Errorf("%s, %s: no error", name, c)
				continue
			}
			if !strings.Contains(err.Error(), "of type "+string(c.Type)) || strings.Contains(err.Error(), "that is not shown") {
				t.Errorf("%s, %s: %v says too little", name, c, err)
			}
			mustHide(t, shown(err), token, secret, key)
			conf := testConfig(handled(sends(200, nil, emptyPage)))
			conf.Keys = newSource(t, c)
			for _, err := range New(conf).Pages(t.Context(), since(localNow()), task.Paging{}) {
				mustHide(t, shown(err), token, secret, key)
			}
		}
	}
}

// What the library says is never shown, not even when it is not understood.
func TestCause(t *testing.T) {
	const secret = "secretSecretSecret"
	for text, want := range map[string]string{
		"something new about " + secret:                                                     "the reason is not shown, because it may hold a secret",
		`failed: {"Code":"NoPermission","Message":"` + secret + `"}`:                        "refused with NoPermission",
		`failed: {"Code":"InvalidTimeStamp.Expired"}`:                                       "refused with InvalidTimeStamp.Expired: set the local clock right, which dates such a request",
		`failed: {"Code":"LTAI` + secret + `"}`:                                             "the reason is not shown, because it may hold a secret",
		`failed: {"Code":"` + secret:                                                        "the reason is not shown, because it may hold a secret",
		`Get "https://x/?Signature=` + secret + `": dial tcp 1.2.3.4:443: i/o timeout`:      "no answer in time",
		`Post "https://x/?Signature=` + secret + `": x509: certificate signed by ` + secret: "certificate not trusted",
		"refresh Ecs sts token err, httpStatus: 404, message = " + secret:                   "HTTP 404",
	} {
		if got := cause(errors.New(text)); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// However long the reason, what to do stays to be read.
func TestCureSurvivesALongReason(t *testing.T) {
	c := Credential{Type: CredentialDefault}
	got := tidy(c.failure(strings.Repeat("tried this and that, ", 30)).Error())
	if !strings.HasSuffix(got, "…; "+c.Type.cure()) || !strings.HasPrefix(got, "credential of type default: tried") {
		t.Errorf("%q", got)
	}
}
