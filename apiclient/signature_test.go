package apiclient

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"cloudsso_exporter/internal/task"
)

// signedBy signs r with the nonce and time of the published vector, and returns its signature.
func signedBy(keys Keys, r *http.Request) string {
	sign(r, keys, time.Date(2023, 10, 26, 18, 22, 32, 0, time.FixedZone("", 8*3600)), "3156853299f313e23d1673dc12e1703d")
	return r.Header.Get("Authorization")
}

// The vector is the one that the reference of the signature publishes.
func TestSignatureOfPublishedVector(t *testing.T) {
	query := encodeQuery(url.Values{"RegionId": {"cn-shanghai"}, "ImageId": {"win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd"}})
	if want := "ImageId=win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd&RegionId=cn-shanghai"; query != want {
		t.Errorf("query %q, want %q", query, want)
	}
	r, _ := http.NewRequest(http.MethodPost, "https://ecs.cn-shanghai.aliyuncs.com/?"+query, nil)
	r.Header.Set("x-acs-action", "RunInstances")
	r.Header.Set("x-acs-version", "2014-05-26")
	r.Header.Set("User-Agent", "is not signed")
	got := signedBy(Keys{AccessKeyID: "YourAccessKeyId", AccessKeySecret: "YourAccessKeySecret"}, r)

	want := "ACS3-HMAC-SHA256 Credential=YourAccessKeyId," +
		"SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version," +
		"Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0"
	if got != want {
		t.Errorf("Authorization\n got %s\nwant %s", got, want)
	}
}

func TestSignatureCoversToken(t *testing.T) {
	sign := func(token string) (authorization string, sent http.Header) {
		r, _ := http.NewRequest(http.MethodPost, "http://127.0.0.1/", nil)
		return signedBy(Keys{AccessKeyID: "id", AccessKeySecret: "secret", SecurityToken: token}, r), r.Header
	}
	without, header := sign("")
	if strings.Contains(without, "token") || header["X-Acs-Security-Token"] != nil {
		t.Errorf("a token where there is none: %s", without)
	}
	with, header := sign("a token")
	if !strings.Contains(with, ";x-acs-security-token;") || header.Get("x-acs-security-token") != "a token" {
		t.Errorf("token not sent or not signed: %s", with)
	}
	if other, _ := sign("another"); other == with {
		t.Error("the signature does not depend on the token")
	}
}

func TestNonceIsNewEachTime(t *testing.T) {
	seen := map[string]bool{}
	c := New(testConfig(handled(func(w http.ResponseWriter, r *http.Request) {
		seen[r.Header.Get("x-acs-signature-nonce")] = true
		sends(200, nil, emptyPage)(w, r)
	})))
	for range 100 {
		if _, _, err := read(c, task.Query{}, task.Paging{}); err != nil {
			t.Fatal(err)
		}
	}
	if len(seen) != 100 || seen[""] {
		t.Errorf("%d nonces for 100 requests", len(seen))
	}
}

func TestEncodeQuery(t *testing.T) {
	for name, tc := range map[string]struct {
		parameters url.Values
		want       string
	}{
		"nothing":             {nil, ""},
		"sorted by name":      {url.Values{"b": {"2"}, "a": {"1"}, "B": {"3"}}, "B=3&a=1&b=2"},
		"repeated":            {url.Values{"a": {"", "1", "2"}}, "a=&a=1&a=2"},
		"space":               {url.Values{"a": {"1 2"}}, "a=1%202"},
		"plus":                {url.Values{"a": {"1+2"}}, "a=1%2B2"},
		"tilde and asterisk":  {url.Values{"a": {"~*"}}, "a=~%2A"},
		"unreserved":          {url.Values{"a": {"-_.~09AZaz"}}, "a=-_.~09AZaz"},
		"Filter":              {url.Values{"Filter": {"StartTime ge 2021-03-15T01:12:23Z"}}, "Filter=StartTime%20ge%202021-03-15T01%3A12%3A23Z"},
		"UTF-8":               {url.Values{"a": {"é界😀"}}, "a=%C3%A9%E7%95%8C%F0%9F%98%80"},
		"sorted as encoded":   {url.Values{"a!": {"1"}, "a0": {"2"}}, "a%21=1&a0=2"},
		"slash and ampersand": {url.Values{"a": {"/&="}}, "a=%2F%26%3D"},
		"every other byte":    {url.Values{"a": {"!\"#$%'(),:;<>?@[\\]^`{|}\x00\xff"}}, "a=%21%22%23%24%25%27%28%29%2C%3A%3B%3C%3E%3F%40%5B%5C%5D%5E%60%7B%7C%7D%00%FF"},
	} {
		if got := encodeQuery(tc.parameters); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}

func TestCanonicalRequest(t *testing.T) {
	r, _ := http.NewRequest(http.MethodPost, "https://example.com:8443?a=1", nil)
	r.Header["X-Acs-B"] = []string{" 2 ", "3"}
	r.Header["X-Acs-A"] = []string{"1"}
	r.Header["Accept"] = []string{"application/json"}
	canonical, names := canonicalRequest(r)
	want := "POST\n/\na=1\nhost:example.com:8443\nx-acs-a:1\nx-acs-b:2 ,3\n\nhost;x-acs-a;x-acs-b\n" + emptySum
	if canonical != want || names != "host;x-acs-a;x-acs-b" {
		t.Errorf("got %q, %q; want %q", canonical, names, want)
	}
}
