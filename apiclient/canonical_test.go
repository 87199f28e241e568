package apiclient

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func TestCanonicalQuery(t *testing.T) {
	for name, tc := range map[string]struct{ raw, want string }{
		"nothing":             {"", ""},
		"sorted by name":      {"b=2&a=1&B=3", "B=3&a=1&b=2"},
		"repeated, by value":  {"a=2&a=1&a=", "a=&a=1&a=2"},
		"empty and no value":  {"a=&b", "a=&b="},
		"empty parts":         {"&&a=1&", "a=1"},
		"space, either way":   {"a=1+2%203", "a=1%202%203"},
		"plus":                {"a=1%2B2", "a=1%2B2"},
		"tilde and asterisk":  {"a=%7E~*", "a=~~%2A"},
		"unreserved":          {"a=-_.~09AZaz", "a=-_.~09AZaz"},
		"Filter":              {"Filter=StartTime ge 2021-03-15T01:12:23Z", "Filter=StartTime%20ge%202021-03-15T01%3A12%3A23Z"},
		"UTF-8":               {"a=é界😀", "a=%C3%A9%E7%95%8C%F0%9F%98%80"},
		"value with an equal": {"a=b=c", "a=b%3Dc"},
		"sorted as encoded":   {"a%21=1&a0=2", "a%21=1&a0=2"},
		"slash and ampersand": {"a=%2f%26", "a=%2F%26"},
	} {
		got, err := canonicalQuery(tc.raw)
		if err != nil || got != tc.want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, tc.want)
		}
	}
	for _, raw := range []string{"a=%", "a=%zz", "%x=1"} {
		if got, err := canonicalQuery(raw); err == nil {
			t.Errorf("%q: %q, want an error", raw, got)
		}
	}
}

func TestCanonicalRequest(t *testing.T) {
	r, _ := http.NewRequest(http.MethodPost, "https://example.com:8443?a=1", nil)
	r.Header["X-Acs-B"] = []string{" 2 ", "3"}
	r.Header["X-Acs-A"] = []string{"1"}
	r.Header["Accept"] = []string{"application/json"}
	canonical, names := canonicalRequest(r, "sum")
	want := "POST\n/\na=1\nhost:example.com:8443\nx-acs-a:1\nx-acs-b:2 ,3\n\nhost;x-acs-a;x-acs-b\nsum"
	if canonical != want || names != "host;x-acs-a;x-acs-b" {
		t.Errorf("got %q, %q; want %q", canonical, names, want)
	}
}

// The other way to encode, of the standard library, differs in the space alone.
func FuzzCanonicalQuery(f *testing.F) {
	for _, raw := range []string{"", "a=1", "b=2&a=1&a=0", "a=%2B+%20~*", "é=界", "a=%", "=&=", "a;b=c"} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := canonicalQuery(raw)
		if err != nil {
			return
		}
		again, err := canonicalQuery(got)
		if err != nil || again != got {
			t.Fatalf("%q became %q, and that %q (%v)", raw, got, again, err)
		}
		var want []string
		for part := range strings.SplitSeq(raw, "&") {
			if part == "" {
				continue
			}
			name, value, _ := strings.Cut(part, "=")
			name, _ = url.QueryUnescape(name)
			value, _ = url.QueryUnescape(value)
			want = append(want, strings.ReplaceAll(url.QueryEscape(name)+"="+url.QueryEscape(value), "+", "%20"))
		}
		parts := strings.Split(got, "&")
		if got == "" {
			parts = nil
		}
		slices.Sort(want)
		slices.Sort(parts)
		if !slices.Equal(parts, want) {
			t.Fatalf("%q became %q, want the parts %q", raw, got, want)
		}
	})
}
