package reason

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"regexp/syntax"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"cloudsso_exporter/internal/task"
	"github.com/google/go-cmp/cmp"
)

// labelOf is the label of a text of which nothing else is known.
func labelOf(text string) string {
	label, _ := Classifier{}.Classify(task.Task{FailureReason: text})
	return label
}

type entry struct{ Text, Label string }

func readCorpus(t testing.TB) (corpus []entry) {
	raw, err := os.ReadFile("testdata/corpus.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &corpus); err != nil {
		t.Fatal(err)
	}
	return corpus
}

// TestCorpus compares the labels of texts as the cloud's services write them with those written beside them.
func TestCorpus(t *testing.T) {
	corpus := readCorpus(t)
	if len(corpus) < 150 {
		t.Fatalf("%d texts only", len(corpus))
	}
	for _, e := range corpus {
		label := labelOf(e.Text)
		checkLabel(t, label)
		if label != e.Label {
			t.Errorf("%q:\n got %q\nwant %q", e.Text, label, e.Label)
		}
		if again := labelOf(label); again != label {
			t.Errorf("%q: the label %q has the label %q", e.Text, label, again)
		}
	}
}

// TestTable holds each row to its example: that row and no earlier one matches all of it.
func TestTable(t *testing.T) {
	for i, r := range table() {
		if groups := regexp.MustCompile(r.pattern).NumSubexp(); groups != 1 {
			t.Errorf("%s: %d groups", r.pattern, groups)
			continue
		}
		m := known.FindStringSubmatchIndex(r.example)
		if m == nil || m[2*i+2] < 0 || m[2*i+3] != len(r.example) {
			t.Errorf("%q: not all of it by the row %s: %v", r.example, r.pattern, m)
			continue
		}
		want := r.example[:m[2*i+2]] + r.placeholder
		if got := replaceKnown(r.example); got != want {
			t.Errorf("%q: got %q, want %q", r.example, got, want)
		}
	}
}

// TestTableIsFast fails when the table outgrows what package regexp matches by backtracking; beyond it is several times
// slower.
func TestTableIsFast(t *testing.T) {
	parsed, err := syntax.Parse(known.String(), syntax.Perl)
	if err != nil {
		t.Fatal(err)
	}
	prog, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		t.Fatal(err)
	}
	if len(prog.Inst) > 500 {
		t.Errorf("%d instructions, more than 500", len(prog.Inst))
	}
}

// checkLabel fails the test when the label of a text breaks a promise of the package.
func checkLabel(t *testing.T, label string) {
	t.Helper()
	switch {
	case label == "":
		t.Error("empty label")
	case label == Other:
		t.Errorf("label %q is taken", label)
	case utf8.RuneCountInString(label) > 100:
		t.Errorf("%d characters: %q", utf8.RuneCountInString(label), label)
	case !utf8.ValidString(label):
		t.Errorf("no UTF-8: %q", label)
	case strings.ContainsFunc(label, func(r rune) bool { return !unicode.IsPrint(r) }):
		t.Errorf("not printable: %q", label)
	case strings.TrimSpace(label) != label || strings.Contains(label, "  "):
		t.Errorf("white space not folded: %q", label)
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

// TestStrangers is about ids and names that are none of the task's: they have one label by their form or by what stands
// before them.
func TestStrangers(t *testing.T) {
	ids := []string{
		"1142405247841234", "u-00q8wbq42wiltcrk1234", "C0DA2DFC-EB18-59EF-BD82-C30862EBA3A3", "ac-00jhtfl8thteu6ujabcd",
		"rd-3G1234/r-Wm1234/114240524784", "acs:ram::1142405247841234:role/x", "2021-11-09T05:50:50Z", "10.1.2.3", "https://x.y/z?a=b",
	}
	marked := []string{"alice@corp.example.com", "AliyunReservedSSO-x", "user17", "dev-17"}
	plain := []string{"Alice", "alice", "ECS-Admin", "dev_test", "a.b", "AdministratorAccess", "Zoë"}
	spaced := []string{"Alice Smith", "O'Brien", "Grace M. Hopper"}
	all := append(append(append(append([]string{}, ids...), marked...), plain...), spaced...)
	for _, tc := range []struct {
		text  string
		names []string
		want  string
	}{
		{"The role %s already exists.", append([]string{"Alice", "AdministratorAccess", "ECS-Admin", "Alice Smith"}, marked...), "The role <name> already exists."},
		{"RoleName: %s, again", append(append(append([]string{}, ids...), marked...), plain...), "RoleName: <name>, again"},
		{"it says '%s' here", append(append([]string{}, marked...), append(plain, spaced...)...), "it says <name> here"},
		{"it says \"%s\" here", all, "it says <name> here"},
		{"it says “%s” here", all, "it says <name> here"},
		{"it says [%s] here", []string{"x, y", "Alice,Bob, Carol"}, "it says <name> here"},
		{"see %s twice", ids[:1], "see <account> twice"},
		{"see %s twice", ids[1:4], "see <id> twice"},
		{"see %s twice", ids[4:5], "see <path> twice"},
		{"see %s twice", ids[5:6], "see <arn> twice"},
		{"see %s twice", ids[6:7], "see <time> twice"},
		{"see %s twice", ids[7:8], "see <ip> twice"},
		{"see %s twice", ids[8:], "see <url> twice"},
		{"see %s twice", marked, "see <name> twice"},
		{"see %s twice", []string{"12345", "12345678901"}, "see <number> twice"},
		{"requestId: %s.", append([]string{"abc", "17", "R-1"}, ids...), "requestId: <id>."},
		{"gone: %s", []string{"'a'", "'a', 'b'", "'a' and 'b'", "“a”、“b”，“c”"}, "gone: <name>"},
	} {
		for _, name := range tc.names {
			text := fmt.Sprintf(tc.text, name)
			if got := labelOf(text); got != tc.want {
				t.Errorf("%q: got %q, want %q", text, got, tc.want)
			}
		}
	}
}

// TestOneReason is the promise the label stands for: failures that differ only in the task's ids and names have one.
func TestOneReason(t *testing.T) {
	for text, want := range map[string]string{
		"The role AliyunReservedSSO-{config} already exists in account {targetid}. RequestId: {request}": "The role <name> already exists in account <account>. RequestId: <id>",
		"User {principal} ({principalid}) cannot be assigned {config} on {target}.":                      "User <name> (<id>) cannot be assigned <name> on <name>.",
		"'{principal}' has no permission for \"{config}\" on {pathname}":                                 "<name> has no permission for <name> on <path>",
		"{principal} is disabled": "<name> is disabled",
		"Task {id} failed: acs:ram::{targetid}:role/AliyunReservedSSO-{config} is locked, see {path}": "Task <id> failed: <arn> is locked, see <path>",
		"用户{principal}在账号{target}（{targetid}）上没有{config}的权限":                                          "用户<name>在账号<name>（<account>）上没有<name>的权限",
		"EntityAlreadyExists.Role: role {config} exists (request id {request})":                       "EntityAlreadyExists.Role",
		"No Permission.": "No Permission.",
		"The role is busy: {principal}@{target}.": "The role is busy: <name>.",
	} {
		labels := map[string]int{}
		for n := range 300 {
			f := failure(n)
			if strings.Contains(text, "busy") {
				f.PrincipalName, f.TargetName = fmt.Sprint("li.wei", n), fmt.Sprintf("a%d.example", n)
			}
			f.FailureReason = strings.NewReplacer("{config}", f.AccessConfigurationName, "{targetid}", f.TargetID,
				"{target}", f.TargetName, "{principalid}", f.PrincipalID, "{principal}", f.PrincipalName, "{id}", f.ID,
				"{pathname}", f.TargetPathName, "{path}", f.TargetPath,
				"{request}", fmt.Sprintf("C0DA2DFC-EB18-59EF-BD82-C30862EB%04X", n)).Replace(text)
			label, byRule := Classifier{}.Classify(f)
			checkLabel(t, label)
			if byRule {
				t.Errorf("%q: by a rule, without rules", text)
			}
			labels[label]++
		}
		if labels[want] != 300 {
			t.Errorf("%q: want %q for all, got %v", text, want, labels)
		}
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
		name      string
		task      task.Task
		label     string
		byRule    bool
		codesOnly string
	}{
		{"first rule wins", with("EntityAlreadyExists.Role: x"), "role_already_exists", true, "role_already_exists"},
		{"second rule", with("EntityAlreadyExists.User"), "exists", true, "exists"},
		{"rules see the raw text", with("user u-00q8wbq42wilt0007"), "that_user", true, "that_user"},
		{"rules see what is folded", with("a\x00b"), "nul", true, "nul"},
		{"no rule", with("No Permission."), "No Permission.", false, Unknown},
		{"a code", with("NoPermission: the user Alice may not"), "NoPermission", false, "NoPermission"},
		{"a named code", with("Code: Busy.Now, Message: Alice"), "Busy.Now", false, "Busy.Now"},
		{"a heading that may be a name", with("LiWei.Zhang: denied"), "LiWei.Zhang", false, Unknown},
		{"a stranger's name", with("the user Alice is locked"), "the user <name> is locked", false, Unknown},
		{"a stranger's name that no row knows", with("alice is locked"), "alice is locked", false, Unknown},
		{"no text", with(""), Unknown, false, Unknown},
		{"overflow's label is not given", with("other"), Unknown, false, Unknown},
		{"name like a code", with("EntityNotExist.Role is locked", "EntityNotExist.Role"), "<name> is locked", false, Unknown},
		{"name like a one-word code", with("NoAccess may not be used", "NoAccess"), "<name> may not be used", false, Unknown},
		{"name that is part of a code", with("Throttling.Alice: wait", "Alice"), "Throttling.Alice", false, "Throttling.Alice"},
		{"name that codes have", with("EntityNotExist.Role: The Role", "Role"), "EntityNotExist.Role", false, "EntityNotExist.Role"},
		{"name at the end of a sentence", with("gone: Alice.", "Alice"), "gone: <name>.", false, Unknown},
		{"name inside a word is not replaced", with("Alicent is locked", "Alice"), "Alicent is locked", false, Unknown},
		{"nor its end", with("MyAlice is locked", "Alice"), "MyAlice is locked", false, Unknown},
		{"name with quotes and a newline", with("x: O\"Ne'il\n<b> is locked", "O\"Ne'il\n<b>"), "x: <name> is locked", false, Unknown},
		{"name of one letter is left", with("A role is locked", "A"), "A role is locked", false, Unknown},
		{"name of four-byte characters", with("🦊🦊 is locked", "🦊🦊"), "<name> is locked", false, Unknown},
		{"name like a placeholder", with("name is locked", "name"), "<name> is locked", false, Unknown},
		{"control characters", with("it\u0085is\u2028lo\u202ecked\u009f"), "it is locked", false, Unknown},
	} {
		t.Run(tc.name, func(t *testing.T) {
			label, byRule := Classifier{Rules: rules}.Classify(tc.task)
			if label != tc.label || byRule != tc.byRule {
				t.Errorf("got %q, %v; want %q, %v", label, byRule, tc.label, tc.byRule)
			}
			label, byRule = Classifier{Rules: rules, CodesOnly: true}.Classify(tc.task)
			if label != tc.codesOnly || byRule != tc.byRule {
				t.Errorf("codes only: got %q, %v; want %q, %v", label, byRule, tc.codesOnly, tc.byRule)
			}
		})
	}
}

func TestUnmatched(t *testing.T) {
	with := func(status task.Status, text string, n int) (tasks []task.Task) {
		for i := range n {
			f := failure(i)
			f.Status, f.FailureReason = status, strings.ReplaceAll(text, "{n}", fmt.Sprint(100000+i))
			tasks = append(tasks, f)
		}
		return tasks
	}
	var tasks []task.Task
	for _, some := range [][]task.Task{
		with(task.Failed, "EntityNotExist.Role: The role 'x{n}' not exists.", 9),
		with(task.Failed, "User 'Bob {n}' isn't in\n account 11424052478{n}", 5),
		with(task.Failed, "", 3),
		with(task.Failed, "'{n}'", 2),
		with(task.Failed, "权限\x00不足", 1),
		with(task.Failed, "Throttling.User: wait", 50),
		with(task.Success, "No Permission.", 7),
	} {
		tasks = append(tasks, some...)
	}
	c := Classifier{Rules: []Rule{{regexp.MustCompile(`Throttling`), "throttled"}}}
	want := []Group{
		{"EntityNotExist.Role", 9, "EntityNotExist.Role: The role 'x100000' not exists.", `EntityNotExist\.Role`},
		{"User <name> isn't in account <account>", 5, "User 'Bob 100000' isn't in account 11424052478100000", `isn't in account`},
		{"unknown", 3, "", ""},
		{"<name>", 2, "'100000'", ""},
		{"权限 不足", 1, "权限 不足", "权限 不足"},
	}
	if diff := cmp.Diff(want, c.Unmatched(tasks)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	c.CodesOnly = true
	want = []Group{{"unknown", 11, "", ""}, {"EntityNotExist.Role", 9, "", `EntityNotExist\.Role`}}
	if diff := cmp.Diff(want, c.Unmatched(tasks)); diff != "" {
		t.Errorf("codes only (-want +got):\n%s", diff)
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
		label := labelOf(text)
		checkLabel(t, label)
		if strings.HasSuffix(text, "No Permission.") && label != "No Permission." {
			t.Errorf("behind much white space: %q", label)
		}
	}
}

// TestLimit cuts labels at 100 characters, and no placeholder in two.
func TestLimit(t *testing.T) {
	for pad := 85; pad < 105; pad++ {
		label := labelOf(strings.Repeat("很", pad) + " 'x' y")
		checkLabel(t, label)
		full := strings.Repeat("很", pad) + " <name> y"
		if !strings.HasPrefix(full, label) || strings.Contains(label, "<") != strings.Contains(label, "<name>") {
			t.Errorf("pad %d: %q", pad, label)
		}
		if n := utf8.RuneCountInString(label); pad > 100 && n != 100 || n < min(pad, 100) {
			t.Errorf("pad %d: %d characters", pad, n)
		}
	}
}

func FuzzClassify(f *testing.F) {
	for _, e := range readCorpus(f) {
		f.Add(e.Text, "Alice", "dev-test")
	}
	f.Fuzz(func(t *testing.T, text, name, target string) {
		failed := failure(7)
		failed.FailureReason, failed.PrincipalName, failed.TargetName = text, name, target
		label, byRule := Classifier{}.Classify(failed)
		if byRule {
			t.Error("by a rule, without rules")
		}
		checkLabel(t, label)
		codesOnly, _ := Classifier{CodesOnly: true}.Classify(failed)
		checkLabel(t, codesOnly)
		if codesOnly != Unknown && codesOnly != label || strings.Contains(codesOnly, " ") {
			t.Errorf("codes only: %q, not %q", codesOnly, label)
		}
		if codesOnly != Unknown && strings.Contains(codesOnly, ".") && labelOf(codesOnly) != codesOnly {
			t.Errorf("the code %q has the label %q", codesOnly, labelOf(codesOnly))
		}
		if strings.ContainsFunc(label, isAlphanumeric) {
			for _, g := range (Classifier{}).Unmatched([]task.Task{failed}) {
				regexp.MustCompile(g.Match)
			}
		}

		// The task's own ids do not reach a label, wherever the text has them.
		failed.PrincipalName, failed.TargetName = "", ""
		for _, id := range []string{failed.ID, failed.AccessConfigurationID, failed.TargetID, failed.PrincipalID} {
			failed.FailureReason = text[:len(text)/2] + " " + id + " " + text[len(text)/2:]
			if label, _ := (Classifier{}).Classify(failed); strings.Contains(label, id) && !strings.Contains(text, id) {
				t.Errorf("%q is in %q", id, label)
			}
		}
	})
}

func BenchmarkClassify(b *testing.B) {
	c := Classifier{Rules: []Rule{{regexp.MustCompile(`EntityAlreadyExists\.Role`), "role_already_exists"}}}
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
				c.Classify(f)
			}
		})
	}
}
