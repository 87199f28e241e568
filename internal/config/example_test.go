package config

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"cloudsso_exporter/apiclient"
)

func TestExampleHoldsDefaults(t *testing.T) {
	got, err := Load(examplePath) // as it stands: no file of a secret is needed
	if err != nil {
		t.Fatal(err)
	}
	want := defaults()
	want.Directories = []Directory{{
		ID: "d-00fc2p61xxxx", Name: "production", Region: "cn-shanghai",
		Credential: apiclient.Credential{Type: apiclient.CredentialDefault},
	}}
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("config.example.yaml (-defaults +example):\n%s", diff)
	}
}

func TestExampleHoldsEveryKey(t *testing.T) {
	example := readExample(t)
	keys := keyPaths()
	if len(keys) < 40 {
		t.Errorf("the schema has %d keys: too few to be true: %v", len(keys), keys)
	}
	for _, path := range keys {
		key := path[strings.LastIndexByte(path, '.')+1:]
		if !regexp.MustCompile(`(?m)^[ #-]*` + key + `:`).MatchString(example) {
			t.Errorf("config.example.yaml does not hold %s", path)
		}
	}
}

// What the example shows in comments is valid, too.
func TestExampleUncommented(t *testing.T) {
	example := regexp.MustCompile(`(?m)^  # ((  |- ).*)$`).ReplaceAllString(readExample(t), "  $1")
	example = strings.Replace(example, "  rules: []\n", "", 1)
	example = strings.Replace(example, "  # rules:\n", "  rules:\n", 1)
	outside := Outside{ReadFile: func(string) ([]byte, error) { return []byte("x"), nil }, Getenv: func(string) string { return "" }}
	got, err := Parse("config.example.yaml", []byte(example), outside)
	if err != nil {
		t.Fatal(err)
	}
	if len(got.FailureReasons.Rules) != 2 {
		t.Errorf("%d rules, want 2", len(got.FailureReasons.Rules))
	}
	shown := make(map[apiclient.CredentialType]bool)
	for _, d := range got.Directories {
		shown[d.Credential.Type] = true
	}
	for _, u := range credentialUses() {
		if !shown[u.name] {
			t.Errorf("config.example.yaml shows no credential of type %s", u.name)
		}
	}
}

// What the README shows can be copied.
func TestReadmeIsValid(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(directories:.*?)```").FindAllSubmatch(readme, -1)
	if blocks == nil {
		t.Fatal("README.md shows no configuration")
	}
	for _, block := range blocks {
		if _, err := Parse("README.md", block[1], Outside{}); err != nil {
			t.Error(err)
		}
	}
}

func readExample(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(examplePath)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
