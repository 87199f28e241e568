package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/exporter-toolkit/web"
	webflag "github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"cloudsso_exporter/internal/command"
	"cloudsso_exporter/internal/task"
)

// usageTemplate shows one command with its flags, or all commands with the flags that can be
// given without a command.
func usageTemplate() string {
	return kingpin.DefaultUsageTemplate + `{{if not .Context.SelectedCommand}}{{range .App.Commands}}{{if .Default}}
Flags of {{.Name}}, the default command:
{{.Flags|FlagsToTwoColumns|FormatTwoColumns}}{{end}}{{end}}{{end}}`
}

func serveFlags(c *kingpin.CmdClause, s *command.Serve) {
	s.Web = webflag.AddFlags(c, ":10066")
	c.Flag("web.telemetry-path", "Path under which metrics are served.").Default("/metrics").StringVar(&s.HTTP.TelemetryPath)
	c.Flag("web.enable-lifecycle", "Allow POST /-/reload.").BoolVar(&s.HTTP.EnableLifecycle)
	c.Flag("web.max-requests", "Scrapes served at once, including those that wait; further ones get 503. 0 means no limit.").Default("40").SetValue((*wholeNumber)(&s.HTTP.MaxRequests))
	c.Flag("web.enable-pprof", "Serve profiles at /debug/pprof/.").BoolVar(&s.HTTP.EnablePprof)
	c.Flag("web.timeout-offset", "Subtracted from Prometheus' scrape timeout, so that the answer arrives in time.").Default("500ms").DurationVar(&s.HTTP.TimeoutOffset)
	c.Flag("storage.path", "Folder for state, created if missing. Without it, counters and unresolved failures are lost at a restart.").StringVar(&s.StoragePath)
	oneOf(c.Flag("log.task-events", "Task events to log; failed is failures and how they end."), &s.TaskEvents, "none", "failed", "all").Default("failed")
	own := flagsOf(c)
	fromEnvironment(own)
	nameInErrors(own)
}

func demoFlags(c *kingpin.CmdClause, d *command.Demo) {
	d.Web = &web.FlagConfig{
		WebListenAddresses: c.Flag("web.listen-address", "Address to listen on; repeatable.").Default("127.0.0.1:10066").Strings(),
		WebConfigFile:      new(string),
	}
	c.Flag("seed", "Seed of the simulated company; the same seed gives the same company.").Default("1").Uint64Var(&d.Seed)
	c.Flag("speed", "How many times faster than usual tasks start and end.").Default("1").Float64Var(&d.Speed)
	oneOf(c.Flag("fault", "Simulate an outage that comes and goes."), &d.Fault, command.Faults()...)
	c.Flag("config-out", "New file to write a configuration to, with which tasks, wait, check --live and backfill ask the simulated CloudSSO. Removed when the demo stops.").
		StringVar(&d.ConfigOut)
	nameInErrors(flagsOf(c))
}

func checkFlags(c *kingpin.CmdClause, check *command.Check) {
	c.Flag("live", "Make one signed call per directory and list failure reasons that no rule matches.").BoolVar(&check.Live)
	c.Flag("syntax-only", "Check the file alone: read no environment variable and no secret file, and make no call.").BoolVar(&check.SyntaxOnly)
	c.Flag("tasks-per-day", "Assumed tasks per day per directory.").Default("1000").Float64Var(&check.TasksPerDay)
	c.Flag("scrape-interval", "Assumed scrape interval.").Default("1m").DurationVar(&check.ScrapeInterval)
	nameInErrors(flagsOf(c))
}

// listingFlags are the parameters of ListTasks.
func listingFlags(c *kingpin.CmdClause, l *command.Listing, since string) {
	oneOf(c.Flag("status", "Only tasks with this status."), (*string)(&l.Status), words(task.Statuses())...)
	oneOf(c.Flag("task-type", "Only tasks of this type."), (*string)(&l.Type), words(task.Types())...)
	c.Flag("access-configuration-id", "Only tasks of this access configuration.").StringVar(&l.Filter.AccessConfigurationID)
	c.Flag("target-id", "Only tasks on this account.").StringVar(&l.Filter.TargetID)
	oneOf(c.Flag("principal-type", "Not needed if the principal id begins with u- or g-."), &l.Filter.PrincipalType, "User", "Group")
	c.Flag("principal-id", "Only tasks for this user or group.").StringVar(&l.Filter.PrincipalID)
	c.Flag("since", "Only tasks started since then: a duration such as 24h or 7d, or a time such as 2026-11-25T08:00:00Z.").Default(since).StringVar(&l.Since)
}

func tasksFlags(c *kingpin.CmdClause, t *command.Tasks) {
	listingFlags(c, &t.Listing, "24h")
	c.Flag("limit", "Maximum number of tasks to print; 0 means all.").Default("0").SetValue((*wholeNumber)(&t.Limit))
	oneOf(c.Flag("output", "Output format."), &t.Format, "table", "json", "csv").Short('o').Default("table")
	nameInErrors(flagsOf(c))
}

func waitFlags(c *kingpin.CmdClause, w *command.Wait) {
	listingFlags(c, &w.Listing, "15m")
	c.Flag("interval", "Time between polls.").Default("5s").DurationVar(&w.Interval)
	c.Flag("timeout", "How long to wait.").Default("15m").DurationVar(&w.Timeout)
	c.Flag("min-tasks", "Wait until at least this many matching tasks are listed.").Default("0").SetValue((*wholeNumber)(&w.MinTasks))
	nameInErrors(flagsOf(c))
}

func backfillFlags(c *kingpin.CmdClause, b *command.Backfill) {
	c.Flag("step", "Time between two samples of a series, 10s to 1h: the scrape interval. With more than 5m, graphs have gaps.").Default("1m").DurationVar(&b.Step)
	c.Flag("until", "Last moment to write, such as the first scrape by Prometheus: a time (2026-11-25T08:00:00Z) or how long ago (3h).").
		StringVar(&b.Until)
	c.Flag("label", "NAME=VALUE to add to each series, such as job=cloudsso; repeatable.").StringsVar(&b.Labels)
	c.Flag("output", "File to write; it appears when it is complete. Without it, stdout.").StringVar(&b.Output)
	nameInErrors(flagsOf(c))
}

func words[T ~string](all []T) (words []string) {
	for _, w := range all {
		words = append(words, string(w))
	}
	return words
}

// oneOf has a flag take one of a few words, which its help and its errors list.
func oneOf(f *kingpin.FlagClause, into *string, options ...string) *kingpin.FlagClause {
	f.SetValue(choice{into, options})
	return f.Help(f.Model().Help + " One of: " + strings.Join(options, ", ") + ".").HintOptions(options...)
}

type choice struct {
	into    *string
	options []string
}

// Set implements kingpin.Value.
func (c choice) Set(text string) error {
	if !slices.Contains(c.options, text) {
		return fmt.Errorf("must be one of %s", strings.Join(c.options, ", "))
	}
	*c.into = text
	return nil
}

// String implements kingpin.Value.
func (c choice) String() string { return *c.into }

// wholeNumber is an int flag that takes digits alone; kingpin's own takes 0.5 as 0.
type wholeNumber int

// Set implements kingpin.Value.
func (n *wholeNumber) Set(text string) error {
	v, err := strconv.Atoi(text)
	if err == nil {
		*n = wholeNumber(v)
	}
	return err
}

// String implements kingpin.Value.
func (n *wholeNumber) String() string { return strconv.Itoa(int(*n)) }

func flagsOf(c *kingpin.CmdClause) []*kingpin.FlagClause {
	var flags []*kingpin.FlagClause
	for _, f := range c.Model().Flags {
		flags = append(flags, c.GetFlag(f.Name))
	}
	return flags
}

// fromEnvironment has flags take their value from CLOUDSSO_EXPORTER_<NAME> when they are not given.
func fromEnvironment(flags []*kingpin.FlagClause) {
	for _, f := range flags {
		f.Envar("CLOUDSSO_EXPORTER_" + strings.NewReplacer(".", "_", "-", "_").Replace(strings.ToUpper(f.Model().Name)))
	}
}

// nameInErrors has the errors of values that make no sense say whose they are,
// which kingpin's own do not.
func nameInErrors(flags []*kingpin.FlagClause) {
	for _, f := range flags {
		named := namedValue{Value: f.Model().Value, flag: "--" + f.Model().Name}
		if f.Model().Envar != "" {
			named.flag += " (" + f.Model().Envar + ")"
		}
		switch named.Value.(type) {
		case interface{ IsCumulative() bool }: // texts, which are all right
		case interface{ IsBoolFlag() bool }:
			f.SetValue(namedBool{named})
		default:
			f.SetValue(named)
		}
	}
}

type namedValue struct {
	kingpin.Value
	flag string
}

func (v namedValue) Set(text string) error {
	err := v.Value.Set(text)
	if err == nil {
		return nil
	}
	var number *strconv.NumError // says what it was parsed with, which is no business of who typed it
	if errors.As(err, &number) {
		err = number.Err
	}
	if _, ok := v.Value.(choice); ok {
		return fmt.Errorf("%s: %q %w", v.flag, text, err)
	}
	return fmt.Errorf("%s: %q: %w", v.flag, text, err)
}

// namedBool can be given without a value, as kingpin sees by its method.
type namedBool struct{ namedValue }

func (namedBool) IsBoolFlag() bool { return true }
