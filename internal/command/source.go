package command

import (
	"errors"

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
	if s.File != "" && s.Region != "" && !serve {
		return UsageError{errors.New("--config.file excludes --region: the file says the region")}
	}
	if serve && s.File != "" && (s.DirectoryID != "" || s.Region != "") {
		return UsageError{errors.New("--config.file (or CLOUDSSO_EXPORTER_CONFIG_FILE) excludes --directory-id and --region (or CLOUDSSO_EXPORTER_DIRECTORY_ID and …_REGION): describe the directory in the file")}
	}
	return nil
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
