package config

import (
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"cloudsso_exporter/apiclient"
)

// credentialUse says which keys a type of credential needs, and which it may have besides.
type credentialUse struct {
	name         apiclient.CredentialType
	needs, takes []string
}

func credentialUses() []credentialUse {
	words := strings.Fields
	return []credentialUse{
		{apiclient.CredentialDefault, nil, nil},
		{apiclient.CredentialAccessKey, words("access_key_id access_key_secret"), nil},
		{apiclient.CredentialSTS, words("access_key_id access_key_secret security_token"), nil},
		{apiclient.CredentialRAMRoleARN, words("role_arn"),
			words("access_key_id access_key_secret security_token role_session_name policy external_id sts_endpoint")},
		{apiclient.CredentialOIDCRoleARN, words("role_arn oidc_provider_arn oidc_token_file"), words("role_session_name policy sts_endpoint")},
		{apiclient.CredentialECSRAMRole, nil, words("role_name")},
		{apiclient.CredentialURI, words("url"), nil},
		{apiclient.CredentialProfile, words("profile"), nil},
	}
}

// uses reports whether a type of credential has the key, itself or as the content of a file.
func (u credentialUse) uses(key string) bool {
	return slices.Contains(u.needs, valueKey(key)) || slices.Contains(u.takes, valueKey(key))
}

// isSecret reports whether a key can also be given as a file, with _file behind its name.
func isSecret(key string) bool {
	return key == "access_key_id" || key == "access_key_secret" || key == "security_token"
}

// valueKey returns the key of what the file holds when key is one that names the file of a secret, or else key.
func valueKey(key string) string {
	if base := strings.TrimSuffix(key, "_file"); isSecret(base) {
		return base
	}
	return key
}

// typesWith returns the types of credential that use all the keys, or all types when none does.
func typesWith(keys ...string) []string {
	var every, fitting []string
	for _, u := range credentialUses() {
		every = append(every, string(u.name))
		if !slices.ContainsFunc(keys, func(key string) bool { return !u.uses(key) }) {
			fitting = append(fitting, string(u.name))
		}
	}
	if fitting == nil {
		return every
	}
	return fitting
}

// oidcVariable is the environment variable that supplies a key which type oidc_role_arn needs.
func oidcVariable(key string) string { return "ALIBABA_CLOUD_" + strings.ToUpper(key) }

// credential reports keys that the type of a credential does not use, those that it lacks, and what is given twice.
func (r *rules) credential(path string, c apiclient.Credential) {
	var given []string // but type
	walk(reflect.ValueOf(c), "", func(_, key string, v reflect.Value) {
		if key != "type" && !v.IsZero() {
			given = append(given, key)
		}
	})
	if c.Type == "" {
		r.fail(join(path, "type"), "has no value; add type: %s", alternatives(typesWith(given...)))
	}
	i := slices.IndexFunc(credentialUses(), func(u credentialUse) bool { return u.name == c.Type })
	if i < 0 {
		return
	}
	use := credentialUses()[i]
	for _, key := range given {
		if base := valueKey(key); base != key && slices.Contains(given, base) {
			r.compare(join(path, key), join(path, base), "excludes %s; keep one of them", base)
		}
		if !use.uses(key) {
			r.fail(join(path, key), "type %s does not use it; remove it, or set type to %s", c.Type, alternatives(typesWith(key)))
		}
	}
	need := func(key, why string) {
		cure := key
		switch {
		case slices.Contains(given, key) || slices.Contains(given, key+"_file"):
			return
		case isSecret(key):
			cure += " or " + key + "_file"
		case c.Type == apiclient.CredentialOIDCRoleARN:
			cure += ", or set the environment variable " + oidcVariable(key)
		}
		r.compare(join(path, key), join(path, key+"_file"), "has no value; %s; add %s", why, cure)
	}
	for _, key := range use.needs {
		need(key, "type "+string(c.Type)+" needs it")
	}
	if c.Type == apiclient.CredentialRAMRoleARN && slices.ContainsFunc(given, func(key string) bool { return isSecret(valueKey(key)) }) {
		need("access_key_id", "a key pair is both or none, also with a security_token")
		need("access_key_secret", "a key pair is both or none, also with a security_token")
	}
}

// complete sets what the file may leave out and what it may write in several ways. A type that takes a role by OIDC
// also gets what Kubernetes' RRSA sets in a pod's environment, and credentials-go looks at: so the credential is whole,
// and a reload sees a change.
func (r *reading) complete(c *Config, getenv func(string) string) {
	for i := range c.Directories {
		d := &c.Directories[i]
		if url, err := endpointURL(d.Endpoint); err == nil {
			d.Endpoint = url
		}
		if d.Credential == (apiclient.Credential{}) {
			d.Credential.Type = apiclient.CredentialDefault
		}
		if d.Credential.Type != apiclient.CredentialOIDCRoleARN {
			continue
		}
		for key, value := range map[string]*string{
			"role_arn": &d.Credential.RoleARN, "oidc_provider_arn": &d.Credential.OIDCProviderARN, "oidc_token_file": &d.Credential.OIDCTokenFile,
		} {
			path := item("directories", i) + ".credential." + key
			switch {
			case *value != "":
			case getenv == nil:
				r.unread[path] = true // it may be in the environment
			case getenv(oidcVariable(key)) != "":
				at := r.nearest(path)
				at.variable = oidcVariable(key)
				r.places[path], *value = at, getenv(at.variable)
			}
		}
	}
}

// openFiles makes the paths of secrets relative to the folder of the configuration, and checks that they hold something.
func (r *reading) openFiles(c *Config, folder string, readFile func(string) ([]byte, error)) {
	for i := range c.Directories {
		d := &c.Directories[i]
		walk(reflect.ValueOf(&d.Credential).Elem(), item("directories", i)+".credential", func(path, key string, v reflect.Value) {
			written := v.String()
			if !strings.HasSuffix(key, "_file") || written == "" {
				return
			}
			if !filepath.IsAbs(written) && r.places[path].variable == "" {
				v.SetString(filepath.Join(folder, written))
			}
			if readFile == nil {
				return
			}
			content, err := readFile(v.String())
			value := strings.TrimSpace(string(content))
			if key == "access_key_id_file" {
				d.KeyID = value
			}
			var wrong string
			switch {
			case err != nil:
				wrong = "cannot be read: " + cause(err).Error() + "; create it or correct the path, relative ones start at the folder of this configuration"
			case value == "":
				wrong = "is empty; write the value into it"
			case len(strings.Fields(value)) > 1:
				wrong = "holds more than one word; leave only the value in it"
			default:
				return
			}
			name := "file " + strconv.Quote(v.String())
			if likeSecret(written) {
				name = "the file of this name (not shown, as it looks like the secret itself)"
			}
			r.report(Problem{Key: path, Message: name + " " + wrong})
		})
	}
}

// likeSecret reports whether what should be a path may be a secret, put beside the wrong key: it does not begin as
// a path does, and has a long run of what keys and tokens are made of.
func likeSecret(path string) bool {
	return !filepath.IsAbs(path) && !strings.HasPrefix(path, ".") && regexp.MustCompile(`[A-Za-z0-9+/=]{16}`).MatchString(path)
}
