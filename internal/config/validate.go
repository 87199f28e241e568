package config

import (
	"fmt"
	"math"
	"reflect"
	"time"
)

// Validate holds every rule against the values of a configuration. Its problems name keys, but no file and no line. What
// the environment may supply and what the files of secrets hold is for Parse to check, as it looks there.
func Validate(c *Config) []Problem {
	var r rules
	within(&r, "window", c.Window, time.Hour, 7*day) // the API forgets tasks after 7 days
	within(&r, "cache_ttl", c.CacheTTL, 0, day)
	within(&r, "new_series_hold", c.NewSeriesHold, 0, day)
	r.api(c.API)
	r.failureReasons(c.FailureReasons)
	within(&r, "unresolved_failures.limit", c.Unresolved.Limit, 0, 10_000)
	within(&r, "unresolved_failures.max_age", c.Unresolved.MaxAge, time.Hour, 3650*day)
	r.directories(c.Directories)
	r.forms(c)
	return r
}

// rules collects what is wrong with values.
type rules []Problem

func (r *rules) fail(key, format string, args ...any) { r.compare(key, "", format, args...) }

// compare reports that key does not fit another key.
func (r *rules) compare(key, other, format string, args ...any) {
	*r = append(*r, Problem{Key: key, Other: other, Message: fmt.Sprintf(format, args...)})
}

func within[T int | time.Duration](r *rules, key string, v, lo, hi T) {
	show := func(v T) string {
		if d, ok := any(v).(time.Duration); ok {
			return FormatDuration(d)
		}
		return fmt.Sprint(v)
	}
	if v < lo || v > hi {
		r.fail(key, "is %s; must be %s to %s", show(v), show(lo), show(hi))
	}
}

func (r *rules) api(a API) {
	if !(a.RateLimit > 0) || math.IsInf(a.RateLimit, 0) {
		r.fail("api.rate_limit", "is %v; must be above 0, such as 5 or 0.5", a.RateLimit)
	}
	const request, page = "api.request_timeout", "api.page_timeout"
	within(r, "api.burst", a.Burst, 1, math.MaxInt32)
	within(r, request, a.RequestTimeout, time.Millisecond, time.Hour)
	within(r, page, a.PageTimeout, time.Millisecond, day)
	within(r, "api.max_retries", a.MaxRetries, 0, 100)
	switch of, than := FormatDuration(a.PageTimeout), FormatDuration(a.RequestTimeout); {
	case a.PageTimeout >= a.RequestTimeout:
	case a.PageTimeout == defaults().API.PageTimeout:
		r.compare(request, page, "is %s, more than page_timeout (%s unless set); set page_timeout to at least as much", than, of)
	default:
		r.compare(page, request, "is %s, less than request_timeout (%s), and a page takes at least one attempt; raise it", of, than)
	}
}

func (r *rules) failureReasons(f FailureReasons) {
	const limit, list = "failure_reasons.limit", "failure_reasons.rules"
	within(r, limit, f.Limit, 0, 1000) // each reason is a series per task type in several metrics
	first := make(map[string]string)   // key path of each expression
	distinct := make(map[string]bool)
	for i, rule := range f.Rules {
		if rule.Reason != "" && reasonForm(rule.Reason) == nil {
			distinct[rule.Reason] = true
		}
		if rule.Match == nil {
			continue
		}
		match := item(list, i) + ".match"
		if at, again := first[rule.Match.String()]; again {
			r.compare(match, at, "is the same as %s, and the first match wins; remove one", at)
		} else {
			first[rule.Match.String()] = match
		}
	}
	if len(distinct) > f.Limit { // the reasons of rules exist from the start
		r.compare(limit, list, "the rules name %d distinct reasons, but the limit is %d; raise failure_reasons.limit or drop rules", len(distinct), f.Limit)
	}
}

func (r *rules) directories(all []Directory) {
	first := make(map[string]string) // key path of each directory id
	for i, d := range all {
		path := item("directories", i)
		if at, again := first[d.ID]; again {
			r.compare(path+".directory_id", at, "%s is taken already by %s; remove one", quote(d.ID), at)
		} else if d.ID != "" {
			first[d.ID] = path + ".directory_id"
		}
		r.credential(path+".credential", d.Credential)
		r.pair(path+".filter", "target_id", d.Filter.TargetID, "target_type", d.Filter.TargetType, "RD-Account")
		r.pair(path+".filter", "principal_id", d.Filter.PrincipalID, "principal_type", d.Filter.PrincipalType, "User or Group")
	}
}

// pair refuses half a pair in a filter: the API ignores it, and would show everything.
func (r *rules) pair(path, idKey, id, kindKey, kind, kinds string) {
	if id != "" && kind == "" {
		r.compare(join(path, idKey), join(path, kindKey), "needs %s beside it; add %s: %s", kindKey, kindKey, kinds)
	}
	if id == "" && kind != "" {
		r.compare(join(path, kindKey), join(path, idKey), "needs %s beside it; add %s, or remove %s", idKey, idKey, kindKey)
	}
}

// forms checks each text by itself, and that what is required is there.
func (r *rules) forms(c *Config) {
	forms, required := textForms(), map[string]string{
		"directories":  "add an entry with directory_id and region",
		"directory_id": "add it, for example directory_id: d-00fc2p61xxxx",
		"region":       "add the region of the directory, for example region: cn-shanghai",
		"match":        "add a regular expression, for example match: '(?i)EntityAlreadyExists'",
		"reason":       "add the label value for what matches, for example reason: role_already_exists",
	}
	walk(reflect.ValueOf(*c), "", func(path, key string, v reflect.Value) {
		form := forms[key]
		switch cure := required[key]; {
		case v.IsZero() && cure != "":
			r.fail(path, "has no value; %s", cure)
		case v.Kind() == reflect.String && !v.IsZero() && form != nil:
			if err := form(v.String()); err != nil {
				r.fail(path, "%v", err)
			}
		}
	})
}
