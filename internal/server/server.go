// Package server answers HTTP: scrapes, the status page, JSON, health, readiness, reload and profiles.
//
// It decides how long a scrape may wait, and how many may wait at once. When and
// what to ask the API is not its business: it awaits States and shows them.
// Listening, TLS and authentication belong to whoever runs the handler.
package server

import (
	"context"
	"errors"
	"html/template"
	"log/slog"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"cloudsso_exporter/collector"
	"cloudsso_exporter/internal/refresh"
)

// Settings are what flags say of the server.
type Settings struct {
	TelemetryPath   string        // of the metrics; empty is /metrics
	EnableLifecycle bool          // allows POST /-/reload
	EnablePprof     bool          // serves /debug/pprof/
	MaxRequests     int           // scrapes at once, waiting ones included; 0 or less is no limit
	TimeoutOffset   time.Duration // taken off the scrape timeout that Prometheus sends
}

// Options are the settings and what the server needs of others. All functions
// have to be safe for concurrent use.
type Options struct {
	Settings
	Refresher refresher
	Reload    func() error      // loads the configuration again; on an error the old one keeps running
	Process   collector.Process // what the exporter says of itself
	Now       func() time.Time
	Log       *slog.Logger
}

// refresher is the directories.
type refresher interface {
	// Await triggers the refreshes that are due, waits for them at most as long
	// as ctx lasts, and returns the State of each directory.
	Await(ctx context.Context) []*refresh.State
	// States returns the State of each directory without waiting.
	States() []*refresh.State
}

// server is the handler's parts.
type server struct {
	Options
	collector *collector.Collector
	exporter  *prometheus.Registry // what is of no directory
	slots     chan struct{}        // a scrape holds one; nil is no limit
	ready     latch
	page      *template.Template // of the status page
}

// New returns the handler of everything the exporter serves. A scrape that waits
// answers with what there is as soon as its request's context ends. It returns
// an error when the telemetry path cannot be served.
func New(o Options) (http.Handler, error) {
	if o.TelemetryPath == "" {
		o.TelemetryPath = "/metrics"
	}
	if err := CheckPath(o.TelemetryPath); err != nil {
		return nil, err
	}
	if o.Refresher == nil || o.Now == nil || o.Log == nil {
		return nil, errors.New("server: Refresher, Now and Log are needed")
	}
	s := &server{
		Options:   o,
		collector: collector.New(),
		exporter:  prometheus.NewRegistry(),
		ready:     latch{deadline: o.Now().Add(readyAfter)},
	}
	var err error
	if s.page, err = template.New("status").Funcs(template.FuncMap{"words": words, "exact": exact}).Parse(pageHTML); err != nil {
		return nil, err
	}
	if o.MaxRequests > 0 {
		s.slots = make(chan struct{}, o.MaxRequests)
	}
	s.exporter.MustRegister(o.Process.Collectors()...)
	return secured(s.routes()), nil
}

// routes is every path. The mux answers the rest 404, and 405 to methods that a path does not take.
func (s *server) routes() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET "+s.TelemetryPath, s.telemetry())
	mux.HandleFunc("GET /{$}", s.status)
	mux.HandleFunc("GET /api/v1/status", s.statusJSON)
	mux.HandleFunc("GET /api/v1/failures", s.failures)
	mux.HandleFunc("GET /api/v1/tasks", s.tasks)
	mux.HandleFunc("GET /-/healthy", healthy)
	mux.HandleFunc("GET /-/ready", s.readiness)
	mux.HandleFunc("POST /-/reload", s.reload)
	if s.EnablePprof {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("POST /debug/pprof/symbol", pprof.Symbol) // how pprof asks
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	}
	return mux
}

// secured has browsers treat every answer as what it says it is, run nothing in
// it and show it in no frame.
func secured(h http.Handler) http.Handler {
	headers := map[string]string{
		"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer", "Content-Security-Policy": contentPolicy(),
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range headers {
			if w.Header().Get(name) == "" { // what the operator's web configuration sets wins
				w.Header().Set(name, value)
			}
		}
		mustReadWithin(w, longestRequest)
		h.ServeHTTP(w, r)
	})
}
