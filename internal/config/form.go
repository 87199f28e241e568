package config

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"cloudsso_exporter/internal/reason"
)

// form says what is wrong with a text that is not empty, if anything, and what to do about it.
type form func(string) error

// textForms returns the form of each key that holds text.
func textForms() map[string]form {
	const account = "write it like acs:ram::<account id of 16 digits>:"
	path := line(4096)
	id := func(s string) error { return cmp.Or(masked(s), line(128)(s)) }
	return map[string]form{
		"directory_id":            like(`[A-Za-z0-9][A-Za-z0-9_.-]{0,63}`, "must be a directory id, such as d-00fc2p61xxxx; the CloudSSO console shows it"),
		"name":                    line(100),
		"region":                  like(`[a-z]{2,}(-[a-z0-9]{1,30}){1,4}`, "must be a region id, such as cn-shanghai"), // part of a host name
		"endpoint":                func(s string) error { _, err := endpointURL(s); return err },
		"reason":                  reasonForm,
		"access_configuration_id": id,
		"target_id":               id,
		"principal_id":            id,
		"target_type":             oneOf("RD-Account"),
		"principal_type":          oneOf("User", "Group"),
		"type":                    oneOf(typesWith()...),
		"access_key_id":           secret,
		"access_key_secret":       secret,
		"security_token":          secret,
		"external_id":             secret,
		"access_key_id_file":      path,
		"access_key_secret_file":  path,
		"security_token_file":     path,
		"oidc_token_file":         path,
		"role_arn":                like(`acs:ram::\d{16}:role/\S+`, account+"role/<role name>"),
		"oidc_provider_arn":       like(`acs:ram::\d{16}:oidc-provider/\S+`, account+"oidc-provider/<provider name>"),
		"role_session_name":       like(`[A-Za-z0-9.@_-]{2,64}`, "must be 2 to 64 letters, digits, dots, @, hyphens or underscores"),
		"profile":                 line(100),
		"role_name":               like(`[A-Za-z0-9._-]{1,64}`, "write the name of the role alone, not its ARN"),
		"policy":                  policyForm,
		"sts_endpoint":            hostForm,
		"url":                     credentialsURLForm,
	}
}

// like accepts what matches; cure says what it should look like.
func like(expression, cure string) form {
	re := regexp.MustCompile(`^(?:` + expression + `)$`)
	return func(s string) error {
		if err := masked(s); err != nil || re.MatchString(s) {
			return err
		}
		return fmt.Errorf("is %s; %s", quote(s), cure)
	}
}

func oneOf(words ...string) form {
	return func(s string) error {
		if slices.Contains(words, s) {
			return nil
		}
		if near := nearest(s, words); near != "" {
			return fmt.Errorf("is %s; did you mean %s?", quote(s), near)
		}
		return fmt.Errorf("is %s; must be %s", quote(s), alternatives(words))
	}
}

// line accepts up to limit characters that can be shown on one line.
func line(limit int) form {
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

// reasonForm keeps the label of what is over the limit apart from what a rule names.
func reasonForm(s string) error {
	if s == reason.Other {
		return fmt.Errorf("is %s, the label of failures over failure_reasons.limit; choose another word", quote(s))
	}
	return line(100)(s)
}

// masked refuses an id as documentation and consoles show it.
func masked(s string) error {
	if strings.Contains(s, "**") {
		return errors.New("the asterisks stand for characters left out; write the whole value")
	}
	return nil
}

// secret accepts a text without white space, and never repeats it.
func secret(s string) error {
	if strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		return errors.New("holds white space or control characters; copy it again, in single quotes")
	}
	return masked(s)
}

func policyForm(s string) error {
	if !json.Valid([]byte(s)) {
		return errors.New(`must be a policy as JSON; put it in single quotes, as '{"Version": "1", "Statement": […]}'`)
	}
	return nil
}

// credentialsURLForm accepts the URL of a credentials server. It may hold a token, so it is never repeated.
func credentialsURLForm(s string) error {
	if u, err := url.Parse(s); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("is not the URL of a credentials server; write it as http://127.0.0.1:8081/credentials")
	}
	return nil
}

// endpointURL accepts a host, or a URL that is no more than a host, and returns it as URL. What is wrong is not
// repeated: it may be a URL with a password.
func endpointURL(s string) (string, error) {
	if !strings.Contains(s, "://") {
		s = "https://" + s
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Scheme != "https" && u.Scheme != "http":
		return "", errors.New("must be a host, such as cloudsso-vpc.cn-shanghai.aliyuncs.com, or a URL that begins with https://")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return "", errors.New("http:// is only for a loopback address (127.0.0.1, ::1, localhost); use https://")
	}
	_, host, _ := strings.Cut(s, "://")
	return u.Scheme + "://" + u.Host, hostForm(strings.TrimSuffix(host, "/"))
}

// hostForm accepts a name or address, with a port or without.
func hostForm(s string) error {
	u, err := url.Parse("https://" + s)
	if err != nil || u.Host != s {
		return errors.New("must be a host name only, such as cloudsso-vpc.cn-shanghai.aliyuncs.com; remove https://, a user name and what follows the host")
	}
	_, notAddress := netip.ParseAddr(u.Hostname())
	if notAddress != nil && !regexp.MustCompile(`^[A-Za-z0-9]+([._-]?[A-Za-z0-9]+)*$`).MatchString(u.Hostname()) {
		return errors.New("is neither a host name nor an address; write it as cloudsso-vpc.cn-shanghai.aliyuncs.com")
	}
	if port, err := strconv.ParseUint(u.Port(), 10, 16); u.Port() != "" && (err != nil || port == 0) || strings.HasSuffix(s, ":") {
		return fmt.Errorf("port must be 1 to 65535, not %s", quote(u.Port()))
	}
	return nil
}

func loopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && address.Unmap().IsLoopback()
}
