package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"cloudsso_exporter/internal/config"
	"cloudsso_exporter/internal/simulator"
)

// Demo is a simulated CloudSSO and the exporter, both on loopback.
type Demo struct {
	Serve
	Seed  uint64  // of the made-up company
	Speed float64 // of what happens there; 1 is a task every few seconds
	Fault string  // name of an outage, or empty
	Out   io.Writer

	ConfigOut string // path of a file to write for the other commands; empty: none
}

// Faults are the outages a demo can play.
func Faults() []string { return []string{"throttling", "slow", "down"} }

// An outage strikes as soon as the first numbers are there, and heals and comes back.
const (
	faultAfter = 5 * time.Second
	faultLasts = 3 * time.Minute
	faultEvery = 6 * time.Minute
)

// demoScrapes is how often the demo refreshes as a scrape would make it do. Without it, the page
// would stand still until somebody sets up Prometheus. It is longer than the
// demo's cache_ttl, so that each time finds the data old enough.
const demoScrapes = 5 * time.Second

// Run serves until ctx ends, which is no error.
func (d Demo) Run(ctx context.Context, log *slog.Logger) error {
	if !(d.Speed > 0 && d.Speed <= 1000) {
		return UsageError{errors.New("--speed must be above 0 and at most 1000")}
	}
	scenario := simulator.Scenario{Seed: d.Seed, Epoch: d.Now(), Speed: d.Speed}
	var keys []simulator.Key
	for i := range scenario.Directories() {
		keys = append(keys, demoKey(i+1))
	}
	api := simulator.New(simulator.Options{Now: d.Now, Keys: keys, Latency: 20 * time.Millisecond, RandomSeed: d.Seed})
	scenario.Play(api)
	if d.Fault != "" {
		if err := playOutage(api, d.Fault, d.Now()); err != nil {
			return UsageError{err}
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for the simulated API: %w", err)
	}
	simulated := &http.Server{Handler: api, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	defer simulated.Close()
	go func() { _ = simulated.Serve(listener) }() // until Close

	conf := demoConfig(scenario, "http://"+listener.Addr().String())
	if d.ConfigOut != "" {
		if err := writeNew(d.ConfigOut, conf); err != nil {
			return fmt.Errorf("--config-out: %w", err)
		}
		defer os.Remove(d.ConfigOut) // no other demo listens at that address
	}
	d.introduce(scenario)
	d.scrapeEvery = demoScrapes
	return d.run(ctx, log, func() (*config.Config, error) {
		return config.Parse("the demo's configuration", []byte(conf), config.Outside{})
	})
}

// outage returns the fault of a named outage, as it strikes every call: throttling
// (Throttling.User with Retry-After), slow (an answer after 15 s, longer than the
// client waits), down (503 from a gateway).
func outage(name string) (simulator.Fault, error) {
	switch name {
	case "throttling":
		return simulator.Throttle(400, 2*time.Second), nil
	case "slow":
		return simulator.Slow(15 * time.Second), nil
	case "down":
		return simulator.Gateway(503, "<html><head><title>503 Service Temporarily Unavailable</title></head></html>\n"), nil
	default:
		return simulator.Fault{}, fmt.Errorf("unknown outage %q: choose one of %q", name, Faults())
	}
}

// playOutage has the named outage come and go.
func playOutage(api *simulator.Server, name string, start time.Time) error {
	fault, err := outage(name)
	if err != nil {
		return err
	}
	api.SetFaults(simulator.Rule{Fault: fault, When: func(c simulator.Call) bool {
		since := c.Time.Sub(start) - faultAfter
		return since >= 0 && since%faultEvery < faultLasts
	}})
	return nil
}

// demoConfig is a configuration as people would write it, impatient so that there is something to see.
func demoConfig(scenario simulator.Scenario, endpoint string) string {
	var b strings.Builder
	b.WriteString(`cache_ttl: 4s
new_series_hold: 15s
api: {rate_limit: 50, burst: 100, request_timeout: 2s, page_timeout: 8s, max_retries: 2}
failure_reasons:
  rules:
    - {match: '(?i)EntityAlreadyExists\.Role', reason: role_already_exists}
directories:
`)
	for i, d := range scenario.Directories() {
		key := demoKey(i + 1)
		fmt.Fprintf(&b, "  - {directory_id: %s, name: %s, region: %s, endpoint: %q, credential: {type: access_key, access_key_id: %s, access_key_secret: %s}}\n",
			d.ID, d.Name, d.Region, endpoint, key.ID, key.Secret)
	}
	return b.String()
}

// demoKey is what calls for the demo's n-th directory are signed with; no other API knows it.
// Each directory is of an account of its own.
func demoKey(n int) simulator.Key {
	return simulator.Key{ID: fmt.Sprintf("LTAIdemo%d", n), Secret: fmt.Sprintf("demo-secret-%d", n)}
}

// writeNew writes a file that holds a secret. It replaces none: it may be a real configuration.
func writeNew(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}

// introduce says what to open and what to try.
func (d Demo) introduce(scenario simulator.Scenario) {
	address := "127.0.0.1:10066"
	if d.Web != nil && d.Web.WebListenAddresses != nil && len(*d.Web.WebListenAddresses) > 0 {
		address = (*d.Web.WebListenAddresses)[0]
	}
	if strings.HasPrefix(address, ":") {
		address = "localhost" + address
	}
	var names []string
	for _, info := range scenario.Directories() {
		names = append(names, fmt.Sprintf("%s (%s)", info.Name, info.ID))
	}
	fmt.Fprintf(d.Out, `A made-up company with two directories: %s.
Tasks start and end every few seconds. Some fail and succeed when they are retried; one revocation fails at every try.
The demo refreshes every %[3]s, as if a Prometheus scraped it.

  open  http://%[2]s/                what failed, for whom, since when and why
        http://%[2]s/metrics         the metrics
  try   curl -s http://%[2]s/api/v1/failures    what failed, as JSON
        the demo with --speed=10                         a busier company
        the demo with --fault=throttling                 an outage that comes and goes (also slow, down)
        the demo with --config-out=demo.yaml             a configuration for tasks, wait, check --live and backfill

`, strings.Join(names, " and "), address, config.FormatDuration(demoScrapes))
	if d.Fault != "" {
		fmt.Fprintf(d.Out, "The outage %q begins in %s, lasts %s, and comes back every %s: watch cloudsso_up and cloudsso_last_refresh_error.\n\n",
			d.Fault, config.FormatDuration(faultAfter), config.FormatDuration(faultLasts), config.FormatDuration(faultEvery))
	}
	if d.ConfigOut != "" {
		fmt.Fprintf(d.Out, "While the demo runs, in another terminal: cloudsso_exporter tasks --config.file=%s\n\n", d.ConfigOut)
	}
}
