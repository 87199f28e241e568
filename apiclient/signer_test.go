package apiclient

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// signedBy signs r with the nonce and time of the published vector, and returns what is sent.
func signedBy(t *testing.T, keys Keys, r *http.Request) *http.Request {
	t.Helper()
	var sent *http.Request
	s := Signer{
		Base:  roundTrip(func(r *http.Request) (*http.Response, error) { sent = r; return nil, nil }),
		Keys:  keys,
		Now:   func() time.Time { return time.Date(2023, 10, 26, 18, 22, 32, 0, time.FixedZone("", 8*3600)) },
		Nonce: func() string { return "3156853299f313e23d1673dc12e1703d" },
	}
	if _, err := s.RoundTrip(r); err != nil {
		t.Fatal(err)
	}
	return sent
}

// The vector is the one that the reference of the signature publishes.
func TestSignatureOfPublishedVector(t *testing.T) {
	r, _ := http.NewRequest(http.MethodPost, "https://ecs.cn-shanghai.aliyuncs.com/?RegionId=cn-shanghai&"+
		"ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd", nil)
	r.Header.Set("x-acs-action", "RunInstances")
	r.Header.Set("x-acs-version", "2014-05-26")
	r.Header.Set("User-Agent", "is not signed")
	sent := signedBy(t, Keys{AccessKeyID: "YourAccessKeyId", AccessKeySecret: "YourAccessKeySecret"}, r)

	want := "ACS3-HMAC-SHA256 Credential=YourAccessKeyId," +
		"SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version," +
		"Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
	if got := sent.Header.Get("Authorization"); got != want {
		t.Errorf("Authorization\n got %s\nwant %s", got, want)
	}
	if got, want := sent.URL.RawQuery, "ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai"; got != want {
		t.Errorf("query sent %q, want it as signed, %q", got, want)
	}
	if r.Header.Get("Authorization") != "" || !strings.HasPrefix(r.URL.RawQuery, "RegionId") {
		t.Error("the caller's request was changed")
	}
}

func TestSignatureCoversTokenAndBody(t *testing.T) {
	sign := func(keys Keys, body string) (authorization string, sent *http.Request) {
		r, _ := http.NewRequest(http.MethodPost, "http://127.0.0.1/", strings.NewReader(body))
		sent = signedBy(t, keys, r)
		return sent.Header.Get("Authorization"), sent
	}
	keys := Keys{AccessKeyID: "id", AccessKeySecret: "secret"}
	plain, _ := sign(keys, "")
	withBody, sent := sign(keys, "hello")
	// echo -n hello | sha256sum
	if got, want := sent.Header.Get("x-acs-content-sha256"), "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"; got != want {
		t.Errorf("sum of the body %s, want %s", got, want)
	}
	if b, _ := io.ReadAll(sent.Body); string(b) != "hello" {
		t.Errorf("body sent %q", b)
	}
	keys.SecurityToken = "a token"
	withToken, sent := sign(keys, "")
	if !strings.Contains(withToken, ";x-acs-security-token;") || sent.Header.Get("x-acs-security-token") != "a token" {
		t.Errorf("token not sent or not signed: %s", withToken)
	}
	if plain == withBody || plain == withToken {
		t.Error("the signature depends on neither")
	}
}

func TestNonceIsNewEachTime(t *testing.T) {
	seen := map[string]bool{}
	s := Signer{Keys: Keys{AccessKeyID: "id", AccessKeySecret: "secret"}, Base: roundTrip(func(r *http.Request) (*http.Response, error) {
		seen[r.Header.Get("x-acs-signature-nonce")] = true
		return nil, nil
	})}
	for range 100 {
		r, _ := http.NewRequest(http.MethodPost, "http://127.0.0.1/", nil)
		if _, err := s.RoundTrip(r); err != nil {
			t.Fatal(err)
		}
	}
	if len(seen) != 100 || seen[""] {
		t.Errorf("%d nonces for 100 requests", len(seen))
	}
}
