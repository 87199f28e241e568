package config

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

const emptyFile = "is empty; write at least one entry under directories, or start from config.example.yaml"

// readDocument returns the root of the only document in data, or nil when there is none to be had; what is wrong is
// added to found. A mistake in a second document leaves the first to be checked.
func readDocument(data []byte, found *problems) *yaml.Node {
	// The library reads YAML 1.2, but refuses a file that says so. No version needs a --- line here.
	data = regexp.MustCompile(`\A(\x{FEFF}?(?:[ \t]*(?:#.*)?\n|\r\n)*)%YAML 1\.([12])`).ReplaceAll(data, []byte("${1}#YAML 1.$2"))
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document, second yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		found.add(place{line: 1}, "", emptyFile)
		return nil
	case err != nil:
		syntaxProblem(data, err, found)
		return nil
	}
	switch err := decoder.Decode(&second); {
	case errors.Is(err, io.EOF):
	case err != nil:
		syntaxProblem(data, err, found)
	default:
		found.add(place{line: second.Line}, "", "a second document begins here, and would be ignored; keep one, without a --- line after the start")
	}
	root := follow(document.Content[0])
	if isNull(root) {
		found.add(place{line: 1}, "", emptyFile)
		return nil
	}
	return root
}

// syntaxProblem reports an error of the YAML parser. Of the parser's own texts one quotes a value, that of an alias
// which nobody defined; as a value may be a secret, that text is not passed on.
func syntaxProblem(data []byte, err error, found *problems) {
	prefix := regexp.MustCompile(`^yaml: (?:line (\d+): )?`)
	hint := 1
	if match := prefix.FindStringSubmatch(err.Error()); match != nil && match[1] != "" {
		n, _ := strconv.Atoi(match[1])
		hint = max(n, hint)
	}
	line := syntaxErrorLine(data, hint)
	text := prefix.ReplaceAllString(err.Error(), "")
	text, _, _ = strings.Cut(text, "\n")
	var here []byte
	if lines := bytes.SplitAfter(data, []byte("\n")); line <= len(lines) {
		here = lines[line-1]
	}
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
	switch {
	case bytes.HasPrefix(bytes.TrimLeft(here, " "), []byte("\t")):
		message = "not valid YAML: indented with a tab; use spaces"
	case bytes.HasPrefix(here, []byte("%")):
		message = "not valid YAML: a line that starts with % can only be %YAML 1.1 or %YAML 1.2, at the start of the file; remove it"
	}
	found.add(place{line: line}, "", "%s", message)
}

// syntaxErrorLine finds the line at which data stops being YAML: the one after the longest run of lines that is. The
// parser's own idea of the line, hint, is often one off, or that of where a block began.
func syntaxErrorLine(data []byte, hint int) int {
	// Only as far as the parser came: lines after that change nothing. Lines go in one by one.
	source := &lineReader{rest: data}
	_ = decodeAll(source)
	end := len(data) - len(source.rest)
	// A quote that is never closed makes the parser come to the end, however early it was opened; the search is bounded
	// by the lines it tries and by the bytes it reads.
	for lines, bytesRead := 0, 0; lines < 1000 && bytesRead < 8<<20; lines, bytesRead = lines+1, bytesRead+end {
		start := bytes.LastIndexByte(data[:max(end-1, 0)], '\n') + 1
		if start == 0 || decodeAll(bytes.NewReader(data[:start])) == nil {
			return 1 + bytes.Count(data[:start], []byte("\n"))
		}
		end = start
	}
	return hint
}

func decodeAll(r io.Reader) error {
	decoder := yaml.NewDecoder(r)
	for {
		var document yaml.Node
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// lineReader hands out one line a read.
type lineReader struct{ rest []byte }

func (r *lineReader) Read(p []byte) (int, error) {
	if len(r.rest) == 0 {
		return 0, io.EOF
	}
	line := r.rest
	if i := bytes.IndexByte(line, '\n'); i >= 0 {
		line = line[:i+1]
	}
	n := copy(p, line)
	r.rest = r.rest[n:]
	return n, nil
}
