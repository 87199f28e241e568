package command

import (
	"fmt"
	"strings"

	"cloudsso_exporter/internal/config"
)

// Source says where the configuration comes from: a file, or flags for one directory.
type Source struct {
	File        string
	DirectoryID string
	Region      string
}

// UsageError is a command line that cannot be meant as it is.
type UsageError struct{ Err error }

// Error is the text of Err.
func (e UsageError) Error() string { return e.Err.Error() }

// Check finds flags that contradict each other for serve: a directory of a file
// can be chosen by the other commands. Its errors are UsageErrors.
func (s Source) Check(serve bool) error {
	var excluded []string
	if serve && s.DirectoryID != "" {
		excluded = append(excluded, "--directory-id")
	}
	if s.Region != "" {
		excluded = append(excluded, "--region")
	}
	if s.File == "" || excluded == nil {
		return nil
	}
	return UsageError{fmt.Errorf("--config.file excludes %s: the file describes the directories (CLOUDSSO_EXPORTER_CONFIG_FILE, …_DIRECTORY_ID and …_REGION count as given)",
		strings.Join(excluded, " and "))}
}

// load reads the configuration. Its error has a line for each mistake.
func (s Source) load() (*config.Config, error) {
	if s.File != "" {
		conf, err := config.Load(s.File)
		if err != nil || s.DirectoryID == "" {
			return conf, err
		}
		return choose(conf, s.DirectoryID)
	}
	return config.Single(s.DirectoryID, s.Region)
}
