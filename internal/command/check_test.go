package command

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"cloudsso_exporter/internal/reason"
	"cloudsso_exporter/internal/task"
	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"
)

func checked(t *testing.T, yaml string) (string, error) {
	t.Helper()
	path := t.TempDir() + "/config.yaml"
	if err := os.WriteFile(path, []byte(withKey(yaml)), 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	err := Check{
		Source: Source{File: path}, TasksPerDay: 1000, ScrapeInterval: time.Minute,
		Now: time.Now, Transport: http.DefaultTransport, Out: &out,
	}.Run(t.Context())
	return out.String(), err
}

func TestCheckSaysWhenTheRateLimitIsTooLittle(t *testing.T) {
	for _, test := range []struct {
		name        string
		directories int
		limit       string
		want        string // of the part about the limit; empty: there is none
	}{
		{"one", 1, "api: {rate_limit: 5}", ""},
		{"enough", 2, "api: {rate_limit: 5}", "2 directories of one account share 5 calls"},
		{"too little for one", 1, "api: {rate_limit: 0.01}", "one directory has 0.01 calls"},
		{"too little", 40, "api: {rate_limit: 0.5}", "TOO MUCH"},
	} {
		t.Run(test.name, func(t *testing.T) {
			out, err := checked(t, test.limit+"\n"+directories(test.directories))
			if err != nil {
				t.Fatal(err)
			}
			_, about, _ := strings.Cut(out, "cn-shanghai: ")
			if !strings.Contains(about, test.want) || test.want == "" && about != "" {
				t.Errorf("%s", out)
			}
			if strings.Contains(about, "TOO MUCH") != strings.HasPrefix(test.name, "too little") {
				t.Errorf("%s", out)
			}
		})
	}
}

// What serve refuses for how it is, check refuses too.
func TestCheckRefusesWhatServeRefuses(t *testing.T) {
	t.Setenv("DEBUG", "credential")
	out, err := checked(t, directories(2))
	if err == nil || out != "" || !strings.Contains(err.Error(), "DEBUG") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestCheckListsReasonsWithRulesToCopy(t *testing.T) {
	var page task.Page
	for text, n := range map[string]int{
		"EntityNotExist.Role: it's gone":                           3,
		"EntityNotExist.Role.Policy: gone\x00":                     1,
		"User 'Bob' isn't in account 1142405247841234, says 'RAM'": 2,
		"":                      1,
		"Throttling.User: wait": 9,
	} {
		for range n {
			page.Tasks = append(page.Tasks, task.Task{Status: task.Failed, FailureReason: text})
		}
	}
	show := func(c reason.Classifier) string {
		var out strings.Builder
		Check{Out: &out}.reasons(page, c)
		return out.String()
	}
	classifier := reason.Classifier{Rules: []reason.Rule{{Match: regexp.MustCompile("Throttling"), Reason: "throttled"}}}
	out := show(classifier)
	want := `  failure reasons that no rule matches, of the 16 failed tasks; the label is what is shown without one:
       3 × EntityNotExist.Role
           as in: EntityNotExist.Role: it's gone
       2 × User <name> isn't in account <account>, says <name>
           as in: User 'Bob' isn't in account 1142405247841234, says 'RAM'
       1 × EntityNotExist.Role.Policy
           as in: EntityNotExist.Role.Policy: gone
       1 × unknown
  rules to copy; put the names you want as reasons:
    failure_reasons:
      rules:
        - match: 'EntityNotExist\.Role\.Policy'
          reason: 'EntityNotExist.Role.Policy'
        - match: 'EntityNotExist\.Role'
          reason: 'EntityNotExist.Role'
        - match: 'isn''t in account'
          reason: 'User <name> isn''t in account <account>, says <name>'
`
	if diff := cmp.Diff(want, out); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	var copied struct {
		FailureReasons struct {
			Rules []struct{ Match, Reason string }
		} `yaml:"failure_reasons"`
	}
	_, block, _ := strings.Cut(out, "as reasons:\n")
	if err := yaml.Unmarshal([]byte(block), &copied); err != nil {
		t.Fatal(err)
	}
	with := classifier
	for _, r := range copied.FailureReasons.Rules {
		with.Rules = append(with.Rules, reason.Rule{Match: regexp.MustCompile(r.Match), Reason: r.Reason})
	}
	for _, failed := range page.Tasks {
		before, _ := classifier.Classify(failed)
		if after, byRule := with.Classify(failed); after != before || byRule != (failed.FailureReason != "") {
			t.Errorf("%q: %q, by a rule: %v, instead of %q", failed.FailureReason, after, byRule, before)
		}
	}

	classifier.CodesOnly = true
	if out := show(classifier); strings.Contains(out, "Bob") || strings.Contains(out, "as in") || !strings.Contains(out, "3 × unknown") {
		t.Errorf("with names hidden:\n%s", out)
	}
}
