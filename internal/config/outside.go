package config

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
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

// complete sets what the file may leave out and what it may write in several ways, and looks at the files of secrets.
func (r *reading) complete(d *Directory, path, folder string, outside Outside) {
	if url, err := endpointURL(d.Endpoint); err == nil {
		d.Endpoint = url
	}
	if d.Credential == (apiclient.Credential{}) {
		d.Credential.Type = apiclient.CredentialDefault
	}
	use := useOf(d.Credential.Type)
	walk(reflect.ValueOf(&d.Credential).Elem(), path+".credential", func(path, key string, v reflect.Value) {
		if use.name == apiclient.CredentialOIDCRoleARN && v.IsZero() && slices.Contains(use.needs, key) {
			r.fromEnvironment(path, key, v, outside.Getenv)
		}
		if strings.HasSuffix(key, "_file") && !v.IsZero() {
			content := r.open(path, folder, v, outside.ReadFile)
			if key == "access_key_id_file" {
				d.KeyID = content
			}
		}
	})
}

// fromEnvironment fills a key with what Kubernetes' RRSA sets in a pod's environment, where credentials-go looks, too:
// so the credential is whole, and a reload sees a change.
func (r *reading) fromEnvironment(path, key string, v reflect.Value, getenv func(string) string) {
	if getenv == nil {
		r.unread[path] = true // it may be there
		return
	}
	if v.SetString(getenv(oidcVariable(key))); !v.IsZero() {
		at := r.nearest(path)
		at.variable = oidcVariable(key)
		r.places[path] = at
	}
}

// open makes the path of a secret relative to the folder of the configuration, and returns what the file holds.
func (r *reading) open(path, folder string, v reflect.Value, readFile func(string) ([]byte, error)) string {
	written := v.String()
	if !filepath.IsAbs(written) && r.places[path].variable == "" {
		v.SetString(filepath.Join(folder, written))
	}
	if readFile == nil {
		return ""
	}
	content, err := readFile(v.String())
	value := strings.TrimSpace(string(content))
	var wrong string
	switch {
	case err != nil:
		wrong = "cannot be read: " + cause(err).Error() + "; create it or correct the path, relative ones start at the folder of this configuration"
	case value == "":
		wrong = "is empty; write the value into it"
	case len(strings.Fields(value)) > 1:
		wrong = "holds more than one word; leave only the value in it"
	default:
		return value
	}
	name := "file " + strconv.Quote(v.String())
	if likeSecret(written) {
		name = "the file of this name (not shown, as it looks like the secret itself)"
	}
	r.report(Problem{Key: path, Message: name + " " + wrong})
	return ""
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
