package reason

import (
	"bytes"
	"strings"
)

// isNoun reports whether a name may follow a word: "the role Admin", "RoleName: Admin".
func isNoun(w string) bool {
	if len(w) > len("AccessConfigurationName") {
		return false
	}
	switch strings.ToLower(w) {
	case "role", "user", "group", "account", "policy", "configuration", "principal", "directory", "member", "folder",
		"provider", "target", "named", "called", "name", "username", "groupname", "rolename", "policyname", "accountname",
		"principalname", "targetname", "displayname", "loginname", "providername", "samlprovidername", "ramrolename",
		"accessconfiguration", "accessconfigurationname", "accessconfig", "operator", "roles", "users", "groups",
		"accounts", "policies":
		return true
	}
	return false
}

// isIDKey reports whether a word and a colon lead to an id: RequestId, task_id.
func isIDKey(w string) bool {
	return strings.HasSuffix(w, "Id") || strings.HasSuffix(w, "ID") || strings.HasSuffix(w, "_id") || w == "id"
}

// isLead reports whether a name may follow a word and a colon: "The user does not exist: Alice".
func isLead(w string) bool {
	switch strings.ToLower(w) {
	case "exist", "exists", "found", "conflict", "duplicated", "duplicate":
		return true
	}
	return false
}

// isName reports whether a word behind a noun is a name rather than the next word of the sentence, given what follows.
func isName(w, after string, colon bool) bool {
	if isSentenceWord(w) {
		return false
	}
	if colon || w[0] < 0x80 && isUpper(w[0]) || strings.ContainsAny(w, "-_.@0123456789") {
		return true
	}
	for i := 1; i < len(w); i++ {
		if isUpper(w[i]) {
			return true
		}
	}
	for _, verb := range [...]string{" does not", " doesn't", " do not", " already ", " is not", " was not", " not exist", " not found",
		" cannot", " has no", " is in ", " exists", "不存在", "已存在"} {
		if strings.HasPrefix(after, verb) {
			return true
		}
	}
	return false
}

// isSentenceWord reports whether a word is one of the language these texts are written in, so that it is no name even
// where one is to be expected, and is left alone even if somebody is called so.
func isSentenceWord(w string) bool {
	switch strings.ToLower(w) {
	case "a", "an", "and", "any", "are", "as", "at", "be", "been", "by", "can", "cannot", "could", "did", "do", "does",
		"doesn't", "for", "from", "had", "has", "have", "if", "in", "into", "is", "isn't", "it", "its", "may", "must", "no",
		"none", "not", "of", "on", "only", "or", "please", "should", "that", "the", "their", "there", "this", "to", "too",
		"under", "was", "were", "when", "which", "who", "will", "with", "within", "without", "would", "you", "your":
		return true
	case "abnormal", "access", "account", "action", "administrator", "already", "api", "arn", "assignment", "assignments",
		"attached", "attempted", "beyond", "called", "code", "configuration", "configurations", "conflict", "count", "deleted",
		"denied", "directory", "disabled", "document", "entity", "error", "exceeded", "exceeds", "exist", "exists",
		"failed", "folder", "forbidden", "format", "found", "frozen", "group", "groups", "id", "ids", "identity", "input",
		"internal", "invalid", "length", "limit", "limits", "malformed", "member", "members", "message", "mfa", "missing",
		"name", "named", "names", "number", "operation", "owner", "parameter", "permission", "permissions", "policies",
		"policy", "principal", "principals", "provider", "provisioning", "quota", "ram", "reason", "request", "requestid",
		"resource", "role", "roles", "scim", "service", "session", "size", "sso", "status", "sts", "suspended", "sync",
		"target", "targets", "throttling", "timeout", "trust", "type", "unknown", "user", "users", "value", "version":
		return true
	}
	return false
}

// endsInChineseNoun reports whether text ends in a Chinese word that a name may follow, perhaps with a colon between.
func endsInChineseNoun(text []byte) bool {
	text = bytes.TrimRight(text, " :")
	text = bytes.TrimSuffix(text, []byte("："))
	if len(text) == 0 || text[len(text)-1] < 0x80 {
		return false
	}
	for _, noun := range [...]string{"用户", "用户组", "角色", "账号", "账户", "成员", "策略", "访问配置", "目录", "名称", "身份", "不存在", "已存在"} {
		if bytes.HasSuffix(text, []byte(noun)) {
			return true
		}
	}
	return false
}

// isRegion reports whether a word is a region, which tells failures apart: cn-shanghai, ap-southeast-1.
func isRegion(w string) bool {
	prefix, _, _ := strings.Cut(w, "-")
	switch prefix {
	case "cn", "ap", "us", "eu", "me", "na", "rus":
		return strings.ToLower(w) == w && len(w) < 24
	}
	return false
}

// isNumbered reports whether a word of three letters or more ends in its only number: user17.
func isNumbered(w string) bool {
	name := strings.TrimRight(w, "0123456789")
	return len(name) > 2 && len(name) < len(w) && longestDigits(name) == 0
}

// isStandard reports whether a word with a number is one of the trade, or a status: SHA-256, utf8, HTTP500.
func isStandard(w string) bool {
	word := strings.ToLower(strings.TrimRight(w, "0123456789."))
	switch strings.TrimRight(word, "-_") {
	case "utf", "sha", "iso", "rfc", "tls", "http", "ipv", "oauth", "saml", "base", "int", "uint", "v", "error", "code",
		"status", "line", "layer":
		return true
	}
	return false
}
