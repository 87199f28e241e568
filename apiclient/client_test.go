package apiclient

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"cloudsso_exporter/internal/simulator"
	"cloudsso_exporter/internal/simulator/inprocess"
	"cloudsso_exporter/internal/task"
)

func TestPagesSendsEveryParameter(t *testing.T) {
	from := time.Date(2021, 3, 15, 9, 12, 23, 987e6, time.FixedZone("", 8*3600))
	directory := task.Filter{AccessConfigurationID: "ac-1", TargetType: "RD-Account", TargetID: "1", PrincipalType: "User", PrincipalID: "u-1"}
	for name, tc := range map[string]struct {
		directory task.Filter
		query     task.Query
		token     string
		want      url.Values
	}{
		"nothing but the directory": {want: url.Values{"DirectoryId": {testDirectory}, "MaxResults": {"20"}}},
		"everything": {
			directory: directory,
			query:     task.Query{Type: task.DeleteAccessAssignment, Status: task.InProgress, From: from},
			token:     "K1+/=",
			want: url.Values{
				"DirectoryId": {testDirectory}, "MaxResults": {"20"}, "NextToken": {"K1+/="},
				"AccessConfigurationId": {"ac-1"}, "TargetType": {"RD-Account"}, "TargetId": {"1"}, "PrincipalType": {"User"}, "PrincipalId": {"u-1"},
				"TaskType": {"DeleteAccessAssignment"}, "Status": {"InProgress"}, "Filter": {"StartTime ge 2021-03-15T01:12:23Z"},
			},
		},
		"a query's own filter goes first": {
			directory: directory,
			query:     task.Query{Filter: task.Filter{TargetType: "Other", TargetID: "2", AccessConfigurationID: "ac-2"}},
			want: url.Values{
				"DirectoryId": {testDirectory}, "MaxResults": {"20"},
				"AccessConfigurationId": {"ac-2"}, "TargetType": {"Other"}, "TargetId": {"2"}, "PrincipalType": {"User"}, "PrincipalId": {"u-1"},
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var sent *http.Request
			s := newServer(t, func(w http.ResponseWriter, r *http.Request) {
				sent = r
				if body, _ := io.ReadAll(r.Body); len(body) != 0 {
					t.Errorf("body %q", body)
				}
				io.WriteString(w, emptyPage)
			})
			conf := testConfig(newPool(t))
			conf.URL, conf.Filter = s.URL+"/", tc.directory
			if _, _, err := read(New(conf), tc.query, task.Paging{Token: tc.token}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, sent.URL.Query()); diff != "" {
				t.Errorf("parameters (-want +got):\n%s", diff)
			}
			if strings.Contains(sent.URL.RawQuery, "+") {
				t.Errorf("query %q has a plus", sent.URL.RawQuery)
			}
			for header, want := range map[string]string{
				"x-acs-action": "ListTasks", "x-acs-version": "2021-05-15", "x-acs-security-token": testKeys().SecurityToken, "Content-Length": "0",
			} {
				if got := sent.Header.Get(header); got != want {
					t.Errorf("%s: %q, want %q", header, got, want)
				}
			}
			if sent.Method != http.MethodPost || sent.URL.Path != "/" {
				t.Errorf("%s %s", sent.Method, sent.URL.Path)
			}
		})
	}
}

// bubble runs f inside a synctest bubble against a simulated API with n tasks.
func bubble(t *testing.T, n int, opts simulator.Options, f func(*testing.T, *simulator.Server, Config)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newSimulator(n, localNow, opts)
		f(t, s, testConfig(inprocess.Transport(s)))
	})
}

func TestPagesReadsWholeLists(t *testing.T) {
	for _, n := range []int{0, 1, 19, 20, 21, 40, 347} {
		for _, order := range []simulator.Order{simulator.NewestFirst, simulator.OldestFirst, simulator.Shuffled} {
			bubble(t, n, simulator.Options{Order: order, CountAll: n%2 == 0}, func(t *testing.T, s *simulator.Server, conf Config) {
				var seen attempts
				conf.Observe = seen.Observe
				ids, pages, err := read(New(conf), since(localNow()), task.Paging{})
				want := map[string]int{}
				for i := range n {
					want[fmt.Sprintf("t-%06d", i)] = 1
				}
				calls := max(1, (n+19)/20)
				if err != nil || pages != calls || !maps.Equal(ids, want) {
					t.Errorf("%d tasks, order %v: read %d on %d pages, %v", n, order, len(ids), pages, err)
				}
				if got, want := seen.String(), strings.TrimSpace(strings.Repeat("OK ", calls)); got != want {
					t.Errorf("observed %q, want %q", got, want)
				}
			})
		}
	}
}

func TestPagesReadsEveryField(t *testing.T) {
	want := task.Task{
		ID: "t-1", Type: task.DeprovisionAccessConfiguration, Status: task.Failed,
		Start:         time.Date(2026, 11, 24, 5, 50, 50, 0, time.UTC),
		End:           time.Date(2026, 11, 24, 5, 51, 0, 0, time.UTC),
		FailureReason: "No \"Permission\".\n😀", AccessConfigurationID: "ac-1", AccessConfigurationName: "ECS-Admin",
		TargetType: "RD-Account", TargetID: "114", TargetName: "dev-test", TargetPath: "rd-3G/r-Wm/114", TargetPathName: "rd-3G/root/dev-test",
		OriginTargetID: "fd-9", PrincipalType: "Group", PrincipalID: "g-1", PrincipalName: "Ops",
	}
	body := `{"Tasks":[{"Status":"Failed","TaskId":"t-1","EndTime":"2026-11-24T05:51:00Z","PrincipalId":"g-1","TargetPath":"rd-3G/r-Wm/114",
		"StartTime":"2026-11-24T05:50:50Z","PrincipalName":"Ops","TargetName":"dev-test","TargetId":"114","AccessConfigurationName":"ECS-Admin",
		"TargetPathName":"rd-3G/root/dev-test","TaskType":"DeprovisionAccessConfiguration","FailureReason":"No \"Permission\".\n😀",
		"TargetType":"RD-Account","AccessConfigurationId":"ac-1","PrincipalType":"Group","OriginTargetId":"fd-9"}],
		"NextToken":"K1c3o9K7","RequestId":"C0DA2DFC","MaxResults":10,"TotalCounts":1,"IsTruncated":false}`
	s := newServer(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body) })
	conf := testConfig(newPool(t))
	conf.URL = s.URL
	for page, err := range New(conf).Pages(t.Context(), task.Query{}, task.Paging{}) {
		if diff := cmp.Diff(task.Page{Tasks: []task.Task{want}}, page); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
}

func TestPagesGoesOnFromToken(t *testing.T) {
	bubble(t, 65, simulator.Options{}, func(t *testing.T, s *simulator.Server, conf Config) {
		c := New(conf)
		q := since(localNow())
		token := ""
		for page, err := range c.Pages(t.Context(), q, task.Paging{}) {
			if err != nil {
				t.Fatal(err)
			}
			token = page.Next
			break // and no further call
		}
		if n := len(s.Calls()); n != 1 {
			t.Errorf("%d calls for one page", n)
		}
		ids, pages, err := read(c, q, task.Paging{Token: token})
		if err != nil || len(ids) != 45 || pages != 3 {
			t.Errorf("the rest: %d tasks on %d pages, %v; want 45 on 3", len(ids), pages, err)
		}
	})
}

func TestLoopsEnd(t *testing.T) {
	page := func(next string, ids ...string) string {
		var tasks []string
		for _, id := range ids {
			tasks = append(tasks, fmt.Sprintf(`{"TaskId":%q}`, id))
		}
		return fmt.Sprintf(`{"RequestId":"r","Tasks":[%s],"IsTruncated":%v,"NextToken":%q}`, strings.Join(tasks, ","), next != "", next)
	}
	for name, tc := range map[string]struct {
		token string
		pages []string
		good  int // pages before the error
		want  string
	}{
		"the same token":          {"", []string{page("a", "1"), page("a", "2")}, 1, "repeats"},
		"an earlier token":        {"", []string{page("a", "1"), page("b", "2"), page("c", "3"), page("a", "4")}, 3, "repeats"},
		"the token it began with": {"z", []string{page("z", "1")}, 0, "repeats"},
		"no new task twice":       {"", []string{page("a", "1", "2"), page("b", "2", "1"), page("c", "1", "2")}, 2, "no progress"},
		"no new task once":        {"", []string{page("a", "1"), page("b", "1"), page("c", "2"), page("d", "1"), page("", "3")}, 5, ""},
		"no task at all":          {"", []string{page("a")}, 0, "no progress"},
		"one new task is enough":  {"", []string{page("a", "1", "2"), page("b", "2", "3"), page("")}, 3, ""},
		"the last page is old":    {"", []string{page("a", "1"), page("", "1")}, 2, ""},
	} {
		t.Run(name, func(t *testing.T) {
			calls := 0
			s := newServer(t, func(w http.ResponseWriter, _ *http.Request) {
				calls++
				io.WriteString(w, tc.pages[calls-1])
			})
			conf := testConfig(newPool(t))
			conf.URL = s.URL
			_, pages, err := read(New(conf), task.Query{}, task.Paging{Token: tc.token})
			if pages != tc.good || calls != len(tc.pages) {
				t.Errorf("%d good pages of %d calls, want %d of %d", pages, calls, tc.good, len(tc.pages))
			}
			if tc.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if failed := asError(t, err); failed.Kind != task.ErrorInvalidResponse || !strings.Contains(failed.Error(), tc.want) {
				t.Errorf("error %v, want an invalid_response that says %q", err, tc.want)
			}
		})
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	elsewhere := newServer(t, func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed, with the signature") })
	for _, status := range []int{301, 302, 303, 307, 308} {
		s := newServer(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere.URL, status) })
		conf := testConfig(newPool(t))
		conf.URL = s.URL
		_, _, err := read(New(conf), task.Query{}, task.Paging{})
		failed := asError(t, err)
		if failed.Kind != task.ErrorInvalidResponse || failed.HTTPStatus != status || strings.Contains(err.Error(), elsewhere.URL) {
			t.Errorf("%d: %+v", status, failed)
		}
	}
}
