package simulator

import (
	"cmp"
	"fmt"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"cloudsso_exporter/internal/task"
)

func TestOrders(t *testing.T) {
	read := func(order Order, seed uint64) func() []string {
		s, _ := newTestServer(t, Options{Order: order, RandomSeed: seed})
		s.Directory(testDirectory).Put(someTasks(100)...)
		return func() []string { return walk(t, s, nil, "DirectoryId", testDirectory, "MaxResults", "20") }
	}
	var oldest []string
	for _, x := range someTasks(100) {
		oldest = append(oldest, x.ID)
	}
	newest := slices.Clone(oldest)
	slices.Reverse(newest)
	if got := read(OldestFirst, 1)(); !slices.Equal(got, oldest) {
		t.Errorf("oldest first: %v", got)
	}
	if got := read(NewestFirst, 1)(); !slices.Equal(got, newest) {
		t.Errorf("newest first: %v", got)
	}
	shuffled := read(Shuffled, 1)
	first := shuffled()
	if !slices.Equal(slices.Sorted(slices.Values(first)), oldest) || slices.Equal(first, oldest) || slices.Equal(first, newest) {
		t.Errorf("shuffled: %v", first)
	}
	if got := shuffled(); !slices.Equal(got, first) {
		t.Error("shuffled changes from read to read")
	}
	if got := read(Shuffled, 2)(); slices.Equal(got, first) {
		t.Error("shuffled is the same with another seed")
	}
}

// While tasks arrive, no read misses one that was there when it began; whether
// pages repeat some depends on order and token.
func TestTasksArriveBetweenPages(t *testing.T) {
	for _, order := range []Order{NewestFirst, OldestFirst, Shuffled} {
		for _, cursors := range []bool{false, true} {
			t.Run(fmt.Sprint(order, cursors), func(t *testing.T) {
				s, clock := newTestServer(t, Options{Order: order, Cursors: cursors})
				d := s.Directory(testDirectory)
				d.Put(someTasks(347)...)
				got := walk(t, s, func(page int) {
					clock.now = clock.now.Add(time.Second)
					late := someTasks(1)[0]
					late.ID, late.Start = fmt.Sprint("t-late-", page), clock.now
					if page <= 15 {
						d.Put(late)
					}
				}, "DirectoryId", testDirectory, "MaxResults", "20", "Filter", "StartTime ge 2026-11-24T00:00:00Z")
				times := map[string]int{}
				for _, id := range got {
					times[id]++
				}
				for _, x := range someTasks(347) {
					if times[x.ID] == 0 {
						t.Errorf("%s is missed", x.ID)
					}
				}
				repeats := len(got) > len(times)
				if want := !cursors && order != OldestFirst; repeats != want {
					t.Errorf("pages repeat tasks: %v, want %v", repeats, want)
				}
				if order == OldestFirst && len(times) != 347+15 {
					t.Errorf("%d tasks, want those that arrived too", len(times))
				}
			})
		}
	}
}

// The lists, moved on as the clock goes, are what the reference says of each moment.
func TestListsAreTrueAsTheClockGoes(t *testing.T) {
	for seed := range uint64(9) {
		chance := rand.New(rand.NewPCG(seed, 1))
		random := func(name string) Record {
			r := Record{Task: someTasks(1)[0]}
			r.ID = name
			r.Type = task.Types()[chance.IntN(4)]
			r.Start = at(chance.IntN(3000) - 1000).Add(time.Duration(chance.IntN(1000)) * time.Millisecond)
			r.End = r.Start.Add(time.Duration(chance.IntN(600)) * time.Second)
			r.Status = task.Statuses()[1+chance.IntN(2)]
			if chance.IntN(5) == 0 {
				r.End = time.Time{}
			}
			if chance.IntN(5) == 0 {
				r.Listed = r.Start.Add(time.Duration(chance.IntN(900)) * time.Second)
			}
			r.frozen = chance.IntN(5) == 0
			return r
		}
		var scheduled, generated []Record
		for i := range 150 {
			scheduled = append(scheduled, random(fmt.Sprint("t-s", i)))
			made := random(fmt.Sprint("t-g", i))
			made.frozen = false
			generated = append(generated, made)
		}
		generate := func(from, until time.Time) iter.Seq[Record] {
			return func(yield func(Record) bool) {
				for _, r := range generated {
					if !r.Start.Before(from) && !r.Start.After(until) && !yield(r) {
						return
					}
				}
			}
		}
		s, clock := newTestServer(t, Options{Order: Order(seed % 3)})
		s.Directory(testDirectory).add(slices.Clone(scheduled))
		s.Directory(testDirectory).Generate(generate)
		for range 200 {
			clock.now = clock.now.Add(time.Duration(chance.IntN(60_000)) * time.Millisecond)
			if chance.IntN(10) == 0 {
				clock.now = clock.now.Add(-time.Duration(chance.IntN(900)) * time.Second)
			}
			var params []string
			params = append(params, "DirectoryId", testDirectory, "MaxResults", "20", "Filter", "StartTime ge "+at(100*chance.IntN(2)-500).Format(dateForm))
			if i := chance.IntN(6); i < 3 {
				params = append(params, "Status", string(task.Statuses()[i]))
			}
			if i := chance.IntN(8); i < 4 {
				params = append(params, "TaskType", string(task.Types()[i]))
			}
			got := walk(t, s, nil, params...)
			if want := plainList(slices.Concat(scheduled, generated), clock.now, Order(seed%3), params); !slices.Equal(got, want) {
				t.Fatalf("seed %d, %v, %v:\ngot  %v\nwant %v", seed, clock.now, params, got, want)
			}
		}
	}
}

// plainList is the list by the words of the reference.
func plainList(records []Record, now time.Time, order Order, params []string) []string {
	want := map[string]string{}
	for i := 0; i < len(params); i += 2 {
		want[params[i]] = params[i+1]
	}
	var listed []Record
	for _, r := range records {
		visible := r.Listed
		if visible.IsZero() && !r.frozen {
			visible = r.Start
		}
		status := string(r.Status)
		if !r.frozen && (r.End.IsZero() || r.End.After(now)) {
			status = "InProgress"
		}
		if visible.After(now) ||
			"StartTime ge "+r.Start.Format(dateForm) < want["Filter"] ||
			want["Status"] != "" && want["Status"] != status ||
			want["TaskType"] != "" && want["TaskType"] != string(r.Type) {
			continue
		}
		listed = append(listed, r)
	}
	slices.SortFunc(listed, func(a, b Record) int {
		x, y := a.Start.Unix(), b.Start.Unix()
		switch order {
		case NewestFirst:
			a, b, x, y = b, a, y, x
		case Shuffled:
			x, y = int64(hash(0, a.ID)), int64(hash(0, b.ID))
		}
		return cmp.Or(cmp.Compare(x, y), cmp.Compare(a.ID, b.ID))
	})
	var ids []string
	for _, r := range listed {
		ids = append(ids, r.ID)
	}
	return ids
}
