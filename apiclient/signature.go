package apiclient

import (
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const algorithm = "ACS3-HMAC-SHA256"

// emptySum is the SHA-256 of an empty body.
const emptySum = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// sign signs r by ACS3-HMAC-SHA256, dated now. The signature covers host and
// every x-acs-* header; the caller has set x-acs-action and x-acs-version. R has
// no body, and its query is as encodeQuery writes it.
func sign(r *http.Request, keys Keys, now time.Time, nonce string) {
	r.Header["X-Acs-Date"] = []string{now.UTC().Format("2006-01-02T15:04:05Z")}
	r.Header["X-Acs-Signature-Nonce"] = []string{nonce}
	r.Header["X-Acs-Content-Sha256"] = []string{emptySum}
	if keys.SecurityToken != "" {
		r.Header["X-Acs-Security-Token"] = []string{keys.SecurityToken}
	}
	canonical, signedHeaders := canonicalRequest(r)
	digest := sha256.Sum256([]byte(canonical))
	mac := hmac.New(sha256.New, []byte(keys.AccessKeySecret))
	io.WriteString(mac, algorithm+"\n"+hex.EncodeToString(digest[:]))
	r.Header["Authorization"] = []string{algorithm +
		" Credential=" + keys.AccessKeyID +
		",SignedHeaders=" + signedHeaders +
		",Signature=" + hex.EncodeToString(mac.Sum(nil))}
}

// canonicalRequest is the text whose digest is signed, and the names of the
// headers it covers.
func canonicalRequest(r *http.Request) (canonical, signedHeaders string) {
	headers := map[string]string{"host": cmp.Or(r.Host, r.URL.Host)}
	for name, values := range r.Header {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-acs-") {
			headers[name] = strings.TrimSpace(strings.Join(values, ","))
		}
	}
	names := slices.Sorted(maps.Keys(headers))
	signedHeaders = strings.Join(names, ";")
	lines := []string{r.Method, cmp.Or(r.URL.EscapedPath(), "/"), r.URL.RawQuery}
	for _, name := range names {
		lines = append(lines, name+":"+headers[name])
	}
	lines = append(lines, "", signedHeaders, emptySum)
	return strings.Join(lines, "\n"), signedHeaders
}

// encodeQuery sorts the parameters and encodes them by RFC 3986, as the
// signature wants them and as they are sent.
func encodeQuery(parameters url.Values) string { return spaces(parameters.Encode()) }

// percentEncode encodes by RFC 3986.
func percentEncode(s string) string { return spaces(url.QueryEscape(s)) }

// spaces are written as a plus by the standard library, and a plus as %2B.
func spaces(encoded string) string { return strings.ReplaceAll(encoded, "+", "%20") }

func randomNonce() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
