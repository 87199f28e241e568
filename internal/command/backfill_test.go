package command

import (
	"bufio"
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"cloudsso_exporter/internal/ledger"
	"cloudsso_exporter/internal/refresh"
	"cloudsso_exporter/internal/simulator"
	"cloudsso_exporter/internal/simulator/inprocess"
)

const backfillYAML = `
api: {rate_limit: 1000, burst: 1000}
window: 6h
unresolved_failures: {limit: 7}
failure_reasons: {limit: 3, rules: [{match: No Permission, reason: no_permission}]}
`

// backfill runs the command in a lab and returns what it writes.
func (l *lab) backfill(step time.Duration, labels ...string) string {
	l.Helper()
	var out bytes.Buffer
	path := filepath.Join(l.TempDir(), "config.yaml")
	if err := os.WriteFile(path, []byte(withKey(l.yaml)), 0o600); err != nil {
		l.Fatal(err)
	}
	c := Backfill{Step: step, Labels: labels, Listing: Listing{
		Source: Source{File: path}, Now: l.now, Transport: inprocess.Transport(l.api), Out: &out, Err: &bytes.Buffer{},
	}}
	if err := c.Run(context.Background()); err != nil {
		l.Fatal(err)
	}
	return out.String()
}

// linesFrom are the lines without a time, and those of a time from on.
func linesFrom(text string, from, to time.Time) (lines []string) {
	for line := range strings.Lines(text) {
		at, err := strconv.ParseInt(line[strings.LastIndexByte(line, ' ')+1:len(line)-1], 10, 64)
		if err != nil || at >= from.Unix() && at <= to.Unix() {
			lines = append(lines, line)
		}
	}
	return lines
}

// An exporter that is scraped every 2 minutes of a day, and a backfill after it: all that follows from
// tasks is the same at each step, as text, and so is the chart of the status page.
func TestBackfillIsWhatTheExporterShowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(7, 7))
		l := newLab(t, backfillYAML+directories(2), simulator.Options{Order: simulator.Shuffled})
		began := time.Now()
		for _, id := range []string{"d-0000", "d-0001"} {
			var all []simulator.Record
			for i := range 600 {
				r := random(rng, i, began.Add(time.Second+time.Duration(rng.Int64N(int64(24*time.Hour)))))
				if i%50 == 0 {
					r.Status, r.FailureReason = "Failed", "Something odd: code "+string(rune('A'+i/50))
				}
				all = append(all, r)
			}
			l.api.Directory(id).Schedule(all...)
		}
		l.start()
		showed := newPast(2*time.Minute, nil)
		var states []*refresh.State
		for time.Since(began) <= 24*time.Hour {
			states = l.scrape()
			for _, s := range states {
				if !s.Up || !s.Snapshot.At.Equal(time.Now()) {
					t.Fatalf("at %s: as of %s, %s", time.Now(), s.Snapshot.At, s.Error)
				}
				if err := showed.add(time.Now(), s); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(2 * time.Minute)
		}
		time.Sleep(30 * time.Second)
		var want bytes.Buffer
		w := bufio.NewWriter(&want)
		if err := showed.write(context.Background(), w); err != nil {
			t.Fatal(err)
		}
		w.Flush()
		last := began.Add(24 * time.Hour)
		text := l.backfill(2 * time.Minute)
		a, b := linesFrom(want.String(), began, last), linesFrom(text, began, last)
		slices.Sort(a) // series come in the order they appeared, by directory
		slices.Sort(b)
		if !slices.Equal(a, b) {
			t.Errorf("(- the exporter showed, + backfill) %.3000s", gocmp.Diff(a, b))
		}
		if len(a) < 250_000 {
			t.Errorf("%d lines", len(a))
		}

		for _, s := range states {
			for _, h := range s.Snapshot.Hours(24)[:23] {
				want, got := 0, 0.0
				for _, n := range h.Tasks {
					want += n
				}
				for _, line := range b {
					name, rest, _ := strings.Cut(line, "} ")
					value, at, _ := strings.Cut(strings.TrimSpace(rest), " ")
					if !strings.HasPrefix(name, `cloudsso_tasks_started_total{directory_id="`+s.DirectoryID) {
						continue
					}
					n, err := strconv.ParseFloat(value, 64)
					if err != nil {
						t.Fatal(err)
					}
					switch at {
					case strconv.FormatInt(h.Start.Unix(), 10):
						got -= n
					case strconv.FormatInt(h.Start.Add(time.Hour).Unix(), 10):
						got += n
					}
				}
				if float64(want) != got {
					t.Errorf("%s, %s: the chart has %d tasks, %v were started", s.DirectoryID, h.Start, want, got)
				}
			}
		}
		l.stop()
	})
}

// Two runs within an hour give the same past, but for its newest end.
func TestBackfillAMinuteLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(7, 7))
		l := newLab(t, backfillYAML+directories(1), simulator.Options{Latency: 50 * time.Millisecond})
		began := time.Now()
		var all []simulator.Record
		for i := range 350 { // some of them too old to be listed by the first run, or by the second
			all = append(all, random(rng, i, began.Add(-ledger.Retention-2*time.Hour+time.Duration(i)*30*time.Minute)))
		}
		l.api.Directory("d-0000").Schedule(all...)
		time.Sleep(20*time.Minute + 30*time.Second)
		for _, step := range []time.Duration{10 * time.Minute, 7 * time.Minute} {
			now := time.Now()
			first := l.backfill(step)
			time.Sleep(time.Minute)
			second := l.backfill(step)
			a, b := linesFrom(first, now.Add(-2*ledger.Retention), now), linesFrom(second, now.Add(-2*ledger.Retention), now)
			if !slices.Equal(a, b) || len(a) < 100_000 {
				t.Errorf("%v: %d lines, %d a minute later: %.3000s", step, len(a), len(b), gocmp.Diff(a, b))
			}
		}
	})
}

// A series that vanishes and comes back has a gap. Families, and series within them, are in one piece.
func TestPast(t *testing.T) {
	labels, err := labelsOf([]string{"job=a b", `quoted="\`})
	if err != nil {
		t.Fatal(err)
	}
	p := newPast(time.Minute, labels)
	for i, name := range []string{"old", "old", "new", "old", "old"} {
		state := &refresh.State{DirectoryID: "d-1", Name: name, Window: time.Hour}
		if i == 4 {
			state.Window = 90 * time.Minute
		}
		if err := p.add(time.Unix(int64(600+60*i), 0), state); err != nil {
			t.Fatal(err)
		}
	}
	var out bytes.Buffer
	w := bufio.NewWriter(&out)
	if err := p.write(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	w.Flush()
	var got []string
	for line := range strings.Lines(out.String()) {
		if !strings.HasPrefix(line, "# HELP") {
			got = append(got, strings.TrimSpace(line))
		}
	}
	want := strings.Split(strings.TrimSpace(`
# TYPE cloudsso_directory_info gauge
cloudsso_directory_info{directory_id="d-1",name="old",region="",job="a b",quoted="\"\\"} 1 600
cloudsso_directory_info{directory_id="d-1",name="old",region="",job="a b",quoted="\"\\"} 1 660
cloudsso_directory_info{directory_id="d-1",name="old",region="",job="a b",quoted="\"\\"} 1 780
cloudsso_directory_info{directory_id="d-1",name="old",region="",job="a b",quoted="\"\\"} 1 840
cloudsso_directory_info{directory_id="d-1",name="new",region="",job="a b",quoted="\"\\"} 1 720
# TYPE cloudsso_window_seconds gauge
cloudsso_window_seconds{directory_id="d-1",job="a b",quoted="\"\\"} 3600 600
cloudsso_window_seconds{directory_id="d-1",job="a b",quoted="\"\\"} 3600 660
cloudsso_window_seconds{directory_id="d-1",job="a b",quoted="\"\\"} 3600 720
cloudsso_window_seconds{directory_id="d-1",job="a b",quoted="\"\\"} 3600 780
cloudsso_window_seconds{directory_id="d-1",job="a b",quoted="\"\\"} 5400 840
# EOF`), "\n")
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
