package apiclient

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// redactor takes out of a text from outside what must not be shown: the keys
// that it knows, and what looks like a key.
type redactor struct{ known *strings.Replacer }

func newRedactor(keys Keys) redactor {
	var pairs []string
	for _, secret := range secrets(keys) {
		for _, form := range []string{secret, url.QueryEscape(secret), percentEncode(secret)} {
			pairs = append(pairs, form, "[redacted]")
		}
	}
	return redactor{strings.NewReplacer(pairs...)}
}

// secrets are the keys that can be told from a word.
func secrets(keys Keys) []string {
	all := []string{keys.SecurityToken, keys.AccessKeySecret, keys.AccessKeyID}
	return slices.DeleteFunc(all, func(s string) bool { return len(s) < 4 }) // would tear words apart
}

// quotes reports whether s holds one of the keys as it is.
func quotes(s string, keys Keys) bool {
	return s != "" && slices.ContainsFunc(secrets(keys), func(secret string) bool { return strings.Contains(s, secret) })
}

// secretPattern is how something secret looks, and what is put in its place.
type secretPattern struct {
	pattern *regexp.Regexp
	instead string
}

func secretPatterns() []secretPattern {
	return []secretPattern{
		// What follows is the request as the server saw it, token included.
		{regexp.MustCompile(`(?is)\b(server )?(string ?to ?sign|canonical ?request)\b.*`), "[string to sign left out]"},
		{regexp.MustCompile(`\b(LTAI|STS\.|TMP\.)[A-Za-z0-9.]{6,}`), "[redacted]"},
		{regexp.MustCompile(`//[^/\s@]*@`), "//[redacted]@"},
		{regexp.MustCompile(`(?i)\b([a-z_-]*(secret|token|signature|password|credential))("?\s*[=:]\s*)("[^"]*"|[^\s"',;&]+)`), "$1$3[redacted]"},
	}
}

// text returns s without secrets, on one line, truncated to a length for people.
func (r redactor) text(s string) string {
	s = r.known.Replace(s[:min(len(s), 16<<10)])
	for _, p := range secretPatterns() {
		s = p.pattern.ReplaceAllString(s, p.instead)
	}
	return tidy(s)
}

// word returns s when it is a plain word that tells nothing secret, else nothing.
func (r redactor) word(s string) string {
	if s != r.text(s) || len(s) > 64 || strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return ""
	}
	return s
}

// tidy puts s on one line, drops what cannot be printed, and truncates it at longestMessage.
func tidy(s string) string {
	s = strings.Map(func(c rune) rune {
		switch {
		case unicode.IsSpace(c), c == utf8.RuneError:
			return ' '
		case !unicode.IsPrint(c):
			return -1
		}
		return c
	}, s)
	return truncate(strings.Join(strings.Fields(s), " "), longestMessage)
}
