package chart

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"

	"cloudsso_exporter/internal/config"
)

// check holds for what the chart makes of any values: the objects meet, and the exporter takes its configuration.
func (o objects) check(t *testing.T) {
	t.Helper()
	pod := o.Set.Spec.Template
	selectors := map[string]map[string]string{"service": o.Service.Spec.Selector, "statefulset": o.Set.Spec.Selector.MatchLabels}
	if o.PodMonitor != nil {
		selectors["podmonitor"] = o.PodMonitor.Spec.Selector.MatchLabels
	}
	if o.Policy != nil {
		selectors["networkpolicy"] = o.Policy.Spec.PodSelector.MatchLabels
	}
	for name, selector := range selectors {
		if !selects(selector, pod.Labels) {
			t.Errorf("%s: %v does not select the pod's %v", name, selector, pod.Labels)
		}
	}
	if o.Set.Spec.ServiceName != o.Service.Name || o.Service.Spec.ClusterIP != core.ClusterIPNone {
		t.Errorf("the service of the pod's name: %q, %q, cluster IP %q", o.Set.Spec.ServiceName, o.Service.Name, o.Service.Spec.ClusterIP)
	}
	if o.Account == nil || pod.Spec.ServiceAccountName != o.Account.Name {
		t.Errorf("service account %q", pod.Spec.ServiceAccountName)
	}

	exporter := pod.Spec.Containers[0]
	port := exporter.Ports[0]
	if port.ContainerPort != 10066 || o.Service.Spec.Ports[0].TargetPort.StrVal != port.Name {
		t.Errorf("ports do not meet: %v, %v", port, o.Service.Spec.Ports)
	}
	scraped := map[string][]monitoring.RelabelConfig{}
	if o.Monitor != nil {
		if !selects(o.Monitor.Spec.Selector.MatchLabels, o.Service.Labels) {
			t.Error("the servicemonitor does not select the service")
		}
		scraped[o.Monitor.Spec.Endpoints[0].Port] = o.Monitor.Spec.Endpoints[0].RelabelConfigs
	}
	if o.PodMonitor != nil {
		scraped[*o.PodMonitor.Spec.PodMetricsEndpoints[0].Port] = o.PodMonitor.Spec.PodMetricsEndpoints[0].RelabelConfigs
	}
	for name, relabelings := range scraped {
		if name != port.Name || name != o.Service.Spec.Ports[0].Name || relabelings[0].TargetLabel != "instance" {
			t.Errorf("scraped at port %q, with %v", name, relabelings)
		}
	}

	o.checkPod(t)
	if _, err := config.Parse("config.yaml", []byte(o.Config.Data["config.yaml"]), o.inCluster()); err != nil {
		t.Errorf("the exporter does not take its configuration: %v", err)
	}
}

// checkPod is about the pod alone: it meets the restricted standard, mounts what it uses, and can be probed.
func (o objects) checkPod(t *testing.T) {
	t.Helper()
	spec := &o.Set.Spec.Template.Spec
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	restricted := api.LevelVersion{Level: api.LevelRestricted, Version: api.LatestVersion()}
	for _, result := range evaluator.EvaluatePod(restricted, &o.Set.Spec.Template.ObjectMeta, spec) {
		if !result.Allowed {
			t.Errorf("the restricted standard forbids: %s: %s", result.ForbiddenReason, result.ForbiddenDetail)
		}
	}
	exporter := spec.Containers[0]
	if !*exporter.SecurityContext.ReadOnlyRootFilesystem || *spec.AutomountServiceAccountToken || len(spec.Containers) != 1 {
		t.Error("the pod may do more than it needs")
	}

	var volumes, mounts []string
	for _, v := range spec.Volumes {
		volumes = append(volumes, v.Name)
	}
	for _, v := range o.Set.Spec.VolumeClaimTemplates {
		volumes = append(volumes, v.Name)
	}
	paths := map[string]string{}
	for _, m := range exporter.VolumeMounts {
		mounts = append(mounts, m.Name)
		paths[m.Name] = m.MountPath
	}
	slices.Sort(volumes)
	slices.Sort(mounts)
	if diff := cmp.Diff(volumes, mounts); diff != "" {
		t.Errorf("(-volumes +mounts)\n%s", diff)
	}
	flags := map[string]string{"--config.file=": paths["config"] + "/config.yaml", "--storage.path=": paths["state"]}
	if web, ok := paths["web"]; ok {
		flags["--web.config.file="] = web + "/web-config.yml"
	}
	for flag, path := range flags {
		if !slices.Contains(exporter.Args, flag+path) {
			t.Errorf("no %s%s: %q", flag, path, exporter.Args)
		}
	}
	for _, probe := range []*core.Probe{exporter.LivenessProbe, exporter.ReadinessProbe} {
		if _, web := paths["web"]; web != (probe.TCPSocket != nil) || web != (probe.HTTPGet == nil) {
			t.Errorf("with a web configuration a probe may only connect, without one it asks: %v", probe)
		}
	}
}

// inCluster is what the exporter finds in the pod: its environment and files, and what ack-pod-identity-webhook adds to them. A Secret that the
// chart does not make has every file.
func (o objects) inCluster() config.Outside {
	pod := o.Set.Spec.Template
	env, files := map[string]string{}, map[string]string{}
	for _, v := range pod.Spec.Containers[0].Env {
		env[v.Name] = v.Value
	}
	const token = "/var/run/secrets/ack.alibabacloud.com/rrsa-tokens/token"
	if pod.Labels["pod-identity.alibabacloud.com/injection"] == "on" && o.Account.Annotations["pod-identity.alibabacloud.com/role-name"] != "" {
		env["ALIBABA_CLOUD_ROLE_ARN"] = "acs:ram::1142405247840000:role/" + o.Account.Annotations["pod-identity.alibabacloud.com/role-name"]
		env["ALIBABA_CLOUD_OIDC_PROVIDER_ARN"] = "acs:ram::1142405247840000:oidc-provider/ack-rrsa-c0123456789abcdef"
		env["ALIBABA_CLOUD_OIDC_TOKEN_FILE"] = token
		files[token] = "token"
	}
	mounts, existing := map[string]string{}, ""
	for _, m := range pod.Spec.Containers[0].VolumeMounts {
		mounts[m.Name] = m.MountPath
	}
	for _, v := range pod.Spec.Volumes {
		switch {
		case v.Projected != nil:
			for _, s := range v.Projected.Sources {
				if s.ServiceAccountToken.Audience == "sts.aliyuncs.com" {
					files[mounts[v.Name]+"/"+s.ServiceAccountToken.Path] = "token"
				}
			}
		case v.Secret != nil:
			made, ok := o.Secrets[v.Secret.SecretName]
			if !ok {
				existing = mounts[v.Name]
			}
			for name, content := range made.StringData {
				files[mounts[v.Name]+"/"+name] = content
			}
		}
	}
	return config.Outside{
		Getenv: func(name string) string { return env[name] },
		ReadFile: func(path string) ([]byte, error) {
			if content, ok := files[path]; ok {
				return []byte(content), nil
			}
			if existing != "" && strings.HasPrefix(path, existing+"/") {
				return []byte("content"), nil
			}
			return nil, errors.New("no such file in the pod")
		},
	}
}

// selects reports whether a selector matches labels; an empty one would match everything.
func selects(selector, labels map[string]string) bool {
	for name, value := range selector {
		if labels[name] != value {
			return false
		}
	}
	return len(selector) > 0
}
