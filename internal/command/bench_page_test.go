package command

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"testing"
	"time"

	"cloudsso_exporter/apiclient"
	"cloudsso_exporter/internal/ledger"
	"cloudsso_exporter/internal/task"
)

// A page of 20 new tasks, decoded and applied to a window of 1,000,000 tasks,
// takes at most 1.5 times as long as to one of 10,000. They take turns, so that
// what else the machine does slows both.
func BenchmarkDecodeAndApply(b *testing.B) {
	const small, large, most = 10_000, 1_000_000, 1.5
	pages := map[int]*pageTurner{}
	for _, n := range []int{small, large} {
		pages[n] = newPageTurner(b, n)
	}
	took := map[int][]time.Duration{}
	for range max(b.N, 1000) {
		for n, p := range pages {
			took[n] = append(took[n], p.turn())
		}
	}
	into := median(took[large])
	ratio := float64(into) / float64(median(took[small]))
	b.ReportMetric(float64(into.Microseconds()), "µs/page")
	b.ReportMetric(ratio, "×10k")
	if ratio > most {
		b.Errorf("a page into %d tasks takes %.2f times as long as into %d, at most %v", large, ratio, small, most)
	}
}

// pageTurner is a window, and a client whose transport has the next page ready.
type pageTurner struct {
	*testing.B
	ledger *ledger.Ledger
	client *apiclient.Client
	now    time.Time
	tasks  int // made so far
	body   []byte
}

func newPageTurner(b *testing.B, tasks int) *pageTurner {
	p := &pageTurner{B: b, now: rigBegins, tasks: tasks}
	p.ledger = ledger.New(ledger.Settings{Window: ledger.Retention, ReasonLimit: 50, MaxAge: 30 * 24 * time.Hour, Hold: 2 * time.Minute})
	batch := ledger.NewBatch()
	for i, record := range spread(0, tasks, p.now.Add(-160*time.Hour), 159*time.Hour) {
		batch.Add([]task.Task{ofCompany(i, record.Task)})
	}
	p.ledger.Apply(batch, ledger.Span{Began: p.now, At: p.now, Since: p.now.Add(-ledger.Retention)})
	p.ledger.Committed(p.now)
	keys, err := apiclient.NewCredentials(apiclient.Credential{
		Type: apiclient.CredentialSTS, AccessKeyID: labKey.ID, AccessKeySecret: labKey.Secret, SecurityToken: labKey.SecurityToken,
	}, func() time.Time { return p.now })
	if err != nil {
		b.Fatal(err)
	}
	p.client = apiclient.New(apiclient.Config{
		DirectoryID: "d-0000", URL: "https://cloudsso.example", Keys: keys, Transport: p,
		RequestTimeout: time.Minute, PageTimeout: time.Minute, Now: func() time.Time { return p.now },
	})
	return p
}

// RoundTrip answers any call with the next page.
func (p *pageTurner) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Date": {p.now.Format(http.TimeFormat)}},
		Body:   io.NopCloser(bytes.NewReader(p.body)), ContentLength: int64(len(p.body)),
	}, nil
}

// turn reads the next page, a second after the one before, takes it in and shows it.
func (p *pageTurner) turn() time.Duration {
	p.now = p.now.Add(time.Second)
	p.write()
	began := time.Now()
	batch := ledger.NewBatch()
	for page, err := range p.client.Pages(p.Context(), task.Query{From: p.now.Add(-time.Minute)}, task.Paging{}) {
		if err != nil {
			p.Fatal(err)
		}
		batch.Add(page.Tasks)
	}
	if batch.Len() != 20 {
		p.Fatal(batch.Len())
	}
	p.ledger.Apply(batch, ledger.Span{Began: p.now, At: p.now})
	p.ledger.Change()
	p.ledger.Committed(p.now)
	p.ledger.Snapshot()
	return time.Since(began)
}

// write makes the body of a page of new tasks, with the fields of the reference.
func (p *pageTurner) write() {
	list := make([]map[string]string, 20)
	for i := range list {
		t := ofCompany(p.tasks, quick(p.tasks, p.now.Add(-30*time.Second)).Task)
		p.tasks++
		list[i] = map[string]string{
			"TaskId": t.ID, "TaskType": string(t.Type), "Status": string(t.Status),
			"StartTime": t.Start.Format(time.RFC3339), "EndTime": t.End.Format(time.RFC3339),
			"AccessConfigurationId": t.AccessConfigurationID, "AccessConfigurationName": "Access-" + t.AccessConfigurationID,
			"TargetType": t.TargetType, "TargetId": t.TargetID, "TargetName": "account-" + t.TargetID,
			"TargetPath": "rd-3G****/r-Wm****/" + t.TargetID, "TargetPathName": "root/account-" + t.TargetID,
			"PrincipalType": t.PrincipalType, "PrincipalId": t.PrincipalID, "PrincipalName": t.PrincipalID + "@corp.example",
		}
	}
	body, err := json.Marshal(map[string]any{
		"RequestId": fmt.Sprintf("8DAEAF11-0000-5555-9999-%012d", p.tasks), "IsTruncated": false, "MaxResults": 20, "TotalCounts": 20, "Tasks": list,
	})
	if err != nil {
		p.Fatal(err)
	}
	p.body = body
}

// ofCompany makes it a task of a company that has a million of them in a week:
// with 40 access configurations in 500 accounts.
func ofCompany(n int, t task.Task) task.Task {
	t.AccessConfigurationID, t.TargetID = fmt.Sprintf("ac-%d", n/500%40), strconv.Itoa(1000+n%500)
	return t
}
