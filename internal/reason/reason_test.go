package reason

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"cloudsso_exporter/internal/task"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the labels of testdata/corpus.json anew")

// Normalize is the label of a text of which nothing else is known.
func Normalize(text string) string { return normalize(cut(text), nil) }

// TestCorpus compares the labels of texts as the cloud's services write them with those in the corpus. Read the
// difference before taking a label over with -update.
func TestCorpus(t *testing.T) {
	const name = "testdata/corpus.json"
	type entry struct {
		Text  string `json:"text"`
		Label string `json:"label"`
	}
	var corpus []entry
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &corpus); err != nil {
		t.Fatal(err)
	}
	if len(corpus) < 60 {
		t.Fatalf("%d texts only", len(corpus))
	}
	for i, e := range corpus {
		label := Normalize(e.Text)
		checkLabel(t, label)
		if label != e.Label && !*update {
			t.Errorf("%q:\n got %q\nwant %q", e.Text, label, e.Label)
		}
		corpus[i].Label = label
	}
	if *update {
		var out bytes.Buffer
		enc := json.NewEncoder(&out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", " ")
		if err := enc.Encode(corpus); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// checkLabel fails the test when a normalised label breaks a promise of the package.
func checkLabel(t *testing.T, label string) {
	t.Helper()
	switch again := Normalize(label); {
	case label == "":
		t.Error("empty label")
	case label == Other:
		t.Errorf("label %q is taken", label)
	case utf8.RuneCountInString(label) > 100:
		t.Errorf("%d characters: %q", utf8.RuneCountInString(label), label)
	case !utf8.ValidString(label):
		t.Errorf("no UTF-8: %q", label)
	case strings.ContainsFunc(label, unicode.IsControl):
		t.Errorf("control characters: %q", label)
	case strings.TrimSpace(label) != label || strings.Contains(label, "  "):
		t.Errorf("white space not folded: %q", label)
	case again != label:
		t.Errorf("not idempotent: %q then %q", label, again)
	}
}

func failure(n int) task.Task {
	return task.Task{
		ID:                      fmt.Sprintf("t-sh5k4gesm6twl%04d", n),
		Type:                    task.CreateAccessAssignment,
		Status:                  task.Failed,
		AccessConfigurationID:   fmt.Sprintf("ac-00jhtfl8thteu%04d", n),
		AccessConfigurationName: fmt.Sprintf("Config%d", n),
		TargetType:              "RD-Account",
		TargetID:                fmt.Sprintf("114240524784%04d", n),
		TargetName:              fmt.Sprintf("研发 account %d", n),
		TargetPath:              fmt.Sprintf("rd-3G1234/r-Wm1234/%s114240524784%04d", strings.Repeat("fd-abcd12/", n%4), n),
		TargetPathName:          fmt.Sprintf("rd-3G1234/root/Dev %d/dev-%d", n%7, n),
		PrincipalType:           "User",
		PrincipalID:             fmt.Sprintf("u-00q8wbq42wilt%04d", n),
		PrincipalName:           "Person " + string(rune('A'+n%26)) + strings.Repeat("x", n%11),
	}
}

// TestStrangers is the same for ids and names that are none of the task's.
func TestStrangers(t *testing.T) {
	ids := []string{
		"1142405247841234", "u-00q8wbq42wiltcrk1234", "C0DA2DFC-EB18-59EF-BD82-C30862EBA3A3", "ac-00jhtfl8thteu6ujabcd",
		"rd-3G1234/r-Wm1234/114240524784", "acs:ram::1142405247841234:role/x", "2021-11-09T05:50:50Z", "10.1.2.3", "https://x.y/z?a=b",
	}
	names := []string{
		"Alice", "alice", "ECS-Admin", "dev_test", "alice@corp.example.com", "a.b", "AliyunReservedSSO-x", "user17", "AdministratorAccess",
		"Alice Smith", "Zoë", "O'Brien",
	}
	// Each position holds for the names behind the number, which are to give one label.
	for _, tc := range []struct {
		text  string
		names []string
		want  string
	}{
		{"The role %s already exists.", names, "The role <name> already exists."},
		{"RoleName: %s, again", names, "RoleName: <name>, again"},
		{"user %s does not exist", names, "user <name> does not exist"},
		{"it says '%s' here", names, "it says <name> here"},
		{"it says \"%s\" here", append(names, ids...), "it says <name> here"},
		{"it says “%s” here", append(names, ids...), "it says <name> here"},
		{"it says [%s] here", []string{"Alice", "a.b", "dev_test", "1142405247841234", "x, y"}, "it says <name> here"},
		{"see %s twice", ids[:1], "see <account> twice"},
		{"see %s twice", ids[1:4], "see <id> twice"},
		{"see %s twice", ids[4:5], "see <path> twice"},
		{"see %s twice", ids[5:6], "see <arn> twice"},
		{"see %s twice", ids[6:7], "see <time> twice"},
		{"see %s twice", ids[7:8], "see <ip> twice"},
		{"see %s twice", ids[8:], "see <url> twice"},
		{"requestId: %s.", append(ids[1:4:4], "abc", "17", "R-1"), "requestId: <id>."},
		{"gone: %s", []string{"'a'", "'a', 'b'", "'a' and 'b'", "“a”、“b”，“c”"}, "gone: <name>"},
	} {
		for _, name := range tc.names {
			text := fmt.Sprintf(tc.text, name)
			if got := Normalize(text); got != tc.want {
				t.Errorf("%q: got %q, want %q", text, got, tc.want)
			}
		}
	}
}

// TestOneReason is the promise the label stands for: failures that differ only in ids and names have one.
func TestOneReason(t *testing.T) {
	for _, text := range []string{
		"The role AliyunReservedSSO-{config} already exists in account {targetid}. RequestId: {request}",
		"User {principal} ({principalid}) cannot be assigned {config} on {target}.",
		"'{principal}' has no permission for \"{config}\" on {pathname}",
		"{principal} is disabled",
		"Task {id} failed: acs:ram::{targetid}:role/AliyunReservedSSO-{config} is locked, see {path}",
		"用户{principal}在账号{target}（{targetid}）上没有{config}的权限",
		"EntityAlreadyExists.Role: role {config} exists (request id {request})",
		"No Permission.",
	} {
		labels := map[string]int{}
		for n := range 300 {
			f := failure(n)
			f.FailureReason = strings.NewReplacer("{config}", f.AccessConfigurationName, "{targetid}", f.TargetID,
				"{target}", f.TargetName, "{principalid}", f.PrincipalID, "{principal}", f.PrincipalName, "{id}", f.ID,
				"{pathname}", f.TargetPathName, "{path}", f.TargetPath,
				"{request}", fmt.Sprintf("C0DA2DFC-EB18-59EF-BD82-C30862EB%04X", n)).Replace(text)
			label, byRule := Classify(f, nil)
			checkLabel(t, label)
			if byRule {
				t.Errorf("%q: by a rule, without rules", text)
			}
			labels[label]++
		}
		if len(labels) != 1 {
			t.Errorf("%q: %d reasons: %v", text, len(labels), labels)
		}
		t.Log(labels)
	}
}

func TestClassify(t *testing.T) {
	rules := []Rule{
		{regexp.MustCompile(`(?i)entityalreadyexists\.role`), "role_already_exists"},
		{regexp.MustCompile(`EntityAlreadyExists`), "exists"},
		{regexp.MustCompile(`u-00q8wbq42wilt0007`), "that_user"},
		{regexp.MustCompile("\x00"), "nul"},
	}
	with := func(text string, names ...string) task.Task {
		f := failure(7)
		f.FailureReason = text
		if len(names) > 0 {
			f.PrincipalName = names[0]
		}
		return f
	}
	for _, tc := range []struct {
		name   string
		task   task.Task
		label  string
		byRule bool
	}{
		{"first rule wins", with("EntityAlreadyExists.Role: x"), "role_already_exists", true},
		{"second rule", with("EntityAlreadyExists.User"), "exists", true},
		{"rules see the raw text", with("user u-00q8wbq42wilt0007"), "that_user", true},
		{"rules see what is folded", with("a\x00b"), "nul", true},
		{"no rule", with("No Permission."), "No Permission.", false},
		{"no text", with(""), Unknown, false},
		{"overflow's label is not given", with("other"), Unknown, false},
		{"name like a code", with("EntityNotExist.Role is locked", "EntityNotExist.Role"), "<name> is locked", false},
		{"name like a one-word code", with("NoAccess may not be used", "NoAccess"), "<name> may not be used", false},
		{"name that is part of a code", with("Throttling.Alice: wait", "Alice"), "Throttling.Alice", false},
		{"name that every text has", with("The user has no permission", "permission"), "The user has no permission", false},
		{"name inside a word is not replaced", with("Alicent is locked", "Alice"), "Alicent is locked", false},
		{"nor its end", with("MyAlice is locked", "Alice"), "MyAlice is locked", false},
		{"name with quotes and a newline", with("x: O\"Ne'il\n<b> is locked", "O\"Ne'il\n<b>"), "x: <name> is locked", false},
		{"name of one letter is left", with("A role is locked", "A"), "A role is locked", false},
		{"name of four-byte characters", with("🦊🦊 is locked", "🦊🦊"), "<name> is locked", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			label, byRule := Classify(tc.task, rules)
			if label != tc.label || byRule != tc.byRule {
				t.Errorf("got %q, %v; want %q, %v", label, byRule, tc.label, tc.byRule)
			}
		})
	}
}

func TestHugeText(t *testing.T) {
	for _, text := range []string{
		strings.Repeat("x", 1<<20),
		strings.Repeat("'", 1<<20),
		strings.Repeat("\x00", 1<<20) + "No Permission.",
		strings.Repeat("é", 1<<19),
		strings.Repeat("Code:", 1<<18),
		strings.Repeat("1.", 1<<19),
		strings.Repeat("[", 1<<20),
		strings.Repeat("\xff", 1<<20),
	} {
		label := Normalize(text)
		checkLabel(t, label)
		if strings.HasSuffix(text, "No Permission.") && label != "No Permission." {
			t.Errorf("behind much white space: %q", label)
		}
	}
}

func TestCutAtRune(t *testing.T) {
	for pad := range 8 {
		text := strings.Repeat("a", maxText-pad) + "很很很很"
		got := cut(text)
		if len(got) > maxText || !utf8.ValidString(got) || !strings.HasPrefix(text, got) || len(got) < maxText-3 {
			t.Errorf("pad %d: %d bytes, ends in %q", pad, len(got), got[maxText-pad:])
		}
	}
	if diff := cmp.Diff("ab", cut("a\xff\xe5\xbeb")); diff != "" {
		t.Errorf("broken runes (-want +got):\n%s", diff)
	}
}

func BenchmarkClassify(b *testing.B) {
	rules := []Rule{{regexp.MustCompile(`EntityAlreadyExists\.Role`), "role_already_exists"}}
	f := failure(1)
	for name, text := range map[string]string{
		"code": "SDKError: StatusCode: 400 Code: EntityNotExist.Role Message: code: 400, The role not exists: " +
			"AliyunReservedSSO-Ops request id: 5B6F1A0C-9D1E-5B3A-A1B2-C3D4E5F60718 Data: {}",
		"text": "You are not authorized to do this action. Resource: acs:ram:*:1986901577758888:role/aliyunreservedsso-admin " +
			"Action: ram:AttachPolicyToRole, user " + f.PrincipalName + " (" + f.PrincipalID + ") 2026-11-24T03:57:12Z",
		"1MB": strings.Repeat("The user 'Alice' is locked. ", 40_000),
	} {
		b.Run(name, func(b *testing.B) {
			f.FailureReason = text
			b.ReportAllocs()
			for b.Loop() {
				Classify(f, rules)
			}
		})
	}
}
