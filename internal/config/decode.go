package config

import (
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"cloudsso_exporter/internal/reason"
)

// reading fills a Config from the nodes of a document, and notes where each value stands. The YAML library's own strict
// decoding gives no key path, names Go types, and lets one duplicate key hide the other mistakes of its mapping.
type reading struct {
	*problems
	last     bool             // of the values of a duplicate key, take the last; false: the first
	repeated bool             // there is a duplicate key, so the other reading may find more
	places   map[string]place // by key path
	unread   map[string]bool  // key paths without a value because of a mistake that has been told
}

// fail reports that a value cannot be read.
func (r *reading) fail(path, format string, args ...any) {
	r.unread[path] = true
	r.add(r.places[path], path, format, args...)
}

// report adds the line to problems that name only their key. It leaves out what follows from a mistake told already: a
// value that could not be read looks as if it were missing, and a wrong one as if it did not fit another.
func (r *reading) report(found ...Problem) {
	wrong := make(map[string]bool)
	for _, p := range found {
		if r.isUnread(p.Key) || p.Other != "" && (r.isUnread(p.Other) || wrong[p.Key] || wrong[p.Other]) {
			continue
		}
		wrong[p.Key] = true
		at, other := r.nearest(p.Key), r.places[p.Other]
		if at.variable != "" {
			p.Message = "in the environment variable " + at.variable + " " + p.Message
		}
		if p.Other != "" && other.line > 0 && other.line != at.line {
			p.Message += fmt.Sprintf(" (see line %d)", other.line)
		}
		r.add(at, p.Key, "%s", p.Message)
	}
}

func (r *reading) isUnread(path string) bool {
	for path != "" && !r.unread[path] {
		path = parent(path)
	}
	return r.unread[path]
}

// nearest returns the place of a key or, when it is not in the file, of the mapping that it belongs to.
func (r *reading) nearest(path string) place {
	for path != "" && r.places[path].node == nil {
		path = parent(path)
	}
	return r.places[path]
}

func parent(path string) string      { return path[:max(0, strings.LastIndexAny(path, ".["))] }
func join(path, key string) string   { return strings.TrimPrefix(path+"."+key, ".") }
func item(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }
func isNull(n *yaml.Node) bool       { return n.ShortTag() == "!!null" }
func follow(node *yaml.Node) *yaml.Node { // an anchor never names an alias, so one step is enough
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

// value fills into from a node.
func (r *reading) value(n *yaml.Node, line int, path string, into reflect.Value) {
	n = follow(n)
	r.places[path] = place{line: line, node: n}
	switch kind := into.Kind(); {
	case kind == reflect.Struct && n.Kind == yaml.MappingNode:
		r.mapping(n, path, into)
	case kind == reflect.Struct:
		r.fail(path, "must hold key: value lines, not %s; write them below it, indented", kindOf(n))
	case kind == reflect.Slice && n.Kind == yaml.SequenceNode:
		into.Grow(len(n.Content))
		into.SetLen(len(n.Content))
		for i, entry := range n.Content {
			r.value(entry, entry.Line, item(path, i), into.Index(i))
		}
	case kind == reflect.Slice:
		r.fail(path, "must be a list, not %s; begin each entry with a dash", kindOf(n))
	default:
		if err := scalar(n, into); err != nil {
			r.fail(path, "%v", err)
		}
	}
}

// mapping fills a struct. A key without a value (`api:` with all its lines commented out) is as good as absent.
func (r *reading) mapping(n *yaml.Node, path string, into reflect.Value) {
	keys := keysOf(into.Type())
	all := r.entries(n, path, make(map[*yaml.Node]bool))
	for _, e := range all {
		switch i := slices.Index(keys, e.key); {
		case i < 0 || e.key == "":
			r.unknownKey(e, path, keys, all)
		case isNull(e.value):
			r.places[join(path, e.key)] = e.place
		default:
			r.value(e.value, e.line, join(path, e.key), into.Field(i))
		}
	}
}

// entry is a key of a mapping, and its value with the alias followed.
type entry struct {
	place // of the key
	key   string
	value *yaml.Node
}

// entries returns each key of a mapping once, those that a merge key (<<) brings in last. Merges may go round in a
// circle, so it notes the mappings that it has seen.
func (r *reading) entries(n *yaml.Node, path string, seen map[*yaml.Node]bool) []entry {
	if seen[n] {
		return nil
	}
	seen[n] = true
	var own, merged []entry
	first := make(map[string]int) // line of each key
	for i := 0; i+1 < len(n.Content); i += 2 {
		name := follow(n.Content[i])
		e := entry{place{line: n.Content[i].Line, node: n.Content[i]}, name.Value, follow(n.Content[i+1])}
		if name.Kind != yaml.ScalarNode {
			r.add(e.place, path, "a key must be a plain word, not %s; check brackets and braces", kindOf(name))
			continue
		}
		if line, again := first[e.key]; again {
			r.repeated = true
			r.add(e.place, join(path, showKey(e.key)), "is set twice, first on line %d; remove one", line)
		} else {
			first[e.key] = e.line
		}
		switch i := indexOf(own, e.key); {
		case name.ShortTag() == "!!merge":
			merged = append(merged, r.merge(e, path, seen)...)
		case i < 0:
			own = append(own, e)
		case r.last && !isNull(e.value):
			own[i] = e
		}
	}
	for _, e := range merged {
		if indexOf(own, e.key) < 0 {
			own = append(own, e)
		}
	}
	return own
}

func indexOf(entries []entry, key string) int {
	return slices.IndexFunc(entries, func(e entry) bool { return e.key == key })
}

// merge returns the entries of the mappings that a merge key names.
func (r *reading) merge(e entry, path string, seen map[*yaml.Node]bool) []entry {
	mappings := []*yaml.Node{e.value}
	if e.value.Kind == yaml.SequenceNode {
		mappings = e.value.Content
	}
	var all []entry
	for _, n := range mappings {
		if n = follow(n); n.Kind == yaml.MappingNode {
			all = append(all, r.entries(n, path, seen)...)
		} else {
			r.add(e.place, join(path, e.key), "must merge key: value lines, not %s; name an anchor (*name) of a mapping", kindOf(n))
		}
	}
	return all
}

// keysOf returns the key of each field of a struct: its yaml tag, or its name in snake case (OIDCTokenFile:
// oidc_token_file). It is empty for a field that is not in the file.
func keysOf(t reflect.Type) []string {
	border := regexp.MustCompile(`([a-z])([A-Z])|([A-Z])([A-Z][a-z])`)
	var keys []string
	for f := range t.Fields() {
		key, tagged := f.Tag.Lookup("yaml")
		if !tagged {
			key = strings.ToLower(border.ReplaceAllString(f.Name, "${1}${3}_${2}${4}"))
		}
		keys = append(keys, strings.TrimPrefix(key, "-"))
	}
	return keys
}

// keyPaths returns the paths of all keys that a file may have; [] stands for an entry of a list.
func keyPaths() (paths []string) {
	full := Config{FailureReasons: FailureReasons{Rules: make([]reason.Rule, 1)}, Directories: make([]Directory, 1)}
	walk(reflect.ValueOf(full), "", func(path, _ string, _ reflect.Value) {
		paths = append(paths, strings.ReplaceAll(path, "[0]", "[]"))
	})
	return paths
}

// walk visits the value of every key below v.
func walk(v reflect.Value, path string, visit func(path, key string, v reflect.Value)) {
	switch v.Kind() {
	case reflect.Struct:
		for i, key := range keysOf(v.Type()) {
			if key != "" {
				visit(join(path, key), key, v.Field(i))
				walk(v.Field(i), join(path, key), visit)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			walk(v.Index(i), item(path, i), visit)
		}
	}
}
