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

// credentialUse says which keys a type of credential has. A key pair may be given as files.
type credentialUse struct {
	name  apiclient.CredentialType
	needs []string
	takes []string
}

func credentialUses() []credentialUse {
	pair := []string{"access_key_id", "access_key_secret"}
	return []credentialUse{
		{apiclient.CredentialDefault, nil, nil},
		{apiclient.CredentialAccessKey, pair, nil},
		{apiclient.CredentialSTS, []string{"access_key_id", "access_key_secret", "security_token"}, nil},
		{apiclient.CredentialRAMRoleARN, []string{"role_arn"}, append(pair, "security_token",
			"role_session_name", "policy", "external_id", "sts_endpoint")},
		// The environment may supply what this type needs, so complete checks that.
		{apiclient.CredentialOIDCRoleARN, nil, []string{"role_arn", "oidc_provider_arn", "oidc_token_file",
			"role_session_name", "policy", "sts_endpoint"}},
		{apiclient.CredentialECSRAMRole, nil, []string{"role_name"}},
		{apiclient.CredentialURI, []string{"url"}, nil},
		{apiclient.CredentialProfile, []string{"profile"}, nil},
	}
}

// uses reports whether a type of credential has the key, itself or as the content of a file.
func (u credentialUse) uses(key string) bool {
	if base := strings.TrimSuffix(key, "_file"); isSecret(base) {
		key = base
	}
	return slices.Contains(u.needs, key) || slices.Contains(u.takes, key)
}

// isSecret reports whether a key can also be given as a file, with _file behind its name.
func isSecret(key string) bool {
	return key == "access_key_id" || key == "access_key_secret" || key == "security_token"
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

// credential reports keys that the type of a credential does not use, those that it lacks, and what is given twice.
func (r *rules) credential(path string, c apiclient.Credential) {
	var given []string // but type
	walk(reflect.ValueOf(c), "", func(_, key string, v reflect.Value) {
		if key != "type" && !v.IsZero() {
			given = append(given, key)
		}
	})
	i := slices.IndexFunc(credentialUses(), func(u credentialUse) bool { return u.name == c.Type })
	if c.Type == "" {
		r.fail(join(path, "type"), "has no value; add type: %s", alternatives(typesWith(given...)))
	}
	if i < 0 {
		return
	}
	use := credentialUses()[i]
	needs := use.needs
	for _, key := range given {
		if base, isFile := strings.CutSuffix(key, "_file"); isFile && slices.Contains(given, base) {
			r.compare(join(path, key), join(path, base), "excludes %s; keep one of them", base)
		}
		if !use.uses(key) {
			r.fail(join(path, key), "type %s does not use it; remove it, or set type to %s", c.Type, alternatives(typesWith(key)))
		}
		if c.Type == apiclient.CredentialRAMRoleARN && isSecret(strings.TrimSuffix(key, "_file")) {
			needs = slices.Concat(use.needs, []string{"access_key_id", "access_key_secret"})
		}
	}
	for _, key := range needs {
		why, cure := "type "+string(c.Type)+" needs it", key
		if isSecret(key) {
			cure += " or " + key + "_file"
		}
		if !slices.Contains(use.needs, key) {
			why = "a key pair is both or none, also with a security_token"
		}
		if !slices.Contains(given, key) && !slices.Contains(given, key+"_file") {
			r.compare(join(path, key), join(path, key+"_file"), "has no value; %s; add %s", why, cure)
		}
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
		if d.Credential.Type != apiclient.CredentialOIDCRoleARN || getenv == nil {
			continue
		}
		walk(reflect.ValueOf(&d.Credential).Elem(), item("directories", i)+".credential", func(path, key string, v reflect.Value) {
			if key != "role_arn" && key != "oidc_provider_arn" && key != "oidc_token_file" || !v.IsZero() {
				return
			}
			at := r.nearest(path)
			at.variable = "ALIBABA_CLOUD_" + strings.ToUpper(key)
			if v.SetString(getenv(at.variable)); !v.IsZero() {
				r.places[path] = at
			} else {
				r.report(Problem{Key: path, Message: "has no value; type oidc_role_arn needs it; add " + key + ", or set the environment variable " + at.variable})
			}
		})
	}
}

// openFiles makes the paths of secrets relative to the folder of the configuration, and checks that they hold something.
func (r *reading) openFiles(c *Config, folder string, readFile func(string) ([]byte, error)) {
	for i := range c.Directories {
		d := &c.Directories[i]
		walk(reflect.ValueOf(&d.Credential).Elem(), item("directories", i)+".credential", func(path, key string, v reflect.Value) {
			written := v.String()
			if !strings.HasSuffix(key, "_file") || written == "" || line(4096)(written) != nil || !slices.Contains(typesWith(key), string(d.Credential.Type)) {
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
			name := "file " + strconv.Quote(v.String())
			if likeSecret(written) {
				name = "the file of this name (not shown, as it looks like the secret itself)"
			}
			switch {
			case err != nil:
				r.report(Problem{Key: path, Message: name + " cannot be read: " + cause(err).Error() +
					"; create it or correct the path, relative ones start at the folder of this configuration"})
			case value == "":
				r.report(Problem{Key: path, Message: name + " is empty; write the value into it"})
			case len(strings.Fields(value)) > 1:
				r.report(Problem{Key: path, Message: name + " holds more than one word; leave only the value in it"})
			}
		})
	}
}

// likeSecret reports whether what should be a path may be a secret, put beside the wrong key: it does not begin as
// a path does, and has a long run of what keys and tokens are made of.
func likeSecret(path string) bool {
	return !filepath.IsAbs(path) && !strings.HasPrefix(path, ".") && regexp.MustCompile(`[A-Za-z0-9+/=]{16}`).MatchString(path)
}
