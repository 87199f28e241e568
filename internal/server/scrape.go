package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
)

// telemetry is the handler of scrapes, counted by status code.
func (s *server) telemetry() http.Handler {
	opts := promhttp.HandlerOpts{
		ErrorLog:      errorLog{s.Log},
		ErrorHandling: promhttp.ContinueOnError, // what can be shown is shown
		Registry:      s.exporter,
		// _created samples in text would be series of their own; protobuf carries created timestamps.
		EnableOpenMetrics:                   true,
		EnableOpenMetricsTextCreatedSamples: false,
	}
	promhttp.HandlerFor(s.exporter, opts) // its counter of errors is there before the first scrape
	return promhttp.InstrumentMetricHandler(s.exporter, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.enter() {
			http.Error(w, fmt.Sprintf("%d scrapes are being served, which is the limit: scrape again later, or raise --web.max-requests.", s.MaxRequests),
				http.StatusServiceUnavailable)
			return
		}
		defer s.leave()
		gatherer := s.scrape(r)
		if refusesGzip(r.Header) { // promhttp would log that it knows no encoding of this name
			r.Header.Set("Accept-Encoding", "identity")
		}
		mustReadWithin(w, answerWithin) // who does not read holds a slot no longer
		promhttp.HandlerFor(gatherer, opts).ServeHTTP(&answer{ResponseWriter: w, log: s.Log}, r)
	}))
}

// enter takes a slot if there is one.
func (s *server) enter() bool {
	if s.slots == nil {
		return true
	}
	select {
	case s.slots <- struct{}{}:
		return true
	default:
		return false
	}
}

func (s *server) leave() {
	if s.slots != nil {
		<-s.slots
	}
}

// scrape awaits the directories and returns what there is to gather of their
// States as they then are: all of it is of one moment.
func (s *server) scrape(r *http.Request) prometheus.Gatherer {
	ctx, cancel := context.WithTimeout(r.Context(), budget(r.Header, s.TimeoutOffset))
	defer cancel()
	states := s.Refresher.Await(ctx)
	s.ready.look(s.Now(), states)
	return prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) {
		return s.gather(s.collector.For(states))
	})
}

// gather gathers the directories and, beside them, the exporter's own metrics,
// which take longer: they read /proc. No name is in both.
func (s *server) gather(directories prometheus.Gatherer) ([]*dto.MetricFamily, error) {
	var wg sync.WaitGroup
	var own []*dto.MetricFamily
	var ownErr error
	wg.Go(func() { own, ownErr = s.exporter.Gather() })
	families, err := directories.Gather()
	wg.Wait()
	families = append(families, own...)
	slices.SortFunc(families, func(a, b *dto.MetricFamily) int { return strings.Compare(a.GetName(), b.GetName()) })
	return families, errors.Join(err, ownErr)
}

// errorLog is promhttp's log.
type errorLog struct{ log *slog.Logger }

// Println implements promhttp.Logger.
func (l errorLog) Println(v ...any) {
	l.log.Error("scrape is not complete", "err", fmt.Sprint(v...))
}
