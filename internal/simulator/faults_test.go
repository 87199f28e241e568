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

func TestMixStrikesAsOftenAsAsked(t *testing.T) {
	rules := faults.Mix(0.3, 9, []simulator.Fault{{Name: "a"}, {Name: "b"}, {Name: "c"}})
	struck := map[string]int{}
	for n := range 10_000 {
		for _, rule := range rules {
			if rule.When(simulator.Call{Number: n}) {
				struck[rule.Fault.Name]++
			}
		}
	}
	for _, name := range []string{"a", "b", "c"} {
		if n := struck[name]; n < 900 || n > 1100 {
			t.Errorf("%s struck %d times in 10,000, want about 1,000", name, n)
		}
	}
}
