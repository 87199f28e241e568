package command

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

func checked(t *testing.T, yaml string) (string, error) {
	t.Helper()
	path := t.TempDir() + "/config.yaml"
	if err := os.WriteFile(path, []byte(withKey(yaml)), 0o600); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	err := Check{
		Source: Source{File: path}, TasksPerDay: 1000, ScrapeInterval: time.Minute,
		Now: time.Now, Transport: http.DefaultTransport, Out: &out,
	}.Run(t.Context())
	return out.String(), err
}

func TestCheckSaysWhenTheRateLimitIsTooLittle(t *testing.T) {
	for _, test := range []struct {
		name        string
		directories int
		limit       string
		want        string // of the part about the limit; empty: there is none
	}{
		{"one", 1, "api: {rate_limit: 5}", ""},
		{"enough", 2, "api: {rate_limit: 5}", "2 of an account's directories share 5 calls"},
		{"too little", 40, "api: {rate_limit: 0.5}", "TOO MUCH"},
	} {
		t.Run(test.name, func(t *testing.T) {
			out, err := checked(t, test.limit+"\n"+directories(test.directories))
			if err != nil {
				t.Fatal(err)
			}
			_, about, _ := strings.Cut(out, "cn-shanghai: ")
			if !strings.Contains(about, test.want) || test.want == "" && about != "" {
				t.Errorf("%s", out)
			}
			if strings.Contains(about, "TOO MUCH") != (test.want == "TOO MUCH") {
				t.Errorf("%s", out)
			}
		})
	}
}

// What serve refuses for how it is, check refuses too.
func TestCheckRefusesWhatServeRefuses(t *testing.T) {
	t.Setenv("DEBUG", "credential")
	out, err := checked(t, directories(2))
	if err == nil || out != "" || !strings.Contains(err.Error(), "DEBUG") {
		t.Errorf("%v\n%s", err, out)
	}
}
