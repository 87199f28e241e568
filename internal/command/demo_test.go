package command

import (
	"strings"
	"testing"
)

func TestOutages(t *testing.T) {
	for _, name := range Faults() {
		if f, err := outage(name); err != nil || f.Code == "" && f.Status == 0 && f.Delay == 0 {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
	}
	if _, err := outage("flood"); err == nil || !strings.Contains(err.Error(), "throttling") {
		t.Errorf("unknown outage: %v", err)
	}
}
