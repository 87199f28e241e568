package server

import (
	"fmt"
	"time"

	"cloudsso_exporter/internal/refresh"
	"cloudsso_exporter/internal/task"
)

// The chart has a bar for each hour. Across, it is as wide as the screen: x is in
// percent. Its bars are chartHeight pixels high at most.
const (
	chartHours  = 7 * 24
	hourWidth   = 100.0 / chartHours
	chartHeight = 112
)

// chart is the past 7 days by hour and outcome.
type chart struct {
	Bars    []bar
	Days    []bar // where a day begins, with its name where there is room for it
	Summary string
	Table   []day
}

type bar struct {
	X, Y, Height float64
	Class        string
	Text         string
}

type day struct {
	Day                    string
	Success, Failed, Other int
}

// chartOf adds up the hours of all directories up to now, in which a directory
// whose data is old has none of the latest; nil when nothing is known.
func chartOf(states []*refresh.State, now time.Time) *chart {
	var hours [chartHours]day
	begin := now.Truncate(time.Hour).Add(-(chartHours - 1) * time.Hour)
	known := false
	for _, s := range states {
		if s.Snapshot == nil {
			continue
		}
		known = true
		for _, h := range s.Snapshot.Hours(chartHours) {
			i := int(h.Start.Sub(begin) / time.Hour)
			if h.Start.Before(begin) || i >= chartHours {
				continue
			}
			hours[i].Success += h.Tasks[task.Success]
			hours[i].Failed += h.Tasks[task.Failed]
			for status, n := range h.Tasks {
				if status != task.Success && status != task.Failed {
					hours[i].Other += n
				}
			}
		}
	}
	if !known {
		return nil
	}
	c, most, total := &chart{}, 1, day{}
	for _, h := range hours {
		most = max(most, h.Success+h.Failed+h.Other)
	}
	for i, h := range hours {
		start, x := begin.Add(time.Duration(i)*time.Hour).UTC(), float64(i)*hourWidth
		total.Success, total.Failed, total.Other = total.Success+h.Success, total.Failed+h.Failed, total.Other+h.Other
		name := start.Format("Mon 2 Jan")
		if len(c.Table) == 0 || c.Table[len(c.Table)-1].Day != name {
			c.Table = append(c.Table, day{Day: name})
			d := bar{X: x}
			if hours := min(24-start.Hour(), chartHours-i); hours >= 10 {
				d.Text = start.Format("Mon 2")
				if hours < 20 {
					d.Class = "short" // too short for its name on a small screen
				}
			}
			c.Days = append(c.Days, d)
		}
		today := &c.Table[len(c.Table)-1]
		today.Success, today.Failed, today.Other = today.Success+h.Success, today.Failed+h.Failed, today.Other+h.Other
		text := fmt.Sprintf("%s: %d succeeded, %d failed, %d in progress", start.Format("Mon 2 Jan 15:04 UTC"), h.Success, h.Failed, h.Other)
		y := float64(chartHeight + 8)
		for _, part := range []struct {
			class string
			n     int
		}{{"failed", h.Failed}, {"other", h.Other}, {"success", h.Success}} {
			if part.n == 0 {
				continue
			}
			height := max(2, float64(part.n)/float64(most)*chartHeight) // seen, however few
			y -= height
			c.Bars = append(c.Bars, bar{X: x, Y: y, Height: height, Class: part.class, Text: text})
		}
	}
	c.Summary = fmt.Sprintf("In 7 days %s succeeded and %d failed; the busiest hour had %d.", count(total.Success, "task", "tasks"), total.Failed, most)
	return c
}
