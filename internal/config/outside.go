package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"

	"cloudsso_exporter/apiclient"
)

// Outside is what Parse asks the machine for. What is nil is not asked, nor missed.
type Outside struct {
	// ReadFile returns the content of a file that holds a secret. It gets the path as it will be in the Config.
	ReadFile func(path string) ([]byte, error)
	// Getenv returns an environment variable; empty when it is not set.
	Getenv func(name string) string
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

// readSecret reads a regular file alone: opening a pipe waits for someone to write to it.
func readSecret(path string) ([]byte, error) {
	if info, err := os.Stat(path); err == nil && !info.IsDir() && !info.Mode().IsRegular() {
		return nil, errors.New("is not a regular file")
	}
	return readFile(path, 64<<10)
}
