package apiclient

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
	"unicode"

	"github.com/aliyun/credentials-go/credentials/providers"
)

// sessionLife is how long a role is assumed for.
const sessionLife = time.Hour

// fetcher is a provider of credentials-go. It is not safe for concurrent use,
// and knows by itself when to fetch.
type fetcher interface {
	GetCredentials() (*providers.Credentials, error)
}

func (t CredentialType) known() bool {
	switch t {
	case CredentialDefault, CredentialAccessKey, CredentialSTS, CredentialRAMRoleARN,
		CredentialOIDCRoleARN, CredentialECSRAMRole, CredentialURI:
		return true
	}
	return false
}

// lifetime is how long keys of the type are good from when they are made, as
// far as that is known.
func (t CredentialType) lifetime() time.Duration {
	if t == CredentialRAMRoleARN || t == CredentialOIDCRoleARN {
		return sessionLife
	}
	return 0
}

// fetch asks the provider, which is built first when there is none.
func (s *Credentials) fetch(values Credential) (keys Keys, err error) {
	defer func() {
		// The library follows pointers that an answer may leave nil.
		if recover() != nil {
			keys, err = Keys{}, values.failure("an answer of another form than expected")
		}
		if err != nil {
			s.fetcher = nil
		}
	}()
	if s.fetcher == nil {
		if s.fetcher, err = s.build(values); err != nil {
			return Keys{}, values.failure(cause(err))
		}
	}
	found, err := s.fetcher.GetCredentials()
	switch {
	case err != nil:
		return Keys{}, values.failure(cause(err))
	case found == nil || found.AccessKeyId == "" || found.AccessKeySecret == "":
		return Keys{}, values.failure("an access key is empty")
	}
	keys = Keys{AccessKeyID: found.AccessKeyId, AccessKeySecret: found.AccessKeySecret, SecurityToken: found.SecurityToken}
	if strings.ContainsFunc(keys.AccessKeyID+keys.AccessKeySecret+keys.SecurityToken, notInKeys) {
		return Keys{}, values.failure("an access key or token holds white space or a character that is not ASCII")
	}
	return keys, nil
}

func notInKeys(c rune) bool {
	return c > unicode.MaxASCII || unicode.IsSpace(c) || unicode.IsControl(c)
}

// newFetcher builds the provider of a credential whose files have been read.
// Fields left empty the library would take from the environment, which is not
// what the configuration says.
func newFetcher(c Credential) (fetcher, error) {
	switch c.Type {
	case CredentialDefault:
		return newChain(), nil
	case CredentialAccessKey, CredentialSTS:
		return c.static()
	case CredentialRAMRoleARN:
		return c.ramRole()
	case CredentialOIDCRoleARN:
		if c.OIDCTokenFile == "" || c.RoleARN == "" || c.OIDCProviderARN == "" {
			return nil, known("role_arn, oidc_provider_arn and oidc_token_file are needed")
		}
		// The token itself, not its file: a token in the environment would go before the file.
		return providers.NewOIDCCredentialsProviderBuilder().
			WithOIDCToken(c.OIDCTokenFile).
			WithOIDCProviderARN(c.OIDCProviderARN).
			WithRoleArn(c.RoleARN).
			WithRoleSessionName(c.sessionName()).
			WithPolicy(c.Policy).
			WithSTSEndpoint(c.STSEndpoint).
			WithDurationSeconds(int(sessionLife / time.Second)).
			Build()
	case CredentialECSRAMRole:
		return providers.NewECSRAMRoleCredentialsProviderBuilder().WithRoleName(c.RoleName).Build()
	case CredentialURI:
		if c.URL == "" {
			return nil, known("url is empty")
		}
		return providers.NewURLCredentialsProviderBuilder().WithUrl(c.URL).Build()
	default:
		return nil, known("the type is not known")
	}
}

func (c Credential) ramRole() (fetcher, error) {
	if c.RoleARN == "" {
		return nil, known("role_arn is empty")
	}
	var base providers.CredentialsProvider = newChain()
	if c.AccessKeyID != "" || c.AccessKeySecret != "" {
		var err error
		if base, err = c.static(); err != nil {
			return nil, err
		}
	}
	return providers.NewRAMRoleARNCredentialsProviderBuilder().
		WithCredentialsProvider(base).
		WithRoleArn(c.RoleARN).
		WithRoleSessionName(c.sessionName()).
		WithPolicy(c.Policy).
		WithExternalId(c.ExternalID).
		WithStsEndpoint(c.STSEndpoint).
		WithDurationSeconds(int(sessionLife / time.Second)).
		Build()
}

// static is the provider of a key pair, with or without a token.
func (c Credential) static() (providers.CredentialsProvider, error) {
	switch {
	case c.AccessKeyID == "" || c.AccessKeySecret == "":
		return nil, known("access_key_id or access_key_secret is empty")
	case c.SecurityToken != "":
		return providers.NewStaticSTSCredentialsProviderBuilder().
			WithAccessKeyId(c.AccessKeyID).WithAccessKeySecret(c.AccessKeySecret).WithSecurityToken(c.SecurityToken).Build()
	case c.Type == CredentialSTS:
		return nil, known("security_token is empty")
	default:
		return providers.NewStaticAKCredentialsProviderBuilder().
			WithAccessKeyId(c.AccessKeyID).WithAccessKeySecret(c.AccessKeySecret).Build()
	}
}

// sessionName is what the audit log of the account shows.
func (c Credential) sessionName() string {
	return cmp.Or(c.RoleSessionName, os.Getenv("ALIBABA_CLOUD_ROLE_SESSION_NAME"), "cloudsso-exporter")
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
		content, err := os.ReadFile(f.path)
		value := strings.TrimSpace(string(content))
		var path *os.PathError
		switch {
		case errors.As(err, &path):
			return Credential{}, fmt.Errorf("credential of type %s: %s %q cannot be read (%w): create it or correct the path", c.Type, f.key, f.path, path.Err)
		case err != nil:
			return Credential{}, fmt.Errorf("credential of type %s: %s %q cannot be read: create it or correct the path", c.Type, f.key, f.path)
		case value == "":
			return Credential{}, fmt.Errorf("credential of type %s: %s %q is empty: write the value into it", c.Type, f.key, f.path)
		}
		*f.into = value
	}
	return c, nil
}
