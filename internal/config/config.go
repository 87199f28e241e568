// Package config turns the configuration file into typed values.
//
// It is strict: unknown and duplicate keys, wrong types, values out of range and settings that contradict each other
// are mistakes. Parse reports all of them at once, each with file, line, key path and cure. A Config that it returns
// needs no further checks. Anchors, aliases and merge keys work as everywhere in YAML.
//
// One generic pass fills the structs below and notes the line of every key path; Validate then holds rules against the
// values alone. The package calls nobody and logs nothing. It looks at files that hold secrets, so that a missing one is
// found at load, but keeps none of their secrets: whoever signs reads them again. No error holds the value of a secret.
package config

import (
	"reflect"
	"time"

	"cloudsso_exporter/apiclient"
	"cloudsso_exporter/internal/reason"
	"cloudsso_exporter/internal/task"
)

// Config is a whole configuration. Nobody changes it once it is made, so it may be shared.
//
// Here and in the structs below, the key of a field in the file is the field's name in snake case, unless its yaml tag
// says otherwise.
type Config struct {
	Window         time.Duration // what the window gauges count, 1 h to 7 d
	CacheTTL       time.Duration // from the start of an attempt to the next; 0: every scrape may start one
	NewSeriesHold  time.Duration // how long a counter series that appears later stays at 0
	API            API
	FailureReasons FailureReasons
	Unresolved     Unresolved  `yaml:"unresolved_failures"`
	Directories    []Directory // at least one, each ID once, in the order of the file
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

// Unresolved says which unresolved failures are shown, and how. Values are comparable with ==.
type Unresolved struct {
	Limit  int           // shown one series each; may be 0
	Names  bool          // with the names of people and accounts
	MaxAge time.Duration // given up when not resolved by then
}

// Directory is one directory to watch. Values are comparable with ==.
type Directory struct {
	ID         string `yaml:"directory_id"`
	Name       string // for people; may be empty
	Region     string
	Endpoint   string // a URL of scheme and host only; empty for the region's own, see URL
	Credential apiclient.Credential
	Filter     task.Filter
	KeyID      string `yaml:"-"` // what Credential.AccessKeyIDFile held at load; empty without such a file
}

// Equal reports whether both configurations say the same, directories in the same order and regular expressions as they
// are written.
func (c *Config) Equal(other *Config) bool { return reflect.DeepEqual(c, other) }

const day = 24 * time.Hour

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
