package simulator_test

import (
	"slices"
	"testing"

	"cloudsso_exporter/internal/simulator"
	"cloudsso_exporter/internal/simulator/faults"
)

// Every fault of the lists can be told from a good answer, and the harmless are
// good ones.
func TestFaultLists(t *testing.T) {
	names := map[string]bool{}
	all := slices.Concat(faults.Retryable(), faults.Refusals(), faults.Rubbish(), faults.RubbishTasks())
	for i, f := range slices.Concat(all, faults.Harmless()) {
		if f.Name == "" || names[f.Name] {
			t.Errorf("fault %d has no name of its own: %q", i, f.Name)
		}
		names[f.Name] = true
		if sound, raw := simulator.Sound(t, f); sound != (i >= len(all)) {
			t.Errorf("%s: sound %v: %.200s", f.Name, sound, raw)
		}
	}
}
