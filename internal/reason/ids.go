package reason

import (
	"net/netip"
	"strings"
)

// markOf returns the placeholder for a word that is an id or a name whatever stands around it, or nothing.
func markOf(w string) string {
	digits, letters, hyphens, stars, dots, hexadecimal, upper := 0, 0, 0, 0, 0, true, false
	for i := range len(w) {
		switch c := w[i]; {
		case isDigit(c):
			digits++
		case c == '-' || c == '_':
			hyphens++
			hexadecimal = hexadecimal && c == '-'
		case c == '*':
			stars++
		case c == '.':
			dots++
		case c == '@':
			if i > 0 && i < len(w)-1 {
				return nameMark
			}
		default:
			letters++
			upper = upper || isUpper(c)
			hexadecimal = hexadecimal && (c|0x20 >= 'a' && c|0x20 <= 'f')
		}
	}
	others := hyphens + stars + dots
	switch {
	case isReservedName(w):
		return nameMark
	case letters == 0 && digits == 0:
		return ""
	case letters == 0 && hyphens == 0 && dots == 0: // digits, perhaps the last ones hidden
		switch {
		case digits+stars >= 12 && digits+stars <= 20:
			return accountMark
		case digits+stars > 8:
			return idMark
		case digits+stars > 4:
			return numberMark
		}
		return ""
	case letters == 0 && dots == 3 && hyphens == 0:
		if _, err := netip.ParseAddr(w); err == nil {
			return ipMark
		}
		return ""
	case letters == 0:
		if digits > 4 {
			return numberMark
		}
		return ""
	case isUUID(w, hexadecimal), isPrefixedID(w), stars > 1:
		return idMark
	case others == 0 && hexadecimal && digits > 0 && len(w) >= 8,
		others == 0 && digits > 2 && len(w) >= 12,
		others == 0 && digits > 1 && len(w) >= 20,
		others == 0 && len(w) > 60,
		strings.HasPrefix(w, "LTAI") && len(w) > 12,
		strings.HasPrefix(w, "STS.") && len(w) > 12:
		return idMark
	case digits > 0 && (hyphens > 0 || others == 0 && isNumbered(w)) && !isRegion(w) && !isStandard(w):
		return nameMark
	}
	return ""
}

func isUUID(w string, hexadecimal bool) bool {
	return hexadecimal && len(w) == 36 && w[8] == '-' && w[13] == '-' && w[18] == '-' && w[23] == '-'
}

// isPrefixedID reports whether a word is an id of CloudSSO or a resource directory, such as ac-00jhtfl8thteu6uj****.
func isPrefixedID(w string) bool {
	prefix, body, _ := strings.Cut(w, "-")
	if len(body) < 4 {
		return false
	}
	switch prefix {
	case "u", "g", "ac", "d", "t", "rd", "r", "fd", "rg", "h":
	default:
		return false
	}
	for i := range len(body) {
		if c := body[i]; !isLetter(c) && !isDigit(c) && c != '*' {
			return false
		}
	}
	return true
}

// isPathRoot reports whether a word begins a path in a resource directory: rd-3G****/r-Wm****/114240524784****.
func isPathRoot(w string) bool {
	prefix, body, _ := strings.Cut(w, "-")
	return body != "" && (prefix == "rd" || prefix == "r" || prefix == "fd")
}

// isReservedName reports whether a word is the name of what CloudSSO makes in an account: a role, a policy or an
// identity provider.
func isReservedName(w string) bool {
	const prefix = "AliyunReservedSSO"
	return len(w) > len(prefix)+1 && hasFoldPrefix(w, prefix) && !isLetter(w[len(prefix)])
}

// isRandom reports whether a run of base64 characters is too long and too mixed to be words.
func isRandom(token string) bool {
	if len(token) < 32 {
		return false
	}
	digits, upper, lower := 0, 0, 0
	for i := range len(token) {
		switch c := token[i]; {
		case isDigit(c):
			digits++
		case isUpper(c):
			upper++
		case isLower(c):
			lower++
		}
	}
	return digits > 2 && upper > 2 && lower > 2
}

// timeLen returns the length of the date, the time of day or both that text begins with, 0 when it does not.
func timeLen(text string) int {
	at := shapeLen(text, "0000-00-00")
	if at == 0 {
		at = shapeLen(text, "0000/00/00")
	}
	if at > 0 {
		if at >= len(text) || text[at] != 'T' && text[at] != ' ' {
			return wholeWord(text, at)
		}
		clock := clockLen(text[at+1:])
		if clock == 0 {
			return wholeWord(text, at)
		}
		at += 1 + clock
	} else if at = clockLen(text); at == 0 {
		return 0
	}
	for _, zone := range [...]string{"Z", "+00:00", "+0000", "-00:00", "-0000", " +0000"} {
		if n := shapeLen(text[at:], zone); n > 0 {
			return wholeWord(text, at+n)
		}
	}
	return wholeWord(text, at)
}

func clockLen(text string) int {
	n := max(shapeLen(text, "00:00:00"), shapeLen(text, "00:00Z"))
	if n == 8 && n+1 < len(text) && (text[n] == '.' || text[n] == ',') && isDigit(text[n+1]) {
		for n++; n < len(text) && isDigit(text[n]); n++ {
		}
	}
	return n
}

// shapeLen returns len(shape) when text begins with it, any digit standing for a 0; else 0.
func shapeLen(text, shape string) int {
	if len(text) < len(shape) {
		return 0
	}
	for i := range len(shape) {
		if shape[i] == '0' && !isDigit(text[i]) || shape[i] != '0' && shape[i] != text[i] {
			return 0
		}
	}
	return len(shape)
}

// wholeWord returns n when a word ends there, else 0.
func wholeWord(text string, n int) int {
	if n < len(text) && (isLetter(text[n]) || isDigit(text[n])) {
		return 0
	}
	return n
}

// ipv6Len returns the length of the IPv6 address that text begins with, 0 when it does not.
func ipv6Len(text string) int {
	n, colons := 0, 0
	text = text[:min(len(text), 64)]
	for n < len(text) && (isDigit(text[n]) || text[n] == ':' || text[n] == '.' || text[n]|0x20 >= 'a' && text[n]|0x20 <= 'f') {
		if text[n] == ':' {
			colons++
		}
		n++
	}
	if colons < 2 {
		return 0
	}
	n = len(strings.TrimRight(text[:n], "."))
	if _, err := netip.ParseAddr(text[:n]); err != nil {
		return 0
	}
	return wholeWord(text, n)
}
