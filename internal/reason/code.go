package reason

import (
	"strings"
	"unicode/utf8"
)

// findCode returns the error code in a text: one that is named as such (`Code: X`, `"ErrorCode":"X"`), else the first
// dotted one (EntityNotExist.Role), else the first word that reads like one (NoPermission); empty when there is none.
// A code that is part of one of the task's own names is none.
func findCode(text string, own []word) string {
	var dotted, single string
	for i := 0; i < len(text); {
		if !isCodeByte(text[i]) {
			i++
			continue
		}
		run := codeRun(text[i:])
		start, end := i, i+len(run)
		i = end
		if isCodeLabel(run) {
			if code := labelled(text[end:]); code != "" {
				return code
			}
			continue
		}
		if run[0] < 'A' || run[0] > 'Z' || dotted != "" || isInside(text, start, end) {
			continue
		}
		code, segments := codeIn(run, text[end:])
		switch {
		case code == "" || covered(text, start, code, own):
		case segments > 1:
			dotted = code
		case single == "" && !quotedAt(text, start):
			single = code
		}
	}
	if dotted != "" {
		return dotted
	}
	return single
}

func isCodeByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '_' || c == '-'
}

// codeRun returns the run of bytes of a code that text begins with.
func codeRun(text string) string {
	end := 0
	for end < len(text) && isCodeByte(text[end]) {
		end++
	}
	return text[:end]
}

// isInside reports whether text[start:end] is a part of something longer: a resource, a path, an address.
func isInside(text string, start, end int) bool {
	if start > 0 {
		switch c := text[start-1]; {
		case c == '/' || c == '@' || c == '*' || c == '$':
			return true
		case c == ':' && start > 1 && (text[start-2] == ':' || text[start-2] == '*'):
			return true // acs:ram:*:…
		case c >= utf8.RuneSelf:
			r, _ := utf8.DecodeLastRuneInString(text[:start])
			return isWordRune(r)
		}
	}
	return end < len(text) && (text[end] == '/' || text[end] == '@' || text[end] == '*')
}

// quotedAt reports whether a quotation opens before start; a bracket at the very beginning, as in "[NoPermission] …", is
// none.
func quotedAt(text string, start int) bool {
	if start == 1 && text[0] == '[' {
		return false
	}
	r, _ := utf8.DecodeLastRuneInString(text[:start])
	return start > 0 && closing(r) != 0
}

// covered reports whether the code at text[start:] stands inside one of the task's own names.
func covered(text string, start int, code string, own []word) bool {
	for _, w := range own {
		if at := strings.Index(w.text, code); at >= 0 && at <= start && strings.HasPrefix(text[start-at:], w.text) {
			return true
		}
	}
	return false
}

// isCodeLabel reports whether a word announces an error code.
func isCodeLabel(run string) bool {
	if len(run) > len("error_code") {
		return false
	}
	switch strings.ToLower(run) {
	case "code", "errorcode", "errcode", "error_code", "err_code", "error-code":
		return true
	}
	return false
}

// labelled returns the code that follows a label, given what stands behind the label.
func labelled(rest string) string {
	rest = strings.TrimLeft(rest, " \"'`\\])")
	value, ok := strings.CutPrefix(rest, "：")
	if !ok {
		if rest == "" || !strings.ContainsRune(":=>", rune(rest[0])) {
			return ""
		}
		value = rest[1:]
	}
	value = strings.TrimLeft(value, " \"'`\\[(>")
	run := codeRun(value)
	if run == "" {
		return ""
	}
	after := value[len(run):]
	if code, _ := codeIn(run, after); code != "" {
		return code
	}
	run = strings.TrimRight(run, ".")
	ended := after == "" || strings.ContainsRune("\"'`,;})]<\\", rune(after[0]))
	if !plausibleCode(run) || !ended && humps(run) < 2 && !strings.ContainsAny(run, "._") {
		return ""
	}
	return run
}

// plausibleCode is for a word that a label calls a code: an identifier, and one that tells of an error.
func plausibleCode(run string) bool {
	if len(run) < 3 || len(run) > 64 || !isLetter(run[0]) || strings.Contains(run, "-") || longestDigits(run) > 3 {
		return false
	}
	switch strings.ToLower(run) {
	case "success", "null", "none", "nil", "true", "false", "error", "failed", "the", "message", Unknown, Other:
		return false
	}
	return true
}

// codeIn returns the error code a run of code bytes begins with and how many segments it has, given what follows it.
func codeIn(run, after string) (code string, segments int) {
	end, telling, first := 0, false, ""
	for rest := run; rest != ""; {
		segment, next, _ := strings.Cut(rest, ".")
		if !isSegment(segment) || segments > 0 && isSentenceStart(segment, next == "" && strings.HasPrefix(after, " ")) {
			break
		}
		if segments == 0 {
			first = segment
			telling = isErrorWord(segment) || isErrorHead(segment)
		} else {
			telling = telling || isErrorWord(segment)
			end++ // the dot
		}
		end += len(segment)
		segments++
		rest = next
	}
	switch {
	case segments == 0 || !telling || end > MaxLength:
		return "", 0
	case segments == 1 && !isErrorWord(first) && !isHeading(first, after):
		return "", 0 // "Forbidden" in a sentence
	}
	return run[:end], segments
}

// isSegment reports whether a part of a dotted word can be one of a code: a capital, then letters and few digits.
func isSegment(s string) bool {
	if s == "" || s[0] < 'A' || s[0] > 'Z' || longestDigits(s) > 3 {
		return false
	}
	return !strings.ContainsAny(s, "_-")
}

// isSentenceStart reports whether a segment begins the sentence after a code and a full stop, as in
// "NoPermission.You are not authorized".
func isSentenceStart(segment string, spaceFollows bool) bool {
	switch segment {
	case "RequestId", "RequestID", "Message", "Recommend", "Code", "Request":
		return true
	case "The", "This", "That", "You", "Your", "Please", "It", "We", "A", "An", "No", "If", "In", "Check", "Contact",
		"Try", "Retry", "For", "Only", "Failed", "Cannot", "Must", "There", "To", "Not":
		return spaceFollows
	}
	return false
}

// isErrorHead reports whether a word of one hump begins an error code (Throttling.User).
func isErrorHead(s string) bool {
	switch s {
	case "Throttling", "Forbidden", "Unauthorized", "Rejected", "Conflict", "Invalid", "Missing", "Duplicate",
		"Unsupported", "Illegal", "Malformed":
		return true
	}
	return false
}

// isHeading reports whether a word of one hump is a code because of the colon behind it, as in "Throttling: …".
func isHeading(s, after string) bool {
	switch s {
	case "Throttling", "Forbidden", "Unauthorized":
		return strings.HasPrefix(strings.TrimLeft(after, " "), ":")
	}
	return false
}

// isErrorWord reports whether a word is of two humps or more and one of them tells of an error: NoPermission is one,
// ResourceDirectory and CloudSSO are none, nor are the names of fields and classes.
func isErrorWord(s string) bool {
	switch s {
	case "SDKError", "ServerError", "ClientError", "AccessDeniedDetail", "NoPermissionType", "NoPermissionPolicyType",
		"AccessDeniedException":
		return false
	}
	if strings.HasPrefix(s, "Err") { // ErrorCode, ErrorMessage, ErrMsg
		return false
	}
	n, telling := 0, false
	for rest := s; rest != ""; n++ {
		h := hump(rest)
		telling = telling || isErrorHump(rest[:h])
		rest = rest[h:]
	}
	return telling && n > 1
}

func isErrorHump(h string) bool {
	switch h {
	case "No", "Not", "Invalid", "Missing", "Denied", "Error", "Fail", "Failed", "Failure", "Exist", "Exists", "Exceed",
		"Exceeded", "Exceeds", "Conflict", "Unavailable", "Throttling", "Throttled", "Forbidden", "Forbid", "Unauthorized",
		"Expired", "Duplicate", "Duplicated", "Unsupported", "Illegal", "Mismatch", "Timeout", "Rejected", "Insufficient",
		"Incorrect", "Disabled", "Inactive", "Malformed", "Already", "Busy", "Abnormal", "Cannot", "Restricted",
		"Prohibited", "Overdue", "Unmatched", "Overload", "Nonexistent", "Frozen":
		return true
	}
	return false
}
