package files

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
)

var (
	variableQuery = regexp.MustCompile(`^query_result\(([\s\S]*)\)$`)
	// What Grafana puts in for its variables. One that is forgotten here stays, and the parser complains.
	variables = strings.NewReplacer(
		"$__rate_interval", "5m", "$__range", "1h", "$directory_id", "d-1",
	)
)

// Every query of every dashboard is PromQL to Prometheus' own parser, without experimental functions.
func TestDashboardQueriesParse(t *testing.T) {
	paths, err := filepath.Glob("../../dashboards/*.json")
	if err != nil || len(paths) != 3 {
		t.Fatal(paths, err)
	}
	p := parser.NewParser(parser.Options{})
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			var dashboard any
			if err := json.Unmarshal([]byte(read(t, path)), &dashboard); err != nil {
				t.Fatal(err)
			}
			queries := 0
			walk(dashboard, func(key, text string) {
				switch key {
				case "expr":
				case "query":
					m := variableQuery.FindStringSubmatch(text)
					if m == nil {
						return // a variable without a query, such as the data source
					}
					text = m[1]
				default:
					return
				}
				queries++
				if _, err := p.ParseExpr(variables.Replace(text)); err != nil {
					t.Errorf("%v\n%s", err, text)
				}
			})
			if queries < 10 {
				t.Errorf("%d queries found", queries)
			}
		})
	}
}

// walk calls visit with every text in v and its key.
func walk(v any, visit func(key, text string)) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if text, ok := value.(string); ok {
				visit(key, text)
			} else {
				walk(value, visit)
			}
		}
	case []any:
		for _, value := range v {
			walk(value, visit)
		}
	}
}
