package apiclient

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aliyun/credentials-go/credentials/providers"

	"cloudsso_exporter/internal/task"
)

// library is a stand-in for credentials-go: each provider built gives what fetch
// says. Like the real one it has no lock; the race detector minds.
type library struct {
	builds, fetches int
	fetch           func(values Credential) (*providers.Credentials, error)
}

type libraryProvider struct {
	*library
	values Credential
}

func (p libraryProvider) GetCredentials() (*providers.Credentials, error) {
	p.fetches++
	return p.fetch(p.values)
}

func (l *library) source(c Credential) *Credentials {
	return &Credentials{credential: c, now: time.Now, build: func(values Credential) (fetcher, error) {
		l.builds++
		return libraryProvider{l, values}, nil
	}}
}

func gives(id string) func(Credential) (*providers.Credentials, error) {
	return func(Credential) (*providers.Credentials, error) {
		return &providers.Credentials{AccessKeyId: id, AccessKeySecret: "secret", SecurityToken: "token"}, nil
	}
}

func fails(Credential) (*providers.Credentials, error) { return nil, errors.New("EOF") }

// mustGive fails the test unless the source gives keys with the id; "" is an error.
func mustGive(t *testing.T, s *Credentials, id string) {
	t.Helper()
	keys, err := s.Keys(t.Context())
	if (err == nil) != (id != "") || keys.AccessKeyID != id {
		t.Errorf("keys of %q, %v; want %q", keys.AccessKeyID, err, id)
	}
}

func TestCallersShareOneFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := library{fetch: func(c Credential) (*providers.Credentials, error) {
			time.Sleep(5 * time.Second)
			return gives("a")(c)
		}}
		s := l.source(Credential{Type: CredentialURI})
		var wg sync.WaitGroup
		for range 50 {
			wg.Go(func() { mustGive(t, s, "a") })
		}
		wg.Wait()
		if l.fetches != 1 {
			t.Errorf("%d fetches", l.fetches)
		}
	})
}

func TestSlowFetchIsLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := library{fetch: func(c Credential) (*providers.Credentials, error) {
			time.Sleep(15 * time.Second)
			return gives("a")(c)
		}}
		s := l.source(Credential{Type: CredentialURI})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if _, err := s.Keys(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		if _, err := s.Keys(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v with a context that had ended", err)
		}
		mustGive(t, s, "a") // of the same fetch
		if time.Since(began) != 15*time.Second || l.fetches != 1 {
			t.Errorf("after %s and %d fetches", time.Since(began), l.fetches)
		}
	})
}

func TestKeysAreUsedOnWhileGood(t *testing.T) {
	for _, tc := range []struct {
		kind CredentialType
		good time.Duration // after the library last gave them; the safety taken off
	}{
		{CredentialURI, 150 * time.Second},
		{CredentialECSRAMRole, 150 * time.Second},
		{CredentialDefault, 150 * time.Second},
		{CredentialRAMRoleARN, time.Hour - 30*time.Second},
		{CredentialOIDCRoleARN, time.Hour - 30*time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			l := library{fetch: gives("a")}
			s := l.source(Credential{Type: tc.kind})
			mustGive(t, s, "a")
			l.fetch = fails
			time.Sleep(tc.good)
			mustGive(t, s, "a")
			if l.fetches != 2 {
				t.Errorf("%s: %d fetches", tc.kind, l.fetches)
			}
			time.Sleep(time.Second)
			mustGive(t, s, "")
			l.fetch = gives("b")
			time.Sleep(time.Second)
			mustGive(t, s, "b")
		})
	}
}

func TestAttemptsThinOutAfterFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := library{fetch: fails}
		s := l.source(Credential{Type: CredentialURI})
		for range 100 { // 10 s
			mustGive(t, s, "")
			time.Sleep(100 * time.Millisecond)
		}
		if l.fetches != 10 {
			t.Errorf("%d fetches within 10 s", l.fetches)
		}
	})
}

func TestProviderIsBuiltAnewAfterError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := library{fetch: fails}
		s := l.source(Credential{Type: CredentialDefault})
		mustGive(t, s, "")
		time.Sleep(2 * time.Second)
		l.fetch = gives("a")
		mustGive(t, s, "a")
		for range 10 {
			time.Sleep(2 * time.Minute)
			mustGive(t, s, "a")
		}
		if l.builds != 2 || l.fetches != 12 {
			t.Errorf("built %d times, want 2; %d fetches, want 12", l.builds, l.fetches)
		}
	})
}

func TestProviderThatPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := library{fetch: func(Credential) (*providers.Credentials, error) {
			var expiration *string
			return nil, errors.New(*expiration)
		}}
		s := l.source(Credential{Type: CredentialURI})
		if _, err := s.Keys(t.Context()); err == nil || !strings.Contains(err.Error(), "credentials_uri: an answer in an unexpected format") {
			t.Errorf("%v", err)
		}
		l.fetch = gives("a")
		time.Sleep(time.Second)
		mustGive(t, s, "a")
	})
}

func TestRefusedKeysAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := library{fetch: gives("a")}
		s := l.source(Credential{Type: CredentialECSRAMRole})
		mustGive(t, s, "a")
		old, _ := s.Keys(t.Context())
		l.fetch = gives("b")
		mustGive(t, s, "a")
		s.Refused(Keys{AccessKeyID: "another"})
		mustGive(t, s, "a")
		s.Refused(old)
		mustGive(t, s, "b")
		s.Refused(old) // by a call that was under way
		mustGive(t, s, "b")
		if l.builds != 2 {
			t.Errorf("built %d times: the old provider keeps what was refused", l.builds)
		}
		current, _ := s.Keys(t.Context())
		l.fetch = fails
		s.Refused(current)
		mustGive(t, s, "") // not the refused ones again
	})
}

func TestClientTellsOfRefusedKeys(t *testing.T) {
	for code, fetches := range map[string]int{"InvalidAccessKeyId.NotFound": 2, "InvalidSecurityToken.Expired": 2, "NoPermission": 1, "Throttling": 1} {
		synctest.Test(t, func(t *testing.T) {
			l := library{fetch: gives("a")}
			conf := testConfig(handled(sends(400, nil, `{"Code":"`+code+`","RequestId":"r"}`)))
			conf.Keys = l.source(Credential{Type: CredentialECSRAMRole, RoleName: "reader"})
			c := New(conf)
			for range 2 {
				_, _, err := read(c, task.Query{}, task.Paging{NoRetry: true})
				if err == nil || strings.Contains(err.Error(), "; check the credential of type ecs_ram_role (reader)") != (fetches == 2) {
					t.Error(err)
				}
			}
			if l.fetches != fetches {
				t.Errorf("%s: %d fetches for two calls, want %d", code, l.fetches, fetches)
			}
		})
	}
}

func TestKeysThatCannotBeSent(t *testing.T) {
	for _, id := range []string{"", "two words", "line\nbreak", "non-ascii-é"} {
		l := library{fetch: gives(id)}
		_, err := l.source(Credential{Type: CredentialURI}).Keys(t.Context())
		if err == nil || id != "" && strings.Contains(err.Error(), id) {
			t.Errorf("%q: %v", id, err)
		}
	}
}

func TestFilesAreReadAgain(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	s, err := NewCredentials(Credential{
		Type:                CredentialSTS,
		AccessKeyIDFile:     write("id", "id1\n"),
		AccessKeySecretFile: write("secret", "  secret1\r\n"),
		SecurityTokenFile:   write("token", "token1"),
	}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	must := func(id, secret, token string) {
		t.Helper()
		keys, err := s.Keys(t.Context())
		if want := (Keys{id, secret, token}); err != nil || keys != want {
			t.Errorf("keys %q %q %q, %v; want %q", keys.AccessKeyID, keys.AccessKeySecret, keys.SecurityToken, err, []string{id, secret, token})
		}
	}
	must("id1", "secret1", "token1")
	write("token", "token2") // same size, perhaps the same time
	must("id1", "secret1", "token2")
	write("id", "id2")
	write("secret", "secret2")
	must("id2", "secret2", "token2")

	for name, change := range map[string]func(){
		"empty":          func() { write("secret", " \n") },
		"cannot be read": func() { os.Remove(filepath.Join(dir, "secret")) },
	} {
		change()
		_, err := s.Keys(t.Context())
		if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "access_key_secret_file") ||
			!strings.Contains(err.Error(), filepath.Join(dir, "secret")) {
			t.Errorf("%s: %v", name, err)
		}
	}
	write("secret", "secret3") // and at once
	must("id2", "secret3", "token2")
}

// A named pipe would never end.
func TestFilesAreRegular(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	s, err := NewCredentials(Credential{Type: CredentialAccessKey, AccessKeyID: "LTAIa", AccessKeySecretFile: path}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Keys(ctx); err == nil || !strings.Contains(err.Error(), "access_key_secret_file") || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("%v", err)
	}
	if _, err := readFile(t.TempDir()); err == nil || !strings.Contains(err.Error(), "not a regular file") {
		t.Errorf("a folder: %v", err)
	}
}

func TestChangedFileEndsThinningOut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	os.WriteFile(path, []byte("one"), 0o600)
	l := library{fetch: func(values Credential) (*providers.Credentials, error) {
		if values.OIDCTokenFile != "two" {
			return nil, errors.New("expired")
		}
		return gives("a")(values)
	}}
	s := l.source(Credential{Type: CredentialOIDCRoleARN, OIDCTokenFile: path})
	mustGive(t, s, "")
	mustGive(t, s, "")
	os.WriteFile(path, []byte("two"), 0o600)
	mustGive(t, s, "a")
	if l.fetches != 2 {
		t.Errorf("%d fetches", l.fetches)
	}
}

func TestNewCredentialsRefuses(t *testing.T) {
	if _, err := NewCredentials(Credential{Type: "magic"}, time.Now); err == nil {
		t.Error("a type that is not known")
	}
	t.Setenv("DEBUG", "sdk,credential")
	if _, err := NewCredentials(Credential{Type: CredentialDefault}, time.Now); err == nil || !strings.Contains(err.Error(), "DEBUG") {
		t.Errorf("credentials-go would print tokens: %v", err)
	}
}
