package store

import (
	"time"

	"cloudsso_exporter/internal/histogram"
	"cloudsso_exporter/internal/task"
	"cloudsso_exporter/internal/window"
)

// The structs of this file are what records hold. Their field numbers are the
// file's format: a number never gets another meaning, a new field a new number.

// stamp is a moment: whole seconds since 1 January of year 1, UTC, and
// nanoseconds. So the zero time is the zero stamp, and no year overflows.
type stamp struct {
	_           struct{} `cbor:",toarray"`
	Seconds     int64
	Nanoseconds int64
}

func stampOf(t time.Time) stamp {
	return stamp{Seconds: t.Unix() - time.Time{}.Unix(), Nanoseconds: int64(t.Nanosecond())}
}

func (s stamp) time() time.Time {
	return time.Unix(s.Seconds+time.Time{}.Unix(), s.Nanoseconds).UTC()
}

type wireTask struct {
	ID                      string      `cbor:"1,keyasint,omitempty"` // only where the key is a hash
	Type                    task.Type   `cbor:"2,keyasint,omitempty"`
	Status                  task.Status `cbor:"3,keyasint,omitempty"`
	Start                   stamp       `cbor:"4,keyasint,omitzero"`
	End                     stamp       `cbor:"5,keyasint,omitzero"`
	Reason                  string      `cbor:"6,keyasint,omitempty"`
	FailureReason           string      `cbor:"7,keyasint,omitempty"`
	AccessConfigurationID   string      `cbor:"8,keyasint,omitempty"`
	AccessConfigurationName string      `cbor:"9,keyasint,omitempty"`
	TargetType              string      `cbor:"10,keyasint,omitempty"`
	TargetID                string      `cbor:"11,keyasint,omitempty"`
	TargetName              string      `cbor:"12,keyasint,omitempty"`
	TargetPath              string      `cbor:"13,keyasint,omitempty"`
	TargetPathName          string      `cbor:"14,keyasint,omitempty"`
	PrincipalType           string      `cbor:"15,keyasint,omitempty"`
	PrincipalID             string      `cbor:"16,keyasint,omitempty"`
	PrincipalName           string      `cbor:"17,keyasint,omitempty"`
	Hidden                  bool        `cbor:"18,keyasint,omitempty"`
	GivenUp                 bool        `cbor:"19,keyasint,omitempty"`
}

func taskToWire(t window.SavedTask, hashed bool) *wireTask {
	w := &wireTask{
		Type: t.Type, Status: t.Status, Start: stampOf(t.Start), End: stampOf(t.End),
		Reason: t.Reason, Hidden: t.Hidden, GivenUp: t.GivenUp, FailureReason: t.FailureReason,
		AccessConfigurationID: t.AccessConfigurationID, AccessConfigurationName: t.AccessConfigurationName,
		TargetType: t.TargetType, TargetID: t.TargetID, TargetName: t.TargetName,
		TargetPath: t.TargetPath, TargetPathName: t.TargetPathName,
		PrincipalType: t.PrincipalType, PrincipalID: t.PrincipalID, PrincipalName: t.PrincipalName,
	}
	if hashed {
		w.ID = t.ID
	}
	return w
}

func (w *wireTask) task(key []byte) window.SavedTask {
	t := window.SavedTask{Reason: w.Reason, Hidden: w.Hidden, GivenUp: w.GivenUp, Task: task.Task{
		ID: w.ID, Type: w.Type, Status: w.Status, Start: w.Start.time(), End: w.End.time(),
		FailureReason:         w.FailureReason,
		AccessConfigurationID: w.AccessConfigurationID, AccessConfigurationName: w.AccessConfigurationName,
		TargetType: w.TargetType, TargetID: w.TargetID, TargetName: w.TargetName,
		TargetPath: w.TargetPath, TargetPathName: w.TargetPathName,
		PrincipalType: w.PrincipalType, PrincipalID: w.PrincipalID, PrincipalName: w.PrincipalName,
	}}
	if key[0] != hashedKey {
		t.ID = string(key)
	}
	return t
}

type wireCounter struct {
	Metric    window.Metric  `cbor:"1,keyasint"`
	Type      task.Type      `cbor:"2,keyasint,omitempty"`
	Label     string         `cbor:"3,keyasint,omitempty"`
	Value     uint64         `cbor:"4,keyasint,omitempty"`
	Created   stamp          `cbor:"5,keyasint,omitzero"`
	Held      bool           `cbor:"6,keyasint,omitempty"`
	Histogram *wireHistogram `cbor:"7,keyasint,omitempty"`
}

// wireHistogram keeps the bounds with the counts: a version with other bounds
// must be able to see that it cannot go on with these.
type wireHistogram struct {
	Created stamp          `cbor:"1,keyasint,omitzero"`
	Count   uint64         `cbor:"2,keyasint,omitempty"`
	Sum     float64        `cbor:"3,keyasint"`
	Bounds  []float64      `cbor:"4,keyasint"`
	Classic []uint64       `cbor:"5,keyasint"`
	Zero    uint64         `cbor:"6,keyasint,omitempty"`
	Native  map[int]uint64 `cbor:"7,keyasint"`
}

func counterToWire(c window.SavedCounter) *wireCounter {
	w := &wireCounter{
		Metric: c.Metric, Type: c.Type, Label: c.Label,
		Value: c.Value, Created: stampOf(c.Created), Held: c.Held,
	}
	if h := c.Histogram; h != nil {
		w.Histogram = &wireHistogram{
			Created: stampOf(h.Created), Count: h.Count, Sum: h.Sum,
			Bounds: h.Bounds, Classic: h.Classic, Zero: h.Zero, Native: h.Native,
		}
	}
	return w
}

func (w *wireCounter) counter() window.SavedCounter {
	c := window.SavedCounter{
		CounterID: window.CounterID{Metric: w.Metric, Type: w.Type, Label: w.Label},
		Value:     w.Value, Created: w.Created.time(), Held: w.Held,
	}
	if h := w.Histogram; h != nil {
		c.Histogram = &histogram.Histogram{
			Created: h.Created.time(), Count: h.Count, Sum: h.Sum,
			Bounds: h.Bounds, Classic: h.Classic, Zero: h.Zero, Native: h.Native,
		}
	}
	return c
}

type wirePlace struct {
	Reason string `cbor:"1,keyasint"`
	Last   stamp  `cbor:"2,keyasint,omitzero"`
}

func placesToWire(places []window.Place) []wirePlace {
	if places == nil {
		return nil
	}
	w := make([]wirePlace, len(places))
	for i, p := range places {
		w[i] = wirePlace{Reason: p.Reason, Last: stampOf(p.Last)}
	}
	return w
}

func placesOf(w []wirePlace) []window.Place {
	if w == nil {
		return nil
	}
	places := make([]window.Place, len(w))
	for i, p := range w {
		places[i] = window.Place{Reason: p.Reason, Last: p.Last.time()}
	}
	return places
}

type wireMeta struct {
	From          stamp         `cbor:"1,keyasint,omitzero"`
	At            stamp         `cbor:"2,keyasint,omitzero"`
	Window        time.Duration `cbor:"3,keyasint,omitempty"`
	CoverageFrom  stamp         `cbor:"4,keyasint,omitzero"`
	CoverageUnder wireFilter    `cbor:"5,keyasint,omitzero"`
	Types         []task.Type   `cbor:"6,keyasint"`
	Statuses      []task.Status `cbor:"7,keyasint"`
	Digest        wireDigest    `cbor:"8,keyasint"`
}

type wireFilter struct {
	AccessConfigurationID string `cbor:"1,keyasint,omitempty"`
	TargetType            string `cbor:"2,keyasint,omitempty"`
	TargetID              string `cbor:"3,keyasint,omitempty"`
	PrincipalType         string `cbor:"4,keyasint,omitempty"`
	PrincipalID           string `cbor:"5,keyasint,omitempty"`
}

type wireDigest struct {
	Records uint64 `cbor:"1,keyasint"`
	Sum     uint32 `cbor:"2,keyasint"`
}

func metaToWire(m window.Meta, d digest) *wireMeta {
	return &wireMeta{
		From: stampOf(m.From), At: stampOf(m.At), Window: m.Window,
		CoverageFrom: stampOf(m.CoverageFrom), CoverageUnder: wireFilter(m.CoverageUnder),
		Types: m.Types, Statuses: m.Statuses, Digest: wireDigest(d),
	}
}

func (w *wireMeta) meta() window.Meta {
	return window.Meta{
		From: w.From.time(), At: w.At.time(), Window: w.Window,
		CoverageFrom: w.CoverageFrom.time(), CoverageUnder: task.Filter(w.CoverageUnder),
		Types: w.Types, Statuses: w.Statuses,
	}
}
