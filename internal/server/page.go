package server

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/prometheus/common/version"

	"cloudsso_exporter/internal/refresh"
	"cloudsso_exporter/internal/task"
)

//go:embed page.html
var pageHTML string

//go:embed page.css
var pageCSS string

// pageRows is how many rows of a table the page shows; more are in the JSON.
const pageRows = 200

// longRunning is from when on a task in progress is marked: few take minutes.
// Data is up to date for freshFor, or twice the cache_ttl where that is longer,
// and not to be trusted once it is stale.
const (
	longRunning = 30 * time.Minute
	freshFor    = 3 * time.Minute
	stale       = 15 * time.Minute
)

func upToDate(s *refresh.State, age time.Duration) bool { return age <= max(freshFor, 2*s.CacheTTL) }

func isStale(s *refresh.State, age time.Duration) bool { return age > stale && !upToDate(s, age) }

// page is what the status page shows.
type page struct {
	Version, Now              string
	Style                     template.CSS
	Links, Choices            []link
	Several                   bool // directories on the page
	Failing                   int
	Level                     string // bad, warn or good
	Verdict                   []string
	Data, AsOf                string // when the oldest data is from, and how old that is
	FailuresPath, RunningPath string // of all, where the page does not show all
	Warnings                  []string
	Failures                  []failureRow
	Running                   []taskRow
	MoreFailures, MoreRunning int
	Chart                     *chart
	Directories               []directoryRow
}

type link struct {
	Path, Text string
	Current    bool
}

type taskRow struct {
	taskJSON
	Directory, For, SinceUTC string
	Long                     bool
	start                    time.Time
}

type failureRow struct {
	failureJSON
	What, Directory, For, SinceUTC string
	Revocation                     bool
}

type directoryRow struct{ DirectoryID, Name, Region, Level, State, Data, DataUTC, Next, Calls string }

// contentPolicy lets a page use its own style and nothing else: no script, no other origin.
func contentPolicy() string {
	sum := sha256.Sum256([]byte(pageCSS))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}

func (s *server) status(w http.ResponseWriter, r *http.Request) {
	all := s.Refresher.States()
	q := s.query(r)
	q.narrow("directory_id")
	if q.refuse(w) {
		return
	}
	only := "" // in a query
	if len(q.states) < len(all) {
		only = "directory_id=" + url.QueryEscape(q.states[0].DirectoryID)
	}
	p := s.pageOf(q.states, only)
	if len(all) > 1 {
		p.Choices = []link{{".", "All directories", len(q.states) > 1}}
		for _, state := range all {
			current := len(q.states) == 1 && q.states[0].DirectoryID == state.DirectoryID
			p.Choices = append(p.Choices, link{"?directory_id=" + url.QueryEscape(state.DirectoryID), cmp.Or(state.Name, state.DirectoryID), current})
		}
	}
	var b bytes.Buffer
	if err := s.page.Execute(&b, p); err != nil {
		s.Log.Error("the status page cannot be rendered", "err", err)
		http.Error(w, "The page could not be rendered; the log says why.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(b.Bytes())
}

func (s *server) pageOf(states []*refresh.State, only string) *page {
	p := &page{
		Version: version.Version, Style: template.CSS(pageCSS), Several: len(states) > 1, //nolint:gosec // our own
		FailuresPath: withQuery("./api/v1/failures", only), RunningPath: withQuery("./api/v1/tasks", "status=InProgress", "limit=0", only),
		Links: []link{ // relative, so that they hold behind a proxy that serves the exporter below a path
			{Path: "." + s.TelemetryPath, Text: "Metrics"}, {Path: withQuery("./api/v1/failures", only), Text: "Failures (JSON)"},
			{Path: withQuery("./api/v1/tasks", only), Text: "Tasks (JSON)"}, {Path: "./api/v1/status", Text: "Status (JSON)"},
		},
	}
	byType := map[task.Type]int{}
	latest, oldest, known, hidden := s.Now(), time.Duration(0), 0, false
	for _, state := range states {
		now := s.apiTime(state)
		latest = slices.MaxFunc([]time.Time{latest, now}, time.Time.Compare)
		name := cmp.Or(state.Name, state.DirectoryID)
		hidden = hidden || state.HideNames
		p.Directories = append(p.Directories, directoryOf(state, now))
		if state.Attempted && !state.Up {
			p.Warnings = append(p.Warnings, fmt.Sprintf("%s: the last refresh failed: %s", name, state.Error))
		}
		if state.Snapshot == nil {
			continue
		}
		known++
		age := now.Sub(state.LastSuccess)
		if age >= oldest {
			oldest, p.Data = age, utc(state.LastSuccess)
		}
		if state.Up && isStale(state, age) {
			p.Warnings = append(p.Warnings, fmt.Sprintf("%s: the data is %s old. Only a scrape refreshes it: check that Prometheus scrapes this exporter.", name, ago(age)))
		}
		for _, t := range state.Snapshot.Running {
			running := now.Sub(t.Start)
			words := ago(running)
			if !upToDate(state, age) { // it may have ended since
				running = state.LastSuccess.Sub(t.Start)
				words = "at least " + ago(running)
			}
			p.Running = append(p.Running, taskRow{taskOf(state, t, ""), name, words, utc(t.Start), running > longRunning, t.Start})
		}
	}
	failures := unresolved(states)
	p.Failing = len(failures)
	for _, f := range failures {
		byType[f.Latest.Type]++
	}
	failures, p.MoreFailures = first(failures)
	for _, f := range failures {
		p.Failures = append(p.Failures, failureRowOf(f, s.apiTime(f.state)))
	}
	slices.SortStableFunc(p.Running, func(a, b taskRow) int { return a.start.Compare(b.start) })
	p.Running, p.MoreRunning = first(p.Running)
	p.verdict(byType, len(states), known, oldest)
	if !s.reloaded() { // which makes nothing that the page says of tasks less true
		p.Warnings = append(p.Warnings, "The last reload failed: the old configuration is in use; the log says why.")
	}
	if hidden {
		p.AsOf += " Names, paths and failure texts are hidden, as unresolved_failures.names in the configuration asks for."
	}
	p.Now, p.Chart = utc(latest), chartOf(states, latest)
	return p
}

// meaning is what failed tasks of a type mean to people: in a table, in a sentence about one, and about many.
type meaning struct {
	of              task.Type
	what, one, many string
}

// meanings are those of the API's types, the worst first.
func meanings() []meaning {
	return []meaning{
		{task.DeleteAccessAssignment, "Access not removed",
			"access assignment could not be removed: a user or group still has access.",
			"access assignments could not be removed: users or groups still have access."},
		{task.DeprovisionAccessConfiguration, "Role not removed",
			"access configuration could not be removed from an account: its role stays behind.",
			"access configurations could not be removed from accounts: their roles stay behind."},
		{task.CreateAccessAssignment, "Access not given",
			"access assignment could not be created: a user or group waits for access.",
			"access assignments could not be created: users or groups wait for access."},
		{task.ProvisionAccessConfiguration, "Role not updated",
			"access configuration could not be provisioned: an account does not have it as it should be.",
			"access configurations could not be provisioned: accounts do not have them as they should be."},
	}
}

// verdict says what is broken in words for whoever reads nothing else.
func (p *page) verdict(byType map[task.Type]int, directories, known int, oldest time.Duration) {
	for _, w := range meanings() {
		if n := byType[w.of]; n > 0 {
			p.Verdict = append(p.Verdict, count(n, w.one, w.many))
		}
		delete(byType, w.of)
	}
	for _, t := range slices.Sorted(maps.Keys(byType)) {
		p.Verdict = append(p.Verdict, count(byType[t], "task of type "+string(t)+" failed.", "tasks of type "+string(t)+" failed."))
	}
	p.AsOf = fmt.Sprintf("%s ago, from %s.", ago(oldest), count(known, "directory", "directories"))
	switch {
	case known == 0:
		p.Level, p.Verdict, p.AsOf = "warn", []string{"Nothing is known yet: no directory has been read completely."}, "The state of each directory is below."
	case p.Failing > 0:
		p.Level = "bad"
	case known < directories || len(p.Warnings) > 0:
		p.Level, p.Verdict = "warn", []string{"Nothing is failing, as far as is known."}
	default:
		p.Level, p.Verdict = "good", []string{"Nothing is failing."}
	}
	if missing := directories - known; known > 0 && missing > 0 {
		p.AsOf += fmt.Sprintf(" %s not been read completely yet.", count(missing, "directory has", "directories have"))
	}
}

func failureRowOf(f failing, now time.Time) failureRow {
	s, what := f.state, "Failed"
	for _, w := range meanings() {
		if w.of == f.Latest.Type {
			what = w.what
		}
	}
	return failureRow{
		failureJSON: failureOf(s, f.Failure), What: what, Directory: cmp.Or(s.Name, s.DirectoryID), For: ago(now.Sub(f.Since)), SinceUTC: utc(f.Since),
		Revocation: f.revocation(),
	}
}

func directoryOf(s *refresh.State, now time.Time) directoryRow {
	d := directoryRow{DirectoryID: s.DirectoryID, Name: s.Name, Region: s.Region, State: "up to date", Data: "no complete read yet", Next: "at the next scrape"}
	progress := ""
	if s.Progress != nil && s.Snapshot == nil {
		progress = fmt.Sprintf(": %s in %s so far", count(s.Progress.Tasks, "task", "tasks"), count(s.Progress.Pages, "page", "pages"))
	}
	switch {
	case s.Attempted && !s.Up:
		d.Level, d.State = "bad", "refresh failed: "+string(s.ErrorKind)
		if progress != "" {
			d.State += "; first read not complete" + progress
		}
	case !s.Attempted || progress != "":
		d.Level, d.State = "warn", "first read under way"+progress
	}
	if !s.LastSuccess.IsZero() {
		age := now.Sub(s.LastSuccess)
		d.Data, d.DataUTC = ago(age)+" ago", utc(s.LastSuccess)
		if d.Level == "" && !upToDate(s, age) {
			d.State = ago(age) + " old"
			if isStale(s, age) {
				d.Level = "warn"
			}
		}
	}
	if wait := s.NextAttempt.Sub(now); wait > 0 {
		d.Next = "at the first scrape after " + s.NextAttempt.UTC().Format("15:04:05")
	}
	calls, refused := uint64(0), uint64(0)
	for _, r := range s.Requests {
		calls += r.N
		if r.Code != "OK" {
			refused += r.N
		}
	}
	d.Calls = fmt.Sprintf("%d", calls)
	if refused > 0 {
		d.Calls += fmt.Sprintf(" (%d failed)", refused)
	}
	return d
}

// withQuery is a path with these parts of a query that are not empty.
func withQuery(p string, parts ...string) string {
	if parts = slices.DeleteFunc(parts, func(part string) bool { return part == "" }); len(parts) == 0 {
		return p
	}
	return p + "?" + strings.Join(parts, "&")
}

func first[T any](all []T) (shown []T, more int) {
	n := min(len(all), pageRows)
	return all[:n], len(all) - n
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// exact is a time for people, which may break into two lines.
func exact(t string) string { return strings.Replace(t, "T", " ", 1) }

func utc(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// ago writes a duration for people, in its two largest units.
func ago(d time.Duration) string {
	d = max(d, 0)
	units := func(a time.Duration, b string, c time.Duration, e string) string {
		whole, rest := d/a, d%a/c
		if rest == 0 {
			return fmt.Sprintf("%d %s", whole, b)
		}
		return fmt.Sprintf("%d %s %d %s", whole, b, rest, e)
	}
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 24*time.Hour:
		return units(time.Hour, "h", time.Minute, "min")
	}
	return units(24*time.Hour, "d", time.Hour, "h")
}

// words are the parts of a name between which a line may break: after a dot, a
// slash and the like, and where a new word begins in CamelCase.
func words(name string) []string {
	const marks = "./:@_"
	var parts []string
	begin, last := 0, ' '
	for i, r := range name {
		if unicode.IsUpper(r) && unicode.IsLower(last) || strings.ContainsRune(marks, last) && !strings.ContainsRune(marks+" ", r) {
			parts = append(parts, name[begin:i])
			begin = i
		}
		last = r
	}
	return append(parts, name[begin:])
}

// Group is whether the principal is a group of users.
func (t taskJSON) Group() bool { return t.PrincipalType == "Group" }
