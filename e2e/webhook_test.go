package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// alert is one in a message of Alertmanager.
type alert struct {
	Status      string
	Labels      map[string]string
	Annotations map[string]string
	StartsAt    time.Time
	Fingerprint string
}

func (a alert) name() string { return a.Labels["alertname"] }

// message is what Alertmanager posts: a group of alerts as it is now.
type message struct {
	Receiver string
	GroupKey string
	Alerts   []alert

	at time.Time
}

// webhook is a receiver that keeps all messages.
type webhook struct {
	url string

	mu       sync.Mutex
	messages []message
	expected []*arrival
}

// arrival is an alert that was expected and came.
type arrival struct {
	hook  *webhook
	alert alert

	fired, resolved time.Duration // from the cause to the message
}

// startWebhook serves one until the test ends.
func startWebhook(t *testing.T) *webhook {
	w := &webhook{}
	server := httptest.NewServer(w)
	t.Cleanup(server.Close)
	w.url = server.URL
	return w
}

func (w *webhook) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	m := message{at: time.Now()}
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		panic(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.messages = append(w.messages, m)
}

// first is the first message with an alert that is as wanted.
func (w *webhook) first(wanted func(alert) bool) (message, alert, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, m := range w.messages {
		if at := slices.IndexFunc(m.Alerts, wanted); at >= 0 {
			return m, m.Alerts[at], true
		}
	}
	return message{}, alert{}, false
}

// fires waits until an alert with these labels, and no others, has come to the receiver of its severity. Its description
// has to say all of says.
func (w *webhook) fires(t *testing.T, since time.Time, name string, labels map[string]string, says ...string) *arrival {
	t.Helper()
	labels = maps.Clone(labels)
	labels["alertname"] = name
	var m message
	var a alert
	eventually(t, 90*time.Second, func() error {
		var ok bool
		if m, a, ok = w.first(func(a alert) bool { return a.Status == "firing" && maps.Equal(a.Labels, labels) }); ok {
			return nil
		}
		_, other, _ := w.first(func(a alert) bool { return a.name() == name && a.Labels["directory_id"] == labels["directory_id"] })
		return fmt.Errorf("no message of\n%q\nthe first of this name has\n%q", labels, other.Labels)
	})
	if want := map[string]string{"critical": "pager", "warning": "chat", "info": "tickets"}[labels["severity"]]; m.Receiver != want {
		t.Errorf("%s came to %s, not to %s", name, m.Receiver, want)
	}
	for _, text := range says {
		if !strings.Contains(a.Annotations["description"], text) {
			t.Errorf("%s: the description does not say %q:\n%s", name, text, a.Annotations["description"])
		}
	}
	for _, annotation := range []string{"summary", "description", "runbook_url"} {
		if text := a.Annotations[annotation]; text == "" || strings.Contains(text, "<error") || strings.Contains(text, "<no value>") {
			t.Errorf("%s: %s is %q", name, annotation, text)
		}
	}
	came := &arrival{hook: w, alert: a, fired: m.at.Sub(since)}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.expected = append(w.expected, came)
	return came
}

// resolves waits until the alert is said to be over.
func (a *arrival) resolves(t *testing.T, since time.Time) {
	t.Helper()
	eventually(t, 100*time.Second, func() error {
		m, _, ok := a.hook.first(func(b alert) bool { return b.Status == "resolved" && b.Fingerprint == a.alert.Fingerprint })
		if !ok {
			return fmt.Errorf("%s is not resolved: %q", a.alert.name(), a.alert.Labels)
		}
		a.resolved = m.at.Sub(since)
		return nil
	})
}

// judge checks all that came: nothing unexpected, nothing twice, and all is over. Excused are alerts that may or may not
// come.
func (w *webhook) judge(t *testing.T, excused func(alert) bool) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	episodes := map[string]map[time.Time]bool{} // by fingerprint: when it began
	last := map[string]alert{}
	before := map[string]string{} // the last message, by group
	for _, m := range w.messages {
		var state []string
		for _, a := range m.Alerts {
			state = append(state, fmt.Sprint(a.Fingerprint, a.Status, a.StartsAt))
			if a.Status == "firing" {
				if episodes[a.Fingerprint] == nil {
					episodes[a.Fingerprint] = map[time.Time]bool{}
				}
				episodes[a.Fingerprint][a.StartsAt] = true
				if last[a.Fingerprint].Status == "resolved" {
					t.Errorf("fires again: %q", a.Labels)
				}
			}
			last[a.Fingerprint] = a
		}
		slices.Sort(state)
		group := m.Receiver + m.GroupKey
		if now := strings.Join(state, "\n"); now == before[group] {
			t.Errorf("a message that says nothing new came to %s about %s", m.Receiver, m.GroupKey)
		} else {
			before[group] = now
		}
	}
	for fingerprint, begun := range episodes {
		a := last[fingerprint]
		expected := slices.ContainsFunc(w.expected, func(e *arrival) bool { return e.alert.Fingerprint == fingerprint })
		switch {
		case !expected && !excused(a):
			t.Errorf("nobody expected %q: %s", a.Labels, a.Annotations["description"])
		case len(begun) != 1:
			t.Errorf("began %d times: %q", len(begun), a.Labels)
		case a.Status != "resolved":
			t.Errorf("still fires: %q", a.Labels)
		}
	}
}
