package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// prometheus is a real one, with the API of queries.
type prometheus struct {
	*process
	url string
}

// startPrometheus runs one with this configuration.
func startPrometheus(t *testing.T, config string, args ...string) *prometheus {
	t.Helper()
	dir, address := t.TempDir(), freeAddress(t)
	args = append(args,
		"--config.file="+write(t, filepath.Join(dir, "prometheus.yml"), config),
		"--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+address,
		"--scrape.discovery-reload-interval=100ms")
	p := &prometheus{start(t, "prometheus", args...), "http://" + address}
	eventually(t, 30*time.Second, answers(p.url+"/-/ready"))
	return p
}

// series is one of the result of a query.
type series struct {
	Metric map[string]string `json:"metric"`
	Value  sample            `json:"value"`  // of an instant vector
	Values []sample          `json:"values"` // of a range vector
}

// sample is a time and a value.
type sample struct {
	At    float64
	Value float64
}

// UnmarshalJSON reads [time, "value"].
func (s *sample) UnmarshalJSON(b []byte) error {
	var text string
	if err := json.Unmarshal(b, &[]any{&s.At, &text}); err != nil {
		return err
	}
	var err error
	s.Value, err = strconv.ParseFloat(text, 64)
	return err
}

// query evaluates an expression now.
func (p *prometheus) query(expr string) ([]series, error) {
	resp, err := http.Get(p.url + "/api/v1/query?" + url.Values{"query": {expr}}.Encode())
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var answer struct {
		Error string
		Data  struct{ Result []series }
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		return nil, err
	}
	if answer.Error != "" {
		return nil, fmt.Errorf("%s: %s", expr, answer.Error)
	}
	return answer.Data.Result, nil
}

// mustQuery is query that ends the test on an error.
func (p *prometheus) mustQuery(t *testing.T, expr string) []series {
	t.Helper()
	found, err := p.query(expr)
	if err != nil {
		t.Fatal(err)
	}
	return found
}
