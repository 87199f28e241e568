package config

import "strings"

// URL returns where the directory's API is: scheme and host, without a slash at the end.
func (d Directory) URL() string {
	if d.Endpoint != "" {
		return d.Endpoint
	}
	return "https://cloudsso." + d.Region + ".aliyuncs.com"
}

// Account tells apart, as well as can be told without a call, the accounts that directories are read with: the account
// of the role, else the access key id (of a file as it was at load, if it was read), else where the credential comes from. Directories
// with the same Account and Region share the API's flow control. It is a key to compare, not for logs: a URL in it may
// hold a token.
func (d Directory) Account() string {
	switch c := d.Credential; {
	case c.RoleARN != "":
		return "account " + strings.Split(c.RoleARN+"::::", ":")[3] // acs:ram::<account>:role/<name>
	case c.AccessKeyID != "":
		return "access key " + c.AccessKeyID
	case d.KeyID != "":
		return "access key " + d.KeyID
	default:
		return strings.Join([]string{string(c.Type), c.RoleName, c.URL, c.Profile, c.AccessKeyIDFile}, " ")
	}
}
