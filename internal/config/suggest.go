package config

import (
	"regexp"
	"slices"
	"strings"
)

// unknownKey reports a key that the mapping at path does not have. If it is a misspelling of a key that is not beside
// it, that one is not missing.
func (r *reading) unknownKey(e entry, path string, known []string, beside []entry) {
	known = slices.DeleteFunc(slices.Clone(known), func(key string) bool { return key == "" })
	name, _, joined := strings.Cut(e.key, ":")
	meant := nearest(name, known)
	if meant != "" && indexOf(beside, meant) < 0 {
		r.unread[join(path, meant)] = true
	}
	shown := showKey(name)
	if meant == "" && isNull(e.value) && strings.HasSuffix(path, ".credential") {
		shown = hiddenKey
	}
	message := "unknown key; remove it; known here: " + strings.Join(known, ", ")
	switch homes := mappingsWith(e.key); {
	case joined: // {access_key_secret:abc} is one key for YAML
		message = "needs a space after the colon"
	case strings.HasSuffix(path, ".filter") && (plain(e.key) == "status" || plain(e.key) == "tasktype"):
		message = "unknown key; there is no filter by status or task type, as it would hide what resolves a failure; select by label in the query"
	case meant != "":
		message = "unknown key; did you mean " + meant + "?"
	case homes != nil:
		message = "unknown key; it belongs to " + alternatives(homes)
	}
	r.add(e.place, join(path, shown), "%s", message)
}

// mappingsWith returns the paths of the mappings that have the key.
func mappingsWith(key string) (paths []string) {
	for _, path := range keyPaths() {
		if path == key {
			paths = append(paths, "the top level")
		} else if home, ok := strings.CutSuffix(path, "."+key); ok {
			paths = append(paths, home)
		}
	}
	return paths
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

// nearest returns the one of known that word is probably a misspelling of, or nothing.
func nearest(word string, known []string) string {
	for edits := range 1 + min(3, len(word)/3) {
		for _, k := range known {
			if near(plain(word), plain(k), edits) {
				return k
			}
		}
	}
	return ""
}

// near reports whether so many letters added, removed, changed or swapped with their neighbour make b of a.
func near(a, b string, edits int) bool {
	for a != "" && b != "" && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	if edits == 0 || a == b {
		return a == b
	}
	edits--
	return a != "" && near(a[1:], b, edits) || b != "" && near(a, b[1:], edits) ||
		a != "" && b != "" && near(a[1:], b[1:], edits) ||
		len(a) > 1 && len(b) > 1 && a[0] == b[1] && a[1] == b[0] && near(a[2:], b[2:], edits)
}

// alternatives joins words as "a, b or c".
func alternatives(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
