package apiclient

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/aliyun/credentials-go/credentials/providers"
)

// cliConfig is the configuration of Alibaba Cloud CLI.
type cliConfig struct {
	Current  string       `json:"current"`
	Profiles []cliProfile `json:"profiles"`
}

// cliProfile has the keys that the CLI writes.
type cliProfile map[string]any

func (p cliProfile) text(key string) string {
	s, _ := p[key].(string)
	return s
}

// fromProfile is the provider of a profile of Alibaba Cloud CLI, without a name
// the one in use. The library's own reads modes in one spelling only, writes to
// the profile and to standard output, and recurses for ever over a profile that
// is its own source.
func fromProfile(name string, now func() time.Time) (providers.CredentialsProvider, error) {
	content, err := readHome("ALIBABA_CLOUD_CONFIG_FILE", ".aliyun/config.json")
	if err != nil {
		return nil, err
	}
	var config cliConfig
	if json.Unmarshal(content, &config) != nil {
		return nil, known("not JSON of the CLI's form")
	}
	return config.provider(cmp.Or(name, env("ALIBABA_CLOUD_PROFILE"), config.Current), 0, now)
}

// provider is the provider of a profile that so many others have as their source.
func (config cliConfig) provider(name string, others int, now func() time.Time) (providers.CredentialsProvider, error) {
	i := slices.IndexFunc(config.Profiles, func(p cliProfile) bool { return p.text("name") == name })
	switch {
	case len(config.Profiles) == 0:
		return nil, known("no profile: run aliyun configure")
	case i < 0:
		return nil, known("no such profile")
	case others > len(config.Profiles):
		return nil, known("a profile is its own source")
	}
	p := config.Profiles[i]
	c := Credential{
		AccessKeyID: p.text("access_key_id"), AccessKeySecret: p.text("access_key_secret"),
		RoleARN: p.text("ram_role_arn"), RoleSessionName: p.text("ram_session_name"), Policy: p.text("policy"), ExternalID: p.text("external_id"),
		OIDCProviderARN: p.text("oidc_provider_arn"), RoleName: p.text("ram_role_name"), URL: p.text("credentials_uri"),
	}
	if region := p.text("sts_region"); region != "" {
		c.STSEndpoint = "sts." + region + ".aliyuncs.com"
		if p["enable_vpc"] == true {
			c.STSEndpoint = "sts-vpc." + region + ".aliyuncs.com"
		}
	}
	switch mode := p.text("mode"); strings.ToLower(mode) { // as the CLI reads it
	case "":
		return nil, known("a profile without a mode: run aliyun configure")
	case "ak":
		c.Type = CredentialAccessKey
	case "ststoken":
		c.Type, c.SecurityToken = CredentialSTS, p.text("sts_token")
	case "ramrolearn":
		c.Type = CredentialRAMRoleARN
		if err := needs("access_key_id", c.AccessKeyID); err != nil { // else the chain's would be taken
			return nil, err
		}
	case "ecsramrole":
		c.Type = CredentialECSRAMRole
	case "oidc":
		// The file is read once: when the token has expired, the provider is made again.
		c.Type, c.OIDCTokenFile = CredentialOIDCRoleARN, p.text("oidc_token_file")
	case "credentialsuri":
		c.Type = CredentialURI
	case "chainableramrolearn":
		base, err := config.provider(p.text("source_profile"), others+1, now)
		if err != nil {
			return nil, err
		}
		return c.assume(base)
	case "cloudsso":
		expires, _ := p["cloud_sso_access_token_expire"].(float64)
		return providers.NewCloudSSOCredentialsProviderBuilder().WithSignInUrl(p.text("cloud_sso_sign_in_url")).
			WithAccountId(p.text("cloud_sso_account_id")).WithAccessConfig(p.text("cloud_sso_access_config")).
			WithAccessToken(p.text("access_token")).WithAccessTokenExpire(int64(expires)).Build()
	default:
		return nil, unsupported(mode)
	}
	c, err := c.withFiles()
	if err != nil {
		return nil, known(err.Error())
	}
	return c.provider(now)
}

// unsupported names a mode of the CLI, if it is one, and what to use instead.
func unsupported(mode string) error {
	for name, instead := range map[string]CredentialType{
		"External": CredentialURI, "OAuth": CredentialAccessKey, "RsaKeyPair": CredentialAccessKey,
		"RamRoleArnWithRoleName": CredentialRAMRoleARN, "BearerToken": CredentialAccessKey, "Anonymous": CredentialAccessKey,
	} {
		if strings.EqualFold(mode, name) {
			return known("mode " + name + " is not supported: use a credential of type " + string(instead))
		}
	}
	return known("a mode that is not supported: use another profile")
}
