// Package reason turns the free text of a failed task into a label that a metric can carry: one for all failures that
// differ only in ids and names.
//
// A rule of the operator's comes first. Without one the text is normalised: an error code in it is the label; otherwise
// ids, names, addresses and times give way to placeholders. A label is valid UTF-8 on one line, at most MaxLength
// characters, and normalising it again changes nothing.
//
// The package is pure. It does not bound how many labels there are: who counts them folds the rest into Other.
package reason

import (
	"encoding/json"
	"strings"

	"cloudsso_exporter/internal/task"
)

const (
	// Unknown is the label of a text that says nothing.
	Unknown = "unknown"
	// Other is the label for failures whose own one found no place. No text is normalised to it.
	Other = "other"
	// MaxLength bounds a normalised label, in characters (runes).
	MaxLength = 100
)

// Classify returns the label of t's failure and whether a rule gave it. Rules are tried in order against the text as
// the API wrote it (its first 4 KiB); their reasons are returned as they are. The task's own ids and names are taken
// out of the text wherever they stand, in quotes or not. Whether t has failed is for the caller to know.
func Classify(t task.Task, rules []Rule) (label string, byRule bool) {
	text := cut(t.FailureReason)
	for _, r := range rules {
		if r.Match != nil && r.Match.MatchString(text) {
			return r.Reason, true
		}
	}
	return normalize(text, ownWords(t)), false
}

// normalize repeats the passes until one changes nothing, so that a label is always one that stays. A second pass is
// over at most MaxLength characters and usually the last; a text that will not settle says nothing worth a label.
func normalize(text string, own []word) string {
	const passes = 10
	label := pass(fold(text), own)
	for range passes {
		next := pass(label, nil)
		if next == label {
			return label
		}
		label = next
	}
	return Unknown
}

// pass takes a folded text and returns one, nearer to a label.
func pass(text string, own []word) string {
	if code := findCode(text, own); code != "" {
		return code
	}
	text = unwrap(text)
	s := scanner{text: text, own: own, out: make([]byte, 0, len(text))}
	label := limit(fold(s.scan()))
	if label == Other || !strings.ContainsFunc(label, isAlphanumeric) {
		return Unknown
	}
	return label
}

// unwrap takes the message out of a JSON body and the quotes off a text that is quoted as a whole.
func unwrap(text string) string {
	if strings.HasPrefix(text, "{") {
		var body map[string]any
		if json.Unmarshal([]byte(text), &body) != nil {
			return text
		}
		for _, key := range []string{"Message", "message", "ErrorMessage", "errorMessage", "ErrorMsg", "errMsg", "msg"} {
			if message, ok := body[key].(string); ok && message != "" {
				return fold(message)
			}
		}
		return text
	}
	if n := len(text); n > 2 && (text[0] == '"' || text[0] == '\'') && text[n-1] == text[0] && !strings.ContainsRune(text[1:n-1], rune(text[0])) {
		return strings.TrimSpace(text[1 : n-1])
	}
	return text
}

// limit cuts a label to MaxLength characters, and before a placeholder rather than inside it.
func limit(label string) string {
	if len(label) <= MaxLength {
		return label
	}
	end, n := len(label), 0
	for i := range label {
		if n == MaxLength {
			end = i
			break
		}
		n++
	}
	if end == len(label) {
		return label
	}
	if open := strings.LastIndexByte(label[:end], '<'); open >= 0 {
		if p := placeholderAt(label[open:]); open+len(p) > end {
			end = open
		}
	}
	return label[:end]
}
