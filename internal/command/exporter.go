package command

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"cloudsso_exporter/apiclient"
	"cloudsso_exporter/internal/config"
	"cloudsso_exporter/internal/ledger"
	"cloudsso_exporter/internal/reason"
	"cloudsso_exporter/internal/refresh"
	"cloudsso_exporter/internal/store"
)

// exporter is the running directories and what they share. A reload replaces
// what changed of them and keeps the rest.
type exporter struct {
	now       func() time.Time
	log       *slog.Logger
	transport http.RoundTripper
	store     *store.Store // nil: nothing survives a restart
	group     *refresh.Group
	events    refresh.TaskEvents // that are logged
	decoding  chan struct{}      // places for large answers of the API

	mu sync.Mutex
	parts
}

// parts are what a configuration makes of the exporter.
type parts struct {
	config      *config.Config
	running     map[string]*refresh.Directory // by id
	limiters    map[account]*rate.Limiter
	credentials map[apiclient.Credential]*apiclient.Credentials
}

// account is what the API's flow control counts calls by, as far as can be told.
type account struct{ name, region string }

func newExporter(now func() time.Time, log *slog.Logger, transport http.RoundTripper, store *store.Store) *exporter {
	return &exporter{now: now, log: log, transport: transport, store: store, group: new(refresh.Group), decoding: make(chan struct{}, 4)}
}

// apply makes c the configuration. It either works whole or changes nothing.
func (e *exporter) apply(c *config.Config) error {
	e.mu.Lock()
	defer e.mu.Unlock()

	// All that can fail comes first.
	next := parts{config: c, running: map[string]*refresh.Directory{}, limiters: e.limitersFor(c)}
	var err error
	if next.credentials, err = e.credentialsFor(c); err != nil {
		return err
	}
	var directories []*refresh.Directory
	var added, renewed []config.Directory
	for _, d := range c.Directories {
		running := e.running[d.ID]
		switch {
		case running == nil:
			if e.store != nil {
				if err := e.store.Check(d.ID); err != nil {
					return err
				}
			}
			meter := refresh.NewMeter(e.now())
			running = refresh.NewDirectory(e.settings(c, d), e.client(next, d, meter), meter, e.state(), e.now, e.log)
			added = append(added, d)
		case e.changed(c, d):
			renewed = append(renewed, d)
		}
		next.running[d.ID] = running
		directories = append(directories, running)
	}

	last := e.parts
	e.parts = next
	for _, l := range next.limiters {
		l.SetLimit(rate.Limit(c.API.RateLimit))
		l.SetBurst(c.API.Burst)
	}
	for _, d := range added {
		e.log.Info("watching directory", "directory_id", d.ID, "name", d.Name, "region", d.Region, "endpoint", d.URL(),
			"credential", string(d.Credential.Type))
	}
	e.group.Set(directories)
	for id, running := range last.running {
		if next.running[id] == nil {
			running.Close()
			e.log.Info("stopped watching directory; its state is kept for 30 days", "directory_id", id)
		}
	}
	for _, d := range renewed {
		running := next.running[d.ID]
		running.Configure(e.settings(c, d), e.client(next, d, running.Meter()))
		e.log.Info("directory configuration changed", "directory_id", d.ID)
	}
	e.retain()
	return nil
}

// client returns the client of a directory, which tells meter what it does.
func (e *exporter) client(p parts, d config.Directory, meter *refresh.Meter) *apiclient.Client {
	c := clientConfig(p.config, d, p.credentials[d.Credential], e.transport, e.now)
	c.Decoding = e.decoding
	c.Limiter = p.limiters[accountOf(d)]
	c.Observe = meter.Observe
	c.OnRetry = func(wait time.Duration, err error) {
		meter.Pause(e.now().Add(wait))
		if err != nil {
			e.log.Debug("retrying a call", "directory_id", d.ID, "wait", wait, "err", err)
		}
	}
	return apiclient.New(c)
}

// clientConfig is what the configuration says of the calls for a directory.
func clientConfig(c *config.Config, d config.Directory, keys apiclient.KeySource, transport http.RoundTripper, now func() time.Time) apiclient.Config {
	return apiclient.Config{
		DirectoryID:    d.ID,
		URL:            d.URL(),
		Filter:         d.Filter,
		Keys:           keys,
		Transport:      transport,
		RequestTimeout: c.API.RequestTimeout,
		PageTimeout:    c.API.PageTimeout,
		MaxRetries:     c.API.MaxRetries,
		Now:            now,
	}
}

// changed reports whether anything about a directory that is watched already is
// different under c. It needs mu.
func (e *exporter) changed(c *config.Config, d config.Directory) bool {
	i := slices.IndexFunc(e.config.Directories, func(old config.Directory) bool { return old.ID == d.ID })
	was, is := *e.config, *c
	was.Directories, was.API.RateLimit, was.API.Burst = nil, 0, 0 // the limiters take their changes
	is.Directories, is.API.RateLimit, is.API.Burst = nil, 0, 0
	return e.config.Directories[i] != d || !was.Equal(&is)
}

// limitersFor returns a limiter for each account and region of c, those there are already included.
func (e *exporter) limitersFor(c *config.Config) map[account]*rate.Limiter {
	limiters := map[account]*rate.Limiter{}
	for _, d := range c.Directories {
		key := accountOf(d)
		if limiters[key] = e.limiters[key]; limiters[key] == nil {
			limiters[key] = rate.NewLimiter(rate.Limit(c.API.RateLimit), c.API.Burst)
		}
	}
	return limiters
}

func accountOf(d config.Directory) account { return account{d.Account(), d.Region} }

// credentialsFor returns the source of keys for each credential of c. Directories
// with the same credential share one.
func (e *exporter) credentialsFor(c *config.Config) (map[apiclient.Credential]*apiclient.Credentials, error) {
	sources := map[apiclient.Credential]*apiclient.Credentials{}
	for _, d := range c.Directories {
		if sources[d.Credential] = e.credentials[d.Credential]; sources[d.Credential] != nil {
			continue
		}
		source, err := apiclient.NewCredentials(d.Credential, e.now)
		if err != nil {
			return nil, fmt.Errorf("directory %s: %w", d.ID, err)
		}
		sources[d.Credential] = source
	}
	return sources, nil
}

// retain tells the state folder which directories are configured. It needs mu.
func (e *exporter) retain() {
	if e.store == nil {
		return
	}
	var ids []string
	for _, d := range e.config.Directories {
		ids = append(ids, d.ID)
	}
	if err := e.store.Retain(ids); err != nil {
		e.log.Warn("cannot record in the state folder which directories are configured; the state of removed ones may stay longer than 30 days", "err", err)
	}
}

// housekeep does what is to be done once a day, until ctx ends.
func (e *exporter) housekeep(ctx context.Context) {
	daily := time.NewTicker(24 * time.Hour)
	defer daily.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-daily.C:
			e.mu.Lock()
			e.retain()
			e.mu.Unlock()
		}
	}
}

// state is the state folder as refresh wants it: nil when there is none.
func (e *exporter) state() refresh.Store {
	if e.store == nil {
		return nil
	}
	return e.store
}

// close ends all attempts and closes the state folder.
func (e *exporter) close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	var wg sync.WaitGroup
	for _, running := range e.running {
		wg.Go(running.Close)
	}
	wg.Wait()
	if e.store == nil {
		return nil
	}
	return e.store.Close()
}

// settings are what c says of d, as refresh wants it.
func (e *exporter) settings(c *config.Config, d config.Directory) refresh.Settings {
	return refresh.Settings{
		DirectoryID: d.ID,
		Name:        d.Name,
		Region:      d.Region,
		CacheTTL:    c.CacheTTL,
		Shown:       c.Unresolved.Limit,
		HideNames:   !c.Unresolved.Names,
		TaskEvents:  e.events,
		Settings: ledger.Settings{
			Window:      c.Window,
			Filter:      d.Filter,
			Reasons:     classifierOf(c),
			ReasonLimit: c.FailureReasons.Limit,
			MaxAge:      c.Unresolved.MaxAge,
			Hold:        c.NewSeriesHold,
		},
	}
}

// classifierOf is what c says of failure reasons. With hidden names no label is made of a text.
func classifierOf(c *config.Config) reason.Classifier {
	return reason.Classifier{Rules: c.FailureReasons.Rules, CodesOnly: !c.Unresolved.Names}
}
