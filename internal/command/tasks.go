package command

import (
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"

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
	var errs []error
	for _, d := range directories {
		found, _, err := c.all(ctx, d, task.Query{Filter: d.filter, Type: c.Type, Status: c.Status, From: from})
		if ctx.Err() != nil {
			return err
		}
		errs = append(errs, err)
		for _, t := range found {
			rows = append(rows, taskRow{d.DirectoryID, d.shown(t)})
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
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
		if len(rows) == 0 {
			_, err := fmt.Fprintln(c.Out, "No task matches.")
			return err
		}
		return writeTable(c.Out, rows, len(directories) > 1, columnsOf(c.Out))
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
				return task.Stamp(v)
			default:
				return strings.ReplaceAll(fmt.Sprint(v), "\r", "\n") // a terminal would write over the line
			}
		})
	}
	w.Flush()
	return w.Error()
}
