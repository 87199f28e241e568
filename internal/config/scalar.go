package config

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"
)

// text accepts what YAML reads as text, and numbers and dates as they are written: account ids are digits, and nobody
// quotes them. Each check returns what is wrong, if anything; an empty text passes unchecked.
func text(checks ...func(string) error) func(value) (string, error) {
	return func(v value) (string, error) {
		switch tag := v.node.ShortTag(); {
		case v.node.Kind != yaml.ScalarNode, tag == "!!bool", tag == "!!binary", !strings.HasPrefix(tag, "!!"):
			return "", fmt.Errorf("must be text, is %s; put it in single quotes on one line", kindOf(v.node))
		}
		s := v.node.Value
		if s == "" {
			return "", nil
		}
		for _, check := range checks {
			if err := check(s); err != nil {
				return "", err
			}
		}
		return s, nil
	}
}

// secret accepts text, and never repeats it.
func secret() func(value) (string, error) {
	return text(func(s string) error {
		if strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
			return errors.New("holds white space or control characters; copy it again, in single quotes")
		}
		return masked(s)
	})
}

// masked refuses an id as documentation and consoles show it.
func masked(s string) error {
	if strings.Contains(s, "**") {
		return errors.New("the asterisks stand for characters left out; write the whole value")
	}
	return nil
}

// line accepts up to limit characters that can be shown on one line.
func line(limit int) func(string) error {
	return func(s string) error {
		switch n := utf8.RuneCountInString(s); {
		case n > limit:
			return fmt.Errorf("has %d characters; shorten it to at most %d", n, limit)
		case strings.ContainsFunc(s, unicode.IsControl):
			return errors.New("holds control characters or more than one line; remove them")
		case strings.TrimSpace(s) != s:
			return errors.New("begins or ends with white space; remove it")
		}
		return nil
	}
}

// form accepts what matches; cure says what it should look like.
func form(expression, cure string) func(string) error {
	re := regexp.MustCompile(`^(?:` + expression + `)$`)
	return func(s string) error {
		if err := masked(s); err != nil {
			return err
		}
		if !re.MatchString(s) {
			return fmt.Errorf("is %s; %s", quote(s), cure)
		}
		return nil
	}
}

func oneOf(words ...string) func(string) error {
	return func(s string) error {
		for _, w := range words {
			if s == w {
				return nil
			}
		}
		if near := nearest(s, words); near != "" {
			return fmt.Errorf("is %s; did you mean %s?", quote(s), near)
		}
		return fmt.Errorf("is %s; must be %s", quote(s), alternatives(words))
	}
}

// quote shows a value that is no secret on one line, cut when it is long.
func quote(s string) string {
	if runes := []rune(s); len(runes) > 60 {
		s = string(runes[:60]) + "…"
	}
	return strconv.Quote(s)
}

// duration accepts 7d, 1h30m, 55s, 500ms as Prometheus does, and what Go writes (1.5h, 1h0m0s), from lo to hi.
func duration(lo, hi time.Duration) func(value) (time.Duration, error) {
	return func(v value) (time.Duration, error) {
		if v.node.Kind != yaml.ScalarNode || !strings.HasPrefix(v.node.ShortTag(), "!!") {
			return 0, fmt.Errorf("must be a duration, is %s; write it as 55s, 10m, 1h30m or 7d", kindOf(v.node))
		}
		s := v.node.Value
		d, err := parseDuration(s)
		switch _, number := strconv.ParseFloat(s, 64); {
		case err != nil && number == nil:
			return 0, fmt.Errorf("is %s, without a unit; write it as 55s, 10m, 1h30m or 7d", quote(s))
		case err != nil:
			return 0, fmt.Errorf("is %s, no duration; write it as 55s, 10m, 1h30m or 7d", quote(s))
		case d < lo || d > hi:
			return 0, fmt.Errorf("is %s; must be %s to %s", s, FormatDuration(lo), FormatDuration(hi))
		}
		return d, nil
	}
}

// FormatDuration writes d as a configuration does: weeks and years as days, as people do here.
func FormatDuration(d time.Duration) string {
	if d >= day && d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	return model.Duration(d).String()
}

func parseDuration(s string) (time.Duration, error) {
	if d, err := model.ParseDuration(s); err == nil {
		return time.Duration(d), nil
	}
	return time.ParseDuration(s)
}

// whole accepts whole numbers from lo to hi.
func whole(lo, hi int) func(value) (int, error) {
	return func(v value) (int, error) {
		var n int
		switch tag := v.node.ShortTag(); {
		case tag == "!!str":
			return 0, errors.New("must be a whole number, is text; write digits alone, without quotes")
		case tag == "!!float":
			return 0, fmt.Errorf("must be a whole number, is %s; write digits alone", quote(v.node.Value))
		case tag != "!!int" || v.node.Decode(&n) != nil:
			return 0, fmt.Errorf("must be a whole number, is %s; write digits alone", kindOf(v.node))
		case n < lo || n > hi:
			return 0, fmt.Errorf("is %d; must be %d to %d", n, lo, hi)
		}
		return n, nil
	}
}

// positive accepts finite numbers above zero.
func positive(v value) (float64, error) {
	var n float64
	switch tag := v.node.ShortTag(); {
	case tag == "!!str":
		return 0, errors.New("must be a number, is text; write it without quotes, as 5 or 0.5")
	case tag != "!!int" && tag != "!!float" || v.node.Decode(&n) != nil:
		return 0, fmt.Errorf("must be a number, is %s; write it as 5 or 0.5", kindOf(v.node))
	case !(n > 0) || math.IsInf(n, 0):
		return 0, fmt.Errorf("is %s; must be above 0, as 5 or 0.5", quote(v.node.Value))
	}
	return n, nil
}

func boolean(v value) (bool, error) {
	var b bool
	if v.node.ShortTag() != "!!bool" || v.node.Decode(&b) != nil {
		return false, fmt.Errorf("must be true or false, without quotes, is %s", kindOf(v.node))
	}
	return b, nil
}

// expression accepts a regular expression of Go.
func expression(v value) (*regexp.Regexp, error) {
	s, err := text()(v)
	if err != nil || s == "" {
		return nil, err
	}
	re, err := regexp.Compile(s)
	if err == nil {
		return re, nil
	}
	var where string
	reason := err.Error()
	if bad, ok := errors.AsType[*syntax.Error](err); ok {
		reason = bad.Code.String()
		if i := strings.Index(s, bad.Expr); i >= 0 && bad.Expr != s {
			where = fmt.Sprintf(" at character %d, %s", 1+utf8.RuneCountInString(s[:i]), quote(bad.Expr))
		}
		if bad.Code == syntax.ErrInvalidPerlOp {
			reason += " (look-ahead and look-behind do not exist in RE2)"
		}
	}
	return nil, fmt.Errorf("is no regular expression%s: %s; see https://golang.org/s/re2syntax", where, reason)
}
