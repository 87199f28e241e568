package files

import (
	"errors"
	"os"
	"testing"

	apps "k8s.io/api/apps/v1"

	"cloudsso_exporter/internal/config"
)

// environment is what the exporter's container is given.
func environment(set apps.StatefulSet) map[string]string {
	env := make(map[string]string)
	for _, v := range set.Spec.Template.Spec.Containers[0].Env {
		env[v.Name] = v.Value
	}
	return env
}

// inCluster is what the exporter finds in the pod: its environment and the projected token.
func inCluster(set apps.StatefulSet) config.Outside {
	env := environment(set)
	return config.Outside{
		Getenv: func(name string) string { return env[name] },
		ReadFile: func(path string) ([]byte, error) {
			if path == env["ALIBABA_CLOUD_OIDC_TOKEN_FILE"] {
				return []byte("token"), nil
			}
			return nil, errors.New("no such file in the pod")
		},
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
