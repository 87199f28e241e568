package simulator

import (
	"iter"
	"time"
)

// Scenario is a made-up company at work: two directories whose tasks are a pure
// function of the seed and the time. Before the Epoch (and a short lead) a
// task of each type starts every few hours, for ever back, so that a window of
// 7 days holds some hundreds; after it one starts every few seconds. One in
// eight fails, is retried and succeeds. What was given is taken away again
// later. In the first directory one revocation fails whenever it is tried; in
// the second, every few hours, a provisioning takes the better part of an hour.
//
// Nothing is remembered: tasks are computed for the time they are asked for.
// The zero value, with an Epoch, works.
type Scenario struct {
	Seed  uint64
	Epoch time.Time // when the lively part begins, such as the start of a demo
	Speed float64   // of the lively part: rate and pace of tasks; 0 is 1
}

// Directories returns what the scenario's directories are called.
func (sc Scenario) Directories() []DirectoryInfo {
	var infos []DirectoryInfo
	for _, c := range companies(sc.Seed) {
		infos = append(infos, c.DirectoryInfo)
	}
	return infos
}

// Play makes the scenario's tasks part of the server's directories, and returns
// these in the order of Directories.
func (sc Scenario) Play(s *Server) []*Directory {
	if sc.Speed <= 0 {
		sc.Speed = 1
	}
	var directories []*Directory
	for number, c := range companies(sc.Seed) {
		d := s.Directory(c.ID)
		d.Generate(func(from, now time.Time) iter.Seq[Record] {
			return func(yield func(Record) bool) { sc.records(&c, number, from, now, yield) }
		})
		directories = append(directories, d)
	}
	return directories
}

const (
	liveSlot = 20 * time.Second        // at speed 1: a story of each type begins in each
	pastSlot = 7 * 24 * time.Hour / 48 // the same before the lively part
	lead     = 5 * time.Minute         // at speed 1: the lively part is in full swing at the Epoch
	longest  = 6 * time.Minute         // at speed 1: no story takes longer

	failEvery = 8  // slots: one story of each type in so many fails at first
	giveBack  = 37 // slots until what was given is taken away

	// The two special stories are played at speed 1 always.
	leaverSince = 26 * time.Hour   // before the Epoch: first try of the hopeless revocation
	leaverEvery = 22 * time.Hour   // and the tries after it
	longSince   = 24 * time.Minute // before the Epoch: start of the first long provisioning
	longEvery   = 5 * time.Hour    // and those after it
)

// liveFrom is where the lively part begins.
func (sc Scenario) liveFrom() time.Time {
	return sc.Epoch.Add(-sc.scale(lead))
}

// scale turns a duration at speed 1 into one at the scenario's speed.
func (sc Scenario) scale(d time.Duration) time.Duration {
	return time.Duration(float64(d) / sc.Speed)
}

// slotAt returns the number of the slot that t is in: 0 is the first of the
// lively part, those before it are negative and longer.
func (sc Scenario) slotAt(t time.Time) int64 {
	since := t.Sub(sc.liveFrom())
	if since >= 0 {
		return int64(since / sc.scale(liveSlot))
	}
	return int64((since+1)/pastSlot) - 1
}

// slotStart returns when a slot begins.
func (sc Scenario) slotStart(slot int64) time.Time {
	if slot >= 0 {
		return sc.liveFrom().Add(time.Duration(slot) * sc.scale(liveSlot))
	}
	return sc.liveFrom().Add(time.Duration(slot) * pastSlot)
}

// pace turns a duration of a story into real time: only the lively part is
// played at another speed.
func (sc Scenario) pace(slot int64, d time.Duration) time.Duration {
	if slot < 0 {
		return d
	}
	return sc.scale(d)
}
