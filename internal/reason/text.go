package reason

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxText is how much of a text is looked at, in bytes. What tells failures apart stands at the beginning, and a text
// of megabytes must cost no more than one of a page.
const maxText = 4096

// cut returns at most maxText bytes of text as valid UTF-8; what is none, such as a rune cut in half, is left out.
func cut(text string) string {
	if len(text) > maxText {
		text = strings.TrimLeftFunc(text, isBlank)
	}
	if len(text) > maxText {
		text = text[:maxText]
	}
	return strings.ToValidUTF8(text, "")
}

// fold makes runs of white space and control characters one space, and drops what cannot be seen, such as byte order
// marks and marks that turn the direction of writing.
func fold(text string) string {
	clean := true
	for i := 0; i < len(text) && clean; i++ {
		c := text[i]
		clean = c > ' ' && c < 0x7f || c == ' ' && i > 0 && text[i-1] != ' '
	}
	if clean && !strings.HasSuffix(text, " ") {
		return text
	}
	var b strings.Builder
	b.Grow(len(text))
	space := false
	for _, r := range text {
		switch {
		case isBlank(r):
			space = true
		case r == utf8.RuneError || unicode.Is(unicode.Cf, r):
		default:
			if space && b.Len() > 0 {
				b.WriteByte(' ')
			}
			space = false
			b.WriteRune(r)
		}
	}
	return b.String()
}

func isBlank(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }

func isAlphanumeric(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

// isWordRune reports whether a rune is part of a word. Chinese is written without spaces, so its characters end one.
func isWordRune(r rune) bool {
	if r < utf8.RuneSelf {
		return isLetter(byte(r)) || isDigit(byte(r)) || r == '_' || r == '-' || r == '@'
	}
	return (unicode.IsLetter(r) || unicode.IsDigit(r)) && !unicode.Is(unicode.Han, r)
}

// wordAt returns the word that text begins with: letters, digits and what joins them, a full stop only inside, an
// apostrophe only as in O'Brien.
func wordAt(text string) string {
	end := 0
	for i := 0; i < len(text); {
		r, n := rune(text[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(text[i:])
		}
		apostrophe := r == '\'' && i > 0 && i+1 < len(text) && isLetter(text[i-1]) && isUpper(text[i+1])
		if !isWordRune(r) && r != '.' && r != '*' && !apostrophe {
			break
		}
		if r != '.' {
			end = i + n
		}
		i += n
	}
	if end > 0 && !strings.ContainsFunc(text[:end], isAlphanumeric) {
		return ""
	}
	return text[:end]
}

// tokenLen returns the length of the run of base64 characters that text begins with, 1024 at most.
func tokenLen(text string) int {
	text = text[:min(len(text), 1024)]
	for i := range len(text) {
		if c := text[i]; !isLetter(c) && !isDigit(c) && c != '+' && c != '/' && c != '=' && c != '-' && c != '_' {
			return i
		}
	}
	return len(text)
}

// resourceLen returns the length of the resource name, path or address that text begins with: up to what cannot be
// part of one, without the punctuation of the sentence around it.
func resourceLen(text string) int {
	end := 0
	for i, r := range text {
		if r == '<' && placeholderAt(text[i:]) == "" || strings.ContainsRune(" \"'`,;()[]{}|\\”’」，。；、（）", r) {
			break
		}
		if r > unicode.MaxASCII && unicode.IsPunct(r) {
			break
		}
		if r != '.' && r != ':' && r != '!' && r != '?' {
			end = i + utf8.RuneLen(r)
		}
	}
	return end
}

func hasFoldPrefix(text, prefix string) bool {
	return len(text) >= len(prefix) && strings.EqualFold(text[:len(prefix)], prefix)
}

// hump returns the length of the first hump of a CamelCase word: "Access" of AccessDenied, "RAM" of RAMError.
func hump(s string) int {
	i := 1
	for i < len(s) && isUpper(s[i]) {
		i++
	}
	if i > 1 {
		if i < len(s) && isLower(s[i]) {
			return i - 1
		}
		return i
	}
	for i < len(s) && !isUpper(s[i]) {
		i++
	}
	return i
}

func humps(s string) int {
	n := 0
	for ; s != ""; n++ {
		s = s[hump(s):]
	}
	return n
}

func isUpper(c byte) bool  { return 'A' <= c && c <= 'Z' }
func isLower(c byte) bool  { return 'a' <= c && c <= 'z' }
func isLetter(c byte) bool { return isUpper(c) || isLower(c) }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }

// longestDigits returns the length of the longest run of digits: a code has version numbers at most, an id has more.
func longestDigits(s string) int {
	longest, n := 0, 0
	for i := range len(s) {
		n++
		if !isDigit(s[i]) {
			n = 0
		}
		longest = max(longest, n)
	}
	return longest
}
