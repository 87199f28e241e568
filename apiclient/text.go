package apiclient

import (
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"cloudsso_exporter/internal/task"
)

// The most characters that are kept of a text of the API.
const (
	longestName    = 256 // of a task's id, name, path and the like
	longestReason  = 4096
	longestToken   = 4096
	longestMessage = 300 // of an Error
)

// clean makes every text of t printable, and bounds it: it becomes a label, a
// log line, a part of a page. Only the failure reason may have several lines.
func clean(t *task.Task) {
	reason := printable(t.FailureReason, longestReason, "\n\r\t")
	fields := reflect.ValueOf(t).Elem()
	for i := range fields.NumField() {
		if f := fields.Field(i); f.Kind() == reflect.String {
			f.SetString(printable(f.String(), longestName, "\u200d")) // which joins emoji
		}
	}
	t.FailureReason = reason
}

// printable puts a replacement character for each that cannot be shown and is
// not allowed, and truncates s.
func printable(s string, characters int, allowed string) string {
	return truncate(strings.Map(func(c rune) rune {
		if unicode.IsGraphic(c) || strings.ContainsRune(allowed, c) {
			return c
		}
		return utf8.RuneError
	}, s), characters)
}

// tidy puts a message on one line, without what cannot be printed, and truncates it.
func tidy(s string) string {
	s = strings.Map(func(c rune) rune {
		if !unicode.IsPrint(c) || c == utf8.RuneError {
			return ' '
		}
		return c
	}, s)
	return truncate(strings.Join(strings.Fields(s), " "), longestMessage)
}

// truncate returns at most so many characters of s.
func truncate(s string, characters int) string {
	if len(s) > characters && utf8.RuneCountInString(s) > characters {
		s = string([]rune(s)[:characters-1]) + "…"
	}
	return s
}

// redact makes a message of a text from outside: without the keys, and without what looks like one.
func (k Keys) redact(s string) string {
	s = s[:min(len(s), 16<<10)]
	for _, secret := range k.secrets() {
		for _, form := range []string{secret, url.QueryEscape(secret), percentEncode(secret)} {
			s = strings.ReplaceAll(s, form, "[redacted]")
		}
	}
	for _, secret := range []struct{ pattern, instead string }{
		// What follows is the request as the server saw it, token included.
		{`(?is)\b(server )?(string ?to ?sign|canonical ?request)\b.*`, "[string to sign left out]"},
		{`\b(LTAI|STS\.|TMP\.)[A-Za-z0-9.]{6,}`, "[redacted]"},
		{`//[^/\s@]*@`, "//[redacted]@"},
		{`(?i)\b([a-z_-]*(secret|token|signature|password|credential))("?\s*[=:]\s*)("[^"]*"|[^\s"',;&]+)`, "$1$3[redacted]"},
	} {
		s = regexp.MustCompile(secret.pattern).ReplaceAllString(s, secret.instead)
	}
	return tidy(s)
}

// word returns s when it is a plain word that tells nothing secret, else nothing.
func (k Keys) word(s string) string {
	if s != k.redact(s) || len(s) > 64 || strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return ""
	}
	return s
}

// in reports whether s holds one of the keys as it is.
func (k Keys) in(s string) bool {
	return s != "" && slices.ContainsFunc(k.secrets(), func(secret string) bool { return strings.Contains(s, secret) })
}

// secrets are the keys that can be told from a part of a word.
func (k Keys) secrets() []string {
	all := []string{k.SecurityToken, k.AccessKeySecret, k.AccessKeyID}
	return slices.DeleteFunc(all, func(s string) bool { return len(s) < 4 })
}

// parseTime reads a time of the API, with or without a fraction; zero when there
// is none, or an invalid one. Years that no task can have are invalid, too.
func parseTime(s string) time.Time {
	for _, layout := range [...]string{time.RFC3339, "2006-01-02T15:04Z07:00"} {
		t, err := time.Parse(layout, s)
		if err == nil && t.Unix() > 0 && t.Year() <= 2200 {
			return t.UTC()
		}
	}
	return time.Time{}
}
