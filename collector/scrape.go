package collector

import (
	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

// Scrape is the metrics of some States. It is immutable; what it gives out is
// shared and not to be changed. It is a prometheus.Collector, for a registry to
// check, and a prometheus.Gatherer, which saves that: all a registry would find
// wrong is seen to when a series is made.
type Scrape struct {
	collector   *Collector
	directories [][][]*metric // the series of each directory by row of the table
}

// Describe implements prometheus.Collector.
func (s *Scrape) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range s.collector.table {
		ch <- d.desc
	}
}

// Collect implements prometheus.Collector.
func (s *Scrape) Collect(ch chan<- prometheus.Metric) {
	for _, rows := range s.directories {
		for _, row := range rows {
			for _, m := range row {
				ch <- m
			}
		}
	}
}

// Gather implements prometheus.Gatherer: families by name, in them the
// directories in the order of the states. There is never an error.
func (s *Scrape) Gather() ([]*dto.MetricFamily, error) {
	var families []*dto.MetricFamily
	for _, i := range s.collector.order {
		n := 0
		for _, rows := range s.directories {
			n += len(rows[i])
		}
		if n == 0 {
			continue
		}
		f := s.collector.table[i].family(n)
		for _, rows := range s.directories {
			for _, m := range rows[i] {
				f.Metric = append(f.Metric, m.exposed)
			}
		}
		families = append(families, f)
	}
	return families, nil
}
