package apiclient

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// canonicalRequest is the text whose digest is signed, and the names of the
// headers it covers.
func canonicalRequest(r *http.Request, bodySum string) (canonical, signedHeaders string) {
	type header struct{ name, value string }
	headers := make([]header, 0, 8)
	headers = append(headers, header{"host", cmp.Or(r.Host, r.URL.Host)})
	for name, values := range r.Header {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-acs-") {
			headers = append(headers, header{name, strings.TrimSpace(strings.Join(values, ","))})
		}
	}
	slices.SortFunc(headers, func(a, b header) int { return strings.Compare(a.name, b.name) })

	var names, b strings.Builder
	names.Grow(160)
	b.Grow(1024)
	b.WriteString(r.Method + "\n" + cmp.Or(r.URL.EscapedPath(), "/") + "\n" + r.URL.RawQuery + "\n")
	for i, h := range headers {
		if i > 0 {
			names.WriteByte(';')
		}
		names.WriteString(h.name)
		b.WriteString(h.name)
		b.WriteByte(':')
		b.WriteString(h.value)
		b.WriteByte('\n')
	}
	b.WriteString("\n" + names.String() + "\n" + bodySum)
	return b.String(), names.String()
}

// pair is a parameter of a query.
type pair struct{ name, value string }

// canonicalQuery sorts the parameters and encodes them by RFC 3986.
func canonicalQuery(raw string) (string, error) {
	if raw == "" {
		return "", nil
	}
	pairs := make([]pair, 0, 12)
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		name, errName := url.QueryUnescape(name)
		value, errValue := url.QueryUnescape(value)
		if errName != nil || errValue != nil {
			return "", errors.New("the query is not URL-encoded")
		}
		pairs = append(pairs, pair{name, value})
	}
	return encodeQuery(pairs), nil
}

// encodeQuery sorts pairs and encodes them by RFC 3986. url.Values.Encode does
// not: it writes a space as a plus.
func encodeQuery(pairs []pair) string {
	for i, p := range pairs {
		pairs[i] = pair{percentEncode(p.name), percentEncode(p.value)}
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		return cmp.Or(strings.Compare(a.name, b.name), strings.Compare(a.value, b.value))
	})
	var b strings.Builder
	b.Grow(512)
	for i, p := range pairs {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(p.name)
		b.WriteByte('=')
		b.WriteString(p.value)
	}
	return b.String()
}

func percentEncode(s string) string {
	unreserved := func(c byte) bool {
		return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_' || c == '.' || c == '~'
	}
	i := 0
	for i < len(s) && unreserved(s[i]) {
		i++
	}
	if i == len(s) {
		return s
	}
	const digits = "0123456789ABCDEF"
	b := make([]byte, i, len(s)+16)
	copy(b, s)
	for ; i < len(s); i++ {
		if c := s[i]; unreserved(c) {
			b = append(b, c)
		} else {
			b = append(b, '%', digits[c>>4], digits[c&15])
		}
	}
	return string(b)
}
