package apiclient

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"cloudsso_exporter/internal/simulator"
	"cloudsso_exporter/internal/simulator/faults"
	"cloudsso_exporter/internal/task"
)

// atPages runs f for a fault that strikes the first, a later or the last of 4 pages.
func atPages(t *testing.T, faults []simulator.Fault, f func(t *testing.T, s *simulator.Server, conf Config, fault simulator.Fault, page int)) {
	t.Helper()
	for _, fault := range faults {
		for _, page := range []int{1, 2, 3} {
			t.Run(fmt.Sprintf("%s/page %d", fault.Name, page), func(t *testing.T) {
				bubble(t, 65, simulator.Options{}, func(t *testing.T, s *simulator.Server, conf Config) {
					f(t, s, conf, fault, page)
				})
			})
		}
	}
}

func TestRetryableFaultsGoAway(t *testing.T) {
	atPages(t, faults.Retryable(), func(t *testing.T, s *simulator.Server, conf Config, fault simulator.Fault, page int) {
		var seen attempts
		conf.Observe = seen.Observe
		s.SetFaults(simulator.Rule{When: func(c simulator.Call) bool { return c.Page == page && c.Attempt <= 2 }, Fault: fault})
		began := time.Now()
		ids, _, err := read(New(conf), since(localNow()), task.Paging{})
		if err != nil || len(ids) != 65 {
			t.Errorf("%d tasks, %v", len(ids), err)
		}
		if took := time.Since(began); took < 2*max(250*time.Millisecond, fault.RetryAfter) {
			t.Errorf("three attempts within %s", took)
		}
		codes := strings.Fields(seen.String())
		want := fault.Code
		switch {
		case want != "":
		case fault.Cut || fault.HangUp:
			want = "network"
		default:
			want = "invalid_response"
		}
		for i, code := range codes {
			expected := "OK"
			if i == page-1 || i == page {
				expected = want
			}
			if code != expected {
				t.Errorf("attempt %d observed as %q, want %q", i+1, code, expected)
			}
		}
		if len(codes) != 6 || len(s.Calls()) != 6 {
			t.Errorf("%d attempts observed of %d, want 4 pages and 2 more", len(codes), len(s.Calls()))
		}
	})
}

func TestRetryableFaultsThatStay(t *testing.T) {
	kinds := map[string]task.ErrorKind{"Throttling": task.ErrorThrottled, "Throttling.User": task.ErrorThrottled, "Throttling.Api": task.ErrorThrottled,
		"Rejected.Throttling": task.ErrorThrottled, "ServiceUnavailable": task.ErrorOther, "InternalError": task.ErrorOther}
	atPages(t, faults.Retryable(), func(t *testing.T, s *simulator.Server, conf Config, fault simulator.Fault, page int) {
		s.SetFaults(simulator.Rule{When: simulator.Page(page), Fault: fault})
		_, pages, err := read(New(conf), since(localNow()), task.Paging{})
		failed := asError(t, err)
		want, ok := kinds[fault.Code]
		switch {
		case ok:
		case fault.Cut || fault.HangUp:
			want = task.ErrorNetwork
		default:
			want = task.ErrorInvalidResponse
		}
		if failed.Kind != want || failed.RefusesQuery() || pages != page-1 || len(s.Calls()) != page-1+5 {
			t.Errorf("%v after %d pages and %d calls: kind %s, want %s", err, pages, len(s.Calls()), failed.Kind, want)
		}
		if fault.Status != 0 && failed.HTTPStatus != fault.Status {
			t.Errorf("HTTP status %d in the error, want %d", failed.HTTPStatus, fault.Status)
		}
	})
}

func TestNoRetry(t *testing.T) {
	atPages(t, faults.Retryable(), func(t *testing.T, s *simulator.Server, conf Config, fault simulator.Fault, page int) {
		s.SetFaults(simulator.Rule{When: simulator.Page(page), Fault: fault})
		_, pages, err := read(New(conf), since(localNow()), task.Paging{NoRetry: true})
		if err == nil || pages != page-1 || len(s.Calls()) != page {
			t.Errorf("%v after %d calls", err, len(s.Calls()))
		}
	})
}

func TestRefusalsAreTriedOnce(t *testing.T) {
	kinds := map[string]task.ErrorKind{
		"InvalidAccessKeyId.NotFound": task.ErrorCredentials, "InvalidAccessKeyId.Inactive": task.ErrorCredentials,
		"SignatureDoesNotMatch": task.ErrorCredentials, "InvalidSecurityToken.Expired": task.ErrorCredentials,
		"NoPermission": task.ErrorPermission, "EntityNotExists.Directory": task.ErrorNotFound, "InvalidParameter.Filter": task.ErrorOther,
	}
	atPages(t, faults.Refusals(), func(t *testing.T, s *simulator.Server, conf Config, fault simulator.Fault, page int) {
		var seen attempts
		conf.Observe = seen.Observe
		s.SetFaults(simulator.Rule{When: simulator.Page(page), Fault: fault})
		_, _, err := read(New(conf), since(localNow()), task.Paging{})
		failed := asError(t, err)
		if failed.Kind != kinds[fault.Code] || failed.Code != fault.Code || failed.RequestID == "" || failed.HTTPStatus < 400 {
			t.Errorf("%+v", failed)
		}
		if want := strings.Repeat("OK ", page-1) + fault.Code; seen.String() != want || len(s.Calls()) != page {
			t.Errorf("observed %q, want %q; %d calls", seen.String(), want, len(s.Calls()))
		}
		if failed.RefusesQuery() != (fault.Code == "InvalidParameter.Filter") {
			t.Errorf("%s: RefusesQuery is %v", fault.Code, failed.RefusesQuery())
		}
	})
}

func TestRubbishIsAnError(t *testing.T) {
	faults := append(faults.Rubbish(), faults.RubbishTasks()...)
	atPages(t, faults, func(t *testing.T, s *simulator.Server, conf Config, fault simulator.Fault, page int) {
		s.SetFaults(simulator.Rule{When: func(c simulator.Call) bool { return c.Page >= page }, Fault: fault})
		var seen attempts
		conf.Observe = seen.Observe
		_, pages, err := read(New(conf), since(localNow()), task.Paging{})
		failed := asError(t, err)
		if failed.Kind != task.ErrorInvalidResponse || failed.Code != "invalid_response" || failed.RefusesQuery() {
			t.Errorf("%v: %+v", err, failed)
		}
		if want := strings.Repeat("OK ", pages) + "invalid_response"; seen.String() != want || pages+1 != len(s.Calls()) {
			t.Errorf("observed %q of %d attempts, want %q", seen.String(), len(s.Calls()), want)
		}
	})
}

func TestHarmlessOdditiesAreRead(t *testing.T) {
	atPages(t, faults.Harmless(), func(t *testing.T, s *simulator.Server, conf Config, fault simulator.Fault, page int) {
		s.SetFaults(simulator.Rule{When: simulator.Page(page), Fault: fault})
		if ids, _, err := read(New(conf), since(localNow()), task.Paging{}); err != nil || len(ids) != 65 {
			t.Errorf("%d tasks, %v", len(ids), err)
		}
	})
}
