package config

import (
	"fmt"
	"math"
	"regexp"
	"time"

	"go.yaml.in/yaml/v3"

	"cloudsso_exporter/internal/reason"
)

// schema is every key there is. It is made anew for each file, as some checks remember what they have seen.
func schema(folder string, outside Outside) []field[Config] {
	return []field[Config]{
		// The API forgets tasks after 7 days.
		scalar("window", func(c *Config) *time.Duration { return &c.Window }, duration(time.Hour, 7*day)),
		scalar("cache_ttl", func(c *Config) *time.Duration { return &c.CacheTTL }, duration(0, day)),
		scalar("new_series_hold", func(c *Config) *time.Duration { return &c.NewSeriesHold }, duration(0, day)),
		nested("api", func(c *Config) *API { return &c.API }, apiFields(), checkAPI),
		nested("failure_reasons", func(c *Config) *FailureReasons { return &c.FailureReasons }, failureReasonsFields(), checkFailureReasons),
		nested("unresolved_failures", func(c *Config) *Unresolved { return &c.Unresolved }, unresolvedFields(), nil),
		list("directories", func(c *Config) *[]Directory { return &c.Directories }, directoryFields(folder, outside), checkDirectory(outside)),
	}
}

func apiFields() []field[API] {
	return []field[API]{
		scalar("rate_limit", func(a *API) *float64 { return &a.RateLimit }, positive),
		scalar("burst", func(a *API) *int { return &a.Burst }, whole(1, math.MaxInt32)),
		scalar("request_timeout", func(a *API) *time.Duration { return &a.RequestTimeout }, duration(time.Millisecond, time.Hour)),
		scalar("page_timeout", func(a *API) *time.Duration { return &a.PageTimeout }, duration(time.Millisecond, day)),
		scalar("max_retries", func(a *API) *int { return &a.MaxRetries }, whole(0, 100)),
	}
}

func checkAPI(m mapping, a *API) {
	if a.PageTimeout >= a.RequestTimeout {
		return
	}
	page, request := FormatDuration(a.PageTimeout), FormatDuration(a.RequestTimeout)
	if m.has("page_timeout") {
		m.at("page_timeout").fail("is %s, less than request_timeout (%s), and a page takes at least one attempt; raise it", page, request)
	} else {
		m.at("request_timeout").fail("is %s, more than page_timeout (%s by default); add a page_timeout of at least as much", request, page)
	}
}

func failureReasonsFields() []field[FailureReasons] {
	return []field[FailureReasons]{
		// Each reason is a series for each task type in several metrics.
		scalar("limit", func(f *FailureReasons) *int { return &f.Limit }, whole(0, 1000)),
		list("rules", func(f *FailureReasons) *[]reason.Rule { return &f.Rules }, ruleFields(), checkRule()),
	}
}

// checkFailureReasons makes sure that the reasons of the rules, which exist from the start, fit under the limit.
func checkFailureReasons(m mapping, f *FailureReasons) {
	distinct := make(map[string]bool)
	for _, r := range f.Rules {
		distinct[r.Reason] = true
	}
	delete(distinct, "")
	if len(distinct) <= f.Limit {
		return
	}
	at := m.at("rules")
	if m.has("limit") {
		at = m.at("limit")
	}
	at.fail("the rules name %d distinct reasons, and the limit is %d; raise failure_reasons.limit or drop rules", len(distinct), f.Limit)
}

func ruleFields() []field[reason.Rule] {
	return []field[reason.Rule]{
		scalar("match", func(r *reason.Rule) **regexp.Regexp { return &r.Match }, expression),
		scalar("reason", func(r *reason.Rule) *string { return &r.Reason }, text(line(100), notOther)),
	}
}

// notOther keeps the label of what is over the limit apart from what a rule names.
func notOther(s string) error {
	if s == reason.Other {
		return fmt.Errorf("is %s, the label of failures over failure_reasons.limit; choose another word", quote(s))
	}
	return nil
}

// checkRule returns the check of the rules of one file.
func checkRule() func(mapping, *reason.Rule) {
	first := make(map[string]int) // line of each expression
	return func(m mapping, r *reason.Rule) {
		m.require("reason", "add the label value for what matches, as reason: role_already_exists")
		m.require("match", "add a regular expression, as match: '(?i)EntityAlreadyExists'")
		if r.Match == nil {
			return
		}
		if at, again := first[r.Match.String()]; again {
			m.at("match").fail("stands already on line %d, and the first match wins; remove one", at)
			return
		}
		first[r.Match.String()] = m.at("match").line
	}
}

func unresolvedFields() []field[Unresolved] {
	return []field[Unresolved]{
		scalar("limit", func(u *Unresolved) *int { return &u.Limit }, whole(0, 10_000)),
		scalar("names", func(u *Unresolved) *bool { return &u.Names }, boolean),
		scalar("max_age", func(u *Unresolved) *time.Duration { return &u.MaxAge }, duration(time.Hour, 3650*day)),
	}
}

// require reports a key that must have a value and has none. A wrong value has been reported already.
func (m mapping) require(key, cure string) {
	switch {
	case m.meant[key]:
	case !m.has(key):
		m.at(key).fail("is missing; %s", cure)
	case m.empty(key):
		m.at(key).fail("is empty; %s", cure)
	}
}

// empty reports whether a key is set to the empty text.
func (m mapping) empty(key string) bool {
	v, ok := m.set[key]
	return ok && v.node.Kind == yaml.ScalarNode && v.node.Value == ""
}
