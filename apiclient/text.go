package apiclient

import (
	"errors"
	"reflect"
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
	hidden := func(c rune) bool { return !unicode.IsGraphic(c) && !strings.ContainsRune(allowed, c) }
	if strings.ContainsFunc(s, hidden) {
		s = strings.Map(func(c rune) rune {
			if hidden(c) {
				return utf8.RuneError
			}
			return c
		}, s)
	}
	return truncate(s, characters)
}

// truncate returns at most so many characters of s.
func truncate(s string, characters int) string {
	if len(s) > characters && utf8.RuneCountInString(s) > characters {
		s = string([]rune(s)[:characters-1]) + "…"
	}
	return s
}

// flag is a JSON boolean, also written as a string. It knows whether it was there.
type flag struct{ given, set bool }

// UnmarshalJSON implements json.Unmarshaler.
func (f *flag) UnmarshalJSON(b []byte) error {
	switch strings.ToLower(strings.Trim(string(b), `"`)) {
	case "true":
		*f = flag{given: true, set: true}
	case "false":
		*f = flag{given: true}
	case "null", "":
		*f = flag{}
	default:
		return errors.New("IsTruncated is neither true nor false")
	}
	return nil
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
