package config

import (
	"strings"
	"testing"
)

const oneDirectory = "directories: [{directory_id: d-1, region: cn-shanghai}]\n"

// withCredential is a configuration of one line whose directory has this credential.
func withCredential(keys string) string {
	return "directories: [{directory_id: d-1, region: cn-shanghai, credential: {" + keys + "}}]"
}

func TestMistakes(t *testing.T) {
	const (
		topLevel  = "window, cache_ttl, new_series_hold, api, failure_reasons, unresolved_failures, directories"
		empty     = "c.yaml:1: is empty; write at least one entry under directories, or start from config.example.yaml"
		directive = "not valid YAML: a line that starts with % can only be %YAML 1.1 or %YAML 1.2, at the start of the file; remove it"
		second    = "a second document begins here, and would be ignored; keep one, without a --- line after the start"
	)
	tests := map[string]struct{ data, want string }{
		"empty file":          {"", empty},
		"comments alone":      {"# nothing\n", empty},
		"null":                {"~", empty},
		"text":                {"hello", "c.yaml:1: must hold key: value lines, not text; write them below it, indented"},
		"a list":              {"- a", "c.yaml:1: must hold key: value lines, not a list; write them below it, indented"},
		"no directories":      {"window: 7d", "c.yaml:1: directories: has no value; add an entry with directory_id and region"},
		"null directories":    {"directories:", "c.yaml:1: directories: has no value; add an entry with directory_id and region"},
		"empty directories":   {"directories: []", "c.yaml:1: directories: has no value; add an entry with directory_id and region"},
		"directories no list": {"directories: {}", "c.yaml:1: directories: must be a list, not key: value lines; begin each entry with a dash"},
		"directories no dash": {"directories:\n  directory_id: d-1\n", "c.yaml:1: directories: must be a list, not key: value lines; begin each entry with a dash"},
		"directories of things": {"directories:\n- x\n-\n- []\n- {}", `
c.yaml:2: directories[0]: must hold key: value lines, not text; write them below it, indented
c.yaml:3: directories[1]: must hold key: value lines, not an empty value; write them below it, indented
c.yaml:4: directories[2]: must hold key: value lines, not a list; write them below it, indented
c.yaml:5: directories[3].directory_id: has no value; add it, for example directory_id: d-00fc2p61xxxx
c.yaml:5: directories[3].region: has no value; add the region of the directory, for example region: cn-shanghai`},

		"out of range": {oneDirectory + `window: 8d
cache_ttl: -1s
new_series_hold: 25h
api:
  rate_limit: 0
  burst: 0
  request_timeout: 0s
  page_timeout: 2d
  max_retries: -1
failure_reasons: {limit: -1}
unresolved_failures:
  limit: -1
  max_age: 59m
`, `
c.yaml:2: window: is 8d; must be 1h to 7d
c.yaml:3: cache_ttl: is -1s; must be 0s to 1d
c.yaml:4: new_series_hold: is 1d1h; must be 0s to 1d
c.yaml:6: api.rate_limit: is 0; must be above 0, such as 5 or 0.5
c.yaml:7: api.burst: is 0; must be 1 to 2147483647
c.yaml:8: api.request_timeout: is 0s; must be 1ms to 1h
c.yaml:9: api.page_timeout: is 2d; must be 1ms to 1d
c.yaml:10: api.max_retries: is -1; must be 0 to 100
c.yaml:11: failure_reasons.limit: is -1; must be 0 to 1000
c.yaml:13: unresolved_failures.limit: is -1; must be 0 to 10000
c.yaml:14: unresolved_failures.max_age: is 59m; must be 1h to 3650d`},
		"wrong types": {oneDirectory + `window: {a: b}
cache_ttl: 55
new_series_hold: soon
api:
  rate_limit: '5'
  burst: 1.5
  request_timeout: [10s]
  page_timeout: !x 1m
  max_retries: yes
failure_reasons: 3
unresolved_failures:
  limit: many
  names: 'yes'
`, `
c.yaml:2: window: must be a duration, such as 55s, 10m, 1h30m or 7d, not key: value lines
c.yaml:3: cache_ttl: must be a duration, such as 55s, 10m, 1h30m or 7d, not "55"
c.yaml:4: new_series_hold: must be a duration, such as 55s, 10m, 1h30m or 7d, not "soon"
c.yaml:6: api.rate_limit: must be a number without quotes, such as 5 or 0.5, not text
c.yaml:7: api.burst: must be a whole number, in digits without quotes, not "1.5"
c.yaml:8: api.request_timeout: must be a duration, such as 55s, 10m, 1h30m or 7d, not a list
c.yaml:9: api.page_timeout: must be a duration, such as 55s, 10m, 1h30m or 7d, not a value with a tag of its own
c.yaml:10: api.max_retries: must be a whole number, in digits without quotes, not text
c.yaml:11: failure_reasons: must hold key: value lines, not a number; write them below it, indented
c.yaml:13: unresolved_failures.limit: must be a whole number, in digits without quotes, not text
c.yaml:14: unresolved_failures.names: must be true or false, without quotes, not text`},
		"no finite rate": {oneDirectory + "api: {rate_limit: .inf}", `c.yaml:2: api.rate_limit: is +Inf; must be above 0, such as 5 or 0.5`},
		"no number":      {oneDirectory + "api: {rate_limit: .nan}", `c.yaml:2: api.rate_limit: is NaN; must be above 0, such as 5 or 0.5`},
		"request_timeout over the default page_timeout": {oneDirectory + "api: {request_timeout: 2m}",
			"c.yaml:2: api.request_timeout: is 2m, more than page_timeout (1m unless set); set page_timeout to at least as much"},
		"page_timeout under request_timeout": {oneDirectory + "api: {page_timeout: 5s}",
			"c.yaml:2: api.page_timeout: is 5s, less than request_timeout (10s), and a page takes at least one attempt; raise it"},

		"unknown keys": {oneDirectory + "windw: 7d\nWINDOW: 8d\ncacheTtl: 3s\nrate_limit: 5\nfoo:\n1: 2\n? [a]\n: b\n", `
c.yaml:2: windw: unknown key; did you mean window?
c.yaml:3: WINDOW: unknown key; did you mean window?
c.yaml:4: cacheTtl: unknown key; did you mean cache_ttl?
c.yaml:5: rate_limit: unknown key; it belongs to api
c.yaml:6: foo: unknown key; remove it; known here: ` + topLevel + `
c.yaml:7: (a key that is not a plain word): unknown key; remove it; known here: ` + topLevel + `
c.yaml:8: a key must be a plain word, not a list; check brackets and braces`},
		"duplicate keys hide nothing": {oneDirectory + "window: 7d\nwindow: 8d\napi: {burst: 0}\napi: {burst: x, max_retries: -1}\nfoo: 1\n", `
c.yaml:3: window: is set twice, first on line 2; remove one
c.yaml:3: window: is 8d; must be 1h to 7d
c.yaml:4: api.burst: is 0; must be 1 to 2147483647
c.yaml:5: api: is set twice, first on line 4; remove one
c.yaml:5: api.burst: must be a whole number, in digits without quotes, not text
c.yaml:5: api.max_retries: is -1; must be 0 to 100
c.yaml:6: foo: unknown key; remove it; known here: ` + topLevel},
		"three of a key": {oneDirectory + "window: 8d\nwindow: 9d\nwindow: 10d\napi: {burst: 1}\napi: {burst: 0}\n", `
c.yaml:2: window: is 8d; must be 1h to 7d
c.yaml:3: window: is set twice, first on line 2; remove one
c.yaml:3: window: is 9d; must be 1h to 7d
c.yaml:4: window: is set twice, first on line 2; remove one
c.yaml:4: window: is 10d; must be 1h to 7d
c.yaml:6: api: is set twice, first on line 5; remove one
c.yaml:6: api.burst: is 0; must be 1 to 2147483647`},

		"directories": {`directories:
- directory_id: d-1
  region: cn-shanghai
- directory_id: d-1
  region: CN
  endpoint: http://192.0.2.1
- directory_id: my directory
  region: us-west-1
  name: " x"
  endpoint: https://u:p@cloudsso.us-west-1.aliyuncs.com/path?x=y
  filter: {target_id: a, principal_type: User}
- directory_id: d-2
  region: us-west-1
  endpoint: cloudsso.us-west-1.aliyuncs.com:0
  filter: {status: Failed, target_typ: x, target_id: y, principal_id: z, principal_type: Robot}
`, `
c.yaml:4: directories[1].directory_id: "d-1" is taken already by directories[0].directory_id; remove one (see line 2)
c.yaml:5: directories[1].region: is "CN"; must be a region id, such as cn-shanghai
c.yaml:6: directories[1].endpoint: http:// is only for a loopback address (127.0.0.1, ::1, localhost); use https://
c.yaml:7: directories[2].directory_id: is "my directory"; must be a directory id, such as d-00fc2p61xxxx; the CloudSSO console shows it
c.yaml:9: directories[2].name: begins or ends with white space; remove it
c.yaml:10: directories[2].endpoint: must be a host name only, such as cloudsso-vpc.cn-shanghai.aliyuncs.com; remove https://, a user name and what follows the host
c.yaml:11: directories[2].filter.target_id: needs target_type beside it; add target_type: RD-Account
c.yaml:11: directories[2].filter.principal_type: needs principal_id beside it; add principal_id, or remove principal_type
c.yaml:14: directories[3].endpoint: port must be 1 to 65535, not "0"
c.yaml:15: directories[3].filter.status: unknown key; there is no filter by status or task type, as it would hide what resolves a failure; select by label in the query
c.yaml:15: directories[3].filter.target_typ: unknown key; did you mean target_type?
c.yaml:15: directories[3].filter.principal_type: is "Robot"; must be User or Group`},

		"rules": {oneDirectory + `failure_reasons:
  limit: 1
  rules:
  - {match: '(', reason: a}
  - {match: b, reason: ''}
  - {match: c, reason: other}
  - {reason: "a\nb"}
  - {match: '(?=x)', reason: ` + strings.Repeat("é", 101) + `}
  - {match: x, reason: b}
  - {match: x, reason: "a\0b"}
  - {match: y, reason: true}
`, `
c.yaml:3: failure_reasons.limit: the rules name 2 distinct reasons, but the limit is 1; raise failure_reasons.limit or drop rules (see line 4)
c.yaml:5: failure_reasons.rules[0].match: is not a regular expression: missing closing ); see https://golang.org/s/re2syntax
c.yaml:6: failure_reasons.rules[1].reason: has no value; add the label value for what matches, for example reason: role_already_exists
c.yaml:7: failure_reasons.rules[2].reason: is "other", the label of failures over failure_reasons.limit; choose another word
c.yaml:8: failure_reasons.rules[3].match: has no value; add a regular expression, for example match: '(?i)EntityAlreadyExists'
c.yaml:8: failure_reasons.rules[3].reason: holds control characters or more than one line; remove them
c.yaml:9: failure_reasons.rules[4].match: is not a regular expression at character 1, "(?=": invalid or unsupported Perl syntax (RE2 has no look-ahead and no look-behind); see https://golang.org/s/re2syntax
c.yaml:9: failure_reasons.rules[4].reason: has 101 characters; shorten it to at most 100
c.yaml:11: failure_reasons.rules[6].match: is the same as failure_reasons.rules[5].match, and the first match wins; remove one (see line 10)
c.yaml:11: failure_reasons.rules[6].reason: holds control characters or more than one line; remove them
c.yaml:12: failure_reasons.rules[7].reason: must be text in single quotes on one line, not true or false`},

		"values that cannot be": {`directories:
- {directory_id: d-1, region: shanghai}
- {directory_id: d-2, region: cn-shanghai, credential: {type: ram_role_arn, role_arn: "acs:ram::12:role/foo"}}
failure_reasons: {limit: 0x10}
`, `
c.yaml:2: directories[0].region: is "shanghai"; must be a region id, such as cn-shanghai
c.yaml:3: directories[1].credential.role_arn: is "acs:ram::12:role/foo"; write it like acs:ram::<account id of 16 digits>:role/<role name>
c.yaml:4: failure_reasons.limit: must be a whole number, in digits without quotes, not "0x10"`},
		"a second document":        {oneDirectory + "---\nwindow: 8d\n", "c.yaml:2: " + second},
		"an empty second document": {oneDirectory + "---", "c.yaml:2: " + second},
		"mistakes in the first of two documents": {"window: 8d\n" + oneDirectory + "---\n", `
c.yaml:1: window: is 8d; must be 1h to 7d
c.yaml:3: ` + second},
		"a tab":             {"api:\n\tburst: 3\n" + oneDirectory, "c.yaml:2: not valid YAML: indented with a tab; use spaces"},
		"an open quote":     {"window: 7d\ncache_ttl: '55s\n" + oneDirectory, "c.yaml:2: not valid YAML: a quote or bracket opened here is never closed; close it"},
		"two colons":        {"a: b: c\n" + oneDirectory, "c.yaml:1: not valid YAML: a colon where none can be; check the indentation, or put a value that holds ': ' in single quotes"},
		"a backslash":       {"window: \"\\d\"\n" + oneDirectory, "c.yaml:1: not valid YAML: a backslash in double quotes; put the value in single quotes"},
		"a reserved sign":   {"window: @x\n" + oneDirectory, "c.yaml:1: not valid YAML: a value starts with a character that YAML keeps for itself (@, `, %); put it in single quotes"},
		"wrong indentation": {oneDirectory + "api:\n  burst: 3\n max_retries: 4\n", "c.yaml:4: not valid YAML: did not find expected key; check indentation, quotes and brackets"},
		"no UTF-8":          {"a: \xff\n", "c.yaml:1: not valid YAML: invalid leading UTF-8 octet; check indentation, quotes and brackets"},
		"a binary":          {"\x7fELF\x00\x01", "c.yaml:1: not valid YAML: control characters are not allowed; check indentation, quotes and brackets"},
		"another version":   {"%YAML 1.3\n---\n" + oneDirectory, "c.yaml:1: " + directive},
		"another directive": {"%FOO\n---\n" + oneDirectory, "c.yaml:1: " + directive},
		"a late directive":  {oneDirectory + "%YAML 1.2\n---\n", "c.yaml:2: " + directive},
		"a misspelled key beside the right one": {"directories: [{directory_id: d-1, region: cn-shanghai, filter: {target_type: x, target_typ: y}}]", `
c.yaml:1: directories[0].filter.target_typ: unknown key; did you mean target_type?
c.yaml:1: directories[0].filter.target_type: needs target_id beside it; add target_id, or remove target_type
c.yaml:1: directories[0].filter.target_type: is "x"; must be RD-Account`},
		"an alias of nothing": {"window: *x\n" + oneDirectory, "c.yaml:1: an alias (*name) has no anchor (&name) above it; put a value that starts with * in single quotes"},
		"a merge of no mapping": {"<<: 3\n" + oneDirectory,
			"c.yaml:1: <<: must merge key: value lines, not a number; name an anchor (*name) of a mapping"},
		"a mistake behind an anchor is told once": {`directories:
- {directory_id: d-1, region: cn-shanghai, credential: &c {type: nothing}}
- {directory_id: d-2, region: cn-shanghai, credential: *c}
- {directory_id: d-3, region: cn-shanghai, credential: {<<: *c}}
`, `c.yaml:2: directories[0].credential.type: is "nothing"; must be default, access_key, sts, ram_role_arn, oidc_role_arn, ecs_ram_role, credentials_uri or profile`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("c.yaml", []byte(tt.data), machine{}.outside())
			wantProblems(t, err, tt.want)
		})
	}
}

func TestCredentialMistakes(t *testing.T) {
	const noFile = "cannot be read: file does not exist; create it or correct the path, relative ones start at the folder of this configuration"
	tests := map[string]struct{ keys, want string }{
		"no pair": {"type: access_key", `
access_key_id: has no value; type access_key needs it; add access_key_id or access_key_id_file
access_key_secret: has no value; type access_key needs it; add access_key_secret or access_key_secret_file`},
		"no token":     {"type: sts, access_key_id: a, access_key_secret_file: good", "security_token: has no value; type sts needs it; add security_token or security_token_file"},
		"unknown type": {"type: access-key", `type: is "access-key"; did you mean access_key?`},
		"no type":      {"access_key_id: a", "type: has no value; add type: access_key, sts or ram_role_arn"},
		"no type for what is given": {"role_name: a, url: 'http://x'",
			"type: has no value; add type: default, access_key, sts, ram_role_arn, oidc_role_arn, ecs_ram_role, credentials_uri or profile"},
		"value and file": {"type: access_key, access_key_id: a, access_key_secret: b, access_key_secret_file: good",
			"access_key_secret_file: excludes access_key_secret; keep one of them"},
		"files": {"type: sts, access_key_id_file: /none, access_key_secret_file: blank, security_token_file: lines", `
access_key_id_file: file "/none" ` + noFile + `
access_key_secret_file: file "/etc/blank" is empty; write the value into it
security_token_file: file "/etc/lines" holds more than one word; leave only the value in it`},
		"a secret as the name of a file": {"type: access_key, access_key_id: a, access_key_secret_file: Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6",
			"access_key_secret_file: the file of this name (not shown, as it looks like the secret itself) " + noFile},
		"not of this type": {"type: default, access_key_id: a, role_name: b", `
access_key_id: type default does not use it; remove it, or set type to access_key, sts or ram_role_arn
role_name: type default does not use it; remove it, or set type to ecs_ram_role`},
		"half a pair under a role": {"type: ram_role_arn, role_arn: 'acs:ram::1142405247840000:role/x', access_key_id: a",
			"access_key_secret: has no value; a key pair needs both, or leave out both; add access_key_secret or access_key_secret_file"},
		"half a pair and no role": {"type: ram_role_arn, access_key_id: a", `
role_arn: has no value; type ram_role_arn needs it; add role_arn
access_key_secret: has no value; a key pair needs both, or leave out both; add access_key_secret or access_key_secret_file`},
		"the other half": {"type: ram_role_arn, role_arn: 'acs:ram::1142405247840000:role/x', access_key_secret: a",
			"access_key_id: has no value; a key pair needs both, or leave out both; add access_key_id or access_key_id_file"},
		"a token alone under a role": {"type: ram_role_arn, role_arn: 'acs:ram::1142405247840000:role/x', security_token: a", `
access_key_id: has no value; a key pair needs both, or leave out both; add access_key_id or access_key_id_file
access_key_secret: has no value; a key pair needs both, or leave out both; add access_key_secret or access_key_secret_file`},
		"no role": {"type: ram_role_arn", "role_arn: has no value; type ram_role_arn needs it; add role_arn"},
		"oidc": {"type: oidc_role_arn", `
role_arn: has no value; type oidc_role_arn needs it; add role_arn, or set the environment variable ALIBABA_CLOUD_ROLE_ARN
oidc_provider_arn: has no value; type oidc_role_arn needs it; add oidc_provider_arn, or set the environment variable ALIBABA_CLOUD_OIDC_PROVIDER_ARN
oidc_token_file: has no value; type oidc_role_arn needs it; add oidc_token_file, or set the environment variable ALIBABA_CLOUD_OIDC_TOKEN_FILE`},
		"no url":  {"type: credentials_uri", "url: has no value; type credentials_uri needs it; add url"},
		"bad url": {"type: credentials_uri, url: 'ftp://x'", "url: is not the URL of a credentials server; write it as http://127.0.0.1:8081/credentials"},
		"forms": {"type: ram_role_arn, role_arn: x, role_session_name: a, policy: '{', sts_endpoint: 'https://x'", `
role_arn: is "x"; write it like acs:ram::<account id of 16 digits>:role/<role name>
role_session_name: is "a"; must be 2 to 64 letters, digits, dots, @, hyphens or underscores
policy: must be a policy as JSON; put it in single quotes, as '{"Version": "1", "Statement": […]}'
sts_endpoint: must be a host name only, such as cloudsso-vpc.cn-shanghai.aliyuncs.com; remove https://, a user name and what follows the host`},
		"masked": {"type: access_key, access_key_id: LTAI****, access_key_secret: b",
			"access_key_id: the asterisks stand for characters left out; write the whole value"},
	}
	files := map[string]string{"/etc/good": "x\n", "/etc/blank": " \n", "/etc/lines": "a\nb\n"}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("/etc/c.yaml", []byte(withCredential(tt.keys)), machine{files: files}.outside())
			const head = "/etc/c.yaml:1: directories[0].credential."
			want := strings.TrimSpace(tt.want)
			wantProblems(t, err, head+strings.ReplaceAll(want, "\n", "\n"+head))
		})
	}
}

// A credential may be wrong in any way: its secrets stay where they are.
func TestErrorsHoldNoSecret(t *testing.T) {
	const secret = "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6"
	for _, keys := range []string{
		secret,
		"access_key_secret:" + secret,
		"access_key_secret: [" + secret + "]",
		"access_key_secret: {" + secret + ": x}",
		"access_key_secret: !x " + secret,
		"access_key_secret: *" + secret,
		"access_key_secret: \"" + secret + "\\q\"",
		"access_key_secret: '" + secret,
		"access_key_secret: " + secret + ": x",
		"access_key_secret: " + secret + "****",
		"access_key_secret: '" + secret + " x'",
		"acces_key_secret: " + secret,
		"access_key_secret: " + secret + ", access_key_secret: " + secret,
		"access_key_secret: " + secret + ", access_key_secret_file: x",
		"access_key_secret_file: " + secret,
		"security_token_file: " + secret + "/+==",
		"? " + secret,
		"[" + secret + "]: x",
		"<<: " + secret,
		"type: ecs_ram_role, access_key_secret: " + secret,
		"type: credentials_uri, url: 'ftp://x/" + secret + "'",
		"type: credentials_uri, url: 'http://x:y/" + secret + "'",
		"type: ram_role_arn, external_id: '" + secret + " x'",
		"type: ram_role_arn, policy: " + secret,
	} {
		for _, before := range []string{"", "type: sts, access_key_id: a, security_token: " + secret + ", "} {
			_, err := Parse("c.yaml", []byte(withCredential(before+keys)), machine{files: map[string]string{"x": secret + "\n" + secret}}.outside())
			if err == nil {
				t.Errorf("no error for %s", before+keys)
			} else if strings.Contains(err.Error(), secret) {
				t.Errorf("error with a secret in it: %v", err)
			}
		}
	}
}
