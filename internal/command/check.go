package command

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"cloudsso_exporter/apiclient"
	"cloudsso_exporter/internal/config"
	"cloudsso_exporter/internal/ledger"
	"cloudsso_exporter/internal/reason"
	"cloudsso_exporter/internal/refresh"
	"cloudsso_exporter/internal/task"
)

// Check validates a configuration and says what it costs.
type Check struct {
	Source
	Live           bool          // make one signed call per directory
	SyntaxOnly     bool          // look at nothing but the file
	TasksPerDay    float64       // assumed for each directory
	ScrapeInterval time.Duration // assumed
	Now            func() time.Time
	Transport      http.RoundTripper
	Out            io.Writer
}

// liveMargin keeps the live call's Filter from being refused by a clock that is a little ahead.
const liveMargin = 30 * time.Minute

// Run prints the findings. Its error has a line for each mistake or failed call.
func (c Check) Run(ctx context.Context) error {
	switch {
	case !(c.TasksPerDay >= 0 && c.TasksPerDay <= 1e9):
		return UsageError{errors.New("--tasks-per-day must be 0 to 1e9")}
	case c.ScrapeInterval < time.Second:
		return UsageError{errors.New("--scrape-interval must be 1s or more")}
	}
	if c.SyntaxOnly {
		return c.syntax()
	}
	conf, err := c.load()
	if err != nil {
		return err
	}
	keys, err := (&exporter{now: c.Now}).credentialsFor(conf)
	if err != nil {
		return err
	}
	directories := "1 directory"
	if n := len(conf.Directories); n != 1 {
		directories = fmt.Sprintf("%d directories", n)
	}
	fmt.Fprintf(c.Out, "The configuration is valid: %s.\n", directories)
	c.warn(conf)
	fmt.Fprintf(c.Out, "API calls assume %s tasks per day per directory (--tasks-per-day) and a scrape every %s (--scrape-interval).\n",
		amount(c.TasksPerDay), config.FormatDuration(c.ScrapeInterval))
	load := refresh.Workload{
		TasksPerDay:    c.TasksPerDay,
		ScrapeInterval: c.ScrapeInterval,
		CacheTTL:       conf.CacheTTL,
		Window:         conf.Window,
	}
	var errs []error
	for _, d := range conf.Directories {
		c.describe(conf, d, load)
		if !c.Live {
			continue
		}
		if err := c.call(ctx, conf, d, keys[d.Credential]); err != nil {
			fmt.Fprintf(c.Out, "  live call failed: %v\n", err)
			errs = append(errs, fmt.Errorf("directory %s: %w", d.ID, err))
		}
	}
	c.share(conf, load)
	return errors.Join(errs...)
}

// syntax checks the file alone: no environment, no secret file, no network.
func (c Check) syntax() error {
	if c.Live || c.File == "" {
		return UsageError{errors.New("--syntax-only checks a file alone: set --config.file and remove --live")}
	}
	conf, err := config.LoadSyntax(c.File)
	if err != nil {
		return err
	}
	fmt.Fprintln(c.Out, "The file is valid. Secrets, the environment and the API were not checked.")
	c.warn(conf)
	return nil
}

func (c Check) warn(conf *config.Config) {
	for _, w := range config.Warnings(conf) {
		fmt.Fprintf(c.Out, "Warning: %s\n", w)
	}
}

// describe prints what is known without a call.
func (c Check) describe(conf *config.Config, d config.Directory, load refresh.Workload) {
	fmt.Fprintf(c.Out, "\n%s%s\n", d.ID, inParentheses(d.Name))
	fmt.Fprintf(c.Out, "  credential %s, endpoint %s\n", d.Credential.Type, d.URL())
	fmt.Fprintf(c.Out, "  window %s, filter %s\n", config.FormatDuration(conf.Window), filterWords(d.Filter))

	table := tabwriter.NewWriter(c.Out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "  API calls per\trefresh\tday\tmonth\t\n")
	for _, row := range []struct {
		name string
		cost refresh.Cost
	}{
		{"steady", load.Steady()},
		{"worst: long tasks always run, and one ends at each refresh", load.Busy()},
		{"naive: reading the whole window at each scrape", load.Naive()},
	} {
		fmt.Fprintf(table, "  %s\t%.2f\t%s\t%s\t\n", row.name, row.cost.PerRefresh, amount(row.cost.PerDay), amount(row.cost.PerMonth()))
	}
	table.Flush()
	steady := load.Steady()
	fmt.Fprintf(c.Out, "  one refresh every %s; %.2f of its calls reread old tasks\n", config.FormatDuration(steady.Interval), steady.Drift)
	fmt.Fprintf(c.Out, "  the first start, or a start without a state folder, costs %d calls once\n", steady.FirstRead)
}

// share prints what the directories that share a rate limit make of it, where
// several do or it is not enough.
func (c Check) share(conf *config.Config, load refresh.Workload) {
	counts := map[account]int{}
	var order []account
	for _, d := range conf.Directories {
		key := accountOf(d)
		if counts[key]++; counts[key] == 1 {
			order = append(order, key)
		}
	}
	steady := load.Steady()
	for _, key := range order {
		n := counts[key]
		calls := float64(n) * steady.PerRefresh
		used := calls / steady.Interval.Seconds() / conf.API.RateLimit
		if n == 1 && used <= 1 {
			continue
		}
		wait := max(0, calls-float64(conf.API.Burst)) / conf.API.RateLimit
		who := "one directory has"
		if n > 1 {
			who = fmt.Sprintf("%d directories of one account share", n)
		}
		fmt.Fprintf(c.Out, "\n%s: %s %g calls per second (api.rate_limit)\n", key.region, who, conf.API.RateLimit)
		fmt.Fprintf(c.Out, "  steady refreshes use %.0f %% of them; refreshing all at once takes about %.0f s\n", 100*used, wait)
		if used > 1 {
			fmt.Fprintf(c.Out, "  TOO MUCH: refreshes will be throttled; raise api.rate_limit as far as the API allows, or raise cache_ttl\n")
		}
	}
}

// call makes one signed call and prints what it says.
func (c Check) call(ctx context.Context, conf *config.Config, d config.Directory, keys *apiclient.Credentials) error {
	client := apiclient.New(clientConfig(conf, d, keys, c.Transport, c.Now))
	query := task.Query{Status: task.Failed, From: c.Now().Add(liveMargin - ledger.Retention)}
	for page, err := range client.Pages(ctx, query, task.Paging{NoRetry: true}) {
		if err != nil {
			return err
		}
		fmt.Fprintf(c.Out, "  live call: answered")
		if off := client.Now().Sub(c.Now()); off.Abs() >= 5*time.Second {
			fmt.Fprintf(c.Out, "; the local clock is off by %s: timestamps follow the API's clock, but set it right", off.Round(time.Second))
		}
		fmt.Fprintln(c.Out)
		c.reasons(page, classifierOf(conf))
		return nil
	}
	return nil
}

// reasons prints the failure reasons of a page that no rule matches.
func (c Check) reasons(page task.Page, classifier reason.Classifier) {
	found := classifier.Unmatched(page.Tasks)
	of := fmt.Sprintf("the %d failed tasks", len(page.Tasks))
	if page.Next != "" {
		of += " it listed (there are more)"
	}
	switch {
	case len(page.Tasks) == 0:
		fmt.Fprintf(c.Out, "  failure reasons: no task has failed within the last 7 days\n")
		return
	case len(found) == 0:
		fmt.Fprintf(c.Out, "  failure reasons: a rule matches each of %s\n", of)
		return
	}
	fmt.Fprintf(c.Out, "  failure reasons that no rule matches, of %s; the label is what is shown without one:\n", of)
	for _, g := range found {
		fmt.Fprintf(c.Out, "    %4d × %s\n", g.Count, g.Label)
		if g.Text != "" {
			fmt.Fprintf(c.Out, "           as in: %.200s\n", g.Text)
		}
	}
	// A match that holds another is longer; the first rule that matches wins.
	slices.SortStableFunc(found, func(a, b reason.Group) int { return cmp.Compare(len(b.Match), len(a.Match)) })
	if found[0].Match == "" {
		return
	}
	fmt.Fprintf(c.Out, "  rules to copy; put the names you want as reasons:\n    failure_reasons:\n      rules:\n")
	for _, g := range found {
		if g.Match != "" {
			fmt.Fprintf(c.Out, "        - match: %s\n          reason: %s\n", quoteYAML(g.Match), quoteYAML(g.Label))
		}
	}
}

// quoteYAML writes text as a scalar in single quotes, in which only the quote
// itself is special.
func quoteYAML(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

func inParentheses(s string) string {
	if s == "" {
		return ""
	}
	return " (" + s + ")"
}

// filterWords is a filter for people.
func filterWords(f task.Filter) string {
	var words []string
	for _, field := range []struct{ name, value string }{
		{"access configuration", f.AccessConfigurationID},
		{"target", f.TargetID},
		{"principal", f.PrincipalID},
	} {
		if field.value != "" {
			words = append(words, field.name+" "+field.value)
		}
	}
	if words == nil {
		return "none"
	}
	return strings.Join(words, ", ")
}

// amount is a number with separators between thousands.
func amount(n float64) string {
	digits := fmt.Sprintf("%.0f", n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
