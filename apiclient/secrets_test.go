package apiclient

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"cloudsso_exporter/internal/task"
)

// shown is err in every way that it may be printed.
func shown(err error) string {
	var b strings.Builder
	for ; err != nil; err = errors.Unwrap(err) {
		fmt.Fprintf(&b, "%v\n%+v\n%#v\n%s\n%q\n", err, err, err, err, err)
		j, _ := json.Marshal(err)
		b.Write(j)
		slog.New(slog.NewTextHandler(&b, nil)).Error("x", "err", err)
	}
	return b.String()
}

// mustHide fails the test when one of the secrets, or a good part of it, is in s.
func mustHide(t *testing.T, s string, secrets ...string) {
	t.Helper()
	for _, secret := range secrets {
		for _, form := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret), secret[:min(len(secret), 10)]} {
			if strings.Contains(s, form) {
				t.Errorf("%q is in %.600q", form, s)
			}
		}
	}
}

func TestErrorsOfTheAPIHoldNoSecret(t *testing.T) {
	k := testKeys()
	stringToSign := "The request signature does not conform. server string to sign is:POST\n/\nhost:x\nx-acs-security-token:" + k.SecurityToken + "\n\nhost"
	quote := func(s string) string { return fmt.Sprintf("%q", s) }
	for name, body := range map[string]string{
		"message": `{"Code":"SignatureDoesNotMatch","RequestId":"r","Message":` + quote("key "+k.AccessKeySecret+" id "+k.AccessKeyID+" token "+k.SecurityToken) + `}`,
		"escaped": `{"Code":"SignatureDoesNotMatch","RequestId":"r","Message":` + quote(url.QueryEscape(k.SecurityToken)+" "+percentEncode(k.AccessKeySecret)) + `}`,
		"to sign": `{"Code":"SignatureDoesNotMatch","RequestId":"r","Message":` + quote(stringToSign) + `}`,
		"code":    `{"Code":"` + k.AccessKeyID + `","RequestId":"r","Message":"x"}`,
		"id":      `{"Code":"NoPermission","RequestId":` + quote(k.SecurityToken) + `,"Message":"x"}`,
		"field":   `{"Code":"NoPermission","RequestId":"r","Message":"password=hunter2hunter2 Signature: 06563a9e1b43f5dfe96b81484da74bce"}`,
		"rubbish": "<html>" + k.SecurityToken,
		"no page": `{"RequestId":` + quote(k.SecurityToken) + `}`,
	} {
		for _, status := range []int{200, 400, 500} {
			synctest.Test(t, func(t *testing.T) {
				conf := testConfig(handled(sends(status, http.Header{"Location": {k.SecurityToken}}, body)))
				conf.OnRetry = func(_ time.Duration, err error) {
					mustHide(t, shown(err), k.AccessKeyID, k.AccessKeySecret, k.SecurityToken)
				}
				conf.Observe = func(_, code string, _ time.Duration) {
					mustHide(t, code, k.AccessKeyID, k.AccessKeySecret, k.SecurityToken)
				}
				_, _, err := read(New(conf), task.Query{}, task.Paging{})
				if err == nil {
					t.Fatal("no error")
				}
				mustHide(t, shown(err), k.AccessKeyID, k.AccessKeySecret, k.SecurityToken, "hunter2hunter2", "06563a9e1b43")
				if n := utf8.RuneCountInString(asError(t, err).Message); n > 300 {
					t.Errorf("%s: %d characters", name, n)
				}
			})
		}
	}
}

func TestErrorsOfTheNetworkHoldNoSecret(t *testing.T) {
	k := testKeys()
	synctest.Test(t, func(t *testing.T) {
		conf := testConfig(roundTrip(func(r *http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("proxyconnect http://user:hunter2hunter2@proxy: %s %s", r.Header.Get("Authorization"), r.Header.Get("x-acs-security-token"))
		}))
		_, _, err := read(New(conf), task.Query{}, task.Paging{})
		mustHide(t, shown(err), k.AccessKeyID, k.AccessKeySecret, k.SecurityToken, "hunter2hunter2")
	})
}

func TestKeysAndCredentialsDoNotPrint(t *testing.T) {
	k := testKeys()
	c := Credential{Type: CredentialSTS, AccessKeyID: k.AccessKeyID, AccessKeySecret: k.AccessKeySecret, SecurityToken: k.SecurityToken, URL: "http://x/?token=" + k.SecurityToken}
	source := newSource(t, c)
	if _, err := source.Keys(t.Context()); err != nil {
		t.Fatal(err)
	}
	conf := testConfig(nil)
	conf.Keys = source
	for _, v := range []any{k, &k, c, &c, struct{ K Keys }{k}, []Credential{c}, source, conf, New(testConfig(nil)), New(conf)} {
		var log strings.Builder
		slog.New(slog.NewTextHandler(&log, nil)).Info("x", "v", v)
		mustHide(t, fmt.Sprintf("%v %+v %#v %s", v, v, v, v)+log.String(), k.AccessKeyID, k.AccessKeySecret, k.SecurityToken)
	}
}

func TestRedactorKeepsWhatHelps(t *testing.T) {
	for _, s := range []string{
		"You are not authorized to do this action.",
		"The specified parameter NextToken is not valid.",
		`dial tcp 127.0.0.1:443: connect: connection refused`,
		"credential of type sts: security_token_file \"/run/token\" is empty: write the value into it",
	} {
		if got := testKeys().redact(s); got != s {
			t.Errorf("%q became %q", s, got)
		}
	}
}

// A failure reason is shown as a label, and services quote what they were called with.
func TestFailureReasonsHoldNoSecret(t *testing.T) {
	k := testKeys()
	for _, secret := range []string{k.AccessKeySecret, k.SecurityToken, k.AccessKeyID} {
		body := fmt.Sprintf(`{"RequestId":"r","Tasks":[{"TaskId":"t-1","FailureReason":%q},{"TaskId":"t-2","FailureReason":"Odd: a  thing."}]}`, "signed with "+secret+" in vain")
		page, failed := decodePage([]byte(body), k)
		if failed != nil {
			t.Fatal(failed)
		}
		if got, want := page.Tasks[0].FailureReason, "signed with [redacted] in vain"; got != want {
			t.Errorf("%q, want %q", got, want)
		}
		if got, want := page.Tasks[1].FailureReason, "Odd: a  thing."; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
