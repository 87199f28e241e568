package reason

import (
	"strings"
	"unicode/utf8"
)

// closing returns the quotation mark that ends what r begins, 0 when r begins nothing.
func closing(r rune) rune {
	switch r {
	case '"', '\'', '`':
		return r
	case '“':
		return '”'
	case '‘':
		return '’'
	case '「':
		return '」'
	case '『':
		return '』'
	case '《':
		return '》'
	case '«':
		return '»'
	case '[':
		return ']'
	}
	return 0
}

// quotedLen returns the length of what stands in quotes at a position, quotes included; 0 when there are none there or
// they hold a sentence. An apostrophe is no quote: a quote stands at the edge of a word.
func quotedLen(text string, at int) int {
	const maxBytes, maxSpaces = 400, 5
	open, n := utf8.DecodeRuneInString(text[at:])
	end := closing(open)
	if end == 0 {
		return 0
	}
	if before, _ := utf8.DecodeLastRuneInString(text[:at]); open == end && (at > 0 && isWordRune(before) || endsInPlaceholder(text[:at])) {
		return 0
	}
	spaces := 0
	for i, r := range text[at+n:] {
		switch {
		case i > maxBytes || spaces > maxSpaces:
			return 0
		case r == ' ':
			spaces++
		case r == end:
			inside, after := text[at+n:at+n+i], at+n+i+utf8.RuneLen(r)
			if next, _ := utf8.DecodeRuneInString(text[after:]); after < len(text) && open == end && isWordRune(next) {
				continue // the apostrophe in 'O'Brien'
			}
			if inside == "" || open == '[' && !bracketsName(at, inside) {
				return 0
			}
			return after - at
		}
	}
	return 0
}

// bracketsName reports whether square brackets quote a name or a list of names: [RAM] at the start of a text and the
// [404] of a status do not.
func bracketsName(at int, inside string) bool {
	if at == 0 || len(inside) < 5 && strings.Trim(inside, "0123456789") == "" {
		return false
	}
	for part := range strings.SplitSeq(inside, ",") {
		if strings.Contains(strings.TrimSpace(part), " ") {
			return false
		}
	}
	return true
}
