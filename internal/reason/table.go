package reason

import (
	"bytes"
	"regexp"
	"strings"
	"unicode/utf8"
)

// row is a kind of text that differs from failure to failure. The one group of
// its pattern is replaced by the placeholder; what it matches before the group
// stays. Without a placeholder all of it stays, out of reach of later rows.
type row struct {
	pattern     string
	placeholder string
	example     string // the test of the row, which matches all of it
}

// table returns the rows. They are tried where a word or a quotation begins, and
// the first that matches decides.
func table() []row {
	return []row{
		// Words that tell failures apart, and those that a word before them calls a name.
		{`(?i:parameters?)[\s:=-]*["'“‘][A-Za-z.]+["'”’]()`, "", `parameter - "PolicyDocument"`},
		{`(?:user|group|role|policy) ([A-Z][\w-]*[a-z][\w-]*(?: [A-Z][a-z]+)*)(?:[\s,.;:'"]|$)`, "<name>", "policy AliyunECSFullAccess"},
		{`((?i:AliyunReservedSSO)-[\w<>-]+(?:/[\w.@<>-]*[\w>])?)`, "<name>", "AliyunReservedSSO-Admin/alice.b"},
		{`[A-Za-z][A-Za-z,;-]*(?: |$)()`, "", "denied, "},
		{`[a-z]{2}-[a-z]+-[0-9]\b()`, "", "ap-southeast-1"},
		{`(?i:sha|utf|http|v)[-/]?[0-9][0-9.]*\b()`, "", "sha256"},

		// Values of keys.
		{`["']?(?:\w*(?:I[Dd]|_id)|id)["']?[ :=：]+["']?([^\s"'<,;，；。](?:[^\s"',;，；。)）\]}]*[^\s"',;，；。)）\]}.:])?)`, "<id>", "RequestId: C0DA2DFC"},
		{`["']?[A-Z]\w*Name["']?[ :=：]+["']?([^\s"'<,;，；。](?:[^\s"',;，；。)）\]}]*[^\s"',;，；。)）\]}.:])?)`, "<name>", "RoleName: Admin"},

		// A few words in quotes.
		{"([\"`“‘「『《«][^\"`”’」』》»\\s]+(?: [^\"`”’」』》»\\s]+){0,2}[\"`”’」』》»])", "<name>", "「研发 测试」"},
		{`('(?:[^'\s]|\b'\b)+(?: (?:[^'\s]|\b'\b)+){0,2}')(?:\W|$)`, "<name>", `'Grace O'Malley'`},
		{`(\[[^\[\]\s]+(?:, ?[^\[\]\s]+)+\])`, "<name>", "[ReadOnly, Admin]"},

		// Words that their form gives away.
		{`(https?:[^\s"'<，。；）]*[\w/])`, "<url>", "https://sts.aliyuncs.com/?a=b"},
		{`((?i:acs|arn):[\w:*/.@<>+=-]*[\w*/>])`, "<arn>", "acs:ram:*:1142405247841234:role/*"},
		{`((?:rd|r|fd)-[\w*]+/[\w*/.<>-]*[\w*>])`, "<path>", "rd-3G1234/r-Wm****/114240524784****"},
		{`(\w[\w.+-]*@[\w.-]*\w)`, "<name>", "alice@corp.example.com"},
		{`([0-9]{4}[-/][0-9]{2}[-/][0-9]{2}(?:[T ][0-9]{2}:[0-9:.,]*[0-9](?:Z| ?[+-][0-9:]+)?)?)`, "<time>", "2026-11-24 03:57:12.5 +0800"},
		{`([0-9]{2}:[0-9]{2}:[0-9]{2}[0-9.]*Z?)`, "<time>", "03:57:12Z"},
		{`([0-9]+\.[0-9]+\.[0-9]+\.[0-9]+)\b`, "<ip>", "10.12.0.7"},
		{`([0-9a-fA-F]+:[0-9a-fA-F:]*:[0-9a-fA-F]+)\b`, "<ip>", "fe80::1"},
		{`([0-9a-fA-F]{8}-[0-9a-fA-F]+-[0-9a-fA-F-]+)`, "<id>", "C0DA2DFC-EB18-59EF-BD82-C30862EBA3A3"},
		{`([a-z]{1,2}-[A-Za-z]*[0-9*][\w*]{3,})`, "<id>", "ac-00jhtfl8thteu6uj****"},

		// Numbers, but for small ones, and words with numbers.
		{`[0-9]{1,4}\b()`, "", "1500"},
		{`([0-9][0-9*]{11,})(?:\W|$)`, "<account>", "114240524784****"},
		{`([0-9][0-9*]{4,})(?:\W|$)`, "<number>", "10066"},
		{`([A-Za-z]{3,}[0-9]+)(?:[^\w-]|$)`, "<name>", "user17"},
		{`([A-Za-z][\w-]*(?:[0-9]\w*[_-]|[_-]\w*[0-9])[\w*-]*)`, "<name>", "dev-a1-test"},
		{`(\w*[0-9]\w*[0-9]\w*[0-9][\w+/=-]*|\w+\*{2,})`, "<id>", "CAISxwJ1q6Ft5B2yfSj/O+5avrKD="},
	}
}

// known is the table as one pattern, with a group for each row.
var known = regexp.MustCompile(alternatives(table()))

func alternatives(rows []row) string {
	patterns := make([]string, 0, len(rows))
	for _, r := range rows {
		patterns = append(patterns, r.pattern)
	}
	return `^(?:` + strings.Join(patterns, `|`) + `)`
}

// replaceKnown puts placeholders for what the table knows. It returns enough of
// the text for a label.
func replaceKnown(text string) string {
	const (
		enough  = MaxLength * utf8.UTFMax
		longest = 128 // bytes that a row sees
	)
	rows := table()
	var out []byte
	for at := 0; at < len(text) && len(out) < enough; {
		var m []int
		if begins(text, at) {
			m = known.FindStringSubmatchIndex(text[at:min(len(text), at+longest)])
		}
		if m == nil {
			out = append(out, text[at])
			at++
			continue
		}
		group := 1
		for m[2*group] < 0 {
			group++
		}
		out = append(out, text[at:at+m[2*group]]...)
		out = appendPlaceholder(out, rows[group-1].placeholder)
		at += m[2*group+1]
		if m[2*group+1] == longest { // a long token goes on
			at += strings.IndexAny(text[at:]+" ", " \"'")
		}
	}
	return string(out)
}

const openQuotes = "\"'`“‘「『《«["

// begins reports whether a word or a quotation begins at a position.
func begins(text string, at int) bool {
	r, _ := utf8.DecodeRuneInString(text[at:])
	return (at == 0 || !isWordByte(text[at-1])) && (isWordByte(text[at]) || strings.ContainsRune(openQuotes, r))
}

// appendPlaceholder writes a list of several of one kind as one.
func appendPlaceholder(out []byte, placeholder string) []byte {
	list := bytes.TrimRight(bytes.TrimSuffix(bytes.TrimRight(out, " "), []byte(" and")), " ,;/|、，")
	if placeholder != "" && bytes.HasSuffix(list, []byte(placeholder)) {
		return list
	}
	return append(out, placeholder...)
}

func isWordByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_'
}
