package command

import (
	"bufio"
	"bytes"
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"

	"cloudsso_exporter/collector"
	"cloudsso_exporter/internal/refresh"
)

// past is series as they were at the steps of some time. A value is kept once for
// all the steps at which it stayed the same, so that memory grows with what happened
// and not with steps and series. OpenMetrics wants a family in one piece, and in it
// each series; so all has to be known before the first line is written.
type past struct {
	step      time.Duration
	labels    []*dto.LabelPair // added to each series
	collector *collector.Collector
	wanted    map[string]bool // names of the metrics that follow from tasks
	families  map[string]*pastFamily
}

type pastFamily struct {
	header string
	byKey  map[string]*pastSeries
	series []*pastSeries // in the order they appeared
}

// pastSeries is what has one set of labels: the one line of a gauge, the many of a histogram.
type pastSeries struct {
	lines  []string  // up to the value
	runs   []stretch // of steps at which no value changed
	values []float64 // of each run, for each line
}

// stretch is its first and last step, counted from 1970 on.
type stretch struct{ from, to int32 }

func newPast(step time.Duration, labels []*dto.LabelPair) *past {
	p := &past{step: step, labels: labels, collector: collector.New(), wanted: map[string]bool{}, families: map[string]*pastFamily{}}
	for _, m := range collector.Metrics() {
		p.wanted[m.Name] = m.Section == collector.Tasks || m.Section == collector.Events
	}
	return p
}

// add takes in what is shown at a step.
func (p *past) add(at time.Time, state *refresh.State) error {
	families, err := p.collector.For([]*refresh.State{state}).Gather()
	if err != nil {
		return err
	}
	step := int32(at.Unix() / int64(p.step/time.Second))
	var key []byte
	var values []float64
	for _, f := range families {
		if !p.wanted[f.GetName()] {
			continue
		}
		family := p.families[f.GetName()]
		if family == nil {
			family = &pastFamily{byKey: map[string]*pastSeries{}}
			p.families[f.GetName()] = family
		}
		for _, m := range f.Metric {
			key = key[:0]
			for _, l := range m.Label {
				key = append(append(key, l.GetValue()...), 0xff) // which no label contains
			}
			s := family.byKey[string(key)]
			if s == nil {
				s = &pastSeries{}
				if family.header, s.lines, err = p.text(f, m); err != nil {
					return err
				}
				family.byKey[string(key)] = s
				family.series = append(family.series, s)
			}
			values = appendValues(values[:0], m)
			s.add(step, values)
		}
	}
	return nil
}

// text is the lines of a metric without the values, and what stands above them.
func (p *past) text(f *dto.MetricFamily, m *dto.Metric) (header string, lines []string, err error) {
	var b bytes.Buffer
	labelled := dto.Metric{Label: slices.Concat(m.Label, p.labels), Gauge: m.Gauge, Counter: m.Counter, Histogram: m.Histogram}
	_, err = expfmt.MetricFamilyToOpenMetrics(&b, &dto.MetricFamily{Name: f.Name, Help: f.Help, Type: f.Type, Metric: []*dto.Metric{&labelled}})
	for line := range bytes.Lines(b.Bytes()) {
		if line[0] == '#' {
			header += string(line)
		} else {
			lines = append(lines, string(line[:bytes.LastIndexByte(line, ' ')+1]))
		}
	}
	return header, lines, err
}

// appendValues appends the values of a metric in the order of its lines.
func appendValues(to []float64, m *dto.Metric) []float64 {
	h := m.Histogram
	if h == nil {
		return append(to, m.GetGauge().GetValue()+m.GetCounter().GetValue()) // it is one or the other
	}
	for _, b := range h.Bucket {
		to = append(to, float64(b.GetCumulativeCount()))
	}
	return append(to, float64(h.GetSampleCount()), h.GetSampleSum(), float64(h.GetSampleCount())) // le="+Inf", _sum, _count
}

func (s *pastSeries) add(step int32, values []float64) {
	n := len(s.runs)
	if n > 0 && s.runs[n-1].to == step-1 && slices.Equal(s.values[len(s.values)-len(values):], values) {
		s.runs[n-1].to = step
		return
	}
	s.runs = append(s.runs, stretch{step, step})
	s.values = append(s.values, values...)
}

// write writes everything, by family, series and time.
func (p *past) write(ctx context.Context, w *bufio.Writer) error {
	for _, name := range slices.Sorted(maps.Keys(p.families)) {
		f := p.families[name]
		_, _ = w.WriteString(f.header) // as with the lines, Flush has its error
		for _, s := range f.series {
			if ctx.Err() != nil {
				return interrupted(ctx.Err())
			}
			if err := s.write(w, int64(p.step/time.Second)); err != nil {
				return err
			}
		}
	}
	_, err := expfmt.FinalizeOpenMetrics(w)
	return err
}

func (s *pastSeries) write(w *bufio.Writer, step int64) (err error) {
	lines := make([][]byte, len(s.lines))
	var at []byte
	for i, r := range s.runs {
		for j := range lines {
			lines[j] = strconv.AppendFloat(append(lines[j][:0], s.lines[j]...), s.values[i*len(lines)+j], 'f', -1, 64)
		}
		for n := r.from; n <= r.to; n++ {
			at = append(strconv.AppendInt(append(at[:0], ' '), int64(n)*step, 10), '\n')
			for _, line := range lines {
				_, _ = w.Write(line)
				_, err = w.Write(at)
			}
		}
	}
	return err
}
