package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"cloudsso_exporter/apiclient"
)

// Load reads the configuration file at path. Relative paths in it are relative to its folder. Every error is an *Error.
func Load(path string) (*Config, error) {
	return load(path, Outside{
		ReadFile: readSecret,
		Getenv:   os.Getenv,
	})
}

// LoadSyntax is Load for a pipeline that has neither the secrets nor the environment
// of the machine that will run the exporter: it looks at nothing but the file.
func LoadSyntax(path string) (*Config, error) { return load(path, Outside{}) }

func load(path string, outside Outside) (*Config, error) {
	data, err := readFile(path, 4<<20) // thousands of directories fit
	if err != nil {
		return nil, &Error{Problems: []Problem{{File: path, Message: fmt.Sprintf("cannot be read: %v; check --config.file", cause(err))}}}
	}
	return Parse(path, data, outside)
}

// Parse makes a Config of data, the content of a file named name: problems carry the name, and relative paths are
// relative to its folder. Every error is an *Error. The same data and Outside give the same result.
func Parse(name string, data []byte, outside Outside) (*Config, error) {
	found := &problems{file: name, told: make(map[mistake]bool)}
	root := readDocument(data, found)
	if root == nil {
		return nil, found.err()
	}
	var config *Config
	// Once for each value of a duplicate key, up to five, so that none hides the mistakes of the others.
	for copy, copies := 1, 1; copy <= min(copies, 5); copy++ {
		config = defaults()
		r := &reading{problems: found, copy: copy, places: make(map[string]place), unread: make(map[string]bool)}
		r.value(root, root.Line, "", reflect.ValueOf(config).Elem())
		for i := range config.Directories {
			r.complete(&config.Directories[i], item("directories", i), filepath.Dir(name), outside)
		}
		r.report(Validate(config)...)
		copies = r.copies
	}
	if err := found.err(); err != nil {
		return nil, err
	}
	return config, nil
}

// Single is the configuration of one directory without a file: all defaults, credentials by the default chain.
// Every error is an *Error whose problems name the flags.
func Single(directoryID, region string) (*Config, error) {
	config := defaults()
	config.Directories = []Directory{{
		ID: directoryID, Region: region, Credential: apiclient.Credential{Type: apiclient.CredentialDefault},
	}}
	flags := map[string]string{"directories[0].directory_id": "--directory-id", "directories[0].region": "--region"}
	found := Validate(config)
	for i, p := range found {
		found[i].Key = flags[p.Key]
		if strings.HasPrefix(p.Message, "has no value") {
			found[i].Message = "is missing; set it, or describe directories in a file with --config.file"
		}
	}
	if found != nil {
		return nil, &Error{Problems: found}
	}
	return config, nil
}

// readFile reads a file of at most limit bytes.
func readFile(path string, limit int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if info, err := file.Stat(); err == nil && info.IsDir() {
		return nil, errors.New("is a folder")
	}
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if int64(len(data)) > limit {
		return nil, fmt.Errorf("is over %d KiB", limit>>10)
	}
	return data, err
}

// cause is an error without the path that the message names anyway.
func cause(err error) error {
	if pathError, ok := errors.AsType[*fs.PathError](err); ok {
		return pathError.Err
	}
	return err
}
