package apiclient

import "log/slog"

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

func (t CredentialType) known() bool {
	switch t {
	case CredentialDefault, CredentialProfile, CredentialAccessKey, CredentialSTS, CredentialRAMRoleARN,
		CredentialOIDCRoleARN, CredentialECSRAMRole, CredentialURI:
		return true
	}
	return false
}

// Credential says where the credentials of a directory come from. It is a
// comparable value; which fields a type needs is checked where it is loaded.
// A field and its File twin exclude each other; files are read again when they change.
type Credential struct {
	Type    CredentialType
	Profile string // of Alibaba Cloud CLI

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

// String names the type and nothing else, so that no secret of a Credential
// gets into a log or an error by way of a format verb.
func (c Credential) String() string { return "credential of type " + string(c.Type) }

// GoString is String, for %#v.
func (c Credential) GoString() string { return c.String() }

// LogValue is String, for handlers that would take the struct apart.
func (c Credential) LogValue() slog.Value { return slog.StringValue(c.String()) }
