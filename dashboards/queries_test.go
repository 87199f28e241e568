package dashboards

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// longest is how long a query may be: whoever reads one reads all of it.
const longest = 400

var (
	fixedRange = regexp.MustCompile(`\[(\$__rate_interval|\$__range|1h|1d)\]`)
	anyRange   = regexp.MustCompile(`\[[^\]]*\]`)
	ownMetric  = regexp.MustCompile(`\bcloudsso_[a-z_]+`)
	// joined brings the directory's name to what has been chosen already.
	joined    = " * on (directory_id) group_left (name) topk by (directory_id) (1, cloudsso_directory_info)"
	variables = regexp.MustCompile(`^query_result\((.*)\)$`)
)

// queries checks every expression: it is short, what it names exists, and it follows what is chosen.
func queries(d dashboard) (problems []string) {
	check := func(where, expr string) {
		for _, p := range lint(expr) {
			problems = append(problems, where+": "+p+"\n"+expr)
		}
		if len(expr) > longest {
			problems = append(problems, fmt.Sprintf("%s: a query of %d characters, more than %d\n%s", where, len(expr), longest, expr))
		}
		if len(anyRange.FindAllString(expr, -1)) != len(fixedRange.FindAllString(expr, -1)) {
			problems = append(problems, where+": a range that is neither the interval's, the time range's nor at least an hour\n"+expr)
		}
		chosen := strings.ReplaceAll(strings.Join(strings.Fields(expr), " "), joined, "")
		of := slices.DeleteFunc(ownMetric.FindAllString(chosen, -1), func(m string) bool { return strings.HasPrefix(m, "cloudsso_exporter_") })
		if len(of) != strings.Count(expr, `directory_id=~"$directory_id"`) {
			problems = append(problems, where+": not each selector follows the variable directory_id\n"+expr)
		}
	}
	for _, p := range d.Panels {
		where := fmt.Sprintf("panel %d %q", p.ID, p.Title)
		refs := make(map[string]bool)
		for _, q := range p.Targets {
			if q.RefID == "" || refs[q.RefID] {
				problems = append(problems, fmt.Sprintf("%s: ref id %q is taken, or none", where, q.RefID))
			}
			refs[q.RefID] = true
			if instant := p.Type == "stat" || p.Type == "table" || p.Type == "bargauge"; instant != q.Instant {
				problems = append(problems, fmt.Sprintf("%s: query %q: instant is %t in a %s", where, q.RefID, q.Instant, p.Type))
			}
			if q.Instant && strings.Contains(q.Expr, "$__rate_interval") {
				problems = append(problems, where+": the interval means nothing to an instant query")
			}
			check(where, q.Expr)
		}
	}
	for _, a := range d.Annotations.List {
		check("annotation", a.Expr)
	}
	for _, v := range d.Templating.List {
		if v.Type != "query" {
			continue
		}
		text := ""
		if q, ok := v.Query.(map[string]any); ok {
			text, _ = q["query"].(string)
		}
		m := variables.FindStringSubmatch(text)
		if m == nil {
			problems = append(problems, fmt.Sprintf("variable %s: %v is not a query_result", v.Name, v.Query))
			continue
		}
		for _, p := range lint(m[1]) {
			problems = append(problems, "variable "+v.Name+": "+p)
		}
	}
	return problems
}

var (
	linkURL = regexp.MustCompile(`"url": "((?:[^"\\]|\\.)*)"`)
	// parameters are those of the exporter's pages, as in docs/http-api.md.
	parameters = map[string][]string{
		"/":                {"directory_id"},
		"/api/v1/failures": {"directory_id", "task_type", "access_configuration_id", "target_id", "principal_id"},
		"/api/v1/tasks":    {"directory_id", "status", "task_type", "access_configuration_id", "target_id", "principal_id", "since", "limit"},
	}
)

// dataLinks checks that each link leads to one of our dashboards with all that is chosen, or to a page of the exporter with
// parameters that it knows.
func dataLinks(b []byte) (problems []string) {
	for _, m := range linkURL.FindAllStringSubmatch(string(b), -1) {
		path, query, _ := strings.Cut(m[1], "?")
		if uid, ours := strings.CutPrefix(path, "/d/"); ours {
			if !slices.Contains(uids, uid) {
				problems = append(problems, "a link to "+uid)
			}
			for _, part := range []string{"${datasource:queryparam}", "directory_id", "${status_page:queryparam}", "${__url_time_range}"} {
				if !strings.Contains(query, part) {
					problems = append(problems, "a link loses "+part+": "+query)
				}
			}
			continue
		}
		if path, ours := strings.CutPrefix(path, "${status_page:raw}"); ours {
			values, err := url.ParseQuery(query)
			known, ok := parameters[path]
			if err != nil || !ok {
				problems = append(problems, fmt.Sprintf("a link to %s of the exporter: %v", path, err))
			}
			for name := range values {
				if !slices.Contains(known, name) {
					problems = append(problems, path+" has no parameter "+name)
				}
			}
		}
	}
	return problems
}

// TestTableOfFailures: each row says what failed, for whom, why and since when,
// and nothing of what tells two failures apart is hidden.
func TestTableOfFailures(t *testing.T) {
	const metric = "cloudsso_unresolved_failure_start_timestamp_seconds"
	labels, _ := lookup(metric)
	for _, file := range []string{"cloudsso-overview.json", "cloudsso-failures.json"} {
		found := false
		for _, p := range parse(t, load(t)[file]).Panels {
			if p.Type != "table" || !strings.Contains(p.Targets[0].Expr, metric) {
				continue
			}
			found = true
			shown := p.Transformations[len(p.Transformations)-1].Options.RenameByName
			for _, label := range append([]string{"name", "Value"}, labels...) {
				if shown[label] == "" {
					t.Errorf("%s: %q has no column for %s", file, p.Title, label)
				}
			}
		}
		if !found {
			t.Errorf("%s has no table of %s", file, metric)
		}
	}
}

func TestLint(t *testing.T) {
	for _, test := range []struct {
		expr string
		want []string
	}{
		{`sum by (status) (increase(cloudsso_tasks_finished_total{directory_id=~"$directory_id"}[$__rate_interval]))`, nil},
		{`max by (directory_id, kind) (cloudsso_last_refresh_error) == 1 or time() - 0`, nil},
		{`cloudsso_up * on (directory_id) group_left (name) topk by (directory_id) (1, cloudsso_directory_info)`, nil},
		{`histogram_quantile(0.5, sum by (le) (rate(cloudsso_refresh_duration_seconds_bucket[5m])))`, nil},
		{`max by (made) (label_join(label_replace(cloudsso_up, "x", "$1", "job", "(.*)"), "made", "-", "job"))`, nil},
		{`sum(cloudsso_taskz)`, []string{"no metric cloudsso_taskz"}},
		{`cloudsso_tasks{state="Failed"}`, []string{"cloudsso_tasks has no label state"}},
		{`sum by (code) (cloudsso_tasks)`, []string{"no metric here has the label code"}},
		{`sum by (le) (cloudsso_refresh_duration_seconds_sum)`, []string{"no metric here has the label le"}},
		{`{job="x"}`, []string{"a selector without a metric name"}},
		{`sum(cloudsso_up`, []string{"1 ( not closed"}},
		{`sum(cloudsso_up))`, []string{"a ) too many"}},
	} {
		if got := lint(test.expr); !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", test.expr, got, test.want)
		}
	}
}
