package apiclient

import (
	"errors"
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
		return nil, &os.PathError{Op: "read", Path: path, Err: known("not a regular file")}
	case info.Size() > maxFile:
		return nil, &os.PathError{Op: "read", Path: path, Err: known("over 1 MiB")}
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
		value := strings.TrimSpace(string(content))
		var path *os.PathError
		switch {
		case errors.As(err, &path):
			return Credential{}, fmt.Errorf("%s: %s %q cannot be read (%w): create it or correct the path", c, f.key, f.path, path.Err)
		case err != nil:
			return Credential{}, fmt.Errorf("%s: %s %q cannot be read: create it or correct the path", c, f.key, f.path)
		case value == "":
			return Credential{}, fmt.Errorf("%s: %s %q is empty: write the value into it", c, f.key, f.path)
		}
		*f.into = value
	}
	return c, nil
}
