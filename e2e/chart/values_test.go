package chart

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// Values that contradict each other, or that nothing can be made of, are refused with a sentence. Each case is the values on top of the
// least example.
func TestContradictions(t *testing.T) {
	for _, c := range []struct{ values, want string }{
		{`image: {repository: ""}`, `image.repository is empty: push the image`},
		{`config: {directories: []}`, `config.directories is empty: name at least one directory`},
		{`credentials: {existingSecret: keys}`, `credentials.existingSecret and credentials.files are both set`},
		{`config: {directories: [{directory_id: d-1, region: cn-shanghai, credential: {type: access_key, access_key_id: a, access_key_secret: b}}]}`,
			`config.directories[0].credential.access_key_secret would be in a ConfigMap, for everyone to read: put it into credentials.files or a Secret and use access_key_secret_file`},
		{`config: {directories: [{directory_id: d-1, region: cn-shanghai, credential: {type: sts, security_token_file: /etc/cloudsso_exporter/secrets/token}}]}`,
			`config.directories[0].credential.security_token_file is /etc/cloudsso_exporter/secrets/token, but nothing puts a file there: set credentials.existingSecret, or credentials.files with the key token`},
		{`rrsa: {roleName: a, roleArn: "acs:ram::1:role/a", oidcProviderArn: "acs:ram::1:oidc-provider/a"}`, `rrsa.roleName and the ARNs of rrsa are both set`},
		{`rrsa: {roleArn: "acs:ram::1:role/a"}`, `rrsa.roleArn and rrsa.oidcProviderArn go together`},
		{`{rrsa: {roleName: a}, serviceAccount: {create: false, name: mine}}`, `set serviceAccount.create, or annotate yours with pod-identity.alibabacloud.com/role-name`},
		{`webConfig: {existingSecret: web, content: {basic_auth_users: {a: $2y$10$x}}}`, `webConfig.existingSecret and webConfig.content are both set`},
		{`{webConfig: {content: {basic_auth_users: {a: $2y$10$x}}}, monitor: {enabled: true}}`, `monitor.endpoint has no basicAuth: Prometheus would be refused`},
		{`{webConfig: {content: {tls_server_config: {cert_file: a}}}, monitor: {enabled: true}}`, `monitor.endpoint.scheme is not https`},
		{`monitor: {enabled: true, interval: 2m30s}`, `monitor.interval is 2m30s, longer than config.new_series_hold (2m): increase() would miss first events; set config.new_series_hold to 2m30s or more`},
		{`monitor: {enabled: true, scrapeTimeout: 90s}`, `monitor.scrapeTimeout is 90s, longer than monitor.interval (1m)`},
		{`extraArgs: [--storage.path=/data]`, `extraArgs has --storage.path, which the chart sets itself`},

		{`replicas: 3`, `at '/replicas': value must be one of 1, 2`},
		{`serviceMonitor: {enabled: true}`, `additional properties 'serviceMonitor' not allowed`},
		{`config: {directory: []}`, `at '/config': additional properties 'directory' not allowed`},
		{`config: {directories: [{directory_id: d-1}]}`, `at '/config/directories/0': missing property 'region'`},
		{`config: {directories: [{directory_id: d-1, region: cn-shanghai, filter: {target_type: RD-Account, target_id: 1142405247840000}}]}`, `at '/config/directories/0/filter/target_id': got number, want string`},
		{`webConfig: {content: {basic_auth_users: {a: secret}}}`, `at '/webConfig/content/basic_auth_users/a': 'secret' does not match pattern`},
		{`monitor: {interval: 60}`, `at '/monitor/interval': got number, want string`},
		{`rrsa: {roleName: "acs:ram::1:role/a"}`, `at '/rrsa/roleName': 'acs:ram::1:role/a' does not match pattern`},
	} {
		values := filepath.Join(t.TempDir(), "values.yaml")
		if err := os.WriteFile(values, []byte(c.values), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := helm(t, "template", "cloudsso-exporter", chart, "--values", examples+"key-pair.yaml", "--values", values)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v\nwant …%s", c.values, err, c.want)
		}
	}
}

// Every value is in the README's table and in the schema.
func TestValuesAreDocumented(t *testing.T) {
	var values, schema map[string]any
	if err := yaml.UnmarshalStrict([]byte(read(t, chart+"/values.yaml")), &values); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(read(t, chart+"/values.schema.json")), &schema); err != nil {
		t.Fatal(err)
	}
	readme := read(t, chart+"/README.md")
	for path := range leaves("", values) {
		if !strings.Contains(readme, "`"+path+"`") {
			t.Errorf("README.md does not have `%s`", path)
		}
		at := schema
		for key := range strings.SplitSeq(path, ".") {
			properties, _ := at["properties"].(map[string]any)
			next, ok := properties[key].(map[string]any)
			if !ok {
				t.Errorf("values.schema.json does not have %s", path)
				break
			}
			at = next
		}
	}
}

// leaves yields the paths of what is set, or empty; what people fill in (labels, resources) is one value.
func leaves(prefix string, values map[string]any) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for key, value := range values {
			path := prefix + key
			if inner, ok := value.(map[string]any); ok && len(inner) > 0 && key != "resources" && key != "labels" {
				for leaf := range leaves(path+".", inner) {
					if !yield(leaf) {
						return
					}
				}
				continue
			}
			if !yield(path) {
				return
			}
		}
	}
}
