package reason

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

var (
	// A word that announces a code, and what may stand between the two.
	codeKey   = regexp.MustCompile(`^(?i:(?:err(?:or)?[_-]?)?code)$`)
	announced = regexp.MustCompile(`^["'\\\])]*\s?[:=>：]\s?["'\\\[(]*([A-Za-z]\w*(?:\.\w+)*)`)

	// A part of a code between dots. It has a version's digits at most; an id has more.
	codeSegment = regexp.MustCompile(`^(?:[A-Za-z]+[0-9]{0,3})+$`)

	camelCase = regexp.MustCompile(`[a-z][A-Z]`)
	negation  = regexp.MustCompile(`Not?(?:[A-Z]|$)`)
	heading   = regexp.MustCompile(`^ ?(?::|$)`)
)

// findCode returns the error code in a text, or "". A code that is named as such
// comes first (`Code: X`, `"ErrorCode":"X"`), then a dotted one
// (EntityNotExist.Role), then one word (NoPermission). Unless strict, a dotted
// heading need not tell of an error (`CodeA.Happened: it did`).
func findCode(text string, strict bool) string {
	dotted, single := "", ""
	for at := 0; at < len(text); {
		word := codeWord(text[at:])
		if word == "" {
			at++
			continue
		}
		before, after := text[:at], text[at+len(word):]
		at += len(word)
		if strings.HasSuffix(word, "ode") && codeKey.MatchString(word) {
			if m := announced.FindStringSubmatch(after); m != nil && isNamedCode(m[1]) {
				return m[1]
			}
			continue
		}
		if word[0] < 'A' || word[0] > 'Z' || dotted != "" || isPart(before, after) {
			continue
		}
		code := cutSentence(word)
		first, _, isDotted := strings.Cut(code, ".")
		switch {
		case isDotted:
			if tellsError(code) || !strict && before == "" && code == word && heading.MatchString(after) && camelCase.MatchString(first) {
				dotted = code
			}
		case single != "" || isQuoted(before):
		case camelCase.MatchString(code) && tellsError(code),
			slices.Contains([]string{"Throttling", "Forbidden", "Unauthorized"}, code) && heading.MatchString(after):
			single = code
		}
	}
	return cmp.Or(dotted, single)
}

// codeWord returns the run of letters, digits and what joins them that a text
// begins with.
func codeWord(text string) string {
	for i := range len(text) {
		if c := text[i]; !isWordByte(c) && c != '.' && c != '-' {
			return text[:i]
		}
	}
	return text
}

// cutSentence returns the code that a word begins with, without the sentence
// after it where the space is missing: `NoPermission.You are not authorized`.
func cutSentence(word string) string {
	end := 0
	for segment := range strings.SplitSeq(word, ".") {
		if !codeSegment.MatchString(segment) || end > 0 && slices.Contains([]string{
			"The", "This", "You", "Your", "Please", "Request", "RequestId", "RequestID", "Message", "Recommend",
		}, segment) {
			break
		}
		end += len(segment) + len(".")
	}
	return word[:max(0, end-len("."))]
}

// tellsError reports whether a word in CamelCase tells of an error.
func tellsError(word string) bool {
	if strings.HasPrefix(word, "Err") || strings.HasPrefix(word, "SDK") { // ErrorMessage, SDKError
		return false
	}
	return negation.MatchString(word) || slices.ContainsFunc([]string{
		"Invalid", "Malformed", "Missing", "Denied", "Error", "Fail", "Exist", "Exceed", "Conflict", "Unavailable", "Throttl",
		"Forbid", "Unauthorized", "Expired", "Duplicate", "Unsupported", "Illegal", "Mismatch", "Timeout", "Reject",
		"Insufficient", "Incorrect", "Disabled", "Inactive", "Already",
	}, func(hump string) bool { return strings.Contains(word, hump) })
}

// isNamedCode tells a code from other words that may follow `code:`.
func isNamedCode(word string) bool {
	return (strings.ContainsAny(word, "._") || camelCase.MatchString(word) || tellsError(word)) &&
		cutSentence(strings.ReplaceAll(word, "_", "")) != ""
}

// isPart reports whether a word is part of a resource, a path or an address.
func isPart(before, after string) bool {
	return strings.ContainsAny(before[max(0, len(before)-1):], "/@*$") || strings.ContainsAny(after[:min(1, len(after))], "/@*")
}

// isQuoted reports whether a quotation opens before a word. A bracket that opens
// the text, as in `[NoPermission] …`, is none.
func isQuoted(before string) bool {
	r, _ := utf8.DecodeLastRuneInString(before)
	return before != "" && before != "[" && strings.ContainsRune(openQuotes, r)
}
