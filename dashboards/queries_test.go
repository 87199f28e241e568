package dashboards

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	fixedRange = regexp.MustCompile(`\[(\$__rate_interval|\$__range|1h|1d|1h:1m)\]`)
	anyRange   = regexp.MustCompile(`\[[^\]]*\]`)
	ownMetric  = regexp.MustCompile(`\bcloudsso_[a-z_]+`)
)

// queries checks every expression: what it names exists, and it can be read
// beside a second exporter of the same directory.
func queries(d dashboard) (problems []string) {
	check := func(where, expr string) {
		for _, p := range lint(expr) {
			problems = append(problems, where+": "+p+"\n"+expr)
		}
		if len(anyRange.FindAllString(expr, -1)) != len(fixedRange.FindAllString(expr, -1)) {
			problems = append(problems, where+": a range that is neither the interval's, the time range's nor at least an hour\n"+expr)
		}
		of := slices.DeleteFunc(ownMetric.FindAllString(expr, -1), func(m string) bool { return strings.HasPrefix(m, "cloudsso_exporter_") })
		if len(of) != strings.Count(expr, `directory_id=~"$directory_id"`) {
			problems = append(problems, where+": not each selector follows the variable directory_id\n"+expr)
		}
	}
	for _, p := range d.Panels {
		where := fmt.Sprintf("panel %d %q", p.ID, p.Title)
		refs := make(map[string]bool)
		for _, q := range p.Targets {
			if q.Datasource != prometheus || q.RefID == "" || refs[q.RefID] || q.Instant == q.Range {
				problems = append(problems, fmt.Sprintf("%s: query %q: wrong data source, ref id or range", where, q.RefID))
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
		if a.Datasource == prometheus {
			check("annotation", a.Expr)
		}
	}
	for _, v := range d.Templating.List {
		if expr, ok := strings.CutPrefix(v.Definition, "query_result("); ok {
			for _, p := range lint(strings.TrimSuffix(expr, ")")) {
				problems = append(problems, "variable "+v.Name+": "+p)
			}
		}
		if m := labelValues.FindStringSubmatch(v.Definition); m != nil {
			if labels, ok := lookup(m[1]); !ok || !slices.Contains(labels, m[2]) {
				problems = append(problems, "variable "+v.Name+": no "+m[1]+" with the label "+m[2])
			}
			problems = append(problems, lint(m[0][len("label_values("):strings.LastIndex(m[0], ",")])...)
		}
		if q, ok := v.Query.(map[string]any); ok && q["query"] != v.Definition {
			problems = append(problems, "variable "+v.Name+": query and definition differ")
		}
	}
	return problems
}

var (
	labelValues = regexp.MustCompile(`^label_values\(([a-z_]+)(?:\{.*\})?, *([a-z_]+)\)$`)
	dataLink    = regexp.MustCompile(`"/d/([^"?]+)\?([^"\\]*(?:\\.[^"\\]*)*)"`)
	varParam    = regexp.MustCompile(`var-([a-z_]+)=|\$\{([a-z_]+):queryparam\}`)
)

// links checks that each link leads to a dashboard of ours, keeping what was chosen.
func links(b []byte, d dashboard) (problems []string) {
	var linked []string
	for _, l := range d.Links {
		linked = append(linked, strings.TrimPrefix(l.URL, "/d/"))
		if l.Type != "link" || !l.IncludeVars || !l.KeepTime {
			problems = append(problems, "link "+l.URL+" loses variables or time range")
		}
	}
	slices.Sort(linked)
	if want := slices.DeleteFunc(slices.Clone(uids), func(u string) bool { return u == d.UID }); !slices.Equal(linked, want) {
		problems = append(problems, fmt.Sprintf("links to %q, want %q", linked, want))
	}
	for _, m := range dataLink.FindAllSubmatch(b, -1) {
		uid, query := string(m[1]), string(m[2])
		if !slices.Contains(uids, uid) {
			problems = append(problems, "data link to "+uid)
			continue
		}
		if !strings.Contains(query, "${datasource:queryparam}") || !strings.Contains(query, "${__url_time_range}") {
			problems = append(problems, "data link loses data source or time range: "+query)
		}
		for _, v := range varParam.FindAllStringSubmatch(query, -1) {
			if name := v[1] + v[2]; !slices.Contains(variables(uid), name) {
				problems = append(problems, uid+" has no variable "+name)
			}
		}
	}
	return problems
}

// variables returns the names of a dashboard's variables.
func variables(uid string) (names []string) {
	b, err := os.ReadFile(uid + ".json")
	if err != nil {
		return nil
	}
	var d dashboard
	if json.Unmarshal(b, &d) != nil {
		return nil
	}
	for _, v := range d.Templating.List {
		names = append(names, v.Name)
	}
	return names
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
			for _, label := range append([]string{"name", "Value #A", "Value #B"}, labels...) {
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
