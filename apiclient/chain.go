package apiclient

import (
	"strings"
	"time"

	"github.com/aliyun/credentials-go/credentials/providers"
)

// chain is the default provider chain, in the order of credentials-go: it keeps
// to the first provider that gave credentials. The library's own keeps to the
// last one when all have failed, and tells all that they said in one text.
//
// Keys that are there but cannot be right are an error: what comes later in the
// chain may be of another account.
func chain(now func() time.Time) provided {
	links := []struct {
		name  string
		build func() (providers.CredentialsProvider, error)
	}{
		{"environment", environment},
		{"OIDC", oidcEnvironment},
		{"CLI profile", func() (providers.CredentialsProvider, error) {
			if strings.EqualFold(env("ALIBABA_CLOUD_CLI_PROFILE_DISABLED"), "true") {
				return nil, known("switched off")
			}
			return fromProfile("", now)
		}},
		{"credentials file", credentialsFile},
		{"instance metadata", func() (providers.CredentialsProvider, error) {
			return Credential{Type: CredentialECSRAMRole}.provider(now)
		}},
		{"credentials URI", func() (providers.CredentialsProvider, error) {
			url := env("ALIBABA_CLOUD_CREDENTIALS_URI")
			if url == "" {
				return nil, known("not set up")
			}
			return fromURI(url, now), nil
		}},
	}
	var used providers.CredentialsProvider
	return func() (*providers.Credentials, error) {
		if used != nil {
			return used.GetCredentials()
		}
		var failed []string
		for _, link := range links {
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
			used = p
			return found, nil
		}
		return nil, known("nothing in the chain: " + strings.Join(failed, ", "))
	}
}

// environment is the provider of a key pair in the environment, with or without a
// token. What is wrong with it shows when it is asked.
func environment() (providers.CredentialsProvider, error) {
	keys := &providers.Credentials{
		AccessKeyId:     env("ALIBABA_CLOUD_ACCESS_KEY_ID"),
		AccessKeySecret: env("ALIBABA_CLOUD_ACCESS_KEY_SECRET"),
		SecurityToken:   env("ALIBABA_CLOUD_SECURITY_TOKEN"),
	}
	switch {
	case keys.AccessKeyId == "":
		return nil, known("no ALIBABA_CLOUD_ACCESS_KEY_ID")
	case keys.AccessKeySecret == "":
		return nil, known("no ALIBABA_CLOUD_ACCESS_KEY_SECRET")
	}
	return provided(func() (*providers.Credentials, error) { return keys, nil }), nil
}

// oidcEnvironment is the provider of a role assumed with a token (RRSA). The
// library reads the token's file again whenever it needs it.
func oidcEnvironment() (providers.CredentialsProvider, error) {
	if path := env("ALIBABA_CLOUD_OIDC_TOKEN_FILE"); path != "" {
		if _, err := readFile(path); err != nil {
			return nil, err
		}
	}
	return providers.NewOIDCCredentialsProviderBuilder().Build()
}

// credentialsFile is the provider of the SDKs' credentials file.
func credentialsFile() (providers.CredentialsProvider, error) {
	if _, err := readHome("ALIBABA_CLOUD_CREDENTIALS_FILE", ".alibabacloud/credentials"); err != nil {
		return nil, err
	}
	return providers.NewProfileCredentialsProviderBuilder().Build()
}
