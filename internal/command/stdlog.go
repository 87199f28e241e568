package command

import (
	"log"
	"log/slog"
	"strings"
)

// TakeStandardLog has what libraries print by the standard logger go to l, one
// line an event. Net/http prints the bytes of an answer that it did not expect;
// they may be a secret, and are left out: what is quoted, and what comes after.
func TakeStandardLog(l *slog.Logger) {
	log.SetFlags(0)
	log.SetOutput(standardLog{l})
}

type standardLog struct{ log *slog.Logger }

// Write implements io.Writer.
func (s standardLog) Write(line []byte) (int, error) {
	text, _, _ := strings.Cut(string(line), "\n")
	if said, _, quotes := strings.Cut(text, `"`); quotes {
		text = said + "(left out)"
	}
	s.log.Warn("message from a library", "text", text)
	return len(line), nil
}
