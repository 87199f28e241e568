package reason

import (
	"cmp"
	"slices"
	"strings"
	"unicode/utf8"

	"cloudsso_exporter/internal/task"
)

// word is an id or a name of the task that failed and the placeholder that stands for it.
type word struct{ text, mark string }

// ownWords returns the ids and names of a task, the longest first. Those that are words of every failure text, such as
// a user called "user", are left out: a name that stands there is found by its place in the sentence.
func ownWords(t task.Task) []word {
	words := make([]word, 0, 9)
	for _, w := range [...]word{
		{t.ID, idMark},
		{t.AccessConfigurationID, idMark},
		{t.AccessConfigurationName, nameMark},
		{t.TargetID, accountMark},
		{t.TargetName, nameMark},
		{t.TargetPath, pathMark},
		{t.TargetPathName, pathMark},
		{t.PrincipalID, idMark},
		{t.PrincipalName, nameMark},
	} {
		w.text = fold(cut(w.text))
		if utf8.RuneCountInString(w.text) > 1 && !isSentenceWord(w.text) {
			words = append(words, w)
		}
	}
	slices.SortStableFunc(words, func(a, b word) int { return cmp.Compare(len(b.text), len(a.text)) })
	return words
}

// ownAt returns the longest of the words that stands whole at the beginning of text, where a word may begin.
func ownAt(text string, own []word) (word, bool) {
	for _, w := range own {
		if text[0] == w.text[0] && strings.HasPrefix(text, w.text) && edge(w.text, text[len(w.text):]) {
			return w, true
		}
	}
	return word{}, false
}

// edge reports whether a word may end between left and right. Next to a Chinese character it always may.
func edge(left, right string) bool {
	l, _ := utf8.DecodeLastRuneInString(left)
	r, _ := utf8.DecodeRuneInString(right)
	return right == "" || !isWordRune(l) || !isWordRune(r)
}
