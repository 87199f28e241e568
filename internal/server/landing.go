package server

import (
	"bytes"
	_ "embed"
	"fmt"
	"net/http"
	"time"

	"github.com/prometheus/common/version"

	"cloudsso_exporter/internal/refresh"
)

//go:embed landing.html
var landingHTML string

// landingPage is what the landing page shows.
type landingPage struct {
	Version     string
	Directories []landingDirectory
	Links       []link
}

type landingDirectory struct{ DirectoryID, Name, Region, State, LastSuccess string }

type link struct{ Path, Text string }

func (s *server) landing(w http.ResponseWriter, _ *http.Request) {
	page := landingPage{Version: version.Version, Links: []link{
		// Relative, so that they hold behind a proxy that serves the exporter below a path.
		{"." + s.TelemetryPath, "metrics, for Prometheus"},
		{"./api/v1/status", "how fresh the numbers are, and what they cost (JSON)"},
		{"./-/healthy", "whether the process serves"},
		{"./-/ready", "whether the first refreshes have ended"},
	}}
	if s.EnablePprof {
		page.Links = append(page.Links, link{"./debug/pprof/", "profiles"})
	}
	for _, state := range s.Refresher.States() {
		page.Directories = append(page.Directories, landingRow(state))
	}
	var b bytes.Buffer
	if err := s.page.Execute(&b, page); err != nil {
		s.Log.Error("landing page failed", "err", err)
		http.Error(w, "The page could not be made; the log says why.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Write(b.Bytes())
}

func landingRow(s *refresh.State) landingDirectory {
	d := landingDirectory{DirectoryID: s.DirectoryID, Name: s.Name, Region: s.Region, State: "up", LastSuccess: "none yet"}
	switch {
	case !s.Attempted:
		d.State = "first refresh under way"
	case !s.Up:
		d.State = fmt.Sprintf("down (%s): %s", s.ErrorKind, s.Error)
	}
	if !s.LastSuccess.IsZero() {
		d.LastSuccess = s.LastSuccess.UTC().Format(time.RFC3339)
	}
	return d
}
