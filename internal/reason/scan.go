package reason

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// What stands in a label for what differs from failure to failure.
const (
	idMark      = "<id>"
	nameMark    = "<name>"
	accountMark = "<account>"
	arnMark     = "<arn>"
	pathMark    = "<path>"
	urlMark     = "<url>"
	ipMark      = "<ip>"
	timeMark    = "<time>"
	numberMark  = "<number>"
)

// placeholderAt returns the placeholder that text begins with, or nothing.
func placeholderAt(text string) string {
	for _, mark := range [...]string{idMark, nameMark, accountMark, arnMark, pathMark, urlMark, ipMark, timeMark, numberMark} {
		if strings.HasPrefix(text, mark) {
			return mark
		}
	}
	return ""
}

// endsInPlaceholder reports whether text ends in a placeholder.
func endsInPlaceholder(text string) bool {
	open := strings.LastIndexByte(text, '<')
	return open >= 0 && strings.HasSuffix(text, ">") && placeholderAt(text[open:]) == text[open:]
}

// scanner copies a folded text and puts placeholders for ids and names on the way.
type scanner struct {
	text string
	own  []word
	out  []byte

	// What the last words lead one to expect: behind a noun ("the role …") a name, behind "RequestId:" an id.
	noun, id, colon bool
}

// scan returns the text with its placeholders, or so much of it as a label can hold and what folding it may yet take.
// A scanner is used once.
func (s *scanner) scan() string {
	const enough = 2 * MaxLength * utf8.UTFMax
	for at := 0; at < len(s.text) && len(s.out) < enough; {
		if n, mark := s.value(at); n > 0 {
			s.mark(mark)
			at += n
			continue
		}
		if n := s.plainWord(at); n > 0 {
			at += n
			continue
		}
		at += s.punctuation(at)
	}
	return string(s.out)
}

// value returns the length of the id, name or the like at a position, and what stands for it; 0 when there is none.
func (s *scanner) value(at int) (n int, mark string) {
	rest := s.text[at:]
	before, _ := utf8.DecodeLastRuneInString(s.text[:at])
	start := at == 0 || !isWordRune(before) // of a word
	if w, ok := ownAt(rest, s.own); ok {
		return len(w.text), w.mark
	}
	c := rest[0]
	if c == '<' {
		mark := placeholderAt(rest)
		return len(mark), mark
	}
	if n := quotedLen(s.text, at); n > 0 {
		return n, nameMark
	}
	if !start || !isLetter(c) && !isDigit(c) && c != ':' && c < utf8.RuneSelf {
		return 0, ""
	}
	switch {
	case isLetter(c) && hasFoldPrefix(rest, "acs:"), isLetter(c) && hasFoldPrefix(rest, "arn:"):
		return resourceLen(rest), arnMark
	case isLetter(c) && (hasFoldPrefix(rest, "https://") || hasFoldPrefix(rest, "http://")):
		return resourceLen(rest), urlMark
	case isDigit(c):
		if n := timeLen(rest); n > 0 {
			return n, timeMark
		}
	}
	if n := ipv6Len(rest); n > 0 {
		return n, ipMark
	}
	w := wordAt(rest)
	if w == "" {
		return 0, ""
	}
	if slash := len(w); slash < len(rest) && rest[slash] == '/' {
		switch {
		case isPathRoot(w):
			return resourceLen(rest), pathMark
		case isReservedName(w): // the role and, behind the slash, its session
			return resourceLen(rest), nameMark
		}
	}
	if n := tokenLen(rest); n > len(w) && isRandom(rest[:n]) {
		return n, idMark
	}
	if s.id && s.colon && !isSentenceWord(w) {
		return len(w), idMark
	}
	if mark := markOf(w); mark != "" {
		return len(w), mark
	}
	if (s.noun || endsInChineseNoun(s.out)) && isName(w, rest[len(w):], s.colon) {
		return nameLen(rest, w), nameMark
	}
	return 0, ""
}

// nameLen returns the length of the name that text begins with, given its first word: capitals go on, as in
// "the user Alice Smith does not exist".
func nameLen(text, first string) int {
	n := len(first)
	for isUpper(first[0]) && n+1 < len(text) && text[n] == ' ' && isUpper(text[n+1]) {
		next := wordAt(text[n+1:])
		if isSentenceWord(next) {
			break
		}
		n += 1 + len(next)
	}
	return n
}

// mark writes a placeholder; a list of several of one kind is written as one.
func (s *scanner) mark(mark string) {
	s.noun, s.id, s.colon = false, false, false
	for _, separator := range [...]string{"", " ", ", ", ",", "; ", ";", "、", "，", " and ", "/", "|"} {
		if tail, ok := bytes.CutSuffix(s.out, []byte(separator)); ok && bytes.HasSuffix(tail, []byte(mark)) {
			s.out = tail
			return
		}
	}
	s.out = append(s.out, mark...)
}

// plainWord copies the word at a position and returns its length, 0 when there is none.
func (s *scanner) plainWord(at int) int {
	w := wordAt(s.text[at:])
	if w == "" {
		return 0
	}
	s.out = append(s.out, w...)
	colon := at+len(w) < len(s.text) && strings.HasPrefix(strings.TrimLeft(s.text[at+len(w):], " "), ":")
	s.noun, s.id, s.colon = isNoun(w) || colon && isLead(w), isIDKey(w), false
	return len(w)
}

// punctuation copies one rune that is no part of a word and returns its length.
func (s *scanner) punctuation(at int) int {
	r, n := utf8.DecodeRuneInString(s.text[at:])
	switch {
	case r == ' ':
	case r == ':' || r == '=' || r == '：':
		s.colon = true
	case r == '\\' && at+1 < len(s.text) && closing(rune(s.text[at+1])) != 0:
		return n // an escaped quote
	default:
		s.noun, s.id, s.colon = false, false, false
	}
	s.out = append(s.out, s.text[at:at+n]...)
	return n
}
