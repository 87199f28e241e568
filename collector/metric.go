package collector

import (
	"slices"

	"cloudsso_exporter/internal/refresh"
)

// Metric describes a metric of the exporter to those who read it: people, by the
// reference, and tests of dashboards and rules.
type Metric struct {
	Name    string
	Type    Type
	Unit    string // of the value, in words
	Help    string // one sentence: what the number is
	Notes   string // what else to know before relying on it; may be empty
	Labels  []string
	Query   string // PromQL to begin with
	Section Section
}

// Type is the type of a metric as the exposition format spells it.
type Type string

// The types in use.
const (
	Gauge     Type = "gauge"
	Counter   Type = "counter"
	Histogram Type = "histogram"
)

// Section says what a metric depends on.
type Section string

// The sections, in the order of the reference.
const (
	Tasks    Section = "Tasks"                         // a snapshot's gauges, and the settings
	Events   Section = "Events"                        // a snapshot's counters
	Health   Section = "Health of each directory"      // a State
	Exporter Section = "Health of the exporter itself" // no directory
)

// Sections returns all sections in the order of the reference.
func Sections() []Section { return []Section{Tasks, Events, Health, Exporter} }

// Metrics returns every metric that the exporter promises, by section. The Go
// runtime's and the process's metrics beyond those listed come and go with
// versions and platforms.
func Metrics() []Metric {
	var all []Metric
	for _, d := range table() {
		all = append(all, d.described())
	}
	return append(all, exporterMetrics()...)
}

// Labels that every metric of a directory has.
const directoryLabel = "directory_id"

// described is the metric as it is exposed: with the label that all in the table have.
func (d description) described() Metric {
	m := d.Metric
	m.Labels = slices.Concat([]string{directoryLabel}, m.Labels)
	return m
}

// table is every metric of a directory.
func table() []description {
	return slices.Concat(stateTable(), eventTable(), healthTable())
}

// values is what a metric is in one State. It is pure.
type values func(*refresh.State) []sample
