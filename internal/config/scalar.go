package config

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v4"
)

// scalar fills into, of any type that is neither struct nor slice, from a node. Its error says what is wrong and what
// to do, without key and line. Whole numbers are decimal, also with a leading zero, which makes them octal in YAML.
func scalar(n *yaml.Node, into reflect.Value) (err error) {
	tag, s := n.ShortTag(), n.Value
	number := tag == "!!int" || tag == "!!float"
	// Account ids are digits, and nobody quotes them: a number or date can be a text as it is written.
	text := n.Kind == yaml.ScalarNode && strings.HasPrefix(tag, "!!") && tag != "!!binary" && tag != "!!bool"
	want, rightType := "text in single quotes on one line", text
	switch target := into.Addr().Interface().(type) {
	case *time.Duration:
		want = "a duration, such as 55s, 10m, 1h30m or 7d"
		*target, err = parseDuration(s)
	case *int:
		want, rightType = "a whole number, in digits without quotes", number
		*target, err = strconv.Atoi(s)
	case *float64:
		want, rightType = "a number without quotes, such as 5 or 0.5", number
		if *target, err = strconv.ParseFloat(s, 64); tag == "!!float" {
			err = n.Decode(target) // .inf, too
		}
	case *bool:
		want, rightType = "true or false, without quotes", tag == "!!bool"
		err = n.Decode(target)
	case **regexp.Regexp:
		if text && s != "" {
			*target, err = expression(s)
			return err
		}
	default:
		if text {
			into.SetString(s)
		}
	}
	switch {
	case !rightType:
		return fmt.Errorf("must be %s, not %s", want, kindOf(n))
	case err != nil:
		return fmt.Errorf("must be %s, not %s", want, quote(s))
	}
	return nil
}

// parseDuration accepts 7d, 1h30m, 55s, 500ms as Prometheus does, and what Go writes (1.5h, 1h0m0s).
func parseDuration(s string) (time.Duration, error) {
	if d, err := model.ParseDuration(s); err == nil {
		return time.Duration(d), nil
	}
	return time.ParseDuration(s)
}

// FormatDuration writes d as a configuration does: weeks and years as days, as people do here.
func FormatDuration(d time.Duration) string {
	if d >= day && d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	return model.Duration(d).String()
}

// expression is a regular expression. Its error shows where it goes wrong.
func expression(s string) (*regexp.Regexp, error) {
	re, err := regexp.Compile(s)
	bad, ok := errors.AsType[*syntax.Error](err)
	if !ok {
		return re, err
	}
	where, why := "", bad.Code.String()
	if before, _, found := strings.Cut(s, bad.Expr); found && bad.Expr != s {
		where = fmt.Sprintf(" at character %d, %s", 1+utf8.RuneCountInString(before), quote(bad.Expr))
	}
	if bad.Code == syntax.ErrInvalidPerlOp {
		why += " (RE2 has no look-ahead and no look-behind)"
	}
	return nil, fmt.Errorf("is not a regular expression%s: %s; see https://golang.org/s/re2syntax", where, why)
}

// quote shows a value that is not a secret on one line, cut when it is long.
func quote(s string) string {
	if runes := []rune(s); len(runes) > 60 {
		s = string(runes[:60]) + "…"
	}
	return strconv.Quote(s)
}

// kindOf names what a node holds for people, without its value.
func kindOf(n *yaml.Node) string {
	names := map[string]string{
		"!!map": "key: value lines", "!!seq": "a list", "!!null": "an empty value", "!!bool": "true or false",
		"!!int": "a number", "!!float": "a number", "!!timestamp": "a date", "!!str": "text",
	}
	if name, ok := names[n.ShortTag()]; ok {
		return name
	}
	return "a value with a tag of its own"
}
