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
	"strconv"
	"strings"
	"time"

	"cloudsso_exporter/internal/task"
)

const (
	action  = "ListTasks"
	version = "2021-05-15"
	// pageSize is the most that ListTasks returns at once.
	pageSize = 20
)

// parameters are those of one ListTasks call, encoded. What q filters by goes
// before the filter of the directory.
func parameters(directoryID string, directory task.Filter, q task.Query, token string) string {
	f := q.Over(directory)
	filter := ""
	if !q.From.IsZero() {
		filter = "StartTime ge " + q.From.UTC().Format("2006-01-02T15:04:05Z") // rounds down
	}
	given := url.Values{}
	for name, value := range map[string]string{
		"DirectoryId":           directoryID,
		"AccessConfigurationId": f.AccessConfigurationID,
		"TargetType":            f.TargetType,
		"TargetId":              f.TargetID,
		"PrincipalType":         f.PrincipalType,
		"PrincipalId":           f.PrincipalID,
		"TaskType":              string(q.Type),
		"Status":                string(q.Status),
		"NextToken":             token,
		"MaxResults":            strconv.Itoa(pageSize),
		"Filter":                filter,
	} {
		if value != "" {
			given.Set(name, value)
		}
	}
	return encodeQuery(given)
}

// retryAfter reads a Retry-After header: seconds, or a date, which is held
// against the answer's own date. 0 when there is none, or rubbish.
func retryAfter(value string, answered time.Time) time.Duration {
	if seconds, err := strconv.ParseInt(value, 10, 64); err == nil {
		// More than an hour is all the same: nobody waits that long.
		return time.Duration(min(max(seconds, 0), 3600)) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(answered), 0), time.Hour)
}

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
