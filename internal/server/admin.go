package server

import (
	"fmt"
	"net/http"
)

func healthy(w http.ResponseWriter, _ *http.Request) {
	plain(w, http.StatusOK, "cloudsso_exporter is healthy.")
}

func (s *server) reload(w http.ResponseWriter, _ *http.Request) {
	if !s.EnableLifecycle || s.Reload == nil {
		plain(w, http.StatusForbidden, "Reload by HTTP is not enabled: start the exporter with --web.enable-lifecycle, or send it SIGHUP.")
		return
	}
	s.ready.look(s.Now(), s.Refresher.States()) // before directories are added
	if err := s.Reload(); err != nil {
		plain(w, http.StatusInternalServerError, fmt.Sprintf("Reload failed, the old configuration keeps running:\n%s", err))
		return
	}
	plain(w, http.StatusOK, "Configuration reloaded.")
}

// reloaded is whether the last reload succeeded, as it did when there was none.
func (s *server) reloaded() bool {
	if s.Process.Reloaded == nil {
		return true
	}
	ok, _ := s.Process.Reloaded()
	return ok
}

// plain answers with a line of text.
func plain(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	fmt.Fprintln(w, text)
}
