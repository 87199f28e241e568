package simulator

import (
	"slices"
	"strings"
	"testing"

	"cloudsso_exporter/internal/task"
)

// Sound reports whether a client sees good answers under the fault, and what it
// sees first.
func Sound(t *testing.T, f Fault) (sound bool, raw string) {
	s, _ := faulty(t)
	s.Directory(testDirectory).Put(task.Task{ID: "t-running", Type: task.CreateAccessAssignment, Status: task.InProgress, Start: testNow})
	good := ask(s, allPages...)
	s.SetFaults(Rule{Fault: f})
	// The second page too: a looping token shows there only.
	first := ask(s, allPages...)
	second := ask(s, append(slices.Clone(allPages), "NextToken", first.NextToken)...)
	return first.err == nil && first.status == 200 && first.RequestID != "" && strings.HasPrefix(first.raw, "{") && strings.HasSuffix(first.raw, "}") &&
		slices.Equal(first.ids(), good.ids()) && !slices.Contains(first.ids(), "") && (!first.IsTruncated || first.NextToken != "") &&
		first.NextToken != second.NextToken, first.raw
}
