package reason

import (
	"cmp"
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"cloudsso_exporter/internal/task"
)

// Suggestion is a group of failures that no rule matches, and the rule that would.
type Suggestion struct {
	Label   string // what they are called without a rule
	Count   int    // failed tasks
	Example string // the text of one of them, on one line

	// The rule to paste. Match matches the text of each failure of the group. Both are empty when the texts have nothing
	// to match in common, or no text at all.
	Match  string
	Reason string // of letters, digits and underscores; no rule has it yet
}

// Suggest groups the failed tasks that no rule matches by the label they have without one. The most frequent group is
// first, except that a rule stands before one that would take its failures from it: the first match wins.
func Suggest(tasks []task.Task, rules []Rule) []Suggestion {
	groups := map[string]*group{}
	for _, t := range tasks {
		if t.Status != task.Failed {
			continue
		}
		label, byRule := Classify(t, rules)
		if byRule {
			continue
		}
		g := groups[label]
		if g == nil {
			g = &group{label: label, seen: map[string]bool{}}
			groups[label] = g
		}
		g.count++
		if text := cut(t.FailureReason); !g.seen[text] {
			g.seen[text] = true
			g.texts = append(g.texts, text)
		}
	}

	sorted := make([]*group, 0, len(groups))
	for _, g := range groups {
		sorted = append(sorted, g)
	}
	slices.SortFunc(sorted, func(a, b *group) int {
		return cmp.Or(cmp.Compare(b.count, a.count), cmp.Compare(a.label, b.label))
	})
	taken := map[string]bool{Unknown: true, Other: true}
	for _, r := range rules {
		taken[r.Reason] = true
	}
	suggestions := make([]Suggestion, 0, len(sorted))
	for i, g := range narrowFirst(sorted) {
		s := Suggestion{Label: g.label, Count: g.count, Example: excerpt(g.texts[0])}
		if g.match != nil {
			s.Match = g.match.String()
			s.Reason = free(snakeCase(g.label), i, taken)
		}
		suggestions = append(suggestions, s)
	}
	return suggestions
}

// group is the failures of one label.
type group struct {
	label string
	count int
	texts []string // distinct, in order of first sight
	seen  map[string]bool
	match *regexp.Regexp
}

// narrowFirst finds each group's expression, puts a group before the first whose expression matches it too, and makes
// one of two that come to the same expression.
func narrowFirst(groups []*group) []*group {
	var sorted []*group
	for _, g := range groups {
		g.match = expression(g.label, g.texts)
		if g.match == nil {
			sorted = append(sorted, g)
			continue
		}
		at := slices.IndexFunc(sorted, func(before *group) bool {
			return before.match != nil && slices.ContainsFunc(g.texts, before.match.MatchString)
		})
		switch {
		case at < 0:
			sorted = append(sorted, g)
		case sorted[at].match.String() == g.match.String(): // "The user <name> …" and "The user <id> …"
			sorted[at].count += g.count
		default:
			sorted = slices.Insert(sorted, at, g)
		}
	}
	return sorted
}

// expression returns the plainest expression that matches all texts, nil when there is none worth having.
func expression(label string, texts []string) *regexp.Regexp {
	const maxAlternatives = 5
	pieces := literals(label)
	if label == Unknown || strings.Count(strings.Join(pieces, ""), "")-1 < 3 {
		return nil
	}
	candidates := []string{join(pieces, ` `, `.*`), `(?s)` + join(pieces, `\s+`, `.*`)}
	if len(texts) <= maxAlternatives {
		var whole []string
		for _, text := range texts {
			whole = append(whole, quote(text, ` `))
		}
		candidates = append(candidates, `\A(?:`+strings.Join(whole, `|`)+`)\z`)
	}
	for _, c := range candidates {
		re, err := regexp.Compile(c)
		if err == nil && !slices.ContainsFunc(texts, func(text string) bool { return !re.MatchString(text) }) {
			return re
		}
	}
	return nil
}

// literals returns what stands between the placeholders of a label.
func literals(label string) []string {
	var pieces []string
	start := 0
	for i := 0; i < len(label); {
		mark := placeholderAt(label[i:])
		if mark == "" {
			i++
			continue
		}
		pieces = append(pieces, label[start:i])
		i += len(mark)
		start = i
	}
	pieces = append(pieces, label[start:])
	return slices.DeleteFunc(pieces, func(p string) bool { return strings.TrimSpace(p) == "" })
}

// join makes one expression of the pieces: their edges may have been quotes or white space in the text.
func join(pieces []string, space, between string) string {
	quoted := make([]string, 0, len(pieces))
	for _, p := range pieces {
		quoted = append(quoted, quote(strings.TrimSpace(p), space))
	}
	expr := strings.Join(quoted, between)
	if len(pieces) == 1 && !strings.ContainsAny(pieces[0], " ") && strings.Trim(pieces[0], ".") == pieces[0] && isPlain(pieces[0]) {
		return `\b` + expr + `\b` // a code
	}
	return expr
}

// isPlain reports whether text begins and ends in a character that \b knows as one of a word.
func isPlain(text string) bool {
	word := func(c byte) bool { return isLetter(c) || isDigit(c) || c == '_' }
	return word(text[0]) && word(text[len(text)-1])
}

// quote makes an expression on one line that matches text, each space in it written as given.
func quote(text, space string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == ' ':
			b.WriteString(space)
		case unicode.IsGraphic(r):
			b.WriteString(regexp.QuoteMeta(string(r)))
		default:
			fmt.Fprintf(&b, `\x{%x}`, r)
		}
	}
	return b.String()
}

// snakeCase makes a rule's reason of a label: EntityNotExist.Role becomes entity_not_exist_role.
func snakeCase(label string) string {
	const maxRunes = 50
	var reason []rune
	for word := range wordsOf(strings.Join(literals(label), " ")) {
		runes := []rune(strings.ToLower(word))
		switch {
		case len(reason) == 0:
			reason = runes[:min(len(runes), maxRunes)]
			continue
		case len(reason)+1+len(runes) > maxRunes:
			return string(reason)
		}
		reason = append(append(reason, '_'), runes...)
	}
	return string(reason)
}

// wordsOf yields the words of a label and the humps of its codes.
func wordsOf(label string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, word := range strings.FieldsFunc(label, func(r rune) bool { return !isAlphanumeric(r) }) {
			for word != "" {
				h := min(hump(word), len(word))
				if !yield(word[:h]) {
					return
				}
				word = word[h:]
			}
		}
	}
}

// free returns reason, or one like it that is not taken, and takes it.
func free(reason string, i int, taken map[string]bool) string {
	if reason == "" {
		reason = fmt.Sprintf("reason_%d", i+1)
	}
	name := reason
	for n := 2; taken[name]; n++ {
		name = fmt.Sprintf("%s_%d", reason, n)
	}
	taken[name] = true
	return name
}

// excerpt returns a text on one line, cut for people to read.
func excerpt(text string) string {
	const maxRunes = 200
	text = strings.Map(func(r rune) rune {
		if !unicode.IsGraphic(r) {
			return '?' // YAML forbids what cannot be printed, in comments too
		}
		return r
	}, fold(text))
	n := 0
	for i := range text {
		if n == maxRunes {
			return text[:i] + "…"
		}
		n++
	}
	return text
}
