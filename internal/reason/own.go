package reason

import (
	"cmp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"cloudsso_exporter/internal/task"
)

// ownName is an id or name of the task that failed and its placeholder.
type ownName struct{ text, placeholder string }

// replaceOwn replaces the task's own ids and names wherever they stand as whole
// words, the longest first.
func replaceOwn(text string, t task.Task) string {
	var names []ownName
	for _, n := range [...]ownName{
		{t.ID, "<id>"},
		{t.AccessConfigurationID, "<id>"},
		{t.AccessConfigurationName, "<name>"},
		{t.TargetID, "<account>"},
		{t.TargetName, "<name>"},
		{t.TargetPath, "<path>"},
		{t.TargetPathName, "<path>"},
		{t.PrincipalID, "<id>"},
		{t.PrincipalName, "<name>"},
	} {
		n.text = fold(truncate(n.text))
		// One letter is more often a word of the sentence than a name.
		if utf8.RuneCountInString(n.text) > 1 && strings.Contains(text, n.text) {
			names = append(names, n)
		}
	}
	slices.SortStableFunc(names, func(a, b ownName) int { return cmp.Compare(len(b.text), len(a.text)) })
	var out strings.Builder
	for at := 0; at < len(text); {
		i := slices.IndexFunc(names, func(n ownName) bool {
			end := at + len(n.text)
			return strings.HasPrefix(text[at:], n.text) && !joined(text[:at], n.text) && !joined(n.text, text[end:])
		})
		if i < 0 {
			out.WriteByte(text[at])
			at++
			continue
		}
		out.WriteString(names[i].placeholder)
		at += len(names[i].text)
	}
	return out.String()
}

// joined reports whether one word goes on from left to right. A full stop
// between letters joins, as in the code Throttling.User.
func joined(left, right string) bool {
	l, n := utf8.DecodeLastRuneInString(left)
	r, m := utf8.DecodeRuneInString(right)
	if l == '.' {
		l, _ = utf8.DecodeLastRuneInString(left[:len(left)-n])
	} else if r == '.' {
		r, _ = utf8.DecodeRuneInString(right[m:])
	}
	return isWordRune(l) && isWordRune(r)
}

// isWordRune reports whether a rune is part of a word. Chinese is written
// without spaces, so that each of its characters ends one.
func isWordRune(r rune) bool {
	return r != utf8.RuneError && (isAlphanumeric(r) && !unicode.Is(unicode.Han, r) || strings.ContainsRune("_-@", r))
}
