package apiclient

import (
	"os"
	"strings"

	"github.com/aliyun/credentials-go/credentials/providers"
)

// chain is the default provider chain, in the order of credentials-go. The
// library's own keeps to the last provider when all have failed, and tells all
// that they said in one text. This one keeps to the first that gave credentials,
// and tells of each in a few words.
type chain struct {
	builder
	used providers.CredentialsProvider
}

// GetCredentials asks the provider that gave some before, else each in turn.
// Keys that are there but cannot be right are an error: what comes later in the
// chain may be of another account.
func (c *chain) GetCredentials() (*providers.Credentials, error) {
	if c.used != nil {
		return c.used.GetCredentials()
	}
	var failed []string
	for _, link := range []struct {
		name  string
		build func() (providers.CredentialsProvider, error)
	}{
		{"environment", c.environment},
		{"OIDC", c.oidcEnvironment},
		{"CLI profile", func() (providers.CredentialsProvider, error) {
			if strings.EqualFold(env("ALIBABA_CLOUD_CLI_PROFILE_DISABLED"), "true") {
				return nil, known("switched off")
			}
			return c.cliProfile("")
		}},
		{"credentials file", credentialsFile},
		{"instance metadata", func() (providers.CredentialsProvider, error) {
			return c.provider(Credential{Type: CredentialECSRAMRole})
		}},
		{"credentials URI", func() (providers.CredentialsProvider, error) {
			if env("ALIBABA_CLOUD_CREDENTIALS_URI") == "" {
				return nil, known("not set up")
			}
			return c.provider(Credential{Type: CredentialURI, URL: env("ALIBABA_CLOUD_CREDENTIALS_URI")})
		}},
	} {
		p, err := link.build()
		var found *providers.Credentials
		if err == nil {
			found, err = p.GetCredentials()
		}
		if err != nil {
			failed = append(failed, link.name+" ("+cause(err)+")")
			continue
		}
		if _, err := usable(found); err != nil {
			return nil, known(link.name + ": " + err.Error())
		}
		c.used = p
		return found, nil
	}
	return nil, known("nothing in the chain: " + strings.Join(failed, ", "))
}

// GetProviderName is part of what credentials-go wants of a provider.
func (c *chain) GetProviderName() string { return "default" }

// environment is the provider of a key pair in the environment, with or without a token.
func (b builder) environment() (providers.CredentialsProvider, error) {
	c := Credential{
		Type:            CredentialAccessKey,
		AccessKeyID:     env("ALIBABA_CLOUD_ACCESS_KEY_ID"),
		AccessKeySecret: env("ALIBABA_CLOUD_ACCESS_KEY_SECRET"),
		SecurityToken:   env("ALIBABA_CLOUD_SECURITY_TOKEN"),
	}
	switch {
	case c.AccessKeyID == "":
		return nil, known("no ALIBABA_CLOUD_ACCESS_KEY_ID")
	case c.AccessKeySecret == "":
		return nil, known("no ALIBABA_CLOUD_ACCESS_KEY_SECRET")
	}
	return b.provider(c)
}

// oidcEnvironment is the provider of a role assumed with a token (RRSA). The
// library reads the token's file again whenever it needs it.
func (b builder) oidcEnvironment() (providers.CredentialsProvider, error) {
	if path := env("ALIBABA_CLOUD_OIDC_TOKEN_FILE"); path != "" {
		if _, err := readFile(path); err != nil {
			return nil, err
		}
	}
	if err := guarded(); err != nil {
		return nil, err
	}
	return providers.NewOIDCCredentialsProviderBuilder().Build()
}

// env is a variable of the environment. Files and editors add newlines.
func env(name string) string { return strings.TrimSpace(os.Getenv(name)) }
