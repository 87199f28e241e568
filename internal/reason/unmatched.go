package reason

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"cloudsso_exporter/internal/task"
)

// Group is the failed tasks that no rule matches and that share a label.
type Group struct {
	Label string
	Count int
	Text  string // of one of them, printable and on one line; empty with CodesOnly

	// Match is the source of an expression for a rule: the longest part of Label
	// without placeholders, word for word. It is empty if there is none.
	Match string
}

// Unmatched groups the failed tasks that no rule matches, the largest group
// first.
func (c Classifier) Unmatched(tasks []task.Task) []Group {
	var groups []Group
	for _, t := range tasks {
		label, byRule := c.Classify(t)
		if byRule || t.Status != task.Failed {
			continue
		}
		i := slices.IndexFunc(groups, func(g Group) bool { return g.Label == label })
		if i < 0 {
			i = len(groups)
			groups = append(groups, Group{Label: label, Match: literal(label)})
			if !c.CodesOnly {
				groups[i].Text = fold(truncate(t.FailureReason))
			}
		}
		groups[i].Count++
	}
	slices.SortFunc(groups, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Label, b.Label))
	})
	return groups
}

func literal(label string) string {
	parts := regexp.MustCompile(`<[a-z]+>`).Split(label, -1)
	longest := strings.TrimSpace(slices.MaxFunc(parts, func(a, b string) int { return cmp.Compare(len(a), len(b)) }))
	if label == Unknown || !strings.ContainsFunc(longest, isAlphanumeric) {
		return ""
	}
	return regexp.QuoteMeta(longest)
}
