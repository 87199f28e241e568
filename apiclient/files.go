package apiclient

import (
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
)

// maxFile is the most that a file of credentials holds.
const maxFile = 1 << 20

// readFile reads a regular file. It does not block on anything else: opening a
// named pipe would wait for a writer.
func readFile(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, known("not a regular file")
	case info.Size() > maxFile:
		return nil, known("over 1 MiB")
	}
	return io.ReadAll(io.LimitReader(f, maxFile))
}

// hasFiles reports whether the keys depend on files.
func (c Credential) hasFiles() bool {
	return c.AccessKeyIDFile != "" || c.AccessKeySecretFile != "" || c.SecurityTokenFile != "" || c.OIDCTokenFile != ""
}

// withFiles returns the credential with the content of its files in place of
// what they are for, that of OIDCTokenFile in place of its own path.
func (c Credential) withFiles() (Credential, error) {
	for _, f := range []struct {
		key, path string
		into      *string
	}{
		{"access_key_id_file", c.AccessKeyIDFile, &c.AccessKeyID},
		{"access_key_secret_file", c.AccessKeySecretFile, &c.AccessKeySecret},
		{"security_token_file", c.SecurityTokenFile, &c.SecurityToken},
		{"oidc_token_file", c.OIDCTokenFile, &c.OIDCTokenFile},
	} {
		if f.path == "" {
			continue
		}
		content, err := readFile(f.path)
		if err != nil {
			return Credential{}, fmt.Errorf("%s: %s %q cannot be read (%s): create it or correct the path", c, f.key, f.path, cause(err))
		}
		if *f.into = strings.TrimSpace(string(content)); *f.into == "" {
			return Credential{}, fmt.Errorf("%s: %s %q is empty: write the value into it", c, f.key, f.path)
		}
	}
	return c, nil
}

// readHome reads the file that the variable names, else the one below the home directory.
func readHome(variable, path string) ([]byte, error) {
	if file := env(variable); file != "" {
		return readFile(file)
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return nil, known("no home directory")
	}
	return readFile(home + "/" + path)
}

// env is a variable of the environment. Files and editors add newlines.
func env(name string) string { return strings.TrimSpace(os.Getenv(name)) }
