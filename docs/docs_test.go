// Package docs holds the checks on what is written here.
package docs

import (
	"os"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// names are what a translation must not lose or change: alerts, metrics, flags,
// paths, commands, task types, links and code.
var names = regexp.MustCompile("(?m)" +
	`\bCloudSSO[A-Z]\w+` + // alerts
	`|\bcloudsso_\w+` +
	`|--[a-z][a-z.-]*` +
	`|/(?:api/v1|-)/[a-z]+` +
	`|\b[A-Z][a-z]+(?:AccessConfiguration|AccessAssignment)\b` +
	`|\]\([^)]+\.(?:md|yml|yaml|jpg)[^)]*\)` +
	`|^ {4,}\S.*$` + // commands
	"|`[^`\n]+`" + // code
	"|^ *[a-z_]+: .*$") // YAML

// Both versions of a page name the same things.
func TestTranslations(t *testing.T) {
	for english, chinese := range map[string]string{
		"../README.md": "../README.zh-CN.md",
		"runbooks.md":  "runbooks.zh-CN.md",
	} {
		t.Run(chinese, func(t *testing.T) {
			if diff := cmp.Diff(named(t, english), named(t, chinese)); diff != "" {
				t.Errorf("%s and %s do not name the same things (-English +Chinese):\n%s", english, chinese, diff)
			}
		})
	}
}

// named are the names on a page, sorted, each once. A link to a translation counts as one to the original.
func named(t *testing.T, path string) []string {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text = regexp.MustCompile(`\.zh-CN\.md`).ReplaceAll(text, []byte(".md"))
	text = regexp.MustCompile(`(?s)## 术语.*?\n## `).ReplaceAll(text, nil) // the glossary, which only the translation has
	found := names.FindAllString(string(text), -1)
	slices.Sort(found)
	if found = slices.Compact(found); len(found) < 40 {
		t.Fatalf("%s: only %d names are found", path, len(found))
	}
	return found
}

// CONTRIBUTING.md names files and folders that are there.
func TestContributingNamesWhatIsThere(t *testing.T) {
	text, err := os.ReadFile("../CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	paths := regexp.MustCompile("`([a-z.A-Z][\\w./-]*(?:/|\\.(?:go|md)))`").FindAllStringSubmatch(string(text), -1)
	if len(paths) < 20 {
		t.Fatalf("only %d paths are found", len(paths))
	}
	for _, path := range paths {
		if _, err := os.Stat("../" + path[1]); err != nil {
			t.Error(err)
		}
	}
}
