package apiclient

import (
	"encoding/json"
	"errors"
	"strings"
	"time"
	"unicode/utf8"
)

// text is a JSON string that also reads a number or a boolean, as some gateways
// write ids, and null as empty. It is valid UTF-8 without NUL, whatever was sent.
type text string

// UnmarshalJSON implements json.Unmarshaler. What json hands over is valid JSON.
func (t *text) UnmarshalJSON(b []byte) error {
	switch {
	case len(b) == 0 || b[0] == '{' || b[0] == '[':
		return errors.New("a text is no text")
	case b[0] != '"':
		*t = ""
		if string(b) != "null" {
			*t = text(b)
		}
		return nil
	case plain(b[1 : len(b)-1]):
		*t = text(intern(b[1 : len(b)-1]))
		return nil
	}
	var s string
	if err := json.Unmarshal(b, &s); err != nil { // replaces what is not UTF-8
		return err
	}
	*t = text(strings.ReplaceAll(s, "\x00", string(utf8.RuneError)))
	return nil
}

// plain reports whether the inside of a JSON string stands for itself.
func plain(b []byte) bool {
	ascii := true
	for _, c := range b {
		if c == '\\' {
			return false
		}
		ascii = ascii && c < utf8.RuneSelf
	}
	return ascii || utf8.Valid(b)
}

// intern spares the words of the reference their copies.
func intern(b []byte) string {
	switch string(b) { // does not allocate
	case "Success":
		return "Success"
	case "Failed":
		return "Failed"
	case "InProgress":
		return "InProgress"
	case "ProvisionAccessConfiguration":
		return "ProvisionAccessConfiguration"
	case "DeprovisionAccessConfiguration":
		return "DeprovisionAccessConfiguration"
	case "CreateAccessAssignment":
		return "CreateAccessAssignment"
	case "DeleteAccessAssignment":
		return "DeleteAccessAssignment"
	case "RD-Account":
		return "RD-Account"
	case "User":
		return "User"
	case "Group":
		return "Group"
	}
	return string(b)
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
// is none, or rubbish. Years that no task can have are rubbish, too.
func parseTime(s text) time.Time {
	if s == "" {
		return time.Time{}
	}
	for _, layout := range [...]string{time.RFC3339, "2006-01-02T15:04Z07:00"} {
		t, err := time.Parse(layout, string(s))
		if err == nil && t.Unix() > 0 && t.Year() <= 2200 {
			return t.UTC()
		}
	}
	return time.Time{}
}
