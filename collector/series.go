package collector

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"

	"cloudsso_exporter/internal/histogram"
	"cloudsso_exporter/internal/refresh"
)

// invalid stands for bytes that are no UTF-8 and cannot be in a label.
const invalid = "\uFFFD"

// description is a row of the table: a metric and how it follows from a State.
type description struct {
	Metric // Labels without directory_id, which all have
	values values
	merge  func(a, b float64) float64 // of samples that turn out to share their labels; nil: the first stays

	desc  *prometheus.Desc
	pairs []labelPair // sorted by name, as the exposition wants them
}

// labelPair says which value goes with a label name.
type labelPair struct {
	name  *string // shared by all series
	index int     // into the labels of a sample; -1 for the directory
}

// sample is one series of a metric: its labels' values in the order of the
// description, and its value.
type sample struct {
	labels    []string
	value     float64
	created   time.Time            // of a counter; zero when not known
	histogram *histogram.Histogram // of a histogram, instead of value
}

func (d *description) prepare() {
	d.desc = prometheus.NewDesc(d.Name, d.Help, d.described().Labels, nil)
	d.pairs = []labelPair{{name: new(directoryLabel), index: -1}}
	for i, name := range d.Labels {
		d.pairs = append(d.pairs, labelPair{name: new(name), index: i})
	}
	slices.SortFunc(d.pairs, func(a, b labelPair) int { return cmp.Compare(*a.name, *b.name) })
}

// family is the metric's family, with room for n series.
func (d *description) family(n int) *dto.MetricFamily {
	types := map[Type]dto.MetricType{Gauge: dto.MetricType_GAUGE, Counter: dto.MetricType_COUNTER, Histogram: dto.MetricType_HISTOGRAM}
	return &dto.MetricFamily{
		Name: &d.Name, Help: &d.Help, Type: new(types[d.Type]), Metric: make([]*dto.Metric, 0, n),
	}
}

// metrics returns the series of a directory, by description.
func metrics(descriptions []description, directoryID string, state *refresh.State) [][]*metric {
	all := make([][]*metric, len(descriptions))
	for i := range descriptions {
		d := &descriptions[i]
		for _, s := range d.distinct(d.values(state)) {
			all[i] = append(all[i], d.metric(&directoryID, s))
		}
		slices.SortFunc(all[i], byLabels)
	}
	return all
}

// byLabels is the order of series that a registry makes.
func byLabels(a, b *metric) int {
	return slices.CompareFunc(a.exposed.Label, b.exposed.Label, func(a, b *dto.LabelPair) int {
		return cmp.Compare(a.GetValue(), b.GetValue())
	})
}

// distinct makes labels valid and sees to it that no two samples share them:
// whatever the API says, a scrape must not fail by it.
func (d *description) distinct(samples []sample) []sample {
	seen := make(map[string]int, len(samples))
	kept := samples[:0]
	for _, s := range samples {
		for i, value := range s.labels {
			s.labels[i] = strings.ToValidUTF8(value, invalid)
		}
		key := strings.Join(s.labels, "\xff") // which no label contains now
		first, twice := seen[key]
		switch {
		case !twice:
			seen[key] = len(kept)
			kept = append(kept, s)
		case d.merge != nil:
			kept[first].value = d.merge(kept[first].value, s.value)
		}
	}
	return kept
}

// add is the merge of numbers of things.
func add(a, b float64) float64 { return a + b }

// metric is a series, ready to be written out any number of times.
type metric struct {
	desc    *prometheus.Desc
	exposed *dto.Metric
}

func (d *description) metric(directoryID *string, s sample) *metric {
	m := &dto.Metric{Label: make([]*dto.LabelPair, len(d.pairs))}
	for i, p := range d.pairs {
		value := directoryID
		if p.index >= 0 {
			value = &s.labels[p.index]
		}
		m.Label[i] = &dto.LabelPair{Name: p.name, Value: value}
	}
	switch d.Type {
	case Gauge:
		m.Gauge = &dto.Gauge{Value: &s.value}
	case Counter:
		m.Counter = &dto.Counter{Value: &s.value, CreatedTimestamp: created(s.created)}
	case Histogram:
		m.Histogram = exposed(s.histogram)
	}
	return &metric{desc: d.desc, exposed: m}
}

// created is a created timestamp, nil when it is not known.
func created(at time.Time) *timestamppb.Timestamp {
	if at.IsZero() {
		return nil
	}
	return timestamppb.New(at)
}

// Desc implements prometheus.Metric.
func (m *metric) Desc() *prometheus.Desc { return m.desc }

// Write implements prometheus.Metric.
func (m *metric) Write(out *dto.Metric) error {
	out.Label, out.Gauge, out.Counter, out.Histogram = m.exposed.Label, m.exposed.Gauge, m.exposed.Counter, m.exposed.Histogram
	return nil
}
