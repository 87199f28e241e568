// Package config turns the configuration file into typed values.
//
// It is strict: unknown and duplicate keys, wrong types, values out of range and settings that contradict each other
// are mistakes, and all of them are reported at once, each with file, line, key path and cure. What a Config holds can
// be used without further checks. Anchors, aliases and merge keys work as everywhere in YAML.
//
// The package makes no call to the API and logs nothing. It looks at the files that secrets are kept in, so that a
// missing one is found at load, and forgets what they hold: whoever signs reads them again. No error holds the value of a secret.
package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"cloudsso_exporter/internal/reason"
)

// Config is a whole configuration. It is not changed once it is made, and may be shared.
type Config struct {
	Window         time.Duration // what the window gauges count, 1 h to 7 d
	CacheTTL       time.Duration // from the start of an attempt to the next; 0: every scrape may start one
	NewSeriesHold  time.Duration // how long a counter series born later stays at 0
	API            API
	FailureReasons FailureReasons
	Unresolved     Unresolved
	Directories    []Directory // at least one, each DirectoryID once, in the order of the file
}

// API says how CloudSSO is called. Values are comparable with ==.
type API struct {
	RateLimit      float64       // requests a second to one account and region, above 0
	Burst          int           // at least 1
	RequestTimeout time.Duration // of one attempt, above 0
	PageTimeout    time.Duration // of one page, retries and waiting included; at least RequestTimeout
	MaxRetries     int           // after the first attempt; may be 0
}

// FailureReasons says how failure texts become label values.
type FailureReasons struct {
	Limit int // distinct reasons a directory; no less than the rules need
	Rules []reason.Rule
}

// Unresolved says what is shown of the failures that still stand. Values are comparable with ==.
type Unresolved struct {
	Limit  int           // shown one series each; may be 0
	Names  bool          // with the names of people and accounts
	MaxAge time.Duration // given up when not resolved by then
}

// Equal reports whether both say the same. Expressions are compared as they are written.
func (f FailureReasons) Equal(other FailureReasons) bool {
	return f.Limit == other.Limit && slices.EqualFunc(f.Rules, other.Rules, func(a, b reason.Rule) bool {
		return a.Reason == b.Reason && a.Match.String() == b.Match.String()
	})
}

// Equal reports whether both configurations say the same, directories in the same order.
func (c *Config) Equal(other *Config) bool {
	return c.Window == other.Window && c.CacheTTL == other.CacheTTL && c.NewSeriesHold == other.NewSeriesHold &&
		c.API == other.API && c.FailureReasons.Equal(other.FailureReasons) && c.Unresolved == other.Unresolved &&
		slices.Equal(c.Directories, other.Directories)
}

// defaults returns the settings of a file that sets nothing; config.example.yaml shows the same.
func defaults() *Config {
	return &Config{
		Window:        7 * day,
		CacheTTL:      55 * time.Second,
		NewSeriesHold: 2 * time.Minute,
		API: API{
			RateLimit:      5,
			Burst:          10,
			RequestTimeout: 10 * time.Second,
			PageTimeout:    time.Minute,
			MaxRetries:     4,
		},
		FailureReasons: FailureReasons{Limit: 50},
		Unresolved:     Unresolved{Limit: 50, Names: true, MaxAge: 30 * day},
	}
}

const day = 24 * time.Hour

// Outside is what Parse asks the machine for.
type Outside struct {
	// ReadFile returns the content of a file that holds a secret. It is called with the path as it will be in the Config.
	ReadFile func(path string) ([]byte, error)
	// Getenv returns an environment variable; empty when it is not set.
	Getenv func(name string) string
}

// Load reads the configuration file at path. Relative paths in it are relative to its folder. Every error is an *Error.
func Load(path string) (*Config, error) {
	const limit = 4 << 20 // bytes; thousands of directories fit
	data, err := readFile(path, limit)
	if err != nil {
		return nil, &Error{Problems: []Problem{{File: path, Message: fmt.Sprintf("cannot be read: %v; check --config.file", cause(err))}}}
	}
	return Parse(path, data, Outside{
		ReadFile: func(path string) ([]byte, error) { return readFile(path, 64<<10) },
		Getenv:   os.Getenv,
	})
}

// Parse makes a Config of data, the content of a file named name: problems carry the name, and relative paths are
// relative to its folder. Every error is an *Error. The same data and Outside give the same result.
func Parse(name string, data []byte, outside Outside) (*Config, error) {
	found := &problems{file: name}
	root := readDocument(data, found)
	if root == nil {
		return nil, found.err()
	}
	fields := schema(filepath.Dir(name), outside)
	config := defaults()
	top := value{source: &source{problems: found, schema: paths("", fields)}, node: root, line: root.Line}
	decodeMapping(top, fields, config, func(m mapping, c *Config) {
		const cure = "add an entry with directory_id and region"
		m.require("directories", cure)
		if at, ok := m.set["directories"]; ok && at.node.Kind == yaml.SequenceNode && len(c.Directories) == 0 {
			at.fail("names no directory; %s", cure)
		}
	})
	if err := found.err(); err != nil {
		return nil, err
	}
	return config, nil
}

// Single is the configuration of one directory without a file: all defaults, credentials by the default chain.
// Every error is an *Error whose problems name the flags.
func Single(directoryID, region string) (*Config, error) {
	found := &problems{}
	for _, flag := range []struct {
		name, value string
		check       func(string) error
	}{
		{"--directory-id", directoryID, directoryIDForm()},
		{"--region", region, regionForm()},
	} {
		if flag.value == "" {
			found.add(0, flag.name, "is missing; set it, or describe directories in a file with --config.file")
		} else if err := flag.check(flag.value); err != nil {
			found.add(0, flag.name, "%v", err)
		}
	}
	if err := found.err(); err != nil {
		return nil, err
	}
	config := defaults()
	config.Directories = []Directory{{ID: directoryID, Region: region, Credential: defaultCredential()}}
	return config, nil
}

// readFile reads a file of at most limit bytes.
func readFile(path string, limit int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil {
		return nil, err
	} else if info.IsDir() {
		return nil, errors.New("is a folder")
	}
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("is over %d KiB", limit>>10)
	}
	return data, nil
}

// cause is an error without the path that the message names anyway.
func cause(err error) error {
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		return pathError.Err
	}
	return err
}
