package server

import (
	"fmt"
	"path"
	"strings"
)

// CheckPath says what to do about a telemetry path that cannot be served.
func CheckPath(p string) error {
	problem := ""
	switch {
	case !strings.HasPrefix(p, "/"):
		problem = "it has to begin with /"
	case p == "/":
		problem = "the status page is there"
	case strings.ContainsFunc(p, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`{}%?#"<>\^|`+"`", r) }):
		problem = "it can have letters, digits, - . _ ~ and / only"
	case path.Clean(p) != p:
		problem = fmt.Sprintf("write it as %s", path.Clean(p))
	default:
		for _, taken := range []string{"/api", "/-", "/debug"} { // and all below
			if p == taken || strings.HasPrefix(p, taken+"/") {
				problem = fmt.Sprintf("%s/ is taken", taken)
			}
		}
	}
	if problem == "" {
		return nil
	}
	return fmt.Errorf("--web.telemetry-path=%q: %s; choose a path of its own, such as /metrics", p, problem)
}
