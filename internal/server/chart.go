package server

import (
	"fmt"
	"time"

	"cloudsso_exporter/internal/refresh"
	"cloudsso_exporter/internal/task"
)

// The chart has a bar for each hour, barWidth apart, in a picture of chartHeight.
const (
	chartHours  = 7 * 24
	barWidth    = 6
	chartHeight = 118
)

// chart is the past 7 days by hour and outcome.
type chart struct {
	Bars    []bar
	Days    []bar // where a day begins
	Summary string
	Table   []day
}

type bar struct {
	X         int
	Y, Height float64
	Class     string
	Text      string
}

type day struct {
	Day                    string
	Success, Failed, Other int
}

// chartOf adds up the hours of all directories; nil when nothing is known.
func chartOf(states []*refresh.State) *chart {
	var hours [chartHours]day
	var starts [chartHours]time.Time
	known := false
	for _, s := range states {
		if s.Snapshot == nil {
			continue
		}
		known = true
		for i, h := range s.Snapshot.Hours(chartHours) {
			starts[i] = h.Start
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
		total.Success, total.Failed, total.Other = total.Success+h.Success, total.Failed+h.Failed, total.Other+h.Other
		name := starts[i].UTC().Format("Mon 2 Jan")
		if len(c.Table) == 0 || c.Table[len(c.Table)-1].Day != name {
			c.Table = append(c.Table, day{Day: name})
			c.Days = append(c.Days, bar{X: i * barWidth})
		}
		today := &c.Table[len(c.Table)-1]
		today.Success, today.Failed, today.Other = today.Success+h.Success, today.Failed+h.Failed, today.Other+h.Other
		text := fmt.Sprintf("%s: %d succeeded, %d failed, %d in progress", starts[i].UTC().Format("Mon 2 Jan 15:04 UTC"), h.Success, h.Failed, h.Other)
		y := float64(chartHeight + 2)
		for _, part := range []struct {
			class string
			n     int
		}{{"failed", h.Failed}, {"other", h.Other}, {"success", h.Success}} {
			if part.n == 0 {
				continue
			}
			height := max(2, float64(part.n)/float64(most)*chartHeight*0.95) // seen, however few
			y -= height
			c.Bars = append(c.Bars, bar{X: i * barWidth, Y: y, Height: height, Class: part.class, Text: text})
		}
	}
	c.Summary = fmt.Sprintf("In 7 days %s succeeded and %d failed; the busiest hour had %d.", count(total.Success, "task", "tasks"), total.Failed, most)
	return c
}
