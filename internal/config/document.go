package config

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"
)

const emptyFile = "is empty; write at least one entry under directories, or start from config.example.yaml"

// readDocument returns the root of the only document in data, or nil when there is none; what is wrong is added to
// found. A mistake in a second document leaves the first to be checked.
func readDocument(data []byte, found *problems) *yaml.Node {
	// The library reads YAML 1.2, but refuses a file that says so. No version needs a --- line here.
	data = regexp.MustCompile(`\A(\x{FEFF}?(?:[ \t]*(?:#.*)?\n|\r\n)*)%YAML 1\.([12])`).ReplaceAll(data, []byte("${1}#YAML 1.$2"))
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, second yaml.Node
	err := decoder.Decode(&document)
	if err != nil && !errors.Is(err, io.EOF) {
		syntaxProblem(data, err, found)
		return nil
	}
	if err != nil || isNull(document.Content[0]) {
		found.add(place{line: 1}, "", emptyFile)
		return nil
	}
	if err := decoder.Decode(&second); err == nil {
		found.add(place{line: second.Line}, "", "a second document begins here, and would be ignored; keep one, without a --- line after the start")
	} else if !errors.Is(err, io.EOF) {
		syntaxProblem(data, err, found)
	}
	return document.Content[0]
}

// syntaxProblem reports an error of the YAML parser. Of the parser's own texts one quotes a value, that of an alias
// which nobody defined; as a value may be a secret, that text is not passed on.
func syntaxProblem(data []byte, err error, found *problems) {
	bad := &yaml.LoadError{Message: "it cannot be parsed"}
	errors.As(err, &bad)
	line := bad.Mark.Line
	switch {
	case line == 0: // the part that reads characters counts no lines
		line = 1 + bytes.Count(data[:min(bad.Mark.Index, len(data))], []byte("\n"))
	case regexp.MustCompile("quoted|flow|simple key").MatchString(bad.ContextMsg):
		line = bad.ContextMark.Line // where it begins; that it does not end shows only later
	}
	text, _, _ := strings.Cut(bad.Message, " (value:")
	message := "not valid YAML: " + text + "; check indentation, quotes and brackets"
	for of, plain := range map[string]string{
		"unknown anchor":                 "an alias (*name) has no anchor (&name) above it; put a value that starts with * in single quotes",
		"unknown escape character":       "not valid YAML: a backslash in double quotes; put the value in single quotes",
		"cannot start any token":         "not valid YAML: a value starts with a character that YAML keeps for itself (@, `, %); put it in single quotes",
		"mapping values are not allowed": "not valid YAML: a colon where none can be; check the indentation, or put a value that holds ': ' in single quotes",
		"unexpected end of stream":       "not valid YAML: a quote or bracket opened here is never closed; close it",
	} {
		if strings.Contains(text, of) {
			message = plain
		}
	}
	lines := bytes.SplitAfter(data, []byte("\n"))
	switch here := bytes.TrimLeft(lines[min(line, len(lines))-1], " "); {
	case bytes.HasPrefix(here, []byte("\t")):
		message = "not valid YAML: indented with a tab; use spaces"
	case bytes.HasPrefix(here, []byte("%")):
		message = "not valid YAML: a line that starts with % can only be %YAML 1.1 or %YAML 1.2, at the start of the file; remove it"
	}
	found.add(place{line: line}, "", "%s", message)
}
