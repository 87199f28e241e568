package apiclient

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"github.com/aliyun/credentials-go/credentials/providers"
)

// chain is the default provider chain, of credentials-go's providers in its
// order. Its own chain keeps to the last provider when all have failed, and
// tells all that they said in one text. This one keeps to the first that gave
// credentials, and tells of each in a few words.
type chain struct {
	links []link
	used  providers.CredentialsProvider
}

type link struct {
	name  string
	build func() (providers.CredentialsProvider, error)
}

func newChain() *chain {
	return &chain{links: []link{
		{"environment", func() (providers.CredentialsProvider, error) {
			return providers.NewEnvironmentVariableCredentialsProviderBuilder().Build()
		}},
		{"OIDC", func() (providers.CredentialsProvider, error) {
			return providers.NewOIDCCredentialsProviderBuilder().Build()
		}},
		{"CLI profile", cliProfile},
		{"credentials file", func() (providers.CredentialsProvider, error) {
			return providers.NewProfileCredentialsProviderBuilder().Build()
		}},
		{"instance metadata", func() (providers.CredentialsProvider, error) {
			return providers.NewECSRAMRoleCredentialsProviderBuilder().Build()
		}},
		{"credentials URI", func() (providers.CredentialsProvider, error) {
			return providers.NewURLCredentialsProviderBuilder().Build()
		}},
	}}
}

// GetCredentials asks the provider that gave some before, else each in turn.
func (c *chain) GetCredentials() (*providers.Credentials, error) {
	if c.used != nil {
		return c.used.GetCredentials()
	}
	var failed []string
	for _, l := range c.links {
		p, err := l.build()
		var found *providers.Credentials
		if err == nil {
			found, err = p.GetCredentials()
		}
		if err == nil && found != nil {
			c.used = p
			return found, nil
		}
		failed = append(failed, l.name+" ("+cause(err)+")")
	}
	return nil, known("nothing in the chain: " + strings.Join(failed, ", "))
}

// GetProviderName is part of what credentials-go wants of a provider.
func (c *chain) GetProviderName() string { return "default" }

// cliProfile is the provider of Alibaba Cloud CLI's profile, unless that is of a
// kind that the library had better not touch: External and OAuth write to the
// profile and to standard output, where a secret may end up, and a profile that
// is its own source makes it recurse for ever.
func cliProfile() (providers.CredentialsProvider, error) {
	path := os.Getenv("ALIBABA_CLOUD_CONFIG_FILE")
	if path == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, known("no home directory")
		}
		path = filepath.Join(home, ".aliyun", "config.json")
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, known("no file")
	}
	var config struct {
		Current  string `json:"current"`
		Profiles []*struct {
			Name   string `json:"name"`
			Mode   string `json:"mode"`
			Source string `json:"source_profile"`
		} `json:"profiles"`
	}
	if json.Unmarshal(content, &config) != nil {
		return nil, known("no JSON of the CLI's form")
	}
	name := os.Getenv("ALIBABA_CLOUD_PROFILE")
	if name == "" {
		name = config.Current
	}
	for range len(config.Profiles) + 1 {
		mode, source := "", ""
		for _, p := range config.Profiles {
			if p == nil {
				return nil, known("no JSON of the CLI's form")
			}
			if p.Name == name {
				mode, source = p.Mode, p.Source
				break
			}
		}
		switch mode {
		case "External", "OAuth":
			return nil, known("mode " + mode + " is not supported here")
		case "ChainableRamRoleArn":
			name = source
		default:
			return providers.NewCLIProfileCredentialsProviderBuilder().Build()
		}
	}
	return nil, known("a profile is its own source")
}
