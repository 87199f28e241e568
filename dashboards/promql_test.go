package dashboards

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A reader of PromQL that knows as much as the lint needs: which metrics an
// expression names, with which labels. It does not replace Prometheus' parser.

var (
	token    = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|\[[^\]]*\]|[a-zA-Z_:$][a-zA-Z0-9_:]*|[0-9][0-9a-zA-Z.]*|[=!]~|!=|[<>=]=|[^\s]`)
	word     = regexp.MustCompile(`^[a-zA-Z_:][a-zA-Z0-9_:]*$`)
	keywords = []string{"and", "or", "unless", "bool", "offset"}
	grouping = []string{"by", "without", "on", "ignoring", "group_left", "group_right"}
	// What Prometheus itself puts on each series.
	targetLabels = []string{"job", "instance"}
)

// naming is what an expression names.
type naming struct {
	metrics  []string
	matchers []matcher
	groups   []string // labels of by, without, on, ignoring and group_…
	made     []string // labels that label_replace and label_join make
}

type matcher struct{ metric, label string }

// read reads expr; it returns an error where brackets don't match or where a
// word is neither a function, a keyword nor the start of a selector.
func read(expr string) (naming, error) {
	var n naming
	tokens := token.FindAllString(expr, -1)
	at := func(i int) string {
		if i < len(tokens) {
			return tokens[i]
		}
		return ""
	}
	var open []string
	for i := 0; i < len(tokens); i++ {
		t := tokens[i]
		switch {
		case t == "(":
			open = append(open, ")")
		case t == ")":
			if len(open) == 0 {
				return n, fmt.Errorf("a ) too many")
			}
			open = open[:len(open)-1]
		case t == "{":
			return n, fmt.Errorf("a selector without a metric name")
		case !word.MatchString(t) || slices.Contains(keywords, t):
		case slices.Contains(grouping, t):
			if at(i+1) != "(" {
				break
			}
			for i += 2; at(i) != ")"; i++ {
				if at(i) == "" {
					return n, fmt.Errorf("%s( is not closed", t)
				}
				if at(i) != "," {
					n.groups = append(n.groups, at(i))
				}
			}
		case at(i+1) == "(" || slices.Contains(grouping, at(i+1)):
			if t == "label_replace" || t == "label_join" {
				n.made = append(n.made, madeLabel(tokens[i+1:]))
			}
		default:
			n.metrics = append(n.metrics, t)
			if at(i+1) != "{" {
				break
			}
			for i += 2; at(i) != "}"; i++ {
				if at(i) == "" {
					return n, fmt.Errorf("%s{ is not closed", t)
				}
				if word.MatchString(at(i)) {
					n.matchers = append(n.matchers, matcher{t, at(i)})
				}
			}
		}
	}
	if len(open) > 0 {
		return n, fmt.Errorf("%d ( not closed", len(open))
	}
	return n, nil
}

// madeLabel returns the second argument of the call whose tokens these are.
func madeLabel(call []string) string {
	depth := 0
	for i, t := range call {
		switch t {
		case "(":
			depth++
		case ")":
			depth--
		case ",":
			if depth == 1 && i+1 < len(call) {
				return strings.Trim(call[i+1], `"`)
			}
		}
	}
	return ""
}

// lint returns what an expression names that does not exist.
func lint(expr string) (problems []string) {
	n, err := read(expr)
	if err != nil {
		return []string{err.Error()}
	}
	known := slices.Concat(targetLabels, n.made)
	for _, m := range n.metrics {
		labels, ok := lookup(m)
		if !ok {
			problems = append(problems, "no metric "+m)
		}
		known = append(known, labels...)
	}
	for _, m := range n.matchers {
		if labels, ok := lookup(m.metric); ok && !slices.Contains(slices.Concat(labels, targetLabels), m.label) {
			problems = append(problems, m.metric+" has no label "+m.label)
		}
	}
	for _, l := range n.groups {
		if !slices.Contains(known, l) {
			problems = append(problems, "no metric here has the label "+l)
		}
	}
	return problems
}
