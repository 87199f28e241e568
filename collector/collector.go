// Package collector turns the States of directories into Prometheus metrics.
//
// One table says name, help, labels and values of each metric; everything else,
// the reference in docs included, follows from it. A value is a pure function of
// one State: the package has no clock, does no I/O and never asks the API. It
// does not wait either: Collect has no context, so that who serves a scrape
// awaits the States first and then collects exactly those.
package collector

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"cloudsso_exporter/internal/ledger"
	"cloudsso_exporter/internal/refresh"
)

// Collector makes metrics of States. It remembers the metrics of the last State
// of each directory, so that a scrape between two refreshes makes none anew.
// It is safe for concurrent use.
type Collector struct {
	table []description // first the slow ones, which change with a snapshot or the settings
	slow  int           // how many these are; the rest changes with every State
	order []int         // of the table by name

	mu   sync.Mutex
	memo map[string]*memo // by directory id
}

// memo is what has been made of one directory's last State: the series of each
// row of the table. Slices are replaced, never changed: scrapes hold them.
type memo struct {
	settled settled
	state   *refresh.State
	rows    [][]*metric
}

// settled is the part of a State that only a refresh or a reload changes.
type settled struct {
	snapshot     *ledger.Snapshot
	name, region string
	window       time.Duration
	shown        int
	hideNames    bool
}

// New returns a Collector that has seen nothing yet.
func New() *Collector {
	c := &Collector{memo: map[string]*memo{}}
	var fast []description
	for _, d := range table() {
		d.prepare()
		if d.Section == Health {
			fast = append(fast, d)
		} else {
			c.table = append(c.table, d)
		}
	}
	c.slow = len(c.table)
	c.table = append(c.table, fast...)
	for i := range c.table {
		c.order = append(c.order, i)
	}
	slices.SortFunc(c.order, func(i, j int) int { return cmp.Compare(c.table[i].Name, c.table[j].Name) })
	return c
}

// For returns the metrics of these states and no others. A directory that stands
// twice is shown as it is first.
func (c *Collector) For(states []*refresh.State) *Scrape {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &Scrape{collector: c}
	shown := make(map[string]*memo, len(states))
	for _, state := range states {
		id := strings.ToValidUTF8(state.DirectoryID, invalid)
		if shown[id] != nil {
			continue
		}
		shown[id] = c.memo[id]
		if shown[id] == nil {
			shown[id] = &memo{}
		}
		s.directories = append(s.directories, c.rows(shown[id], id, state))
	}
	c.memo = shown
	return s
}

// rows returns the series of each row of the table and makes anew what of m is
// not of this state.
func (c *Collector) rows(m *memo, id string, state *refresh.State) [][]*metric {
	now := settled{state.Snapshot, state.Name, state.Region, state.Window, state.Shown, state.HideNames}
	switch {
	case m.state == state:
		return m.rows
	case m.state != nil && m.settled == now:
		m.rows = slices.Concat(m.rows[:c.slow], metrics(c.table[c.slow:], id, state))
	default:
		// Only the settled part goes in: nothing that is kept can depend on more.
		m.rows = slices.Concat(metrics(c.table[:c.slow], id, &refresh.State{
			DirectoryID: id, Snapshot: now.snapshot, Name: now.name, Region: now.region,
			Window: now.window, Shown: now.shown, HideNames: now.hideNames,
		}), metrics(c.table[c.slow:], id, state))
	}
	m.state, m.settled = state, now
	return m.rows
}
