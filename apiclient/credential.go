package apiclient

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"syscall"
)

// Keys sign a request. Keys are a KeySource of themselves.
type Keys struct {
	AccessKeyID     string
	AccessKeySecret string
	SecurityToken   string // empty for a key pair
}

// KeySource gives the keys to sign with. It may be used by several goroutines at once.
type KeySource interface {
	// Keys returns keys that are valid now. It stops waiting with ctx.
	Keys(ctx context.Context) (Keys, error)
}

// refusable is a KeySource that wants to know when the API does not accept its keys.
type refusable interface{ Refused(Keys) }

// Keys returns k.
func (k Keys) Keys(context.Context) (Keys, error) { return k, nil }

// Format hides everything, whatever the verb: keys are not for printing.
func (Keys) Format(f fmt.State, _ rune) { fmt.Fprint(f, "keys (hidden)") }

// LogValue does the same for handlers that would take the struct apart.
func (k Keys) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(k)) }

// CredentialType names a way to obtain credentials.
type CredentialType string

// The credential types.
const (
	CredentialDefault     CredentialType = "default"       // the provider chain: environment, OIDC, CLI profile, …
	CredentialProfile     CredentialType = "profile"       // a named profile of Alibaba Cloud CLI
	CredentialAccessKey   CredentialType = "access_key"    // a key pair
	CredentialSTS         CredentialType = "sts"           // a key pair with a security token
	CredentialRAMRoleARN  CredentialType = "ram_role_arn"  // a role assumed with a key pair or on top of the chain
	CredentialOIDCRoleARN CredentialType = "oidc_role_arn" // a role assumed with an OIDC token (RRSA)
	CredentialECSRAMRole  CredentialType = "ecs_ram_role"  // the role of the instance, by its metadata
	CredentialURI         CredentialType = "credentials_uri"
)

// cure is what to do when a credential of the type fails; empty for a type that is not known.
func (t CredentialType) cure() string {
	return map[CredentialType]string{
		CredentialDefault:     "set one of them up or choose another type",
		CredentialProfile:     "check the profile with aliyun configure list",
		CredentialAccessKey:   "correct the key",
		CredentialSTS:         "correct the key",
		CredentialRAMRoleARN:  "check role_arn, the role's trust policy, the keys that assume it and sts_endpoint",
		CredentialOIDCRoleARN: "check role_arn, oidc_provider_arn, the token file and sts_endpoint",
		CredentialECSRAMRole:  "check role_name and that the instance has the role",
		CredentialURI:         "check url and the server behind it",
	}[t]
}

// Credential says where the credentials of a directory come from. It is a
// comparable value; which fields a type needs is checked where it is loaded.
// A field and its File twin exclude each other; files are read again when they change.
type Credential struct {
	Type    CredentialType
	Profile string // of Alibaba Cloud CLI; empty: the one in use

	AccessKeyID         string
	AccessKeyIDFile     string
	AccessKeySecret     string
	AccessKeySecretFile string
	SecurityToken       string
	SecurityTokenFile   string

	RoleARN         string
	RoleSessionName string
	Policy          string
	ExternalID      string
	STSEndpoint     string

	OIDCProviderARN string
	OIDCTokenFile   string

	RoleName string // of the instance; empty: ask the metadata service
	URL      string // of the credentials server
}

// Format names the type, the profile or the role and nothing else, whatever the
// verb, so that no secret gets into a log or an error.
func (c Credential) Format(f fmt.State, _ rune) {
	fmt.Fprint(f, "credential of type ", c.Type)
	if which := cmp.Or(c.Profile, c.RoleARN, c.RoleName); which != "" {
		fmt.Fprintf(f, " (%s)", truncate(tidy(which), 128))
	}
}

// LogValue does the same for handlers that would take the struct apart.
func (c Credential) LogValue() slog.Value { return slog.StringValue(fmt.Sprint(c)) }

// maxFile is the most that a file of credentials holds.
const maxFile = 1 << 20

// readFile reads a regular file. It does not block on anything else: opening a
// named pipe would wait for a writer.
func readFile(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, known("not a regular file")
	case info.Size() > maxFile:
		return nil, known("over 1 MiB")
	}
	return io.ReadAll(io.LimitReader(f, maxFile))
}

// hasFiles reports whether the keys depend on files.
func (c Credential) hasFiles() bool {
	return c.AccessKeyIDFile != "" || c.AccessKeySecretFile != "" || c.SecurityTokenFile != "" || c.OIDCTokenFile != ""
}

// withFiles returns the credential with the content of its files in place of
// what they are for, that of OIDCTokenFile in place of its own path.
func (c Credential) withFiles() (Credential, error) {
	for _, f := range []struct {
		key, path string
		into      *string
	}{
		{"access_key_id_file", c.AccessKeyIDFile, &c.AccessKeyID},
		{"access_key_secret_file", c.AccessKeySecretFile, &c.AccessKeySecret},
		{"security_token_file", c.SecurityTokenFile, &c.SecurityToken},
		{"oidc_token_file", c.OIDCTokenFile, &c.OIDCTokenFile},
	} {
		if f.path == "" {
			continue
		}
		content, err := readFile(f.path)
		if err != nil {
			return Credential{}, fmt.Errorf("%s: %s %q cannot be read (%s): create it or correct the path", c, f.key, f.path, cause(err))
		}
		if *f.into = strings.TrimSpace(string(content)); *f.into == "" {
			return Credential{}, fmt.Errorf("%s: %s %q is empty: write the value into it", c, f.key, f.path)
		}
	}
	return c, nil
}

// readHome reads the file that the variable names, else the one below the home directory.
func readHome(variable, path string) ([]byte, error) {
	if file := env(variable); file != "" {
		return readFile(file)
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return nil, known("no home directory")
	}
	return readFile(home + "/" + path)
}

// env is a variable of the environment. Files and editors add newlines.
func env(name string) string { return strings.TrimSpace(os.Getenv(name)) }
