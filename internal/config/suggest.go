package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// unknownKey reports a key that the mapping at path does not have. If it is a misspelling of a key that is not beside
// it, that one is not missing.
func (r *reading) unknownKey(e entry, path string, known []string, beside []entry) {
	known = slices.DeleteFunc(slices.Clone(known), func(key string) bool { return key == "" })
	name, _, joined := strings.Cut(e.key, ":")
	near := nearest(name, known)
	if near != "" && indexOf(beside, near) < 0 {
		r.unread[join(path, near)] = true
	}
	if joined {
		// {access_key_secret:abc} is one key for YAML. What follows the colon may be a secret.
		r.add(e.place, join(path, showKey(name)), "needs a space after the colon")
		return
	}
	shown := showKey(e.key)
	if near == "" && isNull(e.value) && strings.HasSuffix(path, ".credential") {
		shown = hiddenKey
	}
	r.add(e.place, join(path, shown), "unknown key; %s", cureOfKey(e.key, near, path, known))
}

func cureOfKey(key, near, path string, known []string) string {
	if strings.HasSuffix(path, ".filter") && (plain(key) == "status" || plain(key) == "tasktype") {
		return "there is no filter by status or task type, as it would hide what resolves a failure; select by label in the query"
	}
	if near != "" {
		return fmt.Sprintf("did you mean %s?", near)
	}
	if strings.HasSuffix(path, ".credential") && strings.HasSuffix(key, "_file") {
		return "only access_key_id, access_key_secret and security_token can also come from a file"
	}
	var homes []string
	for _, other := range keyPaths() {
		if home, ok := strings.CutSuffix(other, "."+key); ok {
			homes = append(homes, home)
		} else if other == key {
			homes = append(homes, "the top level")
		}
	}
	if len(homes) > 0 {
		return "it belongs to " + alternatives(homes)
	}
	return "remove it; known here: " + strings.Join(known, ", ")
}

const hiddenKey = "(a key that is not a plain word)"

// showKey returns a key that nobody knows as it can be shown. What is not a plain word may be a value that lost its key,
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
	d := make([][]int, len(a)+1) // between the first i letters of a and the first j of b
	for i := range d {
		d[i] = make([]int, len(b)+1)
		for j := range d[i] {
			switch {
			case i == 0 || j == 0:
				d[i][j] = i + j
			case a[i-1] == b[j-1]:
				d[i][j] = d[i-1][j-1]
			default:
				d[i][j] = 1 + min(d[i-1][j-1], d[i-1][j], d[i][j-1])
				if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
					d[i][j] = min(d[i][j], 1+d[i-2][j-2])
				}
			}
		}
	}
	return d[len(a)][len(b)]
}

// alternatives joins words as "a, b or c".
func alternatives(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
