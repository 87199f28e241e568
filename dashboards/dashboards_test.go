// Package dashboards holds no code: the dashboards are the JSON files beside
// this one, and this is their lint. It knows nothing of Grafana's schema, which
// check/ does, but what a dashboard of this project has to have.
package dashboards

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the dashboards back in their one format: keys sorted, short values on one line")

// uids are for good: links, bookmarks and provisioning hold them.
var uids = []string{"cloudsso-exporter", "cloudsso-failures", "cloudsso-overview"}

// oneScreen is how high the overview may be: a unit of Grafana's grid is 38 pixels, and a screen of 1080 has room for 26
// below the bar with the variables.
const oneScreen = 26

type dashboard struct {
	UID           string   `json:"uid"`
	Title         string   `json:"title"`
	Description   string   `json:"description"`
	SchemaVersion int      `json:"schemaVersion"`
	Tags          []string `json:"tags"`
	Panels        []panel  `json:"panels"`
	frame
}

// frame is what all dashboards have in common.
type frame struct {
	Links []struct {
		Type, Title, URL      string
		Tags                  []string
		IncludeVars, KeepTime bool
	} `json:"links"`
	Templating struct {
		List []struct {
			Name, Type, AllValue, Description string
			Datasource                        source
			Multi, IncludeAll                 bool
			Query                             any
		} `json:"list"`
	} `json:"templating"`
	Annotations struct {
		List []struct {
			Expr, TitleFormat, TextFormat string
			Datasource                    source
		} `json:"list"`
	} `json:"annotations"`
}

type source struct{ Type, UID string }

type panel struct {
	ID                       int
	Title, Type, Description string
	GridPos                  struct{ X, Y, W, H int }
	Datasource               source
	FieldConfig              struct {
		Defaults struct {
			Unit, NoValue string
			Thresholds    struct{ Steps []struct{ Color string } }
		}
	}
	Transformations []struct {
		Options struct{ RenameByName map[string]string }
	}
	Targets []struct {
		RefID, Expr, Format string
		Instant             bool
	}
}

var prometheus = source{Type: "prometheus", UID: "${datasource}"}

// load returns every dashboard with its bytes.
func load(t *testing.T) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no dashboards: %v", err)
	}
	all := make(map[string][]byte)
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all[file] = b
	}
	return all
}

func parse(t *testing.T, b []byte) dashboard {
	t.Helper()
	var d dashboard
	if err := json.Unmarshal(b, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestFormat keeps a diff small whoever wrote the file: a hand, or Grafana's export.
func TestFormat(t *testing.T) {
	for file, b := range load(t) {
		d := json.NewDecoder(bytes.NewReader(b))
		d.UseNumber()
		var v any
		if err := d.Decode(&v); err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		want := []byte(pretty(v, "") + "\n")
		if bytes.Equal(b, want) {
			continue
		}
		if !*update {
			t.Errorf("%s is not in its one format: run go test ./dashboards -update", file)
		} else if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Error(err)
		}
	}
}

// pretty writes an object or array on one line if it is short, else each of its parts on a line of its own.
func pretty(v any, indent string) string {
	const short = 140
	var parts []string
	brackets := "[]"
	switch v := v.(type) {
	case map[string]any:
		brackets = "{}"
		for _, key := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, pretty(key, "")+": "+pretty(v[key], indent+"  "))
		}
	case []any:
		for _, part := range v {
			parts = append(parts, pretty(part, indent+"  "))
		}
	default:
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		if err := e.Encode(v); err != nil {
			panic(err) // it was JSON a moment ago
		}
		return strings.TrimSpace(b.String())
	}
	if line := brackets[:1] + strings.Join(parts, ", ") + brackets[1:]; len(line) <= short && !strings.Contains(line, "\n") {
		return line
	}
	in := "\n" + indent
	return brackets[:1] + in + "  " + strings.Join(parts, ","+in+"  ") + in + brackets[1:]
}

func TestDashboards(t *testing.T) {
	var seen []string
	var same frame
	for file, b := range load(t) {
		d := parse(t, b)
		if seen = append(seen, d.UID); len(seen) == 1 {
			same = d.frame
		} else if fmt.Sprint(d.frame) != fmt.Sprint(same) {
			t.Errorf("%s has other links, variables or annotations than the others", file)
		}
		t.Run(file, func(t *testing.T) {
			if d.UID+".json" != file {
				t.Errorf("uid %q in %s", d.UID, file)
			}
			if d.SchemaVersion != 38 {
				t.Errorf("schemaVersion %d, want that of Grafana 10", d.SchemaVersion)
			}
			if d.Title == "" || d.Description == "" || !slices.Contains(d.Tags, "cloudsso") {
				t.Error("needs a title, a description and the tag cloudsso")
			}
			for _, problem := range slices.Concat(panels(d), queries(d), dataLinks(b), markup(b, d)) {
				t.Error(problem)
			}
		})
	}
	slices.Sort(seen)
	if !slices.Equal(seen, uids) {
		t.Errorf("uids %q, want %q", seen, uids)
	}
	for _, problem := range common(same) {
		t.Error(problem)
	}
}

// common checks what all dashboards have in common.
func common(f frame) (problems []string) {
	vars := map[string]bool{}
	for _, v := range f.Templating.List {
		vars[v.Name+" "+v.Type] = true
		if v.Description == "" {
			problems = append(problems, "variable "+v.Name+" has no description")
		}
		if v.Type == "query" && (v.Datasource != prometheus || !v.Multi || !v.IncludeAll || v.AllValue != ".+") {
			problems = append(problems, "variable "+v.Name+": want ${datasource}, multi, and all as .+")
		}
	}
	for _, name := range []string{"datasource datasource", "directory_id query", "status_page textbox"} {
		if !vars[name] {
			problems = append(problems, "no variable "+name)
		}
	}
	urls := map[string]bool{}
	for _, l := range f.Links {
		urls[l.URL] = true
		if l.Type == "dashboards" {
			urls[strings.Join(l.Tags, ",")] = l.IncludeVars && l.KeepTime
		}
	}
	for _, url := range []string{"cloudsso", "${status_page:raw}/", base + "/docs/runbooks.md", "https://cloudsso.console.aliyun.com/"} {
		if !urls[url] {
			problems = append(problems, "no link to "+url+", or one that loses variables and time")
		}
	}
	if a := f.Annotations.List; len(a) != 1 || a[0].Datasource != prometheus || !strings.Contains(a[0].Expr, `ALERTS{alertname=~"CloudSSO.*", alertstate="firing"`) {
		problems = append(problems, "no annotation shows the firing alerts")
	}
	return problems
}

var panelTypes = []string{"bargauge", "stat", "state-timeline", "table", "timeseries"}

// panels checks what every panel has to have, and that none covers another.
func panels(d dashboard) (problems []string) {
	ids := make(map[int]string)
	covered := make(map[[2]int]string)
	for _, p := range d.Panels {
		say := func(format string, args ...any) {
			problems = append(problems, fmt.Sprintf("panel %d %q: ", p.ID, p.Title)+fmt.Sprintf(format, args...))
		}
		if other, ok := ids[p.ID]; ok || p.ID == 0 {
			say("id taken by %q, or none", other)
		}
		ids[p.ID] = p.Title
		if p.Title == "" || !slices.Contains(panelTypes, p.Type) {
			say("needs a title and a type of %q, not %q", panelTypes, p.Type)
		}
		g := p.GridPos
		if g.W < 1 || g.H < 1 || g.X < 0 || g.X+g.W > 24 {
			say("outside the grid: %+v", g)
		}
		if d.UID == "cloudsso-overview" && g.Y+g.H > oneScreen {
			say("is below the first screen")
		}
		for x := g.X; x < g.X+g.W; x++ {
			for y := g.Y; y < g.Y+g.H; y++ {
				if other, ok := covered[[2]int{x, y}]; ok {
					say("covers %q at %d,%d", other, x, y)
				}
				covered[[2]int{x, y}] = p.Title
			}
		}
		f := p.FieldConfig.Defaults
		if p.Description == "" || f.Unit == "" || f.NoValue == "" {
			say("needs a description, a unit and a text for no data")
		}
		if p.Datasource != prometheus || len(p.Targets) == 0 {
			say("needs a query, and the data source that is chosen")
		}
		if p.Type == "stat" && len(f.Thresholds.Steps) == 0 {
			say("needs thresholds: Grafana's own turn red at 80")
		}
	}
	return problems
}

var (
	cellType = regexp.MustCompile(`cellOptions"[^}]*"type": "([^"]*)"`)
	textCell = []string{"auto", "color-background", "color-text"}
)

// markup checks that nothing draws as HTML or Markdown what strangers may have
// written: names of accounts, users and groups, and reasons. Panels of text are
// none of panelTypes.
func markup(b []byte, d dashboard) (problems []string) {
	for _, m := range cellType.FindAllSubmatch(b, -1) {
		if !slices.Contains(textCell, string(m[1])) {
			problems = append(problems, "a cell of type "+string(m[1])+" is not text alone")
		}
	}
	for _, a := range d.Annotations.List {
		if text := a.TitleFormat + a.TextFormat; strings.Contains(text, "_name}}") || strings.Contains(text, "reason}}") {
			problems = append(problems, "Grafana draws an annotation as HTML: name by id in "+text)
		}
	}
	return problems
}
