package config

import (
	"testing"

	"cloudsso_exporter/apiclient"
)

func TestEndpoint(t *testing.T) {
	tests := map[string]string{ // empty: refused
		"''":                                    "https://cloudsso.cn-shanghai.aliyuncs.com",
		"cloudsso-vpc.cn-shanghai.aliyuncs.com": "https://cloudsso-vpc.cn-shanghai.aliyuncs.com",
		"https://cloudsso-vpc.cn-shanghai.aliyuncs.com/": "https://cloudsso-vpc.cn-shanghai.aliyuncs.com",
		"proxy.example:8443":                             "https://proxy.example:8443",
		"http://127.0.0.1:8080":                          "http://127.0.0.1:8080",
		"http://127.8.9.10":                              "http://127.8.9.10",
		"'http://[::1]:8080'":                            "http://[::1]:8080",
		"http://localhost:1":                             "http://localhost:1",
		"http://localhost.example":                       "",
		"http://127.0.0.1.example":                       "",
		"http://0.0.0.0":                                 "",
		"ftp://127.0.0.1":                                "",
		"https://":                                       "",
		"'https://x:65536'":                              "",
		"'https://x:'":                                   "",
		"https://x/y":                                    "",
		"'https://x?'":                                   "",
		"'https://x#y'":                                  "",
		"'a b'":                                          "",
		"a..b":                                           "",
	}
	for endpoint, want := range tests {
		c, err := Parse("c.yaml", []byte("directories: [{directory_id: d-1, region: cn-shanghai, endpoint: "+endpoint+"}]"), machine{}.outside())
		got := ""
		if err == nil {
			got = c.Directories[0].URL()
		}
		if got != want {
			t.Errorf("endpoint: %s gives %q (%v), want %q", endpoint, got, err, want)
		}
	}
}

// Credentials in one group are one account's, as far as can be told; no two groups are.
func TestAccount(t *testing.T) {
	groups := [][]string{
		{"", "type: default"},
		{
			"type: ram_role_arn, role_arn: 'acs:ram::1142405247840000:role/a'",
			"type: ram_role_arn, role_arn: 'acs:ram::1142405247840000:role/b', access_key_id: LTAI1, access_key_secret: s",
			"type: oidc_role_arn, role_arn: 'acs:ram::1142405247840000:role/c', oidc_provider_arn: 'acs:ram::1142405247840000:oidc-provider/p', oidc_token_file: /token",
		},
		{"type: ram_role_arn, role_arn: 'acs:ram::1142405247840001:role/a'"},
		{
			"type: access_key, access_key_id: LTAI1, access_key_secret: s",
			"type: sts, access_key_id: LTAI1, access_key_secret: s, security_token: t",
			"type: access_key, access_key_id_file: /id1, access_key_secret: s",
			"type: access_key, access_key_id_file: /id1too, access_key_secret: s",
		},
		{"type: access_key, access_key_id_file: /id2, access_key_secret: s"},
		{"type: ecs_ram_role"},
		{"type: ecs_ram_role, role_name: a"},
		{"type: credentials_uri, url: 'http://localhost/a'"},
		{"type: credentials_uri, url: 'http://localhost/b'"},
		{"type: profile, profile: a"},
		{"type: profile, profile: b"},
	}
	m := machine{files: map[string]string{"/id1": "LTAI1\n", "/id1too": "LTAI1", "/id2": "LTAI2\n", "/token": "x"}}
	of := make(map[string]int) // group by account
	for i, group := range groups {
		accounts := make(map[string]bool)
		for _, keys := range group {
			c, err := Parse("c.yaml", []byte(withCredential(keys)), m.outside())
			if err != nil {
				t.Fatal(err)
			}
			account := c.Directories[0].Account()
			accounts[account] = true
			if other, ok := of[account]; ok && other != i {
				t.Errorf("%s: account %q is that of %v", keys, account, groups[other])
			}
			of[account] = i
		}
		if len(accounts) != 1 {
			t.Errorf("%v: accounts %v, want one", group, accounts)
		}
	}
}

// In a pod with RRSA the environment completes the credential.
func TestOIDCFromEnvironment(t *testing.T) {
	m := machine{
		files: map[string]string{"/var/token": "x", "/other": "y"},
		environment: map[string]string{
			"ALIBABA_CLOUD_ROLE_ARN":          "acs:ram::1142405247840000:role/a",
			"ALIBABA_CLOUD_OIDC_PROVIDER_ARN": "acs:ram::1142405247840000:oidc-provider/p",
			"ALIBABA_CLOUD_OIDC_TOKEN_FILE":   "/var/token",
		},
	}
	c, err := Parse("c.yaml", []byte(withCredential("type: oidc_role_arn, oidc_token_file: /other")), m.outside())
	if err != nil {
		t.Fatal(err)
	}
	want := apiclient.Credential{
		Type: apiclient.CredentialOIDCRoleARN, RoleARN: "acs:ram::1142405247840000:role/a",
		OIDCProviderARN: "acs:ram::1142405247840000:oidc-provider/p", OIDCTokenFile: "/other",
	}
	if got := c.Directories[0].Credential; got != want {
		t.Errorf("got a credential of %q, %q, %q", got.RoleARN, got.OIDCProviderARN, got.OIDCTokenFile)
	}

	m.environment["ALIBABA_CLOUD_ROLE_ARN"] = "x"
	_, err = Parse("c.yaml", []byte(withCredential("type: oidc_role_arn")), m.outside())
	wantProblems(t, err, `c.yaml:1: directories[0].credential.role_arn: in the environment variable ALIBABA_CLOUD_ROLE_ARN is "x"; write it like acs:ram::<account id of 16 digits>:role/<role name>`)
}
