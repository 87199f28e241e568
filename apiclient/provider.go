package apiclient

import (
	"cmp"
	"encoding/json"
	"net/http"
	"os"
	"strconv"
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

// provided is a provider of our own, as credentials-go wants one.
type provided func() (*providers.Credentials, error)

// GetCredentials calls p.
func (p provided) GetCredentials() (*providers.Credentials, error) { return p() }

// GetProviderName is part of what credentials-go wants of a provider.
func (provided) GetProviderName() string { return "cloudsso_exporter" }

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
		return Keys{}, known("a temporary access key (it starts with STS.) without its security token: set the token, too")
	}
	return keys, nil
}

// provider is the provider of a credential whose files have been read. Fields
// left empty the library would take from the environment, which is not what the
// configuration says. Now is the local clock.
func (c Credential) provider(now func() time.Time) (providers.CredentialsProvider, error) {
	switch c.Type {
	case CredentialAccessKey, CredentialSTS:
		return c.static()
	case CredentialURI:
		return fromURI(c.URL, now), needs("url", c.URL)
	}
	if err := guarded(); err != nil {
		return nil, err
	}
	switch c.Type {
	case CredentialDefault:
		return chain(now), nil
	case CredentialProfile:
		return fromProfile(c.Profile, now)
	case CredentialRAMRoleARN:
		if c.AccessKeyID == "" && c.AccessKeySecret == "" {
			return c.assume(chain(now))
		}
		base, err := c.static()
		if err != nil {
			return nil, err
		}
		return c.assume(base)
	case CredentialOIDCRoleARN:
		if err := needs("role_arn", c.RoleARN, "oidc_provider_arn", c.OIDCProviderARN, "oidc_token_file", c.OIDCTokenFile); err != nil {
			return nil, err
		}
		// The token itself, not its file: a token in the environment would go before the file.
		return providers.NewOIDCCredentialsProviderBuilder().
			WithOIDCToken(c.OIDCTokenFile).WithOIDCProviderARN(c.OIDCProviderARN).
			WithRoleArn(c.RoleARN).WithRoleSessionName(c.sessionName()).WithPolicy(c.Policy).
			WithSTSEndpoint(c.STSEndpoint).WithDurationSeconds(int(sessionLife / time.Second)).Build()
	default: // CredentialECSRAMRole
		return providers.NewECSRAMRoleCredentialsProviderBuilder().WithRoleName(c.RoleName).Build()
	}
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
	keys := &providers.Credentials{AccessKeyId: c.AccessKeyID, AccessKeySecret: c.AccessKeySecret, SecurityToken: c.SecurityToken}
	_, err := usable(keys)
	return provided(func() (*providers.Credentials, error) { return keys, nil }), err
}

// assume is the provider of a role that base's keys assume.
func (c Credential) assume(base providers.CredentialsProvider) (providers.CredentialsProvider, error) {
	if err := needs("role_arn", c.RoleARN); err != nil {
		return nil, err
	}
	return providers.NewRAMRoleARNCredentialsProviderBuilder().WithCredentialsProvider(base).
		WithRoleArn(c.RoleARN).WithRoleSessionName(c.sessionName()).WithPolicy(c.Policy).WithExternalId(c.ExternalID).
		WithStsEndpoint(c.STSEndpoint).WithDurationSeconds(int(sessionLife / time.Second)).Build()
}

// sessionName is what the audit log of the account shows.
func (c Credential) sessionName() string {
	return cmp.Or(c.RoleSessionName, os.Getenv("ALIBABA_CLOUD_ROLE_SESSION_NAME"), "cloudsso-exporter")
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

// fromURI asks a credentials server, and again shortly before its keys expire.
// The library's own follows redirects, reads times in one form only and does not
// say with which status the server failed.
func fromURI(url string, now func() time.Time) provided {
	client := http.Client{Timeout: 15 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	var found *providers.Credentials
	var expires time.Time
	return func() (*providers.Credentials, error) {
		if found != nil && expires.Sub(now()) > libraryMargin {
			return found, nil
		}
		res, err := client.Get(url)
		if err != nil {
			return nil, err
		}
		defer res.Body.Close()
		if res.StatusCode != http.StatusOK {
			return nil, known("HTTP " + strconv.Itoa(res.StatusCode))
		}
		body, err := readBody(res.Body)
		if err != nil {
			return nil, err
		}
		var answer struct {
			providers.Credentials
			Expiration string
		}
		if json.Unmarshal(body, &answer) != nil {
			return nil, known("an answer that is not JSON of the right form")
		}
		if answer.AccessKeyId == "" || answer.AccessKeySecret == "" || answer.SecurityToken == "" || answer.Expiration == "" {
			return nil, known("an answer without credentials")
		}
		until, err := time.Parse(time.RFC3339, answer.Expiration)
		if err != nil {
			return nil, known("an answer with an expiration that is not a time")
		}
		found, expires = &answer.Credentials, until
		return found, nil
	}
}
