package files

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

const compose = "../../deploy/compose/"

// composeFile is the part of the compose file's schema that ours uses.
type composeFile struct {
	Name     string                    `json:"name"`
	Services map[string]composeService `json:"services"`
	Volumes  map[string]*struct{}      `json:"volumes"`
}

type composeService struct {
	Image       string            `json:"image"`
	Build       *composeBuild     `json:"build"`
	Command     []string          `json:"command"`
	Ports       []string          `json:"ports"`
	Environment map[string]string `json:"environment"`
	Volumes     []string          `json:"volumes"`
	DependsOn   []string          `json:"depends_on"`
	Restart     string            `json:"restart"`
	ReadOnly    bool              `json:"read_only"`
	CapDrop     []string          `json:"cap_drop"`
	SecurityOpt []string          `json:"security_opt"`
}

type composeBuild struct {
	Context string `json:"context"`
}

// The compose file holds known keys alone; what it mounts, builds and depends on is there, and it listens on loopback.
func TestComposeFile(t *testing.T) {
	var file composeFile
	if err := yaml.UnmarshalStrict([]byte(read(t, compose+"compose.yaml")), &file); err != nil {
		t.Fatal(err)
	}
	pinned := regexp.MustCompile(`^[a-z]+/[a-z]+:v?\d+\.\d+\.\d+$`)
	local := regexp.MustCompile(`^127\.0\.0\.1:(\d+):(\d+)$`)
	for name, s := range file.Services {
		if s.Build == nil && !pinned.MatchString(s.Image) {
			t.Errorf("%s: image %q is not pinned to a version", name, s.Image)
		}
		if s.Build != nil {
			if _, err := os.Stat(filepath.Join(compose, s.Build.Context, "Dockerfile")); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, port := range s.Ports {
			if !local.MatchString(port) {
				t.Errorf("%s: port %s is open to others", name, port)
			}
		}
		for _, volume := range s.Volumes {
			source, _, _ := strings.Cut(volume, ":")
			if !strings.HasPrefix(source, ".") {
				if _, ok := file.Volumes[source]; !ok {
					t.Errorf("%s: no volume %s", name, source)
				}
				continue
			}
			// Docker makes a folder of a file that is not there.
			if info, err := os.Stat(filepath.Join(compose, source)); err != nil || !info.Mode().IsRegular() || !strings.HasSuffix(volume, ":ro") {
				t.Errorf("%s: %s: %v", name, volume, err)
			}
		}
		for _, other := range s.DependsOn {
			if _, ok := file.Services[other]; !ok {
				t.Errorf("%s: depends on %s, which is none", name, other)
			}
		}
	}
	dashboards, _ := filepath.Glob("../../dashboards/*.json")
	for _, d := range dashboards {
		if mounts := strings.Join(file.Services["grafana"].Volumes, "\n"); !strings.Contains(mounts, "/"+filepath.Base(d)+":") {
			t.Errorf("grafana: %s is not mounted", filepath.Base(d))
		}
	}
}

// The demo's Alertmanager routes and inhibits as the example does, Prometheus and Grafana know their neighbours.
func TestComposeNeighbours(t *testing.T) {
	var example, demo map[string]any
	for path, into := range map[string]*map[string]any{
		"../../alerts/alertmanager.example.yml": &example, compose + "alertmanager.yml": &demo,
	} {
		if err := yaml.UnmarshalStrict([]byte(read(t, path)), into); err != nil {
			t.Fatal(path, err)
		}
		delete(*into, "receivers")
	}
	if diff := cmp.Diff(example, demo); diff != "" {
		t.Errorf("Alertmanager but its receivers (-example +demo)\n%s", diff)
	}
	for path, wants := range map[string][]string{
		"prometheus.yml":  {"alertmanager:9093", "exporter:10066", "/etc/prometheus/cloudsso.rules.yml"},
		"datasource.yaml": {"http://prometheus:9090", "timeInterval: 15s"},
	} {
		for _, want := range wants {
			if !strings.Contains(read(t, compose+path), want) {
				t.Errorf("%s: no %s", path, want)
			}
		}
	}
}
