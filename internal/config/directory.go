package config

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"cloudsso_exporter/apiclient"
	"cloudsso_exporter/internal/task"
)

// Directory is one directory to watch. Values are comparable with ==.
type Directory struct {
	ID         string
	Name       string // for people; may be empty
	Region     string
	Endpoint   string // as URL with scheme and host only; empty for the region's own, see URL
	Credential apiclient.Credential
	KeyID      string // what Credential.AccessKeyIDFile held at load; empty without such a file
	Filter     task.Filter
}

// URL returns where the directory's API is: scheme and host, without a slash at the end.
func (d Directory) URL() string {
	if d.Endpoint != "" {
		return d.Endpoint
	}
	return "https://cloudsso." + d.Region + ".aliyuncs.com"
}

// Account tells apart, as well as can be told without a call, the accounts that directories are read with: the account
// of the role, else the access key id (of a file as it was at load), else where the credential comes from. Directories with the same Account and
// Region share the API's flow control. It is a key to compare, not for logs: a URL in it may hold a token.
func (d Directory) Account() string {
	c := d.Credential
	switch {
	case c.RoleARN != "":
		return "account " + accountOf(c.RoleARN)
	case c.AccessKeyID != "":
		return "access key " + c.AccessKeyID
	case d.KeyID != "":
		return "access key " + d.KeyID
	default:
		return strings.Join([]string{string(c.Type), c.RoleName, c.URL}, " ")
	}
}

// accountOf returns the account in acs:ram::<account>:role/<name>.
func accountOf(arn string) string {
	if parts := strings.SplitN(arn, ":", 5); len(parts) == 5 {
		return parts[3]
	}
	return arn
}

func directoryFields(folder string, outside Outside) []field[Directory] {
	return []field[Directory]{
		scalar("directory_id", func(d *Directory) *string { return &d.ID }, text(directoryIDForm())),
		scalar("name", func(d *Directory) *string { return &d.Name }, text(line(100))),
		scalar("region", func(d *Directory) *string { return &d.Region }, text(regionForm())),
		scalar("endpoint", func(d *Directory) *string { return &d.Endpoint }, endpoint),
		nested("credential", func(d *Directory) *apiclient.Credential { return &d.Credential }, credentialFields(), checkCredential(folder, outside)),
		nested("filter", func(d *Directory) *task.Filter { return &d.Filter }, filterFields(), checkFilter),
	}
}

func directoryIDForm() func(string) error {
	return form(`[A-Za-z0-9][A-Za-z0-9_.-]{0,63}`, "a directory id is as d-00fc2p61xxxx; the CloudSSO console shows it")
}

// regionForm knows no list: a new region must work without a new release. The region becomes part of a host name.
func regionForm() func(string) error {
	return form(`[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?`, "a region is its id alone, as cn-shanghai")
}

// checkDirectory returns the check of the directories of one file.
func checkDirectory(outside Outside) func(mapping, *Directory) {
	first := make(map[string]value) // by directory id
	return func(m mapping, d *Directory) {
		m.require("directory_id", "add directory_id: d-00fc2p61xxxx with the id of yours")
		m.require("region", "add the region of the directory, as region: cn-shanghai")
		if d.Credential == (apiclient.Credential{}) {
			d.Credential = defaultCredential()
		}
		if path := d.Credential.AccessKeyIDFile; path != "" {
			id, _ := outside.ReadFile(path) // whether it can be read has been checked
			d.KeyID = strings.TrimSpace(string(id))
		}
		if d.ID == "" {
			return
		}
		if other, again := first[d.ID]; again {
			m.at("directory_id").fail("%s stands already at %s on line %d; remove one", d.ID, other.path, other.line)
			return
		}
		first[d.ID] = m.at("directory_id")
	}
}

func filterFields() []field[task.Filter] {
	id := func() func(value) (string, error) { return text(masked, line(128)) }
	return []field[task.Filter]{
		scalar("access_configuration_id", func(f *task.Filter) *string { return &f.AccessConfigurationID }, id()),
		scalar("target_type", func(f *task.Filter) *string { return &f.TargetType }, text(oneOf("RD-Account"))),
		scalar("target_id", func(f *task.Filter) *string { return &f.TargetID }, id()),
		scalar("principal_type", func(f *task.Filter) *string { return &f.PrincipalType }, text(oneOf("User", "Group"))),
		scalar("principal_id", func(f *task.Filter) *string { return &f.PrincipalID }, id()),
	}
}

// checkFilter refuses half a pair: the API ignores it, and would show everything.
func checkFilter(m mapping, _ *task.Filter) {
	for _, pair := range []struct{ id, kind, kinds string }{
		{"target_id", "target_type", "RD-Account"},
		{"principal_id", "principal_type", "User or Group"},
	} {
		id, kind := m.given(pair.id), m.given(pair.kind)
		if id && !kind && !m.meant[pair.kind] {
			m.at(pair.id).fail("needs %s beside it; add %s: %s", pair.kind, pair.kind, pair.kinds)
		}
		if kind && !id && !m.meant[pair.id] {
			m.at(pair.kind).fail("needs %s beside it; add %s, or remove %s", pair.id, pair.id, pair.kind)
		}
	}
}

// endpoint accepts a host, or a URL that is no more than a host, and returns it as URL.
func endpoint(v value) (string, error) {
	s, err := text()(v)
	if err != nil || s == "" {
		return "", err
	}
	if !strings.Contains(s, "://") {
		s = "https://" + s
	}
	// What is wrong in form is not repeated: it may be a URL with a password.
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "":
		return "", errors.New("is no host and no URL; write it as cloudsso-vpc.cn-shanghai.aliyuncs.com")
	case u.Scheme != "https" && u.Scheme != "http":
		return "", errors.New("must be a host or begin with https://")
	case u.User != nil:
		return "", errors.New("holds a user name; remove all up to the @, as credentials belong under credential")
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "", errors.New("holds more than a host; remove what follows it")
	}
	if err := hostForm(u.Host); err != nil {
		return "", err
	}
	if u.Scheme == "http" && !loopback(u.Hostname()) {
		return "", errors.New("http:// is only for a loopback address (127.0.0.1, ::1, localhost); use https://")
	}
	return u.Scheme + "://" + u.Host, nil
}

// hostForm accepts a name or address, with a port or without.
func hostForm(s string) error {
	u := &url.URL{Host: s}
	host, port := u.Hostname(), u.Port()
	_, notAddress := netip.ParseAddr(host)
	named := regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9])?$`).MatchString(host)
	switch n, err := strconv.ParseUint(port, 10, 16); {
	case notAddress != nil && (!named || strings.Contains(host, "..")):
		return errors.New("is no host name and no address; write it as cloudsso-vpc.cn-shanghai.aliyuncs.com")
	case strings.HasSuffix(s, ":"), port != "" && (err != nil || n == 0):
		return fmt.Errorf("port must be 1 to 65535, is %s", quote(port))
	}
	return nil
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	address, err := netip.ParseAddr(host)
	return err == nil && address.Unmap().IsLoopback()
}
