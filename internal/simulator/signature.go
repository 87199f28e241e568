package simulator

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

const algorithm = "ACS3-HMAC-SHA256"

type authorization struct {
	keyID, signature string
	signed           []string // header names, lower case, sorted
}

// parseAuthorization takes apart
// "ACS3-HMAC-SHA256 Credential=…,SignedHeaders=host;x-acs-…,Signature=…".
func parseAuthorization(header string) (authorization, bool) {
	var a authorization
	rest, ok := strings.CutPrefix(header, algorithm+" ")
	if !ok {
		return a, false
	}
	parts := strings.Split(rest, ",")
	if len(parts) != 3 {
		return a, false
	}
	var signed string
	for i, field := range []struct {
		name  string
		value *string
	}{{"Credential=", &a.keyID}, {"SignedHeaders=", &signed}, {"Signature=", &a.signature}} {
		value, ok := strings.CutPrefix(strings.TrimSpace(parts[i]), field.name)
		if !ok || value == "" {
			return a, false
		}
		*field.value = value
	}
	a.signed = strings.Split(signed, ";")
	return a, slices.IsSorted(a.signed)
}

// unsignedHeader names a header that had to be signed and was not: host and
// every x-acs-* of the request.
func unsignedHeader(r *http.Request, signed []string) string {
	if !slices.Contains(signed, "host") {
		return "host"
	}
	for name := range r.Header {
		name = strings.ToLower(name)
		if strings.HasPrefix(name, "x-acs-") && !slices.Contains(signed, name) {
			return name
		}
	}
	return ""
}

// canonicalRequest is the text that is signed. It is false when a header that
// is said to be signed is missing.
func canonicalRequest(r *http.Request, signed []string) (string, bool) {
	query, ok := canonicalQuery(r.URL.RawQuery)
	if !ok {
		return "", false
	}
	lines := []string{r.Method, r.URL.EscapedPath(), query}
	for _, name := range signed {
		value := r.Host
		if name != "host" {
			values := r.Header.Values(name)
			if len(values) != 1 {
				return "", false
			}
			value = values[0]
		}
		lines = append(lines, name+":"+strings.TrimSpace(value))
	}
	lines = append(lines, "", strings.Join(signed, ";"), r.Header.Get("X-Acs-Content-Sha256"))
	return strings.Join(lines, "\n"), true
}

// canonicalQuery encodes every name and value by RFC 3986 and sorts them.
func canonicalQuery(raw string) (string, bool) {
	values, err := url.ParseQuery(raw)
	for _, v := range values {
		slices.Sort(v)
	}
	return strings.ReplaceAll(values.Encode(), "+", "%20"), err == nil
}

// sign returns the hexadecimal signature of a canonical request.
func sign(secret, canonical string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	io.WriteString(mac, algorithm+"\n"+hexSum([]byte(canonical)))
	return hex.EncodeToString(mac.Sum(nil))
}

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
