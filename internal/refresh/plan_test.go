package refresh

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"cloudsso_exporter/internal/ledger"
	"cloudsso_exporter/internal/task"
)

var planNow = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func ago(d time.Duration) time.Time { return planNow.Add(-d) }

func TestMakePlan(t *testing.T) {
	running := func(starts ...time.Duration) []ledger.Running {
		var all []ledger.Running
		for i, d := range starts {
			all = append(all, ledger.Running{
				ID: string(rune('a' + i)), Start: ago(d), Type: task.CreateAccessAssignment,
				Subject: task.Filter{AccessConfigurationID: "ac-1"},
			})
		}
		return all
	}
	busy := func(t time.Time) int { return int(planNow.Sub(t) / time.Second) } // a task a second
	quiet := func(time.Time) int { return 3 }
	const week = 7 * 24 * time.Hour
	for name, c := range map[string]struct {
		known Known
		want  []task.Query
		since time.Time
		full  bool
	}{
		"nothing known": {
			Known{Full: true, Margin: 5 * time.Minute, StartedSince: quiet},
			[]task.Query{{From: ago(week - 5*time.Minute)}}, ago(week - 5*time.Minute), true,
		},
		"steady": {
			Known{From: ago(time.Minute), Margin: time.Minute, StartedSince: busy},
			[]task.Query{{From: ago(3 * time.Minute)}}, ago(3 * time.Minute), false,
		},
		"running no longer than the overlap": {
			Known{From: ago(time.Minute), Margin: time.Minute, StartedSince: busy, Running: running(2*time.Minute, time.Second)},
			[]task.Query{{From: ago(3 * time.Minute)}}, ago(3 * time.Minute), false,
		},
		"running for days": {
			Known{From: ago(time.Minute), Margin: time.Minute, StartedSince: busy, Running: running(72*time.Hour, time.Second)},
			[]task.Query{{From: ago(3 * time.Minute)}, {Status: task.InProgress, From: ago(72 * time.Hour)}}, ago(3 * time.Minute), false,
		},
		"running for days, but little has happened since": {
			Known{From: ago(time.Minute), Margin: time.Minute, StartedSince: quiet, Running: running(72 * time.Hour)},
			[]task.Query{{From: ago(72 * time.Hour)}}, ago(72 * time.Hour), false,
		},
		"running for longer than the API lists": {
			Known{From: ago(time.Minute), Margin: time.Hour, StartedSince: busy, Running: running(week - time.Minute)},
			[]task.Query{{From: ago(3 * time.Minute)}}, ago(3 * time.Minute), false,
		},
		"after a gap": {
			Known{From: ago(5 * time.Hour), Margin: time.Minute, StartedSince: quiet},
			[]task.Query{{From: ago(5*time.Hour + 2*time.Minute)}}, ago(5*time.Hour + 2*time.Minute), false,
		},
		"after a gap of more than the API lists": {
			Known{From: ago(20 * 24 * time.Hour), Margin: time.Minute, StartedSince: quiet},
			[]task.Query{{From: ago(week - time.Minute)}}, ago(week - time.Minute), false,
		},
		"a changed filter after a gap": {
			Known{From: ago(5 * time.Hour), Full: true, Margin: time.Minute, StartedSince: quiet},
			[]task.Query{{From: ago(week - time.Minute)}}, ago(week - time.Minute), true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := MakePlan(c.known, planNow)
			if diff := cmp.Diff(c.want, p.Queries); diff != "" {
				t.Errorf("queries (-want +got):\n%s", diff)
			}
			if !p.Since.Equal(c.since) || p.Full != c.full {
				t.Errorf("since %v, full %v; want %v, %v", p.Since, p.Full, c.since, c.full)
			}
		})
	}
}

func TestStragglers(t *testing.T) {
	known := Known{
		From: ago(time.Minute), Margin: time.Minute,
		StartedSince: func(t time.Time) int { return int(planNow.Sub(t) / time.Second) },
		Running: []ledger.Running{
			{ID: "unlisted", Start: ago(7*24*time.Hour - time.Second)},
			{ID: "gone", Start: ago(72 * time.Hour), Type: task.CreateAccessAssignment, Subject: task.Filter{AccessConfigurationID: "ac-1"}},
			{ID: "still", Start: ago(71 * time.Hour), Type: task.CreateAccessAssignment},
			{ID: "strange", Start: ago(70 * time.Hour), Type: "Repaint"},
			{ID: "young", Start: ago(time.Minute)},
		},
	}
	p := MakePlan(known, planNow)
	got := Stragglers(known, p.Missing(known, func(id string) bool { return id == "still" }))
	want := []task.Query{
		{Type: task.CreateAccessAssignment, Filter: task.Filter{AccessConfigurationID: "ac-1"}, From: ago(72 * time.Hour)},
		{From: ago(70 * time.Hour)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	known.StartedSince = func(time.Time) int { return 30 }
	got = Stragglers(known, p.Missing(known, func(string) bool { return false }))
	if diff := cmp.Diff([]task.Query{{From: ago(72 * time.Hour)}}, got); diff != "" {
		t.Errorf("one query is cheaper (-want +got):\n%s", diff)
	}
}
