package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// prometheus is a real one, or another program with its API.
type prometheus struct {
	*process
	url   string        // answers queries
	ruler string        // says what the rules do
	delay time.Duration // evaluations look at data that is so old

	storesAlerts bool // as the series ALERTS
}

// startPrometheus runs one with this configuration, on what the folder data holds already.
func startPrometheus(t *testing.T, data, config string, args ...string) *prometheus {
	t.Helper()
	address := freeAddress(t)
	args = append(args,
		"--config.file="+write(t, filepath.Join(t.TempDir(), "prometheus.yml"), config),
		"--storage.tsdb.path="+data,
		"--web.listen-address="+address,
		"--scrape.discovery-reload-interval=100ms")
	url := "http://" + address
	p := &prometheus{process: start(t, "prometheus", args...), url: url, ruler: url, storesAlerts: true}
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
	var data struct{ Result []series }
	err := p.get("query", url.Values{"query": {expr}}, &data)
	return data.Result, err
}

func unix(t time.Time) string {
	return strconv.FormatFloat(float64(t.UnixMilli())/1000, 'f', 3, 64)
}

// get asks an endpoint of the API for data.
func (p *prometheus) get(endpoint string, params url.Values, data any) error {
	b, err := p.fetch(endpoint, params)
	if err != nil {
		return err
	}
	if err := decode(b, data); err != nil {
		return fmt.Errorf("%s: %s: %w", endpoint, params, err)
	}
	return nil
}

// fetch asks an endpoint of the API, and returns the answer as it came.
func (p *prometheus) fetch(endpoint string, params url.Values) ([]byte, error) {
	address := p.url
	if endpoint == "rules" || endpoint == "alerts" {
		address = p.ruler
	}
	b, _, err := get(address + "/api/v1/" + endpoint + "?" + params.Encode())
	return b, err
}

// decode reads the data of an answer.
func decode(b []byte, data any) error {
	answer := struct {
		Error string
		Data  any
	}{Data: data}
	if err := json.Unmarshal(b, &answer); err != nil {
		return err
	}
	if answer.Error != "" {
		return errors.New(answer.Error)
	}
	return nil
}

// rule is one of those that are evaluated.
type rule struct {
	Name           string
	EvaluationTime float64 // of the last evaluation, in seconds
	LastEvaluation time.Time
	LastError      string
}

func (p *prometheus) rules() (all []rule, err error) {
	var data struct{ Groups []struct{ Rules []rule } }
	err = p.get("rules", url.Values{"exclude_alerts": {"true"}}, &data)
	for _, g := range data.Groups {
		all = append(all, g.Rules...)
	}
	return all, err
}

// began says when the alerts of this name and directory that are active now began.
func (p *prometheus) began(name, directoryID string) (all []time.Time, err error) {
	var data struct {
		Alerts []struct {
			Labels   map[string]string
			ActiveAt time.Time
		}
	}
	err = p.get("alerts", nil, &data)
	for _, a := range data.Alerts {
		if a.Labels["alertname"] == name && a.Labels["directory_id"] == directoryID {
			all = append(all, a.ActiveAt)
		}
	}
	return all, err
}

// evaluate waits until each rule has been evaluated n times more, on data from now on.
func (p *prometheus) evaluate(t *testing.T, n int) {
	t.Helper()
	after := time.Now().Add(p.delay)
	for range n {
		eventually(t, 100*time.Second, func() error {
			all, err := p.rules()
			for _, r := range all {
				if err == nil && !r.LastEvaluation.After(after) {
					err = fmt.Errorf("%s was last evaluated at %v", r.Name, r.LastEvaluation)
				}
			}
			return err
		})
		after = time.Now()
	}
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
