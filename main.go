// Command cloudsso_exporter shows Prometheus the health of the asynchronous
// tasks of Alibaba Cloud's CloudSSO. See README.md.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/version"

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
	http.DefaultTransport = apiclient.NewTransport() // the credentials library copies it
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is main without the process: it returns the exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	chosen, err := dispatch(ctx, args, stdout, stderr)
	var usage command.UsageError
	switch {
	case err == nil:
		return exitStopped
	case errors.As(err, &usage):
		help := "--help"
		if chosen != "" && chosen != "serve" {
			help = "help " + chosen
		}
		fmt.Fprintf(stderr, "%s: %s; see %s %s\n", name, err, name, help)
		return exitUsage
	}
	var exit command.ExitError
	code := exitFailed
	if errors.As(err, &exit) {
		code = exit.Code
	}
	for lines := bufio.NewScanner(strings.NewReader(err.Error())); lines.Scan(); {
		fmt.Fprintf(stderr, "%s: %s\n", name, lines.Text())
	}
	return code
}

// dispatch runs the command that args name, and returns its name.
func dispatch(ctx context.Context, args []string, stdout, stderr io.Writer) (chosen string, err error) {
	app := kingpin.New(name, "Prometheus exporter for the provisioning and assignment tasks of Alibaba Cloud CloudSSO.").
		UsageWriter(stdout).ErrorWriter(stderr).UsageTemplate(usageTemplate()).
		Version(name + ", version " + version.Info() + " " + version.BuildContext())
	app.HelpFlag.Short('h')
	done := false // by --help or --version
	app.Terminate(func(int) { done = true })

	var source command.Source
	var fileGiven, idGiven bool // on the command line
	common := []*kingpin.FlagClause{
		app.Flag("config.file", "YAML file that describes the directories; see config.example.yaml."),
		app.Flag("directory-id", "Id of the one directory to watch, without a configuration file."),
		app.Flag("region", "Region of that directory, such as cn-shanghai."),
	}
	common[0].IsSetByUser(&fileGiven).StringVar(&source.File)
	common[1].IsSetByUser(&idGiven).StringVar(&source.DirectoryID)
	common[2].StringVar(&source.Region)
	var logLevel, logFormat string
	common = append(common,
		oneOf(app.Flag("log.level", "Lowest level to log."), &logLevel, command.LogLevels()...).Default("info"),
		oneOf(app.Flag("log.format", "Format of log lines."), &logFormat, command.LogFormats()...).Default("logfmt"))
	fromEnvironment(common)
	nameInErrors(common)

	serve := command.Serve{Now: time.Now, Transport: apiclient.NewTransport()}
	serveFlags(app.Command("serve", "Run the exporter (the default command).").Default(), &serve)
	demo := command.Demo{Serve: serve, Out: stdout}
	demoFlags(app.Command("demo", "Run a simulated CloudSSO and the exporter, both on loopback: nothing to set up."), &demo)
	check := command.Check{Now: time.Now, Transport: serve.Transport, Out: stdout}
	checkFlags(app.Command("check", "Validate the configuration and print its cost in API calls."), &check)

	listing := command.Listing{Now: time.Now, Transport: serve.Transport, Out: stdout, Err: stderr}
	tasks := command.Tasks{Listing: listing}
	tasksFlags(app.Command("tasks", "Ask the API and list tasks, the newest first."), &tasks)
	wait := command.Wait{Listing: listing}
	waitFlags(app.Command("wait", "Wait until the matching tasks have ended. Exit codes: 0 none failed, 1 one failed, 3 timeout."), &wait)
	backfill := command.Backfill{Listing: listing}
	backfillFlags(app.Command("backfill", "Write the past 7 days as OpenMetrics text, for promtool tsdb create-blocks-from openmetrics."), &backfill)

	if len(args) > 0 && args[0] == "help" { // kingpin's own goes on after an unknown command
		args = append(slices.Clone(args[1:]), "--help")
	}
	chosen, err = app.Parse(args)
	if done {
		return chosen, nil
	}
	switch {
	case err != nil:
		if parsed, _ := app.ParseContext(args); parsed != nil && parsed.SelectedCommand != nil {
			chosen = parsed.SelectedCommand.FullCommand()
		}
	case fileGiven && source.File == "":
		err = errors.New("--config.file needs the path of a file")
	case chosen == "demo" && (fileGiven || idGiven):
		err = errors.New("demo brings its own directories: leave out --config.file and --directory-id, or run serve")
	case chosen != "demo":
		err = source.Check(chosen == "serve")
	}
	if err != nil {
		return chosen, command.UsageError{Err: err}
	}
	log := command.NewLogger(stderr, logLevel, logFormat)
	command.TakeStandardLog(log)
	switch chosen {
	case "demo":
		return chosen, demo.Run(ctx, log)
	case "check":
		check.Source = source
		return chosen, check.Run(ctx)
	case "tasks":
		tasks.Source = source
		return chosen, tasks.Run(ctx)
	case "wait":
		wait.Source = source
		return chosen, wait.Run(ctx)
	case "backfill":
		backfill.Source = source
		return chosen, backfill.Run(ctx)
	default:
		signal.Ignore(syscall.SIGPIPE) // whoever read the log may have gone; what is served goes on
		hangup := make(chan os.Signal, 1)
		signal.Notify(hangup, syscall.SIGHUP)
		defer signal.Stop(hangup)
		serve.Source, serve.Hangup = source, hangup
		return chosen, serve.Run(ctx, log)
	}
}
