package reason

import (
	"fmt"
	"strings"
)

// YAML returns suggestions as the failure_reasons block of a configuration, each with its count and an example; empty
// when none of them has a rule.
func YAML(suggestions []Suggestion) string {
	var b strings.Builder
	for _, s := range suggestions {
		if s.Match == "" {
			continue
		}
		if b.Len() == 0 {
			b.WriteString("failure_reasons:\n  rules:\n")
		}
		fmt.Fprintf(&b, "    # %d × %s\n    - match: %s\n      reason: %s\n", s.Count, s.Example, quoteYAML(s.Match), scalar(s.Reason))
	}
	return b.String()
}

// quoteYAML writes text as a scalar in single quotes, in which nothing but the quote is special.
func quoteYAML(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

// scalar writes a reason plain where YAML reads it as a text, else in quotes.
func scalar(reason string) string {
	switch reason {
	case "null", "true", "false", "yes", "no", "on", "off", "y", "n":
		return quoteYAML(reason)
	}
	if !isLower(reason[0]) || strings.Trim(reason, "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
		return quoteYAML(reason)
	}
	return reason
}
