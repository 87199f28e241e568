// Package reason turns the free text of a failed task into a label that a
// metric can carry: one label for all failures that differ only in ids and
// names.
//
// An operator's rule comes first. Without one, an error code in the text is the
// label; without a code, it is the text with placeholders for ids, names,
// addresses, times and large numbers. What the placeholders do not fold is left
// to the caller, who bounds the number of labels and folds the rest into Other.
//
// The package is pure: no I/O, no clock, no state.
package reason

import (
	"encoding/json"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"cloudsso_exporter/internal/task"
)

const (
	// Unknown is the label of a text that says nothing.
	Unknown = "unknown"
	// Other is the label of failures that are over the caller's limit. No text
	// gets it, but a rule may give it.
	Other = "other"
	// MaxLength is the longest label of a text, in characters.
	MaxLength = 100
)

// maxText is how much of a text is read, in bytes. What tells failures apart
// stands at the beginning, and megabytes must not cost more than a page.
const maxText = 4096

// Rule names the failures that its expression matches.
type Rule struct {
	Match  *regexp.Regexp // tried on the text as the API wrote it
	Reason string         // the label, used as it is
}

// Classifier labels failures. It is only read, so any number of goroutines may
// use it. The zero value has no rules and is ready for use.
type Classifier struct {
	Rules []Rule // the first match wins
	// CodesOnly hides names: without a rule or an error code, the label is
	// Unknown, because a text may name people even where none is expected.
	CodesOnly bool
}

// Classify returns the label of t's failure and whether a rule gave it. A label
// that no rule gave is printable, on one line and at most MaxLength characters.
// Whether t has failed is for the caller to know.
func (c Classifier) Classify(t task.Task) (label string, byRule bool) {
	raw := truncate(t.FailureReason)
	for _, r := range c.Rules {
		if r.Match.MatchString(raw) {
			return r.Reason, true
		}
	}
	text := replaceOwn(fold(raw), t)
	label = findCode(text, false)
	switch {
	case c.CodesOnly && findCode(text, true) != label: // the same label as with names, or none
		label = ""
	case label == "" && !c.CodesOnly:
		label = replaceKnown(unwrap(text))
	}
	label = limit(label)
	if label == Other || !strings.ContainsFunc(label, isAlphanumeric) {
		return Unknown, false
	}
	return label, false
}

func truncate(text string) string {
	if len(text) <= maxText {
		return text
	}
	text = strings.TrimLeftFunc(text, isBlank)
	return text[:min(len(text), maxText)]
}

// fold makes each run of white space and control characters one space. It drops
// invalid UTF-8 and what cannot be printed, such as byte order marks and marks
// that change the direction of writing.
func fold(text string) string {
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		switch {
		case '!' <= r && r <= '~': // most of them
			return r
		case isBlank(r):
			return ' '
		case r == utf8.RuneError, !unicode.IsPrint(r):
			return -1
		}
		return r
	}, text)), " ")
}

// unwrap takes the message out of a JSON body.
func unwrap(text string) string {
	var body struct{ Message string }
	if strings.HasPrefix(text, "{") && json.Unmarshal([]byte(text), &body) == nil && body.Message != "" {
		return fold(body.Message)
	}
	return text
}

// limit cuts a label to MaxLength characters, and before a placeholder rather
// than inside it.
func limit(label string) string {
	runes := []rune(label)
	if len(runes) <= MaxLength {
		return label
	}
	label = string(runes[:MaxLength])
	if open := strings.LastIndexByte(label, '<'); open > len(label)-len("<account>") && !strings.Contains(label[open:], ">") {
		label = label[:open]
	}
	return strings.TrimSpace(label)
}

func isBlank(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

func isAlphanumeric(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }
