package config

import (
	"fmt"
	"regexp"
	"strings"
)

// unknownKey reports a key that the mapping does not have. It returns the one that was probably meant, if any.
func (v value) unknownKey(e entry, known []string) (meant string) {
	if name, _, ok := strings.Cut(e.key, ":"); ok {
		// {access_key_secret:abc} is one key for YAML. What follows the colon may be a secret.
		v.addAt(e.at, e.line, join(v.path, showKey(name)), "needs a space after the colon")
		return nearest(name, known)
	}
	near := nearest(e.key, known)
	shown := showKey(e.key)
	if near == "" && isNull(follow(e.node)) && strings.HasSuffix(v.path, ".credential") {
		shown = hiddenKey
	}
	v.addAt(e.at, e.line, join(v.path, shown), "unknown key; %s", v.cure(e.key, near, known))
	return near
}

func (v value) cure(key, near string, known []string) string {
	if strings.HasSuffix(v.path, ".filter") && (plain(key) == "status" || plain(key) == "tasktype") {
		return "there is no filter by status or task type, as it would hide what resolves a failure; select by label in the query"
	}
	if near != "" {
		return fmt.Sprintf("did you mean %s?", near)
	}
	if strings.HasSuffix(v.path, ".credential") && strings.HasSuffix(key, "_file") {
		return "only access_key_id, access_key_secret and security_token can also come from a file"
	}
	var homes []string
	for _, path := range v.schema {
		if home, ok := strings.CutSuffix(path, "."+key); ok {
			homes = append(homes, home)
		} else if path == key {
			homes = append(homes, "the top level")
		}
	}
	if len(homes) > 0 {
		return "it belongs to " + alternatives(homes)
	}
	return "remove it; known here: " + strings.Join(known, ", ")
}

const hiddenKey = "(a key that is no plain word)"

// showKey returns a key that nobody knows as it can be shown. What is no plain word may be a value that lost its key,
// a secret even.
func showKey(key string) string {
	if regexp.MustCompile(`^(<<|[A-Za-z_-]{1,40}|[a-z][a-z0-9_-]{0,23})$`).MatchString(key) {
		return key
	}
	return hiddenKey
}

// plain is a key without what people spell differently: case, hyphens, underscores.
func plain(key string) string {
	return strings.ToLower(strings.NewReplacer("_", "", "-", "").Replace(key))
}

// nearest returns the one of known that key is probably a misspelling of, or nothing.
func nearest(key string, known []string) string {
	if len(key) > 64 {
		return ""
	}
	best, bestDistance := "", 1+min(3, len(key)/3)
	for _, k := range known {
		if d := distance(plain(key), plain(k)); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}

// distance is the number of letters to add, remove, change or swap with their neighbour that makes b of a.
func distance(a, b string) int {
	var before []int
	last := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			change := last[j]
			if a[i] != b[j] {
				change++
			}
			row[j+1] = min(change, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}

// alternatives joins words as "a, b or c".
func alternatives(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
