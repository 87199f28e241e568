package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Problem is one mistake and its cure. It never holds the value of a secret.
type Problem struct {
	File    string // as it was named to Load or Parse; empty for a flag
	Line    int    // from 1; 0 for a mistake that is not at a line: a file that cannot be read, a flag
	Key     string // path of the key, as directories[0].filter.target_id; empty for the file as a whole
	Other   string // path of the key that Key does not fit, if the mistake is about two
	Message string // what is wrong; what to do about it
}

// String returns the problem on one line: file:line: key: message.
func (p Problem) String() string {
	at := p.File
	if p.Line > 0 {
		at += fmt.Sprintf(":%d", p.Line)
	}
	return strings.Join(slices.DeleteFunc([]string{at, p.Key, p.Message}, func(s string) bool { return s == "" }), ": ")
}

// Error is every mistake of a configuration, in the order of the lines.
type Error struct {
	Problems []Problem // at least one
}

// Error returns a line for each problem.
func (e *Error) Error() string {
	var lines []string
	for _, p := range e.Problems {
		lines = append(lines, p.String())
	}
	return strings.Join(lines, "\n")
}

// problems collects what is wrong with one file. A mistake behind an anchor is met at every alias, under another path;
// it is told once.
type problems struct {
	file  string
	found []Problem
	told  map[mistake]bool
}

type mistake struct {
	node         *yaml.Node
	key, message string
}

// place is where a value comes from.
type place struct {
	line     int        // of the key, or of the entry of a list
	node     *yaml.Node // nil for the file as a whole
	variable string     // the environment variable that supplies the value instead of the file
}

func (p *problems) add(at place, path, format string, args ...any) {
	m := mistake{at.node, path[strings.LastIndexByte(path, '.')+1:], fmt.Sprintf(format, args...)}
	if !p.told[m] {
		p.told[m] = true
		p.found = append(p.found, Problem{File: p.file, Line: at.line, Key: path, Message: m.message})
	}
}

// err returns nil when nothing was found.
func (p *problems) err() error {
	if len(p.found) == 0 {
		return nil
	}
	slices.SortStableFunc(p.found, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	return &Error{Problems: p.found}
}
