package reason

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"cloudsso_exporter/internal/task"
	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

func failures(text string, n int) []task.Task {
	tasks := make([]task.Task, n)
	for i := range tasks {
		tasks[i] = failure(i)
		tasks[i].FailureReason = strings.ReplaceAll(text, "{n}", fmt.Sprint(100000+i))
	}
	return tasks
}

func TestSuggest(t *testing.T) {
	rules := []Rule{{regexp.MustCompile(`Throttling`), "throttled"}, {regexp.MustCompile(`^\z.`), "no_permission"}}
	var tasks []task.Task
	for _, some := range [][]task.Task{
		failures("EntityNotExist.Role: The role 'x{n}' not exists.", 9),
		failures("EntityNotExist.Role.Policy: it's gone", 2),
		failures("User 'Bob {n}' isn't in account 11424052478{n}, says 'RAM'", 5),
		failures("No Permission.", 7),
		failures("two\n  lines\x00 {n}", 4),
		failures("", 3),
		failures("'{n}'", 2),
		failures("权限不足", 1),
		failures("User 'Bob' isn't in account 'x', says 'RAM'", 1),
		failures("Throttling.User: wait", 50),
	} {
		tasks = append(tasks, some...)
	}
	succeeded := failure(1)
	succeeded.Status = task.Success
	succeeded.FailureReason = "No Permission."
	tasks = append(tasks, succeeded)

	want := []Suggestion{
		{"EntityNotExist.Role.Policy", 2, "EntityNotExist.Role.Policy: it's gone", `\bEntityNotExist\.Role\.Policy\b`, "entity_not_exist_role_policy"},
		{"EntityNotExist.Role", 9, "EntityNotExist.Role: The role 'x100000' not exists.", `\bEntityNotExist\.Role\b`, "entity_not_exist_role"},
		{"No Permission.", 7, "No Permission.", `No Permission\.`, "no_permission_2"},
		{"User <name> isn't in account <account>, says <name>", 6, "User 'Bob 100000' isn't in account 11424052478100000, says 'RAM'",
			`User.*isn't in account.*, says`, "user_isn_t_in_account_says"},
		{"two lines <number>", 4, "two lines 100000", `(?s)two\s+lines`, "two_lines"},
		{"unknown", 3, "", "", ""},
		{"<number>", 2, "'100000'", "", ""},
		{"权限不足", 1, "权限不足", `权限不足`, "权限不足"},
	}
	got := Suggest(tasks, rules)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	checkSuggestions(t, tasks, rules, got)
}

// checkSuggestions pastes the rules into a configuration, reads it and classifies again.
func checkSuggestions(t *testing.T, tasks []task.Task, rules []Rule, suggestions []Suggestion) {
	t.Helper()
	var config struct {
		FailureReasons struct {
			Rules []struct{ Match, Reason string }
		} `yaml:"failure_reasons"`
	}
	text := YAML(suggestions)
	if err := yaml.Unmarshal([]byte(text), &config); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	reasons := map[string]string{}
	for _, s := range suggestions {
		reasons[s.Label] = s.Reason
	}
	added := rules
	for _, r := range config.FailureReasons.Rules {
		added = append(added, Rule{regexp.MustCompile(r.Match), r.Reason})
	}
	for _, f := range tasks {
		if f.Status != task.Failed {
			continue
		}
		before, byRule := Classify(f, rules)
		if byRule || reasons[before] == "" {
			continue
		}
		after, byRule := Classify(f, added)
		if !byRule {
			t.Errorf("%q: matched by none of\n%s", f.FailureReason, text)
		} else if after != reasons[before] {
			t.Errorf("%q: %s instead of %s", f.FailureReason, after, reasons[before])
		}
	}
}

// TestSuggestCorpus takes the rules for the whole corpus over at once.
func TestSuggestCorpus(t *testing.T) {
	var corpus []struct{ Text string }
	raw, err := os.ReadFile("testdata/corpus.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &corpus); err != nil {
		t.Fatal(err)
	}
	var tasks []task.Task
	for _, e := range corpus {
		tasks = append(tasks, task.Task{Status: task.Failed, FailureReason: e.Text})
	}
	checkSuggestions(t, tasks, nil, Suggest(tasks, nil))
}

func TestYAML(t *testing.T) {
	if got := YAML(nil); got != "" {
		t.Errorf("without suggestions: %q", got)
	}
	got := YAML([]Suggestion{
		{Label: "it's <name>", Count: 3, Example: "it's 'x'", Match: "it's", Reason: "it_s"},
		{Label: "unknown", Count: 2},
		{Label: "No", Count: 1, Example: "No", Match: "No", Reason: "no"},
	})
	want := `failure_reasons:
  rules:
    # 3 × it's 'x'
    - match: 'it''s'
      reason: it_s
    # 1 × No
    - match: 'No'
      reason: 'no'
`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
