// Package dashboards holds no code: the dashboards are the JSON files beside
// this one, and this is their lint. It knows nothing of Grafana's schema, which
// check/ does, but what a dashboard of this project has to have.
package dashboards

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the dashboards back in their one format: two spaces, keys sorted")

// uids are for good: links, bookmarks and provisioning hold them.
var uids = []string{"cloudsso-exporter", "cloudsso-failures", "cloudsso-overview"}

type dashboard struct {
	UID           string   `json:"uid"`
	ID            *int     `json:"id"`
	Title         string   `json:"title"`
	Description   string   `json:"description"`
	SchemaVersion int      `json:"schemaVersion"`
	Tags          []string `json:"tags"`
	Panels        []panel  `json:"panels"`
	Links         []struct {
		Type, URL             string
		IncludeVars, KeepTime bool
	} `json:"links"`
	Templating struct {
		List []variable `json:"list"`
	} `json:"templating"`
	Annotations struct {
		List []struct {
			Type, Expr, TitleFormat, TextFormat string
			Datasource                          source
		} `json:"list"`
	} `json:"annotations"`
}

type variable struct {
	Name, Type, Definition, AllValue, Description string
	Datasource                                    *source
	Multi, IncludeAll                             bool
	Query                                         any
}

type source struct{ Type, UID string }

type panel struct {
	ID                       int
	Title, Type, Description string
	GridPos                  struct{ X, Y, W, H int }
	Datasource               source
	Interval                 string
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
		Instant, Range      bool
		Datasource          source
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
		want, err := canonical(b)
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
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

func canonical(b []byte) ([]byte, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(v)
	return out.Bytes(), err
}

func TestDashboards(t *testing.T) {
	var seen []string
	for file, b := range load(t) {
		t.Run(file, func(t *testing.T) {
			d := parse(t, b)
			seen = append(seen, d.UID)
			for _, problem := range slices.Concat(frame(file, d), panels(d), queries(d), links(b, d), markup(b, d)) {
				t.Error(problem)
			}
		})
	}
	slices.Sort(seen)
	if !slices.Equal(seen, uids) {
		t.Errorf("uids %q, want %q", seen, uids)
	}
}

// frame checks what a dashboard is besides its panels.
func frame(file string, d dashboard) (problems []string) {
	say := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	if d.UID+".json" != file {
		say("uid %q in %s", d.UID, file)
	}
	if d.ID != nil {
		say("id is Grafana's to give: null")
	}
	if d.SchemaVersion != 38 {
		say("schemaVersion %d, want that of Grafana 10", d.SchemaVersion)
	}
	if d.Title == "" || d.Description == "" || !slices.Contains(d.Tags, "cloudsso") {
		say("needs a title, a description and the tag cloudsso")
	}
	vars := make(map[string]variable)
	for _, v := range d.Templating.List {
		vars[v.Name] = v
		if v.Description == "" {
			say("variable %s has no description", v.Name)
		}
		if v.Type == "query" && (v.Datasource == nil || *v.Datasource != prometheus || !v.Multi || !v.IncludeAll || v.AllValue != ".+") {
			say("variable %s: want ${datasource}, multi, and all as .+", v.Name)
		}
	}
	if v := vars["datasource"]; v.Type != "datasource" || v.Query != "prometheus" {
		say("variable datasource: %+v", v)
	}
	if v := vars["directory_id"]; v.Type != "query" || !strings.Contains(v.Definition, "cloudsso_directory_info") {
		say("variable directory_id: %+v", v)
	}
	alerts := false
	for _, a := range d.Annotations.List {
		if a.Datasource == prometheus {
			alerts = alerts || strings.Contains(a.Expr, `ALERTS{alertname=~"CloudSSO.*", alertstate="firing"`)
		}
	}
	if !alerts {
		say("no annotation shows the firing alerts")
	}
	return problems
}

var panelTypes = []string{"bargauge", "heatmap", "row", "stat", "state-timeline", "table", "timeseries"}

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
		for x := g.X; x < g.X+g.W; x++ {
			for y := g.Y; y < g.Y+g.H; y++ {
				if other, ok := covered[[2]int{x, y}]; ok {
					say("covers %q at %d,%d", other, x, y)
				}
				covered[[2]int{x, y}] = p.Title
			}
		}
		if p.Type == "row" {
			continue
		}
		f := p.FieldConfig.Defaults
		if p.Description == "" || f.Unit == "" || f.NoValue == "" {
			say("needs a description, a unit and a text for no data")
		}
		if p.Datasource != prometheus {
			say("data source %+v", p.Datasource)
		}
		if len(p.Targets) == 0 || len(f.Thresholds.Steps) == 0 {
			say("needs a query and thresholds")
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
