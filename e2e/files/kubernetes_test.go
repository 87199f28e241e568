package files

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"cloudsso_exporter/internal/config"
)

const manifests = "../../deploy/kubernetes/"

// The manifests are what Kubernetes and the Prometheus operator know, without an unknown or a duplicate field, and fit together.
func TestKubernetesManifests(t *testing.T) {
	var (
		account   core.ServiceAccount
		conf      core.ConfigMap
		service   core.Service
		set       apps.StatefulSet
		monitor   monitoring.ServiceMonitor
		rule      monitoring.PrometheusRule
		kustomize struct {
			APIVersion string   `json:"apiVersion"`
			Kind       string   `json:"kind"`
			Namespace  string   `json:"namespace"`
			Resources  []string `json:"resources"`
		}
	)
	for name, into := range map[string]any{
		"serviceaccount.yaml": &account, "configmap.yaml": &conf, "service.yaml": &service, "statefulset.yaml": &set,
		"servicemonitor.yaml": &monitor, "prometheusrule.yaml": &rule, "kustomization.yaml": &kustomize,
	} {
		if err := yaml.UnmarshalStrict([]byte(read(t, manifests+name)), into); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	for name, got := range map[string][5]string{
		"serviceaccount": {account.APIVersion, account.Kind, account.Name, account.Namespace, account.Labels["app.kubernetes.io/name"]},
		"configmap":      {conf.APIVersion, conf.Kind, conf.Name, conf.Namespace, conf.Labels["app.kubernetes.io/name"]},
		"service":        {service.APIVersion, service.Kind, service.Name, service.Namespace, service.Labels["app.kubernetes.io/name"]},
		"statefulset":    {set.APIVersion, set.Kind, set.Name, set.Namespace, set.Labels["app.kubernetes.io/name"]},
		"servicemonitor": {monitor.APIVersion, monitor.Kind, monitor.Name, monitor.Namespace, monitor.Labels["app.kubernetes.io/name"]},
		"prometheusrule": {rule.APIVersion, rule.Kind, rule.Name, rule.Namespace, rule.Labels["app.kubernetes.io/name"]},
	} {
		want := map[string][2]string{
			"serviceaccount": {"v1", "ServiceAccount"}, "configmap": {"v1", "ConfigMap"}, "service": {"v1", "Service"},
			"statefulset":    {"apps/v1", "StatefulSet"},
			"servicemonitor": {"monitoring.coreos.com/v1", "ServiceMonitor"},
			"prometheusrule": {"monitoring.coreos.com/v1", "PrometheusRule"},
		}[name]
		if got != [5]string{want[0], want[1], "cloudsso-exporter", "monitoring", "cloudsso-exporter"} {
			t.Errorf("%s: version, kind, name, namespace, label: %q", name, got)
		}
	}

	paths, _ := filepath.Glob(manifests + "*.yaml")
	var files []string
	for _, path := range paths {
		if name := filepath.Base(path); name != "kustomization.yaml" {
			files = append(files, name)
		}
	}
	slices.Sort(kustomize.Resources)
	if diff := cmp.Diff(files, kustomize.Resources); diff != "" || kustomize.Namespace != "monitoring" {
		t.Errorf("kustomization: namespace %s, resources (-files +listed)\n%s", kustomize.Namespace, diff)
	}

	if _, err := config.Parse("configmap.yaml", []byte(conf.Data["config.yaml"]), inCluster(set)); err != nil {
		t.Errorf("configmap: the exporter does not take it: %v", err)
	}
	pod := set.Spec.Template
	for name, selector := range map[string]map[string]string{
		"service": service.Spec.Selector, "statefulset": set.Spec.Selector.MatchLabels,
	} {
		if diff := cmp.Diff(pod.Labels, selector); diff != "" {
			t.Errorf("%s: does not select the pod (-pod +selector)\n%s", name, diff)
		}
	}
	if diff := cmp.Diff(service.Labels, monitor.Spec.Selector.MatchLabels); diff != "" {
		t.Errorf("servicemonitor: does not select the service\n%s", diff)
	}
	if set.Spec.ServiceName != service.Name || service.Spec.ClusterIP != core.ClusterIPNone || pod.Spec.ServiceAccountName != account.Name {
		t.Errorf("statefulset: service %q, service account %q", set.Spec.ServiceName, pod.Spec.ServiceAccountName)
	}
	exporter := pod.Spec.Containers[0]
	port := exporter.Ports[0]
	if port.ContainerPort != 10066 || service.Spec.Ports[0].Port != 10066 || service.Spec.Ports[0].TargetPort.StrVal != port.Name ||
		monitor.Spec.Endpoints[0].Port != service.Spec.Ports[0].Name {
		t.Errorf("ports do not meet: %v, %v, %v", port, service.Spec.Ports, monitor.Spec.Endpoints[0].Port)
	}
	if exporter.LivenessProbe.HTTPGet.Path != "/-/healthy" || exporter.ReadinessProbe.HTTPGet.Path != "/-/ready" {
		t.Error("probes ask elsewhere")
	}
	if *set.Spec.Replicas != 1 {
		t.Errorf("%d replicas, but the state folder belongs to one", *set.Spec.Replicas)
	}
}

// The pod meets the restricted pod security standard, mounts what it uses, and its state outlives it.
func TestKubernetesPod(t *testing.T) {
	var set apps.StatefulSet
	if err := yaml.UnmarshalStrict([]byte(read(t, manifests+"statefulset.yaml")), &set); err != nil {
		t.Fatal(err)
	}
	pod := set.Spec.Template.Spec
	if c := pod.SecurityContext; !*c.RunAsNonRoot || *c.RunAsUser == 0 || *c.FSGroup == 0 || c.SeccompProfile.Type != core.SeccompProfileTypeRuntimeDefault {
		t.Errorf("pod: %v", c)
	}
	exporter := pod.Containers[0]
	if c := exporter.SecurityContext; *c.AllowPrivilegeEscalation || !*c.ReadOnlyRootFilesystem || !slices.Equal(c.Capabilities.Drop, []core.Capability{"ALL"}) || len(c.Capabilities.Add) > 0 {
		t.Errorf("container: %v", c)
	}
	if len(pod.Containers) != 1 || pod.HostNetwork || pod.HostPID || *pod.AutomountServiceAccountToken {
		t.Error("more than it needs")
	}

	var volumes, mounts []string
	for _, v := range pod.Volumes {
		volumes = append(volumes, v.Name)
	}
	for _, v := range set.Spec.VolumeClaimTemplates {
		volumes = append(volumes, v.Name)
	}
	paths := make(map[string]string)
	for _, m := range exporter.VolumeMounts {
		mounts = append(mounts, m.Name)
		paths[m.Name] = m.MountPath
	}
	slices.Sort(volumes)
	slices.Sort(mounts)
	if diff := cmp.Diff(volumes, mounts); diff != "" {
		t.Errorf("volumes and mounts\n%s", diff)
	}
	for flag, volume := range map[string]string{"--config.file=": "config", "--storage.path=": "state"} {
		if !slices.ContainsFunc(exporter.Args, func(arg string) bool { return strings.HasPrefix(arg+"/", flag+paths[volume]+"/") }) {
			t.Errorf("no %s in the volume %s: %q", flag, volume, exporter.Args)
		}
	}
	i := slices.IndexFunc(pod.Volumes, func(v core.Volume) bool { return v.Projected != nil })
	token := pod.Volumes[i].Projected.Sources[0].ServiceAccountToken
	if env := environment(set)["ALIBABA_CLOUD_OIDC_TOKEN_FILE"]; env != paths[pod.Volumes[i].Name]+"/"+token.Path || token.Audience != "sts.aliyuncs.com" {
		t.Errorf("token: the environment says %q, audience %q", env, token.Audience)
	}
}

// prometheusrule.yaml is alerts/cloudsso.rules.yml in the operator's wrapping, comments included.
func TestKubernetesRuleIsTheRulesFile(t *testing.T) {
	const head = `# alerts/cloudsso.rules.yml for the Prometheus operator. Made from it, don't edit: cd e2e && go test ./files -update
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: cloudsso-exporter
  namespace: monitoring
  labels:
    app.kubernetes.io/name: cloudsso-exporter
spec:
`
	_, groups, _ := strings.Cut(read(t, rulesFile), "\ngroups:\n")
	want := head + "  groups:\n"
	for line := range strings.Lines(groups) {
		if strings.TrimSpace(line) != "" {
			line = "  " + line
		}
		want += line
	}
	if *update {
		write(t, manifests+"prometheusrule.yaml", want)
	}
	if diff := cmp.Diff(want, read(t, manifests+"prometheusrule.yaml")); diff != "" {
		t.Errorf("go test ./files -update writes it anew (-want +got)\n%s", diff)
	}
	// The wrapping must not change a text.
	var rule monitoring.PrometheusRule
	if err := yaml.UnmarshalStrict([]byte(want), &rule); err != nil {
		t.Fatal(err)
	}
	var wrapped []string
	for _, g := range rule.Spec.Groups {
		for _, r := range g.Rules {
			wrapped = append(wrapped, r.Alert, r.Expr.StrVal, r.Annotations["summary"], r.Annotations["description"])
		}
	}
	var plain []string
	for _, r := range rules(t) {
		plain = append(plain, r.Alert, r.Expr, r.Annotations["summary"], r.Annotations["description"])
	}
	if diff := cmp.Diff(plain, wrapped); diff != "" {
		t.Errorf("(-rules +wrapped)\n%s", diff)
	}
}
