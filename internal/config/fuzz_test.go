package config

import (
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// Whatever the file holds: a Config that keeps its promises, or mistakes of one line each, and no panic.
func FuzzParse(f *testing.F) {
	f.Add([]byte(oneDirectory)) // more of them are in testdata
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := Parse("c.yaml", data, machine{files: map[string]string{"x": "y"}}.outside())
		if err != nil {
			for line := range strings.SplitSeq(err.Error(), "\n") {
				if !strings.HasPrefix(line, "c.yaml:") || !utf8.ValidString(line) || strings.ContainsFunc(line, unicode.IsControl) {
					t.Errorf("an error of the line %q", line)
				}
			}
			if all, ok := errors.AsType[*Error](err); !ok || len(all.Problems) != 1+strings.Count(err.Error(), "\n") {
				t.Errorf("not a line for each problem: %q", err)
			}
			return
		}
		if len(c.Directories) == 0 || c.Window < 3600e9 || c.Window > 7*24*3600e9 || !(c.API.RateLimit > 0) || c.API.Burst < 1 {
			t.Errorf("accepted: %+v", c)
		}
		seen := make(map[string]bool)
		for _, d := range c.Directories {
			if seen[d.ID] || d.ID == "" || d.Region == "" || d.Credential.Type == "" {
				t.Errorf("accepted: %+v", c)
			}
			seen[d.ID] = true
		}
		for _, r := range c.FailureReasons.Rules {
			if r.Match == nil || r.Reason == "" || r.Reason == "other" || utf8.RuneCountInString(r.Reason) > 100 || !utf8.ValidString(r.Reason) {
				t.Errorf("accepted rule %q", r.Reason)
			}
		}
		again, err := Parse("c.yaml", data, machine{files: map[string]string{"x": "y"}}.outside())
		if err != nil || !c.Equal(again) {
			t.Errorf("the second time: %v, %v", again, err)
		}
	})
}
