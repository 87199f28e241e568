package refresh

import (
	"context"
	"log/slog"

	"cloudsso_exporter/internal/ledger"
	"cloudsso_exporter/internal/task"
)

// TaskEvents says which events of tasks the log has a line for.
type TaskEvents string

// The values of TaskEvents.
const (
	NoEvents     TaskEvents = "none"
	FailedEvents TaskEvents = "failed" // failures, and how they end
	AllEvents    TaskEvents = "all"    // successes too
)

// loggedEvents is how many events of one refresh have a line each.
const loggedEvents = 1000

// logEvents writes a line for each event, before a scrape shows what it did.
func (d *Directory) logEvents(events []ledger.Event) {
	logged, left := 0, 0
	for _, e := range events {
		switch {
		case d.set.TaskEvents == NoEvents, e.Kind == ledger.TaskSucceeded && d.set.TaskEvents != AllEvents:
		case logged == loggedEvents:
			left++
		default:
			logged++
			d.logEvent(e)
		}
	}
	if left > 0 {
		d.log.Warn("too many task events to log each; /api/v1/tasks lists all tasks", "logged", logged, "not_logged", left)
	}
}

func (d *Directory) logEvent(e ledger.Event) {
	t := e.Task
	if d.set.HideNames {
		t = t.WithoutNames()
	}
	fields := []slog.Attr{
		slog.String("task_id", t.ID), slog.String("task_type", string(t.Type)),
		slog.String("access_configuration_id", t.AccessConfigurationID), slog.String("access_configuration_name", t.AccessConfigurationName),
		slog.String("target_id", t.TargetID), slog.String("target_name", t.TargetName), slog.String("target_path_name", t.TargetPathName),
		slog.String("principal_type", t.PrincipalType), slog.String("principal_id", t.PrincipalID), slog.String("principal_name", t.PrincipalName),
		slog.String("origin_target_id", t.OriginTargetID),
		slog.String("started", task.Stamp(t.Start)), slog.String("ended", task.Stamp(t.End)),
	}
	level := slog.LevelInfo
	if e.Kind != ledger.FailureResolved { // which a search for Failed, or for the reason, must not show
		fields = append(fields, slog.String("status", string(t.Status)))
	}
	if e.Kind == ledger.TaskFailed || e.Kind == ledger.FailureGivenUp {
		fields = append(fields, slog.String("failure_reason", e.Reason), slog.String("failure_text", t.FailureReason))
	}
	if e.Kind != ledger.TaskSucceeded {
		fields = append(fields, slog.Int("attempts", e.Attempts), slog.String("since", task.Stamp(e.Since)))
	}
	switch e.Kind {
	case ledger.TaskFailed, ledger.FailureGivenUp:
		level = slog.LevelWarn
	case ledger.FailureResolved:
		fields = append(fields, slog.String("resolved_by", e.By.ID), slog.Duration("after", e.By.End.Sub(e.Since)))
	}
	d.log.LogAttrs(context.Background(), level, string(e.Kind), fields...)
}
