package config

import (
	"reflect"
	"slices"
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

// useOf returns what a type of credential uses, or nothing when there is no such type.
func useOf(name apiclient.CredentialType) credentialUse {
	for _, u := range credentialUses() {
		if u.name == name {
			return u
		}
	}
	return credentialUse{}
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
	use := useOf(c.Type)
	if use.name == "" {
		return
	}
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
		need("access_key_id", "a key pair needs both, or leave out both")
		need("access_key_secret", "a key pair needs both, or leave out both")
	}
}
