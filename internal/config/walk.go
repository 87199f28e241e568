package config

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

// The walk turns YAML nodes into typed values along a table: each mapping has a list of fields, each field a key and
// what to do with its value. Strict decoding into structs would be shorter, but gives no key path, names Go types, and
// lets one duplicate key hide the other mistakes of its mapping.

// field is one key of a mapping that fills a T.
type field[T any] struct {
	key    string
	below  []string // keys of the mapping below, as paths relative to this key
	decode func(v value, into *T)
}

// scalar is a key whose value parse understands. Its error says what is wrong and what to do, without key and line.
func scalar[T, V any](key string, at func(*T) *V, parse func(value) (V, error)) field[T] {
	return field[T]{key: key, decode: func(v value, into *T) {
		parsed, err := parse(v)
		if err != nil {
			v.fail("%v", err)
			return
		}
		*at(into) = parsed
	}}
}

// nested is a key with a mapping below it; check is called once its fields are filled, with what they could be filled with.
func nested[T, U any](key string, at func(*T) *U, fields []field[U], check func(mapping, *U)) field[T] {
	return field[T]{key: key, below: paths(".", fields), decode: func(v value, into *T) {
		decodeMapping(v, fields, at(into), check)
	}}
}

// list is a key with a list of mappings below it.
func list[T, U any](key string, at func(*T) *[]U, fields []field[U], check func(mapping, *U)) field[T] {
	return field[T]{key: key, below: paths("[].", fields), decode: func(v value, into *T) {
		if v.node.Kind != yaml.SequenceNode {
			v.fail("must be a list, is %s; begin each entry with a dash", kindOf(v.node))
			return
		}
		entries := make([]U, len(v.node.Content))
		for i, item := range v.node.Content {
			decodeMapping(v.item(i, item), fields, &entries[i], check)
		}
		*at(into) = entries
	}}
}

// paths lists the keys of fields and those below them, each after a separator.
func paths[T any](separator string, fields []field[T]) []string {
	var all []string
	for _, f := range fields {
		all = append(all, separator+f.key)
		for _, below := range f.below {
			all = append(all, separator+f.key+below)
		}
	}
	return all
}

// source is what all values of one file share.
type source struct {
	*problems
	schema []string // the path of every key there is, for suggestions
}

// value is a node on its way to a typed value; an alias has been followed.
type value struct {
	*source
	node *yaml.Node
	path string
	line int // of the key, or of the entry of a list
}

func (v value) fail(format string, args ...any) { v.addAt(v.node, v.line, v.path, format, args...) }

func (v value) item(i int, node *yaml.Node) value {
	return value{source: v.source, node: follow(node), path: fmt.Sprintf("%s[%d]", v.path, i), line: node.Line}
}

func (v value) child(key string, node *yaml.Node, line int) value {
	return value{source: v.source, node: follow(node), path: join(v.path, key), line: line}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// follow returns the node that an alias stands for. An anchor never names an alias, so one step is enough.
func follow(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// mapping is a value with keys, for checks that concern several of them.
type mapping struct {
	value
	set   map[string]value // by key; a key without a value is not set
	meant map[string]bool  // keys that are there under a misspelled name, which is reported
}

// has reports whether a key has a value, right or wrong.
func (m mapping) has(key string) bool {
	_, ok := m.set[key]
	return ok
}

// at returns the value of a key, for its line and path; for a key that is not set, where it belongs.
func (m mapping) at(key string) value {
	if v, ok := m.set[key]; ok {
		return v
	}
	return value{source: m.source, node: m.node, path: join(m.path, key), line: m.line}
}

// decodeMapping fills into from the keys of v, then calls check, which may be nil. A key without a value (`api:` with all its lines commented out) is as
// good as absent.
func decodeMapping[T any](v value, fields []field[T], into *T, check func(mapping, *T)) {
	if v.node.Kind != yaml.MappingNode {
		v.fail("must hold key: value lines, is %s; write them below it, indented", kindOf(v.node))
		return
	}
	known := make(map[string]field[T], len(fields))
	names := make([]string, 0, len(fields))
	for _, f := range fields {
		known[f.key] = f
		names = append(names, f.key)
	}
	m := mapping{value: v, set: make(map[string]value), meant: make(map[string]bool)}
	for _, e := range v.entries() {
		f, ok := known[e.key]
		if !ok {
			m.meant[v.unknownKey(e, names)] = true
			continue
		}
		child := v.child(e.key, e.node, e.line)
		if isNull(child.node) {
			continue
		}
		m.set[e.key] = child
		f.decode(child, into)
	}
	if check != nil {
		check(m, into)
	}
}

// entry is a key of a mapping with its value.
type entry struct {
	key  string
	line int
	at   *yaml.Node // the key
	node *yaml.Node // its value
}

// entries returns the keys of the mapping, those that a merge key (<<) brings in last. A key that stands twice is a
// mistake, and comes twice, so that neither value goes unchecked.
func (v value) entries() []entry {
	var all []entry
	have := make(map[string]bool)
	visited := make(map[*yaml.Node]bool) // merges may go round in a circle
	var collect func(n *yaml.Node)
	collect = func(n *yaml.Node) {
		if visited[n] {
			return
		}
		visited[n] = true
		var own []entry
		var merges []*yaml.Node
		lines := make(map[string]int)
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, node := follow(n.Content[i]), n.Content[i+1]
			line := n.Content[i].Line
			if key.Kind != yaml.ScalarNode {
				v.addAt(n.Content[i], line, v.path, "a key must be a plain word, is %s; check brackets and braces", kindOf(key))
				continue
			}
			if first, twice := lines[key.Value]; twice {
				v.addAt(n.Content[i], line, join(v.path, showKey(key.Value)), "stands twice, first on line %d; remove one", first)
			} else {
				lines[key.Value] = line
			}
			if key.ShortTag() == "!!merge" {
				merges = append(merges, mergedMappings(v, node, line)...)
				continue
			}
			own = append(own, entry{key.Value, line, n.Content[i], node})
		}
		for _, e := range own {
			if !have[e.key] {
				all = append(all, e)
			}
		}
		for _, e := range own {
			have[e.key] = true
		}
		for _, merged := range merges {
			collect(merged)
		}
	}
	collect(v.node)
	return all
}

func mergedMappings(v value, node *yaml.Node, line int) []*yaml.Node {
	node = follow(node)
	candidates := []*yaml.Node{node}
	if node.Kind == yaml.SequenceNode {
		candidates = node.Content
	}
	var mappings []*yaml.Node
	for _, c := range candidates {
		if c = follow(c); c.Kind == yaml.MappingNode {
			mappings = append(mappings, c)
		} else {
			v.addAt(c, line, join(v.path, "<<"), "must merge key: value lines, is %s; name an anchor (*name) of a mapping", kindOf(c))
		}
	}
	return mappings
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// kindOf names what stands there for people, without its value.
func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "key: value lines"
	case yaml.SequenceNode:
		return "a list"
	}
	switch n.ShortTag() {
	case "!!null":
		return "empty"
	case "!!bool":
		return "true or false"
	case "!!int", "!!float":
		return "a number"
	case "!!timestamp":
		return "a date"
	case "!!str":
		return "text"
	default:
		return "a value with a tag of its own"
	}
}
