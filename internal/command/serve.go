package command

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"slices"
	"syscall"
	"time"

	"github.com/oklog/run"
	"github.com/prometheus/exporter-toolkit/web"

	"cloudsso_exporter/collector"
	"cloudsso_exporter/internal/config"
	"cloudsso_exporter/internal/refresh"
	"cloudsso_exporter/internal/server"
	"cloudsso_exporter/internal/store"
)

// An orderly stop takes no longer than stopWithin for running scrapes, and
// closeWithin to end refreshes and close the state. Scrapes that still wait for a
// refresh when answerWithin has passed are served what there is.
const (
	stopWithin   = 3500 * time.Millisecond
	answerWithin = 3 * time.Second
	closeWithin  = time.Second
)

// Serve is the exporter.
type Serve struct {
	Source
	Web         *web.FlagConfig
	HTTP        server.Settings
	TaskEvents  string // which events of tasks are logged
	StoragePath string // the state folder; empty: nothing survives a restart

	Now       func() time.Time
	Transport http.RoundTripper // to the API
	Hangup    <-chan os.Signal  // asks for a reload

	scrapeEvery time.Duration // refreshes by itself as scrapes would make it do; 0: only scrapes refresh
}

// Run serves until ctx ends, which is no error. Any other end is.
func (s Serve) Run(ctx context.Context, log *slog.Logger) error {
	switch {
	case slices.Contains(*s.Web.WebListenAddresses, ""):
		return UsageError{errors.New("--web.listen-address is empty: give an address, such as :10066 or 127.0.0.1:10066")}
	case s.HTTP.MaxRequests < 0:
		return UsageError{errors.New("--web.max-requests must be 0 (no limit) or more")}
	case s.HTTP.TimeoutOffset < 0:
		return UsageError{errors.New("--web.timeout-offset must be 0s or more")}
	}
	if err := server.CheckPath(s.HTTP.TelemetryPath); s.HTTP.TelemetryPath != "" && err != nil {
		return UsageError{err}
	}
	return s.run(ctx, log, s.load)
}

// run is Run with a configuration from anywhere.
func (s Serve) run(ctx context.Context, log *slog.Logger, load func() (*config.Config, error)) error {
	conf, err := load()
	if err != nil {
		return err
	}
	if err := web.Validate(*s.Web.WebConfigFile); err != nil {
		return fmt.Errorf("--web.config.file=%s: %w", *s.Web.WebConfigFile, err)
	}
	var state *store.Store
	if s.StoragePath != "" {
		state, err = store.Open(ctx, s.StoragePath, store.Options{Wait: store.Wait, Now: s.Now, Logger: log})
		if err != nil && ctx.Err() == nil {
			return err
		}
		if state == nil { // stopped as asked, while another process still held the folder
			return nil
		}
	}
	if state == nil && s.Source != (Source{}) { // the demo has no source, and no state to lose
		log.Warn("without --storage.path, state is lost when the exporter stops; in a container, use a folder on a volume")
	}
	e := newExporter(s.Now, log, s.Transport, state)
	e.events = refresh.TaskEvents(s.TaskEvents)
	if err := e.apply(conf); err != nil {
		return errors.Join(err, e.close())
	}
	err = s.serve(ctx, log, e, newReloader(s.Now, log, load, e.apply))
	closed := make(chan error, 1)
	go func() { closed <- e.close() }()
	select {
	case closeErr := <-closed:
		return errors.Join(err, closeErr)
	case <-time.After(closeWithin):
		log.Warn("stopped while the disk or a reload kept the state folder busy; nothing that was shown is lost")
		return err
	}
}

// serve answers HTTP and signals until ctx ends.
func (s Serve) serve(ctx context.Context, log *slog.Logger, e *exporter, reload *reloader) error {
	options := server.Options{
		Settings:  s.HTTP,
		Refresher: e.group,
		Reload:    reload.reload,
		Process:   collector.Process{Reloaded: reload.status},
		Now:       s.Now,
		Log:       log,
	}
	if e.store != nil {
		options.Process.StorageUp = e.store.Up
	}
	handler, err := server.New(options)
	if err != nil {
		return err
	}
	requests, answer := context.WithCancel(context.Background())
	defer answer()
	httpServer := &http.Server{
		Handler:           handler,
		BaseContext:       func(net.Listener) context.Context { return requests },
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       5 * time.Minute,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug), // broken connections of clients
	}

	var group run.Group
	group.Add(run.ContextHandler(ctx))
	group.Add(func() error {
		return web.ListenAndServe(httpServer, s.Web, log)
	}, func(error) {
		if ctx.Err() != nil { // else serving has failed, if it began at all
			log.Info("stopping; running scrapes are finished first")
		}
		timer := time.AfterFunc(answerWithin, answer)
		defer timer.Stop()
		within, cancel := context.WithTimeout(context.Background(), stopWithin)
		defer cancel()
		if httpServer.Shutdown(within) != nil {
			httpServer.Close()
		}
	})
	working, stop := context.WithCancel(context.Background())
	group.Add(func() error {
		reload.on(working, s.Hangup)
		return nil
	}, func(error) { stop() })
	group.Add(func() error {
		e.housekeep(working)
		return nil
	}, func(error) { stop() })
	if s.scrapeEvery > 0 {
		group.Add(func() error {
			every := time.NewTicker(s.scrapeEvery)
			defer every.Stop()
			for {
				select {
				case <-working.Done():
					return nil
				case <-every.C:
					e.group.Await(working)
				}
			}
		}, func(error) { stop() })
	}

	switch err := group.Run(); {
	case err == nil || ctx.Err() != nil:
		return nil
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("serve HTTP: %w by another program: stop it or choose another address with --web.listen-address", err)
	default:
		return fmt.Errorf("serve HTTP: %w", err)
	}
}
