package config

import (
	"fmt"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v4"
)

// reading fills a Config from the nodes of a document, and notes where each value stands. The YAML library's own strict
// decoding gives no key path, names Go types, and lets one duplicate key hide the other mistakes of its mapping.
type reading struct {
	*problems
	copy   int              // which of the values of a duplicate key to take, from 1; the last when it has fewer
	copies int              // most values that a key has
	places map[string]place // by key path
	unread map[string]bool  // key paths without a value because of a mistake that has been told
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

func isNull(n *yaml.Node) bool { return n.ShortTag() == "!!null" }

// follow returns what an alias stands for. An anchor never names an alias, so one step is enough.
func follow(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
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
	lines := make(map[string][]int) // of each key
	for pair := range slices.Chunk(n.Content, 2) {
		name := follow(pair[0])
		e := entry{place{line: pair[0].Line, node: pair[0]}, name.Value, follow(pair[1])}
		if name.Kind != yaml.ScalarNode {
			r.add(e.place, path, "a key must be a plain word, not %s; check brackets and braces", kindOf(name))
			continue
		}
		lines[e.key] = append(lines[e.key], e.line)
		copies := len(lines[e.key])
		r.copies = max(r.copies, copies)
		if copies > 1 {
			r.add(e.place, join(path, showKey(e.key)), "is set twice, first on line %d; remove one", lines[e.key][0])
		}
		switch i := indexOf(own, e.key); {
		case name.ShortTag() == "!!merge":
			merged = append(merged, r.merge(e, path, seen)...)
		case i < 0:
			own = append(own, e)
		case copies <= r.copy && !isNull(e.value):
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
func (r *reading) merge(e entry, path string, seen map[*yaml.Node]bool) (all []entry) {
	sources := []*yaml.Node{e.value}
	if e.value.Kind == yaml.SequenceNode {
		sources = e.value.Content
	}
	for _, n := range sources {
		if n = follow(n); n.Kind == yaml.MappingNode {
			all = append(all, r.entries(n, path, seen)...)
		} else {
			r.add(e.place, join(path, e.key), "must merge key: value lines, not %s; name an anchor (*name) of a mapping", kindOf(n))
		}
	}
	return all
}
