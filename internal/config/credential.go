package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"cloudsso_exporter/apiclient"
)

func defaultCredential() apiclient.Credential {
	return apiclient.Credential{Type: apiclient.CredentialDefault}
}

// credentialUse says which keys a type of credential has. A key pair may be given as files.
type credentialUse struct {
	name  apiclient.CredentialType
	needs []string
	takes []string
}

func credentialUses() []credentialUse {
	return []credentialUse{
		{apiclient.CredentialDefault, nil, nil},
		{apiclient.CredentialAccessKey, []string{"access_key_id", "access_key_secret"}, nil},
		{apiclient.CredentialSTS, []string{"access_key_id", "access_key_secret", "security_token"}, nil},
		{apiclient.CredentialRAMRoleARN, []string{"role_arn"}, []string{"access_key_id", "access_key_secret", "security_token",
			"role_session_name", "policy", "external_id", "sts_endpoint"}},
		{apiclient.CredentialOIDCRoleARN, []string{"role_arn", "oidc_provider_arn", "oidc_token_file"}, []string{
			"role_session_name", "policy", "sts_endpoint"}},
		{apiclient.CredentialECSRAMRole, nil, []string{"role_name"}},
		{apiclient.CredentialURI, []string{"url"}, nil},
	}
}

// uses reports whether a type of credential has the key, itself or as the content of a file.
func (u credentialUse) uses(key string) bool {
	if base, ok := strings.CutSuffix(key, "_file"); ok && slices.Contains(secrets(), base) {
		key = base
	}
	return slices.Contains(u.needs, key) || slices.Contains(u.takes, key)
}

// secrets are the keys that can also be given as a file, with _file behind their name.
func secrets() []string { return []string{"access_key_id", "access_key_secret", "security_token"} }

func credentialFields() []field[apiclient.Credential] {
	type credential = apiclient.Credential
	var names []string
	for _, u := range credentialUses() {
		names = append(names, string(u.name))
	}
	credentialType := func(v value) (apiclient.CredentialType, error) {
		s, err := text(oneOf(names...))(v)
		return apiclient.CredentialType(s), err
	}
	path := func() func(value) (string, error) { return text(line(4096)) }
	return []field[credential]{
		scalar("type", func(c *credential) *apiclient.CredentialType { return &c.Type }, credentialType),
		scalar("access_key_id", func(c *credential) *string { return &c.AccessKeyID }, secret()),
		scalar("access_key_id_file", func(c *credential) *string { return &c.AccessKeyIDFile }, path()),
		scalar("access_key_secret", func(c *credential) *string { return &c.AccessKeySecret }, secret()),
		scalar("access_key_secret_file", func(c *credential) *string { return &c.AccessKeySecretFile }, path()),
		scalar("security_token", func(c *credential) *string { return &c.SecurityToken }, secret()),
		scalar("security_token_file", func(c *credential) *string { return &c.SecurityTokenFile }, path()),
		scalar("role_arn", func(c *credential) *string { return &c.RoleARN }, text(roleARNForm())),
		scalar("role_session_name", func(c *credential) *string { return &c.RoleSessionName },
			text(form(`[A-Za-z0-9.@_-]{2,64}`, "2 to 64 letters, digits, dots, @, hyphens or underscores"))),
		scalar("policy", func(c *credential) *string { return &c.Policy }, policy),
		scalar("external_id", func(c *credential) *string { return &c.ExternalID }, secret()),
		scalar("role_name", func(c *credential) *string { return &c.RoleName },
			text(form(`[A-Za-z0-9._-]{1,64}`, "write the name of the role alone, not its ARN"))),
		scalar("sts_endpoint", func(c *credential) *string { return &c.STSEndpoint }, stsEndpoint),
		scalar("oidc_provider_arn", func(c *credential) *string { return &c.OIDCProviderARN }, text(providerARNForm())),
		scalar("oidc_token_file", func(c *credential) *string { return &c.OIDCTokenFile }, path()),
		scalar("url", func(c *credential) *string { return &c.URL }, credentialsURL),
	}
}

func roleARNForm() func(string) error {
	return form(`acs:ram::\d+:role/\S+`, "write it as acs:ram::<account id>:role/<role name>")
}

func providerARNForm() func(string) error {
	return form(`acs:ram::\d+:oidc-provider/\S+`, "write it as acs:ram::<account id>:oidc-provider/<provider name>")
}

func policy(v value) (string, error) {
	s, err := text()(v)
	if err == nil && s != "" && !json.Valid([]byte(s)) {
		err = errors.New(`must be a policy as JSON; put it in single quotes, as '{"Version": "1", "Statement": […]}'`)
	}
	return s, err
}

func stsEndpoint(v value) (string, error) {
	s, err := text()(v)
	switch {
	case err != nil || s == "":
	case strings.ContainsAny(s, "/@?#"):
		err = errors.New("must be a host alone, as sts-vpc.cn-shanghai.aliyuncs.com; remove https:// and what follows the host")
	default:
		err = hostForm(s)
	}
	return s, err
}

// credentialsURL accepts the URL of a credentials server. It may hold a token, so it is never repeated.
func credentialsURL(v value) (string, error) {
	s, err := text()(v)
	if err != nil || s == "" {
		return s, err
	}
	if u, err := url.Parse(s); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", errors.New("is no URL of a credentials server; write it as http://127.0.0.1:8081/credentials")
	}
	return s, nil
}

// checkCredential holds the keys of a credential against what its type needs and takes, and looks at its files.
func checkCredential(folder string, outside Outside) func(mapping, *apiclient.Credential) {
	uses := credentialUses()
	var keys []string // but type
	for _, f := range credentialFields() {
		if f.key != "type" {
			keys = append(keys, f.key)
		}
	}
	return func(m mapping, c *apiclient.Credential) {
		given := slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return !m.given(key) })
		if !m.given("type") {
			m.checkUntyped(given, c)
			return
		}
		i := slices.IndexFunc(uses, func(u credentialUse) bool { return u.name == c.Type })
		if i < 0 {
			return
		}
		use := uses[i]
		for _, key := range given {
			if !use.uses(key) {
				m.at(key).fail("type %s does not use it; remove it, or set type to %s", c.Type, alternatives(typesWith(key)))
			}
		}
		if c.Type == apiclient.CredentialOIDCRoleARN {
			m.fillFromEnvironment(c, outside.Getenv)
		}
		m.checkKeys(use, c)
		m.checkFiles(use, c, folder, outside.ReadFile)
	}
}

// checkUntyped is for a credential without type: fine when it is empty altogether.
func (m mapping) checkUntyped(given []string, c *apiclient.Credential) {
	if len(given) == 0 {
		c.Type = apiclient.CredentialDefault
		return
	}
	var candidates []string // types that use all that is given
	for _, u := range credentialUses() {
		if !slices.ContainsFunc(given, func(key string) bool { return !u.uses(key) }) {
			candidates = append(candidates, string(u.name))
		}
	}
	if len(candidates) == 0 {
		candidates = []string{"the one that is meant"}
	}
	m.require("type", "add type: "+alternatives(candidates))
}

func typesWith(key string) []string {
	var names []string
	for _, u := range credentialUses() {
		if u.uses(key) {
			names = append(names, string(u.name))
		}
	}
	return names
}

// checkKeys reports what is missing, half a key pair, and what is given twice.
func (m mapping) checkKeys(use credentialUse, c *apiclient.Credential) {
	either := func(key string) bool { return m.given(key) || m.given(key+"_file") }
	for _, key := range secrets() {
		if m.given(key) && m.given(key+"_file") {
			m.at(key+"_file").fail("excludes %s on line %d; keep one of them", key, m.at(key).line)
		}
	}
	for _, key := range use.needs {
		switch {
		case slices.Contains(secrets(), key):
			if !either(key) {
				m.require(key, "type "+string(use.name)+" needs it; add "+key+" or "+key+"_file")
			}
		case key == "role_arn" && c.RoleARN != "", key == "oidc_provider_arn" && c.OIDCProviderARN != "", key == "oidc_token_file" && c.OIDCTokenFile != "":
			// From the file or from the environment.
		default:
			cure := "type " + string(use.name) + " needs it; add " + key
			if variable, ok := oidcVariables()[key]; ok && use.name == apiclient.CredentialOIDCRoleARN {
				cure += ", or set the environment variable " + variable
			}
			m.require(key, cure)
		}
	}
	if use.name != apiclient.CredentialRAMRoleARN {
		return
	}
	switch id, key := either("access_key_id"), either("access_key_secret"); {
	case id && !key:
		m.require("access_key_secret", "a key pair is both or none; add access_key_secret or access_key_secret_file")
	case key && !id:
		m.require("access_key_id", "a key pair is both or none; add access_key_id or access_key_id_file")
	case either("security_token") && !id:
		m.require("access_key_id", "a security_token goes with a key pair; add access_key_id and access_key_secret")
	}
}

// oidcVariables are the environment variables that Kubernetes' RRSA sets in a pod, and credentials-go looks at, by key.
func oidcVariables() map[string]string {
	return map[string]string{
		"role_arn":          "ALIBABA_CLOUD_ROLE_ARN",
		"oidc_provider_arn": "ALIBABA_CLOUD_OIDC_PROVIDER_ARN",
		"oidc_token_file":   "ALIBABA_CLOUD_OIDC_TOKEN_FILE",
	}
}

// fillFromEnvironment sets what the file leaves out, so that the credential is whole and a reload sees a change.
func (m mapping) fillFromEnvironment(c *apiclient.Credential, getenv func(string) string) {
	for _, from := range []struct {
		key  string
		into *string
		form func(string) error
	}{
		{"role_arn", &c.RoleARN, roleARNForm()},
		{"oidc_provider_arn", &c.OIDCProviderARN, providerARNForm()},
		{"oidc_token_file", &c.OIDCTokenFile, line(4096)},
	} {
		variable := oidcVariables()[from.key]
		found := getenv(variable)
		if m.given(from.key) || found == "" {
			continue
		}
		if err := from.form(found); err != nil {
			m.at(from.key).fail("in the environment variable %s %v", variable, err)
		}
		*from.into = found
	}
}

// checkFiles makes the paths of files relative to the folder of the configuration, and looks whether they hold something.
func (m mapping) checkFiles(use credentialUse, c *apiclient.Credential, folder string, readFile func(string) ([]byte, error)) {
	for _, file := range []struct {
		key  string
		path *string
	}{
		{"access_key_id_file", &c.AccessKeyIDFile},
		{"access_key_secret_file", &c.AccessKeySecretFile},
		{"security_token_file", &c.SecurityTokenFile},
		{"oidc_token_file", &c.OIDCTokenFile},
	} {
		if *file.path == "" || !use.uses(file.key) {
			continue
		}
		if !filepath.IsAbs(*file.path) && m.given(file.key) {
			*file.path = filepath.Join(folder, *file.path)
		}
		name := fmt.Sprintf("file %q", *file.path)
		if m.given(file.key) && likeSecret(m.at(file.key).node.Value) {
			name = "the file of this name (not shown, as it looks like the secret itself)"
		}
		content, err := readFile(*file.path)
		trimmed := strings.TrimSpace(string(content))
		switch {
		case err != nil:
			m.at(file.key).fail("%s cannot be read: %v; create it or correct the path, relative ones start at the folder of this configuration", name, cause(err))
		case trimmed == "":
			m.at(file.key).fail("%s is empty; write the value into it", name)
		case len(strings.Fields(trimmed)) > 1:
			m.at(file.key).fail("%s holds more than one word; leave only the value in it", name)
		}
	}
}

// likeSecret reports whether what should be a path may be a secret, put beside the wrong key: it does not begin as
// a path does, and has a long run of what keys and tokens are made of.
func likeSecret(path string) bool {
	return !filepath.IsAbs(path) && !strings.HasPrefix(path, ".") && regexp.MustCompile(`[A-Za-z0-9+/=]{16}`).MatchString(path)
}

// given reports whether a key has a value that is not the empty text.
func (m mapping) given(key string) bool { return m.has(key) && !m.empty(key) }
