package e2e

import (
	"fmt"
	"log/slog"
	"os"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/prometheus/prometheus/promql/parser"
)

const (
	rulesFile = "../alerts/cloudsso.rules.yml"
	// faster is how much time runs faster in the story: an hour of the rules is a minute.
	faster = 60
)

var (
	durations = regexp.MustCompile(`(?:for: |\boffset |[\[:])(\d+[smhd])\b`)
	seconds   = regexp.MustCompile(`\b(\d+) \* 60\b`) // how the rules write a number of seconds
	product   = regexp.MustCompile(`^(\d+) \* (\d+)$`)
)

// fasterRules is the text of the rules with every duration a sixtieth of what it was, and nothing else changed.
func fasterRules(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(rulesFile)
	if err != nil {
		t.Fatal(err)
	}
	text := durations.ReplaceAllStringFunc(string(b), func(found string) string {
		at := durations.FindStringSubmatchIndex(found)[2]
		d, err := model.ParseDuration(found[at:])
		if err != nil {
			t.Fatal(err)
		}
		return found[:at] + model.Duration(shrink(time.Duration(d))).String()
	})
	text = seconds.ReplaceAllString(text, "$1 * 1")
	// Prometheus' parser says whether anything was forgotten.
	var want []string
	for _, d := range timesOf(t, string(b)) {
		want = append(want, fmt.Sprint(shrink(d)))
	}
	var got []string
	for _, d := range timesOf(t, text) {
		got = append(got, fmt.Sprint(d))
	}
	if diff := cmp.Diff(want, got); diff != "" || len(want) < 40 {
		t.Fatalf("%d durations in the rules (-want +got)\n%s", len(want), diff)
	}
	return text
}

// shrink is d in the story's time, but no less than a scrape.
func shrink(d time.Duration) time.Duration {
	if d == 0 {
		return 0
	}
	return max(d/faster, time.Second)
}

// timesOf are all durations of all rules, in order: how long they wait, what they look back on, thresholds in seconds.
func timesOf(t *testing.T, text string) (all []time.Duration) {
	t.Helper()
	p := parser.NewParser(parser.Options{})
	groups, errs := rulefmt.Parse([]byte(text), false, model.UTF8Validation, p, slog.New(slog.DiscardHandler))
	if len(errs) > 0 {
		t.Fatal(errs)
	}
	for _, g := range groups.Groups {
		for _, r := range g.Rules {
			expr, err := p.ParseExpr(r.Expr)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, time.Duration(r.For), time.Duration(r.KeepFiringFor))
			parser.Inspect(expr, func(n parser.Node, _ []parser.Node) error {
				switch n := n.(type) {
				case *parser.MatrixSelector:
					all = append(all, n.Range)
				case *parser.SubqueryExpr:
					all = append(all, n.Range, n.Step)
				case *parser.VectorSelector:
					all = append(all, n.OriginalOffset)
				case *parser.BinaryExpr:
					if m := product.FindStringSubmatch(n.String()); m != nil {
						a, _ := strconv.Atoi(m[1])
						b, _ := strconv.Atoi(m[2])
						all = append(all, time.Duration(a*b)*time.Second)
					}
				}
				return nil
			})
		}
	}
	return all
}
