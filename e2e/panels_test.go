package e2e

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/prometheus/common/model"
)

// query is one that Grafana makes for a panel, a variable or an annotation.
type query struct {
	dashboard, panel, ref string
	expr                  string        // as the dashboard has it
	graph                 bool          // over the time range; false: now
	least                 time.Duration // the graph's least step, its Min interval

	best int // series found, at most
	last int
	took time.Duration // until the whole answer was there, at the last time
}

func (q *query) name() string { return q.dashboard + ": " + q.panel + ": " + q.ref }

// emptyWhenGood are the queries that find nothing when all is well: what is failed, alerts or runs at this moment. Each has
// to find something while it is not.
var emptyWhenGood = map[string]bool{
	"cloudsso-overview: stat Longest in progress: A":                     true,
	"cloudsso-overview: table Unresolved failures, one by one: A":        true,
	"cloudsso-failures: stat Failing longest: A":                         true,
	"cloudsso-failures: table What failed, for whom, why, since when: A": true,
	"cloudsso-failures: bargauge Failures by account: A":                 true,
	"cloudsso-failures: bargauge Failures by folder: A":                  true,
	"cloudsso-failures: bargauge Failures by principal: A":               true,
	"cloudsso-failures: bargauge Failures by reason: A":                  true,
	"cloudsso-failures: table Which task is stuck?: A":                   true,
}

// dashboard is the part of Grafana's schema that has queries in it.
type dashboard struct {
	UID    string
	Panels []struct {
		Title, Type, Interval string
		Targets               []struct {
			RefID, Expr string
			Instant     bool
		}
	}
	Templating struct {
		List []struct {
			Name, Type string
			Query      any
		}
	}
	Annotations struct {
		List []struct{ Name, Expr, Step string }
	}
}

var (
	variableQuery = regexp.MustCompile(`^query_result\(([\s\S]*)\)$`)
	unfilled      = regexp.MustCompile(`\$\{|\$[a-z_]`)
)

// queries are all there are.
func queries(t *testing.T) (all []*query) {
	t.Helper()
	paths, err := filepath.Glob("../dashboards/*.json")
	if err != nil || len(paths) != 3 {
		t.Fatal(paths, err)
	}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var d dashboard
		if err := json.Unmarshal(b, &d); err != nil {
			t.Fatal(path, err)
		}
		for _, p := range d.Panels {
			for _, target := range p.Targets {
				q := query{dashboard: d.UID, panel: p.Type + " " + p.Title, ref: target.RefID, expr: target.Expr, graph: !target.Instant}
				if least, err := model.ParseDuration(p.Interval); err == nil {
					q.least = time.Duration(least)
				}
				all = append(all, &q)
			}
		}
		for _, v := range d.Templating.List {
			if v.Type != "query" {
				continue
			}
			m := variableQuery.FindStringSubmatch(fmt.Sprint(v.Query.(map[string]any)["query"]))
			if m == nil {
				t.Fatalf("%s: nobody knows how to ask for %q", path, v.Query)
			}
			all = append(all, &query{dashboard: d.UID, panel: "variable", ref: v.Name, expr: m[1]})
		}
		for _, a := range d.Annotations.List {
			q := query{dashboard: d.UID, panel: "annotation", ref: a.Name, expr: a.Expr, graph: true}
			if least, err := model.ParseDuration(a.Step); err == nil {
				q.least = time.Duration(least)
			}
			all = append(all, &q)
		}
	}
	return all
}

// view is what is chosen in Grafana.
type view struct {
	past   time.Duration // the time range, until now
	step   time.Duration // of graphs, as wide as there is room for
	scrape time.Duration // the scrape interval of the data source
}

// ofStory is all of the story.
var ofStory = view{past: 15 * time.Minute, step: time.Second, scrape: time.Second}

// filled is the expression as Grafana sends it, with all directories chosen.
func (q *query) filled(v view) string {
	step := max(q.least, v.step)
	return strings.NewReplacer(
		"$__rate_interval", model.Duration(max(step+v.scrape, 4*v.scrape)).String(),
		"$__range", model.Duration(v.past).String(),
		"$directory_id", ".+",
	).Replace(q.expr)
}

// ask runs the query as Grafana would.
func (q *query) ask(p *prometheus, v view) error {
	expr := q.filled(v)
	if unfilled.MatchString(expr) {
		return fmt.Errorf("%s: an unknown variable in %s", q.name(), expr)
	}
	var values []json.RawMessage
	found := struct{ Result *[]json.RawMessage }{&values}
	endpoint, params := "query", url.Values{"query": {expr}}
	if q.graph {
		step, now := max(q.least, v.step), time.Now()
		past := (v.past + step - 1) / step * step // the last step is now
		endpoint, params = "query_range", url.Values{
			"query": {expr}, "start": {unix(now.Add(-past))}, "end": {unix(now)}, "step": {step.String()},
		}
	}
	begin := time.Now()
	answer, err := p.fetch(endpoint, params)
	q.took = time.Since(begin) // to decode it is the test's own work
	if err == nil {
		err = decode(answer, &found)
	}
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", q.name(), err, expr)
	}
	q.last = len(values)
	q.best = max(q.best, q.last)
	return nil
}

// short is the beginning of the expression, in one line.
func (q *query) short() string {
	runes := []rune(strings.Join(strings.Fields(q.expr), " "))
	return string(runes[:min(len(runes), 80)])
}

// look is someone who looks at the dashboards all the time.
type look struct {
	prom    *prometheus
	queries []*query
	enough  chan struct{}
	done    sync.WaitGroup
}

// look begins to ask, again and again, all that has found nothing yet, but for ALERTS where nothing stores them.
func (s *stage) look(t *testing.T) *look {
	l := &look{prom: s.prom, queries: queries(t), enough: make(chan struct{})}
	if !s.prom.storesAlerts {
		l.queries = slices.DeleteFunc(l.queries, func(q *query) bool { return strings.Contains(q.expr, "ALERTS") })
	}
	l.done.Go(func() {
		for {
			for _, q := range l.queries {
				if q.best > 0 {
					continue
				}
				if err := q.ask(l.prom, ofStory); err != nil {
					t.Error(err)
					return
				}
			}
			select {
			case <-l.enough:
				return
			case <-time.After(time.Second):
			}
		}
	})
	t.Cleanup(l.stop)
	return l
}

func (l *look) stop() {
	select {
	case <-l.enough:
	default:
		close(l.enough)
	}
	l.done.Wait()
}

// report asks everything once more, now that all is well, and says what was found.
func (l *look) report(t *testing.T) {
	l.stop()
	var b strings.Builder
	b.WriteString("\n")
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "panel\tquery\tseries found at the end\tat most")
	for _, q := range l.queries {
		if err := q.ask(l.prom, ofStory); err != nil {
			t.Error(err)
		}
		fmt.Fprintf(table, "%s\t%s\t%d\t%d\n", q.name(), q.short(), q.last, q.best)
		switch {
		case q.best == 0:
			t.Errorf("%q has never found anything:\n%s", q.name(), q.filled(ofStory))
		case q.last == 0 && !emptyWhenGood[q.name()]:
			t.Errorf("%q finds nothing when all is well:\n%s", q.name(), q.filled(ofStory))
		case q.last > 0 && emptyWhenGood[q.name()]:
			t.Errorf("%q finds something when all is well: it need not be on the list", q.name())
		}
	}
	table.Flush()
	t.Log(b.String())
}
