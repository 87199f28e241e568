package command

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"golang.org/x/term"
	"golang.org/x/text/width"

	"cloudsso_exporter/internal/task"
)

// Tasks lists tasks as the API has them now.
type Tasks struct {
	Listing
	Limit  int    // 0: all
	Format string // table, json or csv
}

// taskRow is a task as JSON and CSV have it, under the API's names.
type taskRow struct {
	DirectoryID string `json:"DirectoryId"`
	task.Task
}

// Run prints the tasks, the newest first.
func (c Tasks) Run(ctx context.Context) error {
	if c.Limit < 0 {
		return UsageError{fmt.Errorf("--limit=%d must be 0 (all) or more", c.Limit)}
	}
	from, err := c.from()
	if err != nil {
		return err
	}
	directories, err := c.open()
	if err != nil {
		return err
	}
	rows := []taskRow{}
	for _, d := range directories {
		found := map[string]task.Task{} // pages may overlap, and list a task again once it has ended
		err := c.read(ctx, d, from, func(tasks []task.Task) {
			for _, t := range tasks {
				if old, again := found[t.ID]; !again || t.Finished() || !old.Finished() {
					found[t.ID] = t
				}
			}
		})
		if ctx.Err() != nil {
			return interrupted(ctx.Err())
		}
		if err != nil {
			return err
		}
		for _, t := range found {
			rows = append(rows, taskRow{d.id, t})
		}
	}
	slices.SortFunc(rows, func(a, b taskRow) int { // the order of the API's list is not documented
		return cmp.Or(b.Start.Compare(a.Start), cmp.Compare(a.ID, b.ID))
	})
	if c.Limit > 0 {
		rows = rows[:min(c.Limit, len(rows))]
	}
	switch c.Format {
	case "json":
		e := json.NewEncoder(c.Out)
		e.SetIndent("", "  ")
		return e.Encode(rows)
	case "csv":
		return writeCSV(c.Out, rows)
	default:
		return c.table(rows, len(directories) > 1)
	}
}

func writeCSV(out io.Writer, rows []taskRow) error {
	w := csv.NewWriter(out)
	fields := reflect.VisibleFields(reflect.TypeFor[taskRow]())
	line := func(cell func(reflect.StructField) string) {
		var cells []string
		for _, f := range fields {
			if !f.Anonymous {
				cells = append(cells, cell(f))
			}
		}
		_ = w.Write(cells) // Error below has it
	}
	line(func(f reflect.StructField) string { name, _, _ := strings.Cut(f.Tag.Get("json"), ","); return name })
	for _, row := range rows {
		line(func(f reflect.StructField) string {
			switch v := reflect.ValueOf(row).FieldByIndex(f.Index).Interface().(type) {
			case time.Time:
				return stamp(v)
			default:
				return fmt.Sprint(v)
			}
		})
	}
	w.Flush()
	return w.Error()
}

// table prints one line a task; on a terminal it is cut to fit.
func (c Tasks) table(rows []taskRow, several bool) error {
	if len(rows) == 0 {
		fmt.Fprintln(c.Out, "No task matches.")
		return nil
	}
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	heading := "STARTED\tSTATUS\tTOOK\tTYPE\tACCESS CONFIGURATION\tTARGET\tPRINCIPAL\tTASK\tREASON\n"
	if several {
		heading = "DIRECTORY\t" + heading
	}
	fmt.Fprint(w, heading)
	for _, t := range rows {
		if several {
			fmt.Fprintf(w, "%s\t", t.DirectoryID)
		}
		took := "–"
		if t.Finished() && !t.End.IsZero() {
			took = t.End.Sub(t.Start).String()
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", stamp(t.Start), t.Status, took, t.Type,
			cmp.Or(t.AccessConfigurationName, t.AccessConfigurationID), cmp.Or(t.TargetName, t.TargetID),
			cmp.Or(t.PrincipalName, t.PrincipalID, "–"), t.ID, strings.Join(strings.Fields(t.FailureReason), " "))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	columns := 0
	if f, ok := c.Out.(interface{ Fd() uintptr }); ok && isTerminal(c.Out) {
		columns, _, _ = term.GetSize(int(f.Fd()))
	}
	for line := range strings.Lines(b.String()) {
		if _, err := fmt.Fprintln(c.Out, fit(strings.TrimRight(line, " \n"), columns)); err != nil {
			return err
		}
	}
	return nil
}

// fit cuts a line to so many columns, of which wide characters take two; 0 is no limit.
func fit(line string, columns int) string {
	if columns <= 0 {
		return line
	}
	used := 0
	for i, c := range line {
		size := 1
		if k := width.LookupRune(c).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
			size = 2
		}
		if used+size > columns {
			return strings.TrimRight(line[:lastRune(line, i)], " ") + "…"
		}
		used += size
	}
	return line
}

// lastRune is where the character before byte i begins.
func lastRune(s string, i int) int {
	runes := []rune(s[:i])
	if len(runes) == 0 {
		return 0
	}
	return len(string(runes[:len(runes)-1]))
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
