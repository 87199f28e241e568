package simulator

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// The published example of the signature.
func TestSignatureVector(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "https://ecs.cn-shanghai.aliyuncs.com/?ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai", nil)
	for name, value := range map[string]string{
		"x-acs-action":          "RunInstances",
		"x-acs-version":         "2014-05-26",
		"x-acs-date":            "2023-10-26T10:22:32Z",
		"x-acs-signature-nonce": "3156853299f313e23d1673dc12e1703d",
		"x-acs-content-sha256":  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	} {
		r.Header.Set(name, value)
	}
	headers := "host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version"
	canonical, ok := canonicalRequest(r, strings.Split(headers, ";"))
	if !ok {
		t.Fatal("no canonical request")
	}
	const want = "06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
	if got := sign("YourAccessKeySecret", canonical); got != want {
		t.Errorf("signature %s, want %s of\n%s", got, want, canonical)
	}
}

func TestCanonicalQuery(t *testing.T) {
	got, ok := canonicalQuery("b=2&a=x+y&Filter=StartTime%20ge%202021-03-15T01%3A12%3A23Z&c=*~'&d=")
	want := "Filter=StartTime%20ge%202021-03-15T01%3A12%3A23Z&a=x%20y&b=2&c=%2A~%27&d="
	if !ok || got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestVerify(t *testing.T) {
	sts := Key{ID: "STS.test", Secret: "sts-secret", SecurityToken: "token"}
	denied := Key{ID: "LTAIdenied", Secret: "x", NoPermission: true}
	change := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value); resign(r, testKey) }
	}
	tests := []struct {
		name   string
		key    Key
		ago    time.Duration
		change func(*http.Request)
		code   string
		status int
	}{
		{name: "good", key: testKey, status: 200},
		{name: "GET", key: testKey, change: func(r *http.Request) { r.Method = "GET"; resign(r, testKey) }, status: 200},
		{name: "content-type signed too", key: testKey, change: change("Content-Type", "application/json"), status: 200},
		{name: "security token", key: sts, status: 200},
		{name: "14 minutes late", key: testKey, ago: 14 * time.Minute, status: 200},
		{name: "16 minutes late", key: testKey, ago: 16 * time.Minute, code: "InvalidTimeStamp.Expired", status: 400},
		{name: "16 minutes early", key: testKey, ago: -16 * time.Minute, code: "InvalidTimeStamp.Expired", status: 400},
		{name: "date in another form", key: testKey, change: change("X-Acs-Date", "Tue, 24 Nov 2026 12:00:00 GMT"), code: "InvalidTimeStamp.Format", status: 400},
		{name: "unknown key", key: Key{ID: "LTAIother", Secret: "secret"}, code: "InvalidAccessKeyId.NotFound", status: 404},
		{name: "wrong secret", key: Key{ID: testKey.ID, Secret: "Secret"}, code: "SignatureDoesNotMatch", status: 400},
		{name: "no security token", key: Key{ID: sts.ID, Secret: sts.Secret}, code: "MissingSecurityToken", status: 400},
		{name: "wrong security token", key: Key{ID: sts.ID, Secret: sts.Secret, SecurityToken: "old"}, code: "InvalidSecurityToken.MismatchWithAccessKey", status: 400},
		{name: "security token for a plain key", key: Key{ID: testKey.ID, Secret: testKey.Secret, SecurityToken: "x"}, code: "InvalidSecurityToken.MismatchWithAccessKey", status: 400},
		{name: "no permission", key: denied, code: "NoPermission", status: 403},
		{name: "unsigned", key: testKey, change: func(r *http.Request) { r.Header.Del("Authorization") }, code: "IncompleteSignature", status: 400},
		{name: "other algorithm", key: testKey, change: func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "ACS3-HMAC-SHA256", "ACS3-HMAC-SM3", 1))
		}, code: "IncompleteSignature", status: 400},
		{name: "header not signed", key: testKey, change: func(r *http.Request) { r.Header.Set("x-acs-trace", "1") }, code: "IncompleteSignature", status: 400},
		{name: "security token not signed", key: sts, change: func(r *http.Request) {
			token := r.Header.Get("x-acs-security-token")
			r.Header.Del("x-acs-security-token")
			resign(r, sts)
			r.Header.Set("x-acs-security-token", token)
		}, code: "IncompleteSignature", status: 400},
		{name: "date with a fraction", key: testKey, change: change("X-Acs-Date", "2026-11-24T12:00:00.5Z"), code: "InvalidTimeStamp.Format", status: 400},
		{name: "host not signed", key: testKey, change: func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "host;", "", 1))
		}, code: "IncompleteSignature", status: 400},
		{name: "header changed", key: testKey, change: func(r *http.Request) { r.Header.Set("x-acs-signature-nonce", "other") }, code: "SignatureDoesNotMatch", status: 400},
		{name: "parameter changed", key: testKey, change: func(r *http.Request) { r.URL.RawQuery += "&Status=Failed" }, code: "SignatureDoesNotMatch", status: 400},
		{name: "host changed", key: testKey, change: func(r *http.Request) { r.Host = "localhost" }, code: "SignatureDoesNotMatch", status: 400},
		{name: "hash of another body", key: testKey, change: change("x-acs-content-sha256", strings.Repeat("0", 64)), code: "SignatureDoesNotMatch", status: 400},
		{name: "no nonce", key: testKey, change: func(r *http.Request) { r.Header.Del("x-acs-signature-nonce"); resign(r, testKey) }, code: "MissingParameter.SignatureNonce", status: 400},
		{name: "other version", key: testKey, change: change("x-acs-version", "2020-01-01"), code: "InvalidVersion", status: 400},
		{name: "other action", key: testKey, change: change("x-acs-action", "ListUsers"), code: "InvalidAction.NotFound", status: 404},
		{name: "other path", key: testKey, change: func(r *http.Request) { r.URL.Path = "/x"; resign(r, testKey) }, code: "InvalidAction.NotFound", status: 404},
		{name: "PUT", key: testKey, change: func(r *http.Request) { r.Method = "PUT"; resign(r, testKey) }, code: "UnsupportedHTTPMethod", status: 403},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, _ := newTestServer(t, Options{})
			s.SetKeys(testKey, sts, denied)
			s.Directory(testDirectory)
			r := signed(test.key, testNow.Add(-test.ago), "n", url.Values{"DirectoryId": {testDirectory}})
			if test.change != nil {
				test.change(r)
			}
			a := send(s, r)
			if a.Code != test.code || a.status != test.status {
				t.Errorf("got %q %d (%s), want %q %d", a.Code, a.status, a.Message, test.code, test.status)
			}
			if got := a.header.Get("Date"); got != "Tue, 24 Nov 2026 12:00:00 GMT" {
				t.Errorf("Date %q", got)
			}
			if a.RequestID == "" || test.code != "" && (a.HostID == "" || a.Recommend == "" || a.Message == "") {
				t.Errorf("incomplete body %s", a.raw)
			}
		})
	}
}

func TestNonceOnlyOnce(t *testing.T) {
	s, clock := newTestServer(t, Options{})
	s.Directory(testDirectory)
	call := func(nonce string, key Key) string {
		return send(s, signed(key, clock.now, nonce, url.Values{"DirectoryId": {testDirectory}})).Code
	}
	if code := call("a", Key{ID: testKey.ID, Secret: "wrong"}); code != "SignatureDoesNotMatch" {
		t.Fatal(code)
	}
	for i, want := range []string{"", "SignatureNonceUsed", "SignatureNonceUsed"} {
		if code := call("a", testKey); code != want {
			t.Errorf("use %d: %q, want %q", i, code, want)
		}
		clock.now = clock.now.Add(14 * time.Minute)
	}
	// Even a call that a fault strikes uses up its nonce.
	s.SetFaults(Rule{Fault: Gateway(502, "")})
	call("b", testKey)
	s.SetFaults()
	if code := call("b", testKey); code != "SignatureNonceUsed" {
		t.Errorf("after a fault: %q", code)
	}
}

// A nonce is remembered for as long as a date could make it good again: signed
// 15 minutes ahead, until 15 minutes after that.
func TestNoncesOutliveTheirDates(t *testing.T) {
	var n nonces
	now := testNow
	n.use("first", now)
	for i := range 240 { // two hours
		id := string(rune('a' + i))
		if !n.use(id, now) {
			t.Fatalf("%q is new", id)
		}
		for ago := 1; ago <= min(i, 60); ago++ {
			if old := string(rune('a' + i - ago)); n.use(old, now) {
				t.Fatalf("%q is used again after %d × 30 s", old, ago)
			}
		}
		now = now.Add(30 * time.Second)
	}
	if len(n.cur)+len(n.old) > 140 {
		t.Errorf("%d nonces are remembered after two hours", len(n.cur)+len(n.old))
	}
}

func TestNoncesAreBounded(t *testing.T) {
	var n nonces
	now := testNow
	for i := range 3 * maxNonces {
		n.use(strings.Repeat("x", i%7)+string(rune(i)), now)
	}
	if got := len(n.cur) + len(n.old); got > 2*maxNonces {
		t.Errorf("%d nonces kept", got)
	}
}
