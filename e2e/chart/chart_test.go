package chart

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"
)

var update = flag.Bool("update", false, "write the golden files anew")

// What the chart makes of each example is valid, fits together, and is what it was when somebody last looked.
func TestExamples(t *testing.T) {
	paths, _ := filepath.Glob(examples + "*.yaml")
	if len(paths) < 5 {
		t.Fatalf("examples: %q", paths)
	}
	for _, path := range paths {
		t.Run(filepath.Base(path), func(t *testing.T) {
			made, err := template(t, chart, path)
			if err != nil {
				t.Fatal(err)
			}
			decode(t, made).check(t)
			golden := "testdata/" + filepath.Base(path)
			short := shorten(made)
			if *update {
				if err := os.WriteFile(golden, []byte(short), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(read(t, golden), short); diff != "" {
				t.Errorf("make chart UPDATE=1 accepts it (-want +got)\n%s", diff)
			}
		})
	}
}

// shorten leaves out the rules and dashboards, which have tests of their own.
func shorten(stream string) string {
	all := documents(stream)
	for i, document := range all {
		for _, begin := range []string{"\nspec:\n  #", ".json: |\n"} {
			if before, _, ok := strings.Cut(document, begin); ok && !strings.Contains(document, "kind: StatefulSet") {
				all[i] = before + begin + "    (left out)\n"
			}
		}
	}
	return strings.Join(all, "---\n")
}

// The features that a golden file alone would not explain.
func TestFeatures(t *testing.T) {
	made := func(example string) objects {
		stream, err := template(t, chart, examples+example+".yaml")
		if err != nil {
			t.Fatal(err)
		}
		return decode(t, stream)
	}
	pair := made("pair")
	if *pair.Set.Spec.Replicas != 2 || len(pair.Set.Spec.Template.Spec.TopologySpreadConstraints) != 1 || len(pair.Set.Spec.VolumeClaimTemplates) != 1 {
		t.Error("a pair has a volume each, on two nodes")
	}
	if got := env(pair.Set.Spec.Template.Spec.Containers[0], "GOMEMLIMIT"); got != "819MiB" {
		t.Errorf("GOMEMLIMIT is %s for a limit of 1Gi", got)
	}
	everything := made("everything")
	if v := everything.Set.Spec; len(v.VolumeClaimTemplates) != 0 || !slices.ContainsFunc(v.Template.Spec.Volumes, func(v core.Volume) bool { return v.Name == "state" && v.EmptyDir != nil }) {
		t.Error("without persistence the state is in an emptyDir")
	}
	if name := everything.Account.Annotations["pod-identity.alibabacloud.com/role-name"]; name != "cloudsso-exporter" || everything.Account.Name != "cloudsso" {
		t.Errorf("service account %s for the role %q", everything.Account.Name, name)
	}

	rrsa := made("rrsa")
	before := rrsa.Set.Spec.Template.Annotations["checksum/config"]
	values := filepath.Join(t.TempDir(), "values.yaml")
	if err := os.WriteFile(values, []byte(strings.Replace(read(t, examples+"rrsa.yaml"), "name: production", "name: prod", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	stream, err := template(t, chart, values)
	if err != nil {
		t.Fatal(err)
	}
	if after := decode(t, stream).Set.Spec.Template.Annotations["checksum/config"]; before == "" || after == before {
		t.Errorf("a changed configuration has the checksum %q as before", after)
	}
}

func env(c core.Container, name string) string {
	i := slices.IndexFunc(c.Env, func(v core.EnvVar) bool { return v.Name == name })
	if i < 0 {
		return ""
	}
	return c.Env[i].Value
}

// A packaged chart carries the rules and dashboards that in this folder are links; their templates and JSON arrive as they are.
func TestPackageHasRulesAndDashboards(t *testing.T) {
	dir := t.TempDir()
	if _, err := helm(t, "package", chart, "--destination", dir); err != nil {
		t.Fatal(err)
	}
	archives, _ := filepath.Glob(dir + "/*.tgz")
	if len(archives) != 1 {
		t.Fatalf("packaged: %q", archives)
	}
	info, err := os.Stat(archives[0])
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %d KiB", filepath.Base(archives[0]), info.Size()/1024)
	stream, err := template(t, archives[0], examples+"rrsa.yaml")
	if err != nil {
		t.Fatal(err)
	}
	o := decode(t, stream)

	var want monitoring.PrometheusRuleSpec
	rules := strings.ReplaceAll(read(t, root+"alerts/cloudsso.rules.yml"), "https://example.com/cloudsso_exporter", "https://wiki.corp.example/cloudsso")
	if err := yaml.UnmarshalStrict([]byte(rules), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, o.Rule.Spec); diff != "" {
		t.Errorf("rules (-file +chart)\n%s", diff)
	}
	files, _ := filepath.Glob(root + "dashboards/*.json")
	for _, file := range files {
		name := filepath.Base(file)
		m := o.Dashboards[name]
		if strings.TrimRight(m.Data[name], "\n") != strings.TrimRight(read(t, file), "\n") {
			t.Errorf("%s is not the file", name)
		}
		if m.Labels["grafana_dashboard"] != "1" || len(m.Data) != 1 {
			t.Errorf("%s: labels %v", name, m.Labels)
		}
	}
	if len(files) == 0 || len(o.Dashboards) != len(files) {
		t.Errorf("%d dashboards of %d", len(o.Dashboards), len(files))
	}
}

// deploy/kubernetes is what the chart makes of deploy/values.yaml (make generate), all of it listed.
func TestManifests(t *testing.T) {
	var kustomize struct {
		APIVersion string   `json:"apiVersion"`
		Kind       string   `json:"kind"`
		Namespace  string   `json:"namespace"`
		Resources  []string `json:"resources"`
	}
	if err := yaml.UnmarshalStrict([]byte(read(t, manifests+"kustomization.yaml")), &kustomize); err != nil {
		t.Fatal(err)
	}
	paths, _ := filepath.Glob(manifests + "*.yaml")
	var files, contents []string
	for _, path := range paths {
		if name := filepath.Base(path); name != "kustomization.yaml" {
			files = append(files, name)
			contents = append(contents, strings.TrimPrefix(read(t, path), "---\n"))
		}
	}
	slices.Sort(kustomize.Resources)
	if diff := cmp.Diff(files, kustomize.Resources); diff != "" || kustomize.Namespace != namespace {
		t.Errorf("kustomization: namespace %s, resources (-files +listed)\n%s", kustomize.Namespace, diff)
	}
	got := decode(t, strings.Join(contents, "---\n"))
	got.check(t)
	stream, err := template(t, chart, root+"deploy/values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(decode(t, stream), got); diff != "" {
		t.Errorf("make generate writes them again (-chart +deploy)\n%s", diff)
	}
}
