package chart

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	"sigs.k8s.io/yaml"
)

const (
	root      = "../../"
	chart     = root + "packaging/helm/cloudsso-exporter"
	examples  = root + "packaging/helm/examples/"
	manifests = root + "deploy/kubernetes/"
	namespace = "monitoring"
)

// objects are what the chart makes, each decoded strictly into the type that Kubernetes or the operator has for it.
type objects struct {
	Account    *core.ServiceAccount
	Config     *core.ConfigMap
	Dashboards map[string]core.ConfigMap // by the name of the file
	Secrets    map[string]core.Secret    // by name
	Service    *core.Service
	Set        *apps.StatefulSet
	Monitor    *monitoring.ServiceMonitor
	PodMonitor *monitoring.PodMonitor
	Rule       *monitoring.PrometheusRule
	Policy     *networking.NetworkPolicy
}

// helm runs helm, and returns what it prints, or its complaint without the notes on symbolic links.
func helm(t *testing.T, args ...string) (string, error) {
	t.Helper()
	program := os.Getenv("HELM")
	if program == "" {
		t.Fatal("HELM is not set: run make chart")
	}
	command := exec.Command(program, args...)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		var complaint strings.Builder
		for line := range strings.Lines(stderr.String()) {
			if !strings.HasPrefix(line, "walk.go") {
				complaint.WriteString(line)
			}
		}
		return stdout.String(), fmt.Errorf("%w: %s", err, complaint.String())
	}
	return stdout.String(), nil
}

// template is what the chart makes of values.
func template(t *testing.T, chart, values string) (string, error) {
	t.Helper()
	return helm(t, "template", "cloudsso-exporter", chart, "--namespace", namespace, "--values", values)
}

// documents are those of a YAML stream.
func documents(stream string) (all []string) {
	for document := range strings.SplitSeq("\n"+stream, "\n---\n") {
		if strings.TrimSpace(document) != "" {
			all = append(all, document+"\n")
		}
	}
	return all
}

// decode fails on an unknown or duplicate field, on a kind that the chart has no business with, and on two of a kind.
func decode(t *testing.T, stream string) objects {
	t.Helper()
	o := objects{Dashboards: map[string]core.ConfigMap{}, Secrets: map[string]core.Secret{}}
	for _, document := range documents(stream) {
		var head struct {
			APIVersion string `json:"apiVersion"`
			Kind       string `json:"kind"`
		}
		if err := yaml.Unmarshal([]byte(document), &head); err != nil {
			t.Fatalf("%v:\n%s", err, document)
		}
		switch head.APIVersion + " " + head.Kind {
		case "v1 ServiceAccount":
			strictly(t, document, &o.Account)
		case "v1 ConfigMap":
			var m *core.ConfigMap
			strictly(t, document, &m)
			if _, config := m.Data["config.yaml"]; config && o.Config == nil {
				o.Config = m
				continue
			}
			for file := range m.Data {
				o.Dashboards[file] = *m
			}
		case "v1 Secret":
			var s *core.Secret
			strictly(t, document, &s)
			o.Secrets[s.Name] = *s
		case "v1 Service":
			strictly(t, document, &o.Service)
		case "apps/v1 StatefulSet":
			strictly(t, document, &o.Set)
		case "monitoring.coreos.com/v1 ServiceMonitor":
			strictly(t, document, &o.Monitor)
		case "monitoring.coreos.com/v1 PodMonitor":
			strictly(t, document, &o.PodMonitor)
		case "monitoring.coreos.com/v1 PrometheusRule":
			strictly(t, document, &o.Rule)
		case "networking.k8s.io/v1 NetworkPolicy":
			strictly(t, document, &o.Policy)
		default:
			t.Errorf("%s %s is not expected of the chart", head.APIVersion, head.Kind)
		}
	}
	return o
}

// strictly decodes a document into a type that has not been seen yet.
func strictly[T any](t *testing.T, document string, into **T) {
	t.Helper()
	if *into != nil {
		t.Fatalf("a second %T", *into)
	}
	*into = new(T)
	if err := yaml.UnmarshalStrict([]byte(document), *into); err != nil {
		t.Fatalf("%v:\n%s", err, document)
	}
	var meta struct {
		Metadata struct{ Name, Namespace string }
	}
	b, err := json.Marshal(*into)
	if err == nil {
		err = json.Unmarshal(b, &meta)
	}
	if err != nil || meta.Metadata.Name == "" || meta.Metadata.Namespace != namespace {
		t.Errorf("%T: name %q, namespace %q, %v", *into, meta.Metadata.Name, meta.Metadata.Namespace, err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
