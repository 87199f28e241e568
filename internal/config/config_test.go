package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"cloudsso_exporter/apiclient"
	"cloudsso_exporter/internal/reason"
	"cloudsso_exporter/internal/task"
)

const examplePath = "../../config.example.yaml"

// compareExpressions makes go-cmp compare regular expressions as they are written.
var compareExpressions = cmp.Comparer(func(a, b *regexp.Regexp) bool { return a.String() == b.String() })

// machine is what a test's machine holds: files by path, and the environment.
type machine struct {
	files       map[string]string
	environment map[string]string
}

func (m machine) outside() Outside {
	return Outside{
		ReadFile: func(path string) ([]byte, error) {
			content, ok := m.files[path]
			if !ok {
				return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
			}
			return []byte(content), nil
		},
		Getenv: func(name string) string { return m.environment[name] },
	}
}

func TestParseEverything(t *testing.T) {
	const data = `
window: 1d12h
cache_ttl: 0
new_series_hold: 1m30s
api: {rate_limit: 0.5, burst: 1, request_timeout: 500ms, page_timeout: 1.5h, max_retries: 0}
failure_reasons:
  limit: 2
  rules:
    - {match: '(?i)EntityAlreadyExists\.Role', reason: role_already_exists}
    - {match: 'exists', reason: role_already_exists}
    - {match: '.*', reason: unknown}
unresolved_failures: {limit: 0, names: false, max_age: 1w}
directories:
  - directory_id: d-1
    name: Größe 7
    region: cn-shanghai
    endpoint: https://cloudsso-vpc.cn-shanghai.aliyuncs.com/
    credential: {type: access_key, access_key_id: LTAI, access_key_secret_file: secrets/secret}
    filter: {access_configuration_id: ac-1, target_type: RD-Account, target_id: 0114240524784, principal_type: Group, principal_id: g-1}
  - directory_id: d-2
    region: xx-nowhere-9
`
	got, err := Parse("/etc/exporter/config.yaml", []byte(data), machine{files: map[string]string{"/etc/exporter/secrets/secret": "s\n"}}.outside())
	if err != nil {
		t.Fatal(err)
	}
	want := &Config{
		Window:        36 * time.Hour,
		NewSeriesHold: 90 * time.Second,
		API:           API{RateLimit: 0.5, Burst: 1, RequestTimeout: 500 * time.Millisecond, PageTimeout: 90 * time.Minute},
		FailureReasons: FailureReasons{Limit: 2, Rules: []reason.Rule{
			{Match: regexp.MustCompile(`(?i)EntityAlreadyExists\.Role`), Reason: "role_already_exists"},
			{Match: regexp.MustCompile(`exists`), Reason: "role_already_exists"},
			{Match: regexp.MustCompile(`.*`), Reason: "unknown"},
		}},
		Unresolved: Unresolved{MaxAge: 168 * time.Hour},
		Directories: []Directory{
			{
				ID: "d-1", Name: "Größe 7", Region: "cn-shanghai", Endpoint: "https://cloudsso-vpc.cn-shanghai.aliyuncs.com",
				Credential: apiclient.Credential{Type: "access_key", AccessKeyID: "LTAI", AccessKeySecretFile: "/etc/exporter/secrets/secret"},
				Filter: task.Filter{AccessConfigurationID: "ac-1", TargetType: "RD-Account", TargetID: "0114240524784",
					PrincipalType: "Group", PrincipalID: "g-1"},
			},
			{ID: "d-2", Region: "xx-nowhere-9", Credential: apiclient.Credential{Type: "default"}},
		},
	}
	if diff := cmp.Diff(want, got, compareExpressions); diff != "" {
		t.Errorf("Config (-want +got):\n%s", diff)
	}
}

// The defaults, written out apart from the code.
func wantDefaults() *Config {
	return &Config{
		Window:         168 * time.Hour,
		CacheTTL:       55 * time.Second,
		NewSeriesHold:  120 * time.Second,
		API:            API{RateLimit: 5, Burst: 10, RequestTimeout: 10 * time.Second, PageTimeout: 60 * time.Second, MaxRetries: 4},
		FailureReasons: FailureReasons{Limit: 50},
		Unresolved:     Unresolved{Limit: 50, Names: true, MaxAge: 720 * time.Hour},
	}
}

func TestParseDefaults(t *testing.T) {
	want := wantDefaults()
	want.Directories = []Directory{{ID: "d-1", Region: "cn-shanghai", Credential: apiclient.Credential{Type: "default"}}}
	for name, data := range map[string]string{
		"left out":          "directories: [{directory_id: d-1, region: cn-shanghai}]",
		"without values":    "window:\napi:\nfailure_reasons: {rules: }\ndirectories: [{directory_id: d-1, region: cn-shanghai, name: , filter: , credential: }]",
		"empty":             "api: {}\nfailure_reasons: {rules: []}\ndirectories: [{directory_id: d-1, region: cn-shanghai, name: '', endpoint: '', filter: {target_id: ''}, credential: {}}]",
		"Windows":           "\ufeff# comment\r\ndirectories:\r\n- directory_id: d-1\r\n  region: cn-shanghai\r\n",
		"a byte order mark": "\ufeffdirectories: [{directory_id: d-1, region: cn-shanghai}]",
		"Windows' Unicode":  utf16("\ufeffdirectories: [{directory_id: d-1, region: cn-shanghai}]\r\n"),
		"an old version":    "%YAML 1.1\ndirectories: [{directory_id: d-1, region: cn-shanghai}]\n",
		"its version":       "\ufeff# comment\r\n\r\n%YAML 1.2 # here\n---\ndirectories: [{directory_id: d-1, region: cn-shanghai}]\n",
		"begun":             "---\ndirectories: [{directory_id: d-1, region: cn-shanghai}]\n...\n",
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Parse("config.yaml", []byte(data), machine{}.outside())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("Config (-want +got):\n%s", diff)
			}
		})
	}
}

// utf16 returns s in UTF-16, the lower byte first.
func utf16(s string) string {
	var b strings.Builder
	for _, r := range s {
		b.WriteByte(byte(r))
		b.WriteByte(byte(r >> 8))
	}
	return b.String()
}

func TestParseAliases(t *testing.T) {
	const data = `
directories:
  - &first
    directory_id: d-1
    region: cn-shanghai
    credential: &shared {type: ecs_ram_role, role_name: exporter}
  - directory_id: d-2
    region: us-west-1
    credential: *shared
  - <<: [*first, {region: never, name: merged}]
    directory_id: d-3
`
	got, err := Parse("config.yaml", []byte(data), machine{}.outside())
	if err != nil {
		t.Fatal(err)
	}
	shared := apiclient.Credential{Type: "ecs_ram_role", RoleName: "exporter"}
	want := []Directory{
		{ID: "d-1", Region: "cn-shanghai", Credential: shared},
		{ID: "d-2", Region: "us-west-1", Credential: shared},
		{ID: "d-3", Region: "cn-shanghai", Name: "merged", Credential: shared},
	}
	if diff := cmp.Diff(want, got.Directories); diff != "" {
		t.Errorf("Directories (-want +got):\n%s", diff)
	}
}

func TestSingle(t *testing.T) {
	got, err := Single("d-1", "cn-shanghai")
	if err != nil {
		t.Fatal(err)
	}
	want := wantDefaults()
	want.Directories = []Directory{{ID: "d-1", Region: "cn-shanghai", Credential: apiclient.Credential{Type: "default"}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Config (-want +got):\n%s", diff)
	}

	_, err = Single("my directory", "")
	wantProblems(t, err, `
--directory-id: is "my directory"; must be a directory id, such as d-00fc2p61xxxx; the CloudSSO console shows it
--region: is missing; set it, or describe directories in a file with --config.file`)
}

func TestLoad(t *testing.T) {
	folder := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("id", "LTAI\n")
	write("empty", " \n")
	const head = "directories:\n- directory_id: d-1\n  region: cn-shanghai\n  credential: {type: access_key, access_key_id_file: id, access_key_secret_file: "

	good := write("good.yaml", head+"id}\n")
	got, err := Load(good)
	if err != nil {
		t.Fatal(err)
	}
	if id, want := got.Directories[0].Credential.AccessKeyIDFile, filepath.Join(folder, "id"); id != want {
		t.Errorf("AccessKeyIDFile = %q, want %q", id, want)
	}
	if id := got.Directories[0].KeyID; id != "LTAI" {
		t.Errorf("KeyID = %q, want what the file holds", id)
	}

	bad := write("bad.yaml", head+"empty}\n")
	_, err = Load(bad)
	wantProblems(t, err, bad+`:4: directories[0].credential.access_key_secret_file: file "`+folder+`/empty" is empty; write the value into it`)

	bad = write("folder.yaml", head+".}\n")
	_, err = Load(bad)
	wantProblems(t, err, bad+`:4: directories[0].credential.access_key_secret_file: file "`+folder+
		`" cannot be read: is a folder; create it or correct the path, relative ones start at the folder of this configuration`)

	missing := filepath.Join(folder, "missing.yaml")
	_, err = Load(missing)
	wantProblems(t, err, missing+": cannot be read: no such file or directory; check --config.file")
}

func wantProblems(t *testing.T, err error, want string) {
	t.Helper()
	configError, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("error is %T (%v), want *Error", err, err)
	}
	if len(configError.Problems) == 0 {
		t.Error("an Error without Problems")
	}
	if diff := cmp.Diff(strings.TrimSpace(want), err.Error()); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestEqual(t *testing.T) {
	const data = "failure_reasons: {rules: [{match: a, reason: b}]}\ndirectories: [{directory_id: d-1, region: cn-shanghai}]\n"
	parse := func(data string) *Config {
		c, err := Parse("config.yaml", []byte(data), machine{}.outside())
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	a := parse(data)
	if b := parse("# again\n" + data); !a.Equal(b) {
		t.Error("the same settings are not Equal")
	}
	for _, changed := range []string{
		"window: 1d\n" + data,
		"cache_ttl: 1s\n" + data,
		"new_series_hold: 1s\n" + data,
		"api: {burst: 3}\n" + data,
		"unresolved_failures: {names: false}\n" + data,
		strings.Replace(data, "match: a", "match: aa", 1),
		strings.Replace(data, "reason: b", "reason: c", 1),
		strings.Replace(data, "{rules", "{limit: 49, rules", 1),
		strings.Replace(data, "d-1", "d-2", 1),
		strings.Replace(data, "cn-shanghai}", "cn-shanghai, credential: {type: ecs_ram_role}}", 1),
	} {
		if b := parse(changed); a.Equal(b) || b.Equal(a) {
			t.Errorf("Equal in spite of:\n%s", changed)
		}
	}
}

// A leading zero makes a number octal in YAML, which nobody means.
func TestNumbersAreDecimal(t *testing.T) {
	c, err := Parse("c.yaml", []byte("%YAML 1.2\n---\nunresolved_failures: {limit: 010}\ndirectories: [{directory_id: d-1, region: cn-shanghai}]\n"), Outside{})
	if err != nil || c.Unresolved.Limit != 10 {
		t.Fatalf("%v, %v", c, err)
	}
}

// Without the machine's environment and secrets, the file alone is checked.
func TestLoadSyntax(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.yaml")
	write := func(data string) {
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`directories:
- {directory_id: d-1, region: cn-shanghai, credential: {type: oidc_role_arn}}
- {directory_id: d-2, region: cn-shanghai, credential: {type: access_key, access_key_id_file: /none, access_key_secret_file: /none}}
`)
	if _, err := LoadSyntax(path); err != nil {
		t.Error(err)
	}
	if _, err := Load(path); err == nil {
		t.Error("Load does not miss the files")
	}
	write("window: 8d\n")
	if _, err := LoadSyntax(path); err == nil {
		t.Error("mistakes in the file are not found")
	}
}

// A pipe that nobody writes to stops nobody. The configuration itself may come through one, as from `<(sops …)`.
func TestPipes(t *testing.T) {
	folder := t.TempDir()
	fifo, path := filepath.Join(folder, "fifo"), filepath.Join(folder, "c.yaml")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	const data = "directories: [{directory_id: d-1, region: cn-shanghai, credential: {type: access_key, access_key_id: a, access_key_secret_file: fifo}}]\n"
	if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Load(path)
	wantProblems(t, err, path+`:1: directories[0].credential.access_key_secret_file: file "`+fifo+
		`" cannot be read: is not a regular file; create it or correct the path, relative ones start at the folder of this configuration`)

	go os.WriteFile(fifo, []byte(strings.Replace(data, "_file: fifo", ": x", 1)), 0o600)
	if _, err := Load(fifo); err != nil {
		t.Error(err)
	}
}

func TestWarnings(t *testing.T) {
	c, err := Parse("c.yaml", []byte(`directories:
- {directory_id: d-1, region: cn-shanghai}
- {directory_id: d-2, region: cn-shangai}
- {directory_id: d-3, region: us-west-1, credential: {type: ram_role_arn, role_arn: 'acs:ram::1142405247840000:role/a'}}
- {directory_id: d-4, region: us-west-1, credential: {type: ram_role_arn, role_arn: 'acs:ram::1142405247840000:role/b', access_key_id: x, access_key_secret: y}}
- {directory_id: d-5, region: us-west-1, credential: {type: access_key, access_key_id_file: a, access_key_secret_file: b}}
- {directory_id: d-6, region: us-west-1, credential: {type: access_key, access_key_id_file: c, access_key_secret_file: d}}
`), Outside{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range Warnings(c) {
		got = append(got, p.String())
	}
	want := []string{
		"directories[1].region: cn-shangai is none of the regions where CloudSSO is known to be (cn-shanghai, cn-hongkong, ap-northeast-2, ap-southeast-1, us-west-1 or eu-central-1); check the spelling",
		"directories[1].credential: uses the same account as directories[0].credential, but an account has only one directory: one of the two is probably wrong",
		"directories[3].credential: uses the same account as directories[2].credential, but an account has only one directory: one of the two is probably wrong",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
