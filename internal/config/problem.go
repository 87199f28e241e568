package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Problem is one mistake and its cure. It never holds the value of a secret.
type Problem struct {
	File    string // as it was named to Load or Parse; empty for a flag
	Line    int    // from 1; 0 when the mistake is not at a line: a file that cannot be read, a flag
	Key     string // path of the key, as directories[0].filter.target_id; empty for the file as a whole
	Message string // what is wrong; what to do about it
}

// String returns the problem on one line: file:line: key: message.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d", p.Line)
	}
	for _, part := range []string{p.Key, p.Message} {
		if part == "" {
			continue
		}
		if b.Len() > 0 {
			b.WriteString(": ")
		}
		b.WriteString(part)
	}
	return b.String()
}

// Error is every mistake of a configuration, in the order of the lines.
type Error struct {
	Problems []Problem // at least one
}

// Error returns a line for each problem.
func (e *Error) Error() string {
	lines := make([]string, 0, len(e.Problems))
	for _, p := range e.Problems {
		lines = append(lines, p.String())
	}
	return strings.Join(lines, "\n")
}

// problems collects what is wrong while a file is walked.
type problems struct {
	file  string
	found []Problem
	told  map[mistake]bool
}

// mistake is what makes a problem the same as another: a mistake behind an anchor is met at every alias, under another
// path, and told once.
type mistake struct {
	node         *yaml.Node
	key, message string
}

// add reports a problem that is not at a node: one of the file as a whole, or of a flag.
func (p *problems) add(line int, key, format string, args ...any) {
	p.found = append(p.found, Problem{File: p.file, Line: line, Key: key, Message: fmt.Sprintf(format, args...)})
}

// addAt reports a problem at a node, unless it is there already.
func (p *problems) addAt(node *yaml.Node, line int, path, format string, args ...any) {
	m := mistake{node, path[strings.LastIndexByte(path, '.')+1:], fmt.Sprintf(format, args...)}
	if p.told[m] {
		return
	}
	if p.told == nil {
		p.told = make(map[mistake]bool)
	}
	p.told[m] = true
	p.add(line, path, "%s", m.message)
}

// err returns nil when nothing was found.
func (p *problems) err() error {
	if len(p.found) == 0 {
		return nil
	}
	slices.SortStableFunc(p.found, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	return &Error{Problems: p.found}
}
