package command

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/term"
	"golang.org/x/text/width"

	"cloudsso_exporter/internal/task"
)

const (
	gap     = 2 // between columns
	narrow  = 6 // a column is not cut below this
	indent  = 4 // of a reason below its task
	missing = "–"
)

// writeTable writes a line for each task, and within so many columns (0: no limit). A reason that
// does not fit beside its task is written below it: it is never cut.
func writeTable(out io.Writer, rows []taskRow, several bool, columns int) error {
	lines := [][]string{{"DIRECTORY", "STARTED", "STATUS", "TOOK", "TYPE", "ACCESS CONFIGURATION", "TARGET", "PRINCIPAL", "TASK", "REASON"}}
	for _, t := range rows {
		took, why := missing, ""
		if t.Finished() && !t.Start.IsZero() && !t.End.IsZero() {
			took = t.End.Sub(t.Start).String()
		}
		if t.Status == task.Failed { // the API may send a reason beside a success
			why = strings.Join(strings.Fields(t.FailureReason), " ")
		}
		lines = append(lines, []string{
			t.DirectoryID, task.Stamp(t.Start), string(t.Status), took, string(t.Type), cmp.Or(t.AccessConfigurationName, t.AccessConfigurationID),
			cmp.Or(t.TargetName, t.TargetID), cmp.Or(t.PrincipalName, t.PrincipalID, missing), t.ID, why,
		})
	}
	var widths []int
	for i, line := range lines {
		if !several {
			lines[i] = line[1:]
		}
		widths = append(widths, make([]int, len(lines[i])-len(widths))...)
		for j, cell := range lines[i] {
			widths[j] = max(widths[j], cells(cell))
		}
	}
	last := len(widths) - 1
	below := columns > 0 && total(widths) > columns
	if below {
		shrink(widths[:last], slices.Index(lines[0], "STARTED"), columns)
	}
	w := bufio.NewWriter(out)
	for i, line := range lines {
		var b strings.Builder
		for j, cell := range line[:last] {
			cell = truncate(cell, widths[j])
			b.WriteString(cell + strings.Repeat(" ", widths[j]-cells(cell)+gap))
		}
		why := line[last]
		if !below {
			b.WriteString(why)
		}
		text := strings.TrimRight(b.String(), " ")
		if columns > 0 {
			text = truncate(text, columns)
		}
		fmt.Fprintln(w, text)
		for below && i > 0 && why != "" {
			var part string
			part, why = split(why, max(columns-indent, narrow))
			fmt.Fprintln(w, strings.Repeat(" ", indent)+part)
		}
	}
	return w.Flush()
}

func total(widths []int) int {
	sum := -gap
	for _, n := range widths {
		sum += n + gap
	}
	return sum
}

// shrink takes from the widest columns but the one to keep until all fit, or none can be cut any more.
func shrink(widths []int, keep, columns int) {
	for total(widths) > columns {
		widest := -1
		for i, n := range widths {
			if i != keep && n > narrow && (widest < 0 || n > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return
		}
		widths[widest]--
	}
}

// truncate shortens s to so many columns.
func truncate(s string, columns int) string {
	if cells(s) <= columns {
		return s
	}
	head, _ := split(s, columns-1)
	return head + "…"
}

// split divides s after as much as so many columns hold, but after one character at least.
func split(s string, columns int) (head, rest string) {
	used := 0
	for i, c := range s {
		if used += cellsOf(c); used > columns && i > 0 {
			return s[:i], s[i:]
		}
	}
	return s, ""
}

func cells(s string) int {
	n := 0
	for _, c := range s {
		n += cellsOf(c)
	}
	return n
}

// cellsOf is how many columns a terminal gives to a character.
func cellsOf(c rune) int {
	if unicode.In(c, unicode.Mn, unicode.Me, unicode.Cf) {
		return 0
	}
	if k := width.LookupRune(c).Kind(); k == width.EastAsianWide || k == width.EastAsianFullwidth {
		return 2
	}
	return 1
}

// columnsOf is how wide a terminal is; 0 when w is none.
func columnsOf(w io.Writer) int {
	f, ok := w.(interface{ Fd() uintptr })
	if !ok {
		return 0
	}
	columns, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return 0
	}
	return columns
}
