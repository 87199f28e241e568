package apiclient

import (
	"cmp"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"io"
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
	headers := append(make([]pair, 0, 8), pair{"host", cmp.Or(r.Host, r.URL.Host)})
	for name, values := range r.Header {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-acs-") {
			headers = append(headers, pair{name, strings.TrimSpace(strings.Join(values, ","))})
		}
	}
	slices.SortFunc(headers, pair.compare)
	var names, lines strings.Builder
	for i, h := range headers {
		if i > 0 {
			names.WriteByte(';')
		}
		names.WriteString(h.name)
		lines.WriteString(h.name + ":" + h.value + "\n")
	}
	return r.Method + "\n" + cmp.Or(r.URL.EscapedPath(), "/") + "\n" + r.URL.RawQuery + "\n" +
		lines.String() + "\n" + names.String() + "\n" + emptySum, names.String()
}

// pair is a parameter of a query, or a header.
type pair struct{ name, value string }

func (p pair) compare(q pair) int {
	return cmp.Or(strings.Compare(p.name, q.name), strings.Compare(p.value, q.value))
}

// encodeQuery sorts the parameters and encodes them by RFC 3986: as the
// signature wants them, and as they are sent.
func encodeQuery(pairs []pair) string {
	for i, p := range pairs {
		pairs[i] = pair{percentEncode(p.name), percentEncode(p.value)}
	}
	slices.SortFunc(pairs, pair.compare)
	var b strings.Builder
	for i, p := range pairs {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(p.name + "=" + p.value)
	}
	return b.String()
}

// percentEncode encodes by RFC 3986. The standard library writes a space as a plus.
func percentEncode(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

func randomNonce() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}
