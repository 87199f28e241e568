package command

import (
	"context"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"

	"cloudsso_exporter/internal/config"
)

// reloader applies the configuration again when asked to, one time after another.
type reloader struct {
	now   func() time.Time
	log   *slog.Logger
	load  func() (*config.Config, error)
	apply func(*config.Config) error

	running sync.Mutex // one reload at a time; it may wait for a disk

	mu      sync.Mutex
	ok      bool      // the last time
	success time.Time // the last time it was
}

// newReloader returns a reloader for a configuration that has just been applied.
func newReloader(now func() time.Time, log *slog.Logger, load func() (*config.Config, error), apply func(*config.Config) error) *reloader {
	return &reloader{now: now, log: log, load: load, apply: apply, ok: true, success: now()}
}

// reload loads and applies the configuration. On an error the old one keeps running.
func (r *reloader) reload() error {
	r.running.Lock()
	defer r.running.Unlock()
	conf, err := r.load()
	if err == nil {
		err = r.apply(conf)
	}
	r.mu.Lock()
	r.ok = err == nil
	if r.ok {
		r.success = r.now()
	}
	r.mu.Unlock()
	if err != nil {
		for mistake := range strings.Lines(err.Error()) {
			r.log.Error("reload failed; the old configuration keeps running", "err", strings.TrimSuffix(mistake, "\n"))
		}
		return err
	}
	r.log.Info("configuration reloaded")
	return nil
}

// status is how the last reload went, and when one last succeeded.
func (r *reloader) status() (ok bool, success time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.ok, r.success
}

// on reloads at each hangup until ctx ends. The log says what came of it. A
// reload that waits for something keeps nobody from stopping.
func (r *reloader) on(ctx context.Context, hangup <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
		}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = r.reload()
		}()
		select {
		case <-ctx.Done():
			return
		case <-ended:
		}
	}
}
