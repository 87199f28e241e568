package reason

import (
	"encoding/json"
	"os"
	"testing"

	"cloudsso_exporter/internal/task"
)

func addCorpus(f *testing.F, add func(text string)) {
	raw, err := os.ReadFile("testdata/corpus.json")
	if err != nil {
		f.Fatal(err)
	}
	var corpus []struct{ Text string }
	if err := json.Unmarshal(raw, &corpus); err != nil {
		f.Fatal(err)
	}
	for _, e := range corpus {
		add(e.Text)
	}
}

func FuzzNormalize(f *testing.F) {
	addCorpus(f, func(text string) { f.Add(text) })
	f.Fuzz(func(t *testing.T, text string) {
		checkLabel(t, Normalize(text))
	})
}

func FuzzClassify(f *testing.F) {
	addCorpus(f, func(text string) { f.Add(text, "Alice", "dev-test") })
	f.Fuzz(func(t *testing.T, text, name, target string) {
		failed := task.Task{ID: "t-1", Status: task.Failed, FailureReason: text, PrincipalName: name, TargetName: target}
		label, byRule := Classify(failed, nil)
		if byRule {
			t.Error("by a rule, without rules")
		}
		checkLabel(t, label)
		checkSuggestions(t, []task.Task{failed}, nil, Suggest([]task.Task{failed}, nil))
	})
}
