// Command cloudsso_exporter shows Prometheus the health of the asynchronous
// tasks of Alibaba Cloud's CloudSSO. See README.md.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web"
	webflag "github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"cloudsso_exporter/apiclient"
	"cloudsso_exporter/internal/command"
)

// Exit codes.
const (
	exitStopped = 0
	exitFailed  = 1 // cannot start, bad configuration, check failed
	exitUsage   = 2
)

const name = "cloudsso_exporter"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	if info, ok := debug.ReadBuildInfo(); ok && version.Version == "" {
		version.Version = info.Main.Version // not built by make
	}
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is main without the process: it returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	err := dispatch(ctx, args, stdout, stderr)
	var usage command.UsageError
	switch {
	case err == nil:
		return exitStopped
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "%s: %s; see %s --help\n", name, err, name)
		return exitUsage
	}
	for lines := bufio.NewScanner(strings.NewReader(err.Error())); lines.Scan(); {
		fmt.Fprintf(stderr, "%s: %s\n", name, lines.Text())
	}
	return exitFailed
}

// dispatch runs the command that args name.
func dispatch(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	app := kingpin.New(name, "Shows Prometheus the health of Alibaba Cloud CloudSSO's provisioning and assignment tasks.").
		UsageWriter(stdout).ErrorWriter(stderr).Version(version.Print(name))
	app.HelpFlag.Short('h')
	done := false // by --help or --version
	app.Terminate(func(int) { done = true })

	var source command.Source
	common := []*kingpin.FlagClause{
		app.Flag("config.file", "YAML file that describes the directories; see config.example.yaml."),
		app.Flag("directory-id", "Id of the one directory to watch, without a configuration file."),
		app.Flag("region", "Region of that directory, such as cn-shanghai."),
	}
	common[0].StringVar(&source.File)
	common[1].StringVar(&source.DirectoryID)
	common[2].StringVar(&source.Region)
	level := app.Flag("log.level", "Least severe level that is logged.").Default("info")
	format := app.Flag("log.format", "Format of log lines.").Default("logfmt")
	logLevel, logFormat := level.Enum(command.LogLevels()...), format.Enum(command.LogFormats()...)
	fromEnvironment(append(common, level, format)...)

	serve := command.Serve{Now: time.Now, Transport: apiclient.NewTransport()}
	serveFlags(app.Command("serve", "Run the exporter (the default command).").Default(), &serve)
	demo := command.Demo{Serve: serve, Out: stdout}
	demoFlags(app.Command("demo", "Run a simulated CloudSSO and the exporter, both on loopback: nothing to set up."), &demo)
	check := command.Check{Now: time.Now, Transport: serve.Transport, Out: stdout}
	checkFlags(app.Command("check", "Validate the configuration and say what it costs in API calls."), &check)

	chosen, err := app.Parse(args)
	if done {
		return nil
	}
	if err == nil {
		err = source.Check()
	}
	if err != nil {
		return command.UsageError{Err: err}
	}
	log := command.NewLogger(stderr, *logLevel, *logFormat)
	switch chosen {
	case "demo":
		return demo.Run(ctx, log)
	case "check":
		check.Source = source
		return check.Run(ctx)
	default:
		hangup := make(chan os.Signal, 1)
		signal.Notify(hangup, syscall.SIGHUP)
		defer signal.Stop(hangup)
		serve.Source, serve.Hangup = source, hangup
		return serve.Run(ctx, log)
	}
}

func serveFlags(c *kingpin.CmdClause, s *command.Serve) {
	s.Web = webflag.AddFlags(c, ":10066")
	c.Flag("web.telemetry-path", "Path under which metrics are served.").Default("/metrics").StringVar(&s.HTTP.TelemetryPath)
	c.Flag("web.enable-lifecycle", "Allow a reload by POST /-/reload.").BoolVar(&s.HTTP.EnableLifecycle)
	c.Flag("web.max-requests", "Scrapes at once, those that wait included; more are answered 503. 0 is no limit.").Default("40").IntVar(&s.HTTP.MaxRequests)
	c.Flag("web.enable-pprof", "Serve profiles at /debug/pprof/.").BoolVar(&s.HTTP.EnablePprof)
	c.Flag("web.timeout-offset", "Taken off the scrape timeout that Prometheus sends, so that the answer is there in time.").Default("500ms").DurationVar(&s.HTTP.TimeoutOffset)
	c.Flag("storage.path", "State file, so that counters and unresolved failures survive a restart; without it nothing does.").StringVar(&s.StoragePath)
	var own []*kingpin.FlagClause
	for _, f := range c.Model().Flags {
		own = append(own, c.GetFlag(f.Name))
	}
	fromEnvironment(own...)
}

func demoFlags(c *kingpin.CmdClause, d *command.Demo) {
	d.Web = &web.FlagConfig{
		WebListenAddresses: c.Flag("web.listen-address", "Address to serve metrics on; repeatable.").Default("127.0.0.1:10066").Strings(),
		WebConfigFile:      new(string),
	}
	c.Flag("seed", "Number that makes up the company; the same seed is the same company.").Default("1").Uint64Var(&d.Seed)
	c.Flag("speed", "How much faster than usual things happen.").Default("1").Float64Var(&d.Speed)
	c.Flag("fault", "Play an outage that comes and goes.").EnumVar(&d.Fault, command.Faults()...)
}

func checkFlags(c *kingpin.CmdClause, check *command.Check) {
	c.Flag("live", "Make one signed call per directory, and say which failure reasons no rule matches.").BoolVar(&check.Live)
	c.Flag("tasks-per-day", "Tasks a day and directory to count API calls for.").Default("1000").Float64Var(&check.TasksPerDay)
	c.Flag("scrape-interval", "Time between two scrapes to count API calls for.").Default("1m").DurationVar(&check.ScrapeInterval)
}

// fromEnvironment has flags take their value from CLOUDSSO_EXPORTER_<NAME> when they are not given.
func fromEnvironment(flags ...*kingpin.FlagClause) {
	for _, f := range flags {
		f.Envar("CLOUDSSO_EXPORTER_" + strings.NewReplacer(".", "_", "-", "_").Replace(strings.ToUpper(f.Model().Name)))
	}
}
