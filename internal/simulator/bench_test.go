package simulator

import (
	"fmt"
	"net/url"
	"strconv"
	"testing"
	"time"

	"cloudsso_exporter/internal/task"
)

func manyTasks(n int) []task.Task {
	tasks := someTasks(n)
	for i := range tasks {
		tasks[i].Start = testNow.Add(-6 * 24 * time.Hour * time.Duration(n-i) / time.Duration(n))
		tasks[i].End = tasks[i].Start.Add(time.Minute)
	}
	return tasks
}

// readPages reads the window page by page, n pages at most, and returns the time
// of a page, on average and of the slowest. The first, which makes the list, counts.
func readPages(b *testing.B, s *Server, id string, n int) (mean, slowest time.Duration) {
	b.Helper()
	params := url.Values{"DirectoryId": {id}, "MaxResults": {"20"}, "Filter": {"StartTime ge " + s.Now().Add(time.Hour-week).Format(dateForm)}}
	begun, pages := time.Now(), 0
	for {
		nonce++
		asked := time.Now()
		a := send(s, signed(testKey, s.Now(), "bench-"+strconv.Itoa(nonce), params))
		slowest = max(slowest, time.Since(asked))
		if a.Code != "" || a.err != nil {
			b.Fatal(a.Code, a.Message, a.err)
		}
		pages++
		if !a.IsTruncated || pages == n {
			return time.Since(begun) / time.Duration(pages), slowest
		}
		params.Set("NextToken", a.NextToken)
	}
}

// A page of 100,000 tasks costs what a page of 1,000 costs.
func BenchmarkReadAll(b *testing.B) {
	for _, order := range []Order{NewestFirst, OldestFirst} {
		b.Run(fmt.Sprint("order=", order), func(b *testing.B) {
			server := func(n int) *Server {
				s := New(Options{Now: func() time.Time { return testNow }, Keys: []Key{testKey}, Order: order})
				s.Directory(testDirectory).Put(manyTasks(n)...)
				return s
			}
			small, large := server(1_000), server(100_000)
			var floor, page time.Duration
			for b.Loop() {
				for range 20 {
					mean, _ := readPages(b, small, testDirectory, 0)
					floor += mean / 20
				}
				mean, _ := readPages(b, large, testDirectory, 0)
				page += mean
			}
			b.ReportMetric(float64(page.Microseconds())/float64(b.N), "µs/page")
			b.ReportMetric(float64(page)/float64(floor), "x-of-1k-tasks")
		})
	}
}

// A page of the demo two days on, while its tasks start and end, to a page of
// 1,000 tasks that rest. Every page is a second later.
func BenchmarkReadDemo(b *testing.B) {
	for _, speed := range []float64{1, 10} {
		b.Run(fmt.Sprint("speed=", speed), func(b *testing.B) {
			rest := New(Options{Now: func() time.Time { return testNow }, Keys: []Key{testKey}})
			rest.Directory(testDirectory).Put(manyTasks(1_000)...)
			now := testNow.Add(48 * time.Hour)
			s := New(Options{Keys: []Key{testKey}, Now: func() time.Time { now = now.Add(time.Second / 3); return now }})
			d := Scenario{Seed: 1, Epoch: testNow, Speed: speed}.Play(s)[0]
			first, _ := readPages(b, s, d.ID(), 1) // makes two days of tasks at once
			var floor, page, slowest time.Duration
			for b.Loop() {
				mean, _ := readPages(b, rest, testDirectory, 0)
				floor += mean
				mean, slow := readPages(b, s, d.ID(), 500)
				page, slowest = page+mean, max(slowest, slow)
			}
			b.ReportMetric(slowest.Seconds()*1000, "ms/slowest-page")
			b.ReportMetric(first.Seconds()*1000, "ms/first-page")
			b.ReportMetric(float64(page.Microseconds())/float64(b.N), "µs/page")
			b.ReportMetric(float64(page)/float64(floor), "x-of-1k-at-rest")
		})
	}
}

func BenchmarkPutMillion(b *testing.B) {
	tasks := manyTasks(1_000_000)
	for b.Loop() {
		New(Options{}).Directory(testDirectory).Put(tasks...)
	}
}

func BenchmarkScenario(b *testing.B) {
	b.ReportAllocs()
	s := New(Options{})
	d := Scenario{Seed: 1, Epoch: testNow}.Play(s)[0]
	tasks := 0
	for b.Loop() {
		for range d.made.generate(testNow, testNow.Add(time.Hour)) {
			tasks++
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(tasks), "ns/task")
}
