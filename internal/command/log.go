package command

import (
	"io"
	"log/slog"

	"github.com/go-kit/log"
	sloggokit "github.com/tjhop/slog-gokit"
)

// LogLevels are the levels that NewLogger takes.
func LogLevels() []string { return []string{"debug", "info", "warn", "error"} }

// LogFormats are the formats that NewLogger takes.
func LogFormats() []string { return []string{"logfmt", "json"} }

// NewLogger returns a logger that writes to w, one line an event. Unknown words
// count as info and logfmt.
func NewLogger(w io.Writer, level, format string) *slog.Logger {
	var least slog.Level
	if err := least.UnmarshalText([]byte(level)); err != nil {
		least = slog.LevelInfo
	}
	w = log.NewSyncWriter(w)
	logger := log.NewLogfmtLogger(w)
	if format == "json" {
		logger = log.NewJSONLogger(w)
	}
	return slog.New(sloggokit.NewGoKitHandler(logger, least))
}
