package apiclient

import (
	"cmp"
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
	if err == nil {
		keys, err = usable(found)
	}
	if err != nil {
		return Keys{}, values.failure(cause(err))
	}
	return keys, nil
}

// usable returns the keys that a provider found if they can be sent.
func usable(found *providers.Credentials) (Keys, error) {
	if found == nil || found.AccessKeyId == "" || found.AccessKeySecret == "" {
		return Keys{}, known("an access key is empty")
	}
	keys := Keys{AccessKeyID: found.AccessKeyId, AccessKeySecret: found.AccessKeySecret, SecurityToken: found.SecurityToken}
	if strings.ContainsFunc(keys.AccessKeyID+keys.AccessKeySecret+keys.SecurityToken, func(c rune) bool {
		return c > unicode.MaxASCII || unicode.IsSpace(c) || unicode.IsControl(c)
	}) {
		return Keys{}, known("an access key or token holds white space or a character that is not ASCII")
	}
	if strings.HasPrefix(keys.AccessKeyID, "STS.") && keys.SecurityToken == "" {
		return Keys{}, known("a temporary access key, as STS. at its beginning says, without its security token: set that, too")
	}
	return keys, nil
}

// builder makes providers. Now is the local clock.
type builder struct{ now func() time.Time }

// provider is the provider of a credential whose files have been read. Fields
// left empty the library would take from the environment, which is not what the
// configuration says.
func (b builder) provider(c Credential) (providers.CredentialsProvider, error) {
	switch c.Type {
	case CredentialDefault:
		return &chain{builder: b}, nil
	case CredentialProfile:
		if err := needs("profile", c.Profile); err != nil {
			return nil, err
		}
		return b.cliProfile(c.Profile)
	case CredentialAccessKey, CredentialSTS:
		return c.static()
	case CredentialRAMRoleARN:
		if c.AccessKeyID == "" && c.AccessKeySecret == "" {
			return c.assume(&chain{builder: b})
		}
		base, err := c.static()
		if err != nil {
			return nil, err
		}
		return c.assume(base)
	case CredentialOIDCRoleARN:
		if err := cmp.Or(needs("role_arn", c.RoleARN, "oidc_provider_arn", c.OIDCProviderARN, "oidc_token_file", c.OIDCTokenFile), guarded()); err != nil {
			return nil, err
		}
		// The token itself, not its file: a token in the environment would go before the file.
		return providers.NewOIDCCredentialsProviderBuilder().
			WithOIDCToken(c.OIDCTokenFile).WithOIDCProviderARN(c.OIDCProviderARN).
			WithRoleArn(c.RoleARN).WithRoleSessionName(c.sessionName()).WithPolicy(c.Policy).
			WithSTSEndpoint(c.STSEndpoint).WithDurationSeconds(int(sessionLife / time.Second)).Build()
	case CredentialECSRAMRole:
		if err := guarded(); err != nil {
			return nil, err
		}
		return providers.NewECSRAMRoleCredentialsProviderBuilder().WithRoleName(c.RoleName).Build()
	case CredentialURI:
		return &uriProvider{url: c.URL, now: b.now}, needs("url", c.URL)
	default:
		return nil, known("the type is not known")
	}
}

// assume is the provider of a role that base's keys assume.
func (c Credential) assume(base providers.CredentialsProvider) (providers.CredentialsProvider, error) {
	if err := cmp.Or(needs("role_arn", c.RoleARN), guarded()); err != nil {
		return nil, err
	}
	return providers.NewRAMRoleARNCredentialsProviderBuilder().WithCredentialsProvider(base).
		WithRoleArn(c.RoleARN).WithRoleSessionName(c.sessionName()).WithPolicy(c.Policy).WithExternalId(c.ExternalID).
		WithStsEndpoint(c.STSEndpoint).WithDurationSeconds(int(sessionLife / time.Second)).Build()
}

// static is the provider of a key pair, with or without a token.
func (c Credential) static() (providers.CredentialsProvider, error) {
	fields := []string{"access_key_id", c.AccessKeyID, "access_key_secret", c.AccessKeySecret}
	if c.Type == CredentialSTS {
		fields = append(fields, "security_token", c.SecurityToken)
	}
	if err := needs(fields...); err != nil {
		return nil, err
	}
	if _, err := usable(&providers.Credentials{AccessKeyId: c.AccessKeyID, AccessKeySecret: c.AccessKeySecret, SecurityToken: c.SecurityToken}); err != nil {
		return nil, err
	}
	if c.SecurityToken == "" {
		return providers.NewStaticAKCredentialsProviderBuilder().
			WithAccessKeyId(c.AccessKeyID).WithAccessKeySecret(c.AccessKeySecret).Build()
	}
	return providers.NewStaticSTSCredentialsProviderBuilder().
		WithAccessKeyId(c.AccessKeyID).WithAccessKeySecret(c.AccessKeySecret).WithSecurityToken(c.SecurityToken).Build()
}

// needs is an error that names the fields without a value, of pairs of both.
func needs(pairs ...string) error {
	var missing []string
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			missing = append(missing, pairs[i])
		}
	}
	if missing == nil {
		return nil
	}
	return known("missing: " + strings.Join(missing, ", "))
}

// sessionName is what the audit log of the account shows.
func (c Credential) sessionName() string {
	return cmp.Or(c.RoleSessionName, os.Getenv("ALIBABA_CLOUD_ROLE_SESSION_NAME"), "cloudsso-exporter")
}
