package window

import "container/heap"

// agenda holds the records by the moment at which the passing of time next
// changes something about them. A record has one such moment; an entry that
// does not say it is left over from an earlier plan and means nothing.
type agenda []due

type due struct {
	at     int64 // Unix milliseconds
	record *record
}

func (a agenda) Len() int           { return len(a) }
func (a agenda) Less(i, j int) bool { return a[i].at < a[j].at }
func (a agenda) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)        { *a = append(*a, x.(due)) }
func (a *agenda) Pop() any {
	last := (*a)[len(*a)-1]
	(*a)[len(*a)-1] = due{}
	*a = (*a)[:len(*a)-1]
	return last
}

// set makes at the one moment of r; 0 means none.
func (a *agenda) set(at int64, r *record) {
	if at == r.due {
		return
	}
	r.due = at
	if at != 0 {
		heap.Push(a, due{at, r})
	}
}

// next takes out a record whose moment has come by now, nil when there is none.
func (a *agenda) next(now int64) *record {
	for len(*a) > 0 && (*a)[0].at <= now {
		d := heap.Pop(a).(due)
		if d.record.due == d.at {
			d.record.due = 0
			return d.record
		}
	}
	return nil
}
