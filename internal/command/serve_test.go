package command

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/exporter-toolkit/web"

	"cloudsso_exporter/internal/server"
	"cloudsso_exporter/internal/store"
)

func newServe(storage string) Serve {
	return Serve{
		Source:      Source{DirectoryID: "d-00fc2p61test", Region: "cn-shanghai"},
		Web:         &web.FlagConfig{WebListenAddresses: &[]string{"127.0.0.1:0"}, WebConfigFile: new("")},
		HTTP:        server.Settings{TelemetryPath: "/metrics"},
		StoragePath: storage,
		Now:         time.Now,
		Transport:   http.DefaultTransport,
	}
}

// What a flag can never mean is wrong usage, found before anything begins.
func TestFlagsThatCannotBeMeant(t *testing.T) {
	for name, change := range map[string]func(*server.Settings){
		"--web.max-requests":   func(s *server.Settings) { s.MaxRequests = -1 },
		"--web.timeout-offset": func(s *server.Settings) { s.TimeoutOffset = -time.Second },
		"--web.telemetry-path": func(s *server.Settings) { s.TelemetryPath = "metrics" },
	} {
		s := newServe("")
		change(&s.HTTP)
		var usage UsageError
		if err := s.Run(t.Context(), slog.New(slog.DiscardHandler)); !errors.As(err, &usage) {
			t.Errorf("%s: %v is no wrong usage", name, err)
		}
	}
}

// A process that is stopped while it waits for its predecessor's state folder has not failed.
func TestStoppedWhileTheStateFileIsLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state")
	held, err := store.Open(t.Context(), path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- newServe(path).Run(ctx, slog.New(slog.DiscardHandler)) }()
	select {
	case err := <-ended:
		t.Fatalf("does not wait: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
