package simulator

import (
	"strings"
	"time"

	"cloudsso_exporter/internal/task"
)

// A story is what happens to one subject from the slot it begins in: a task,
// and when it fails, its retries until one succeeds.

// records yields the records of one directory that start within [from, until].
func (sc Scenario) records(c *company, number int, from, until time.Time, yield func(Record) bool) {
	within := func(r Record) bool {
		return r.Start.Before(from) || r.Start.After(until) || yield(r)
	}
	if !sc.special(c, number, from, until, within) {
		return
	}
	// A story may have begun long before its last retry.
	first, last := sc.slotAt(from.Add(-max(longest, sc.scale(longest)))), sc.slotAt(until)
	for slot := first; slot <= last; slot++ {
		for nth, t := range task.Types() {
			if !sc.story(c, number, nth, t, slot, within) {
				return
			}
		}
	}
}

// story yields the tasks of one story, of the nth type; it is false when yield was.
func (sc Scenario) story(c *company, number, nth int, t task.Type, slot int64, yield func(Record) bool) bool {
	d := throw(sc.Seed, uint64(number), hash(0, string(t)), uint64(slot))
	about := c.subject(sc.Seed, number, t, slot)
	failures := 0
	if fails(slot, number, nth) {
		failures = 1
		if d.chance(0.25) {
			failures = 2
		}
	}
	second := func(from, to int) time.Duration {
		ms := from*1000 + d.below((to-from)*1000)
		return sc.pace(slot, time.Duration(ms)*time.Millisecond)
	}
	// The lively types and directories take turns, so that something happens every
	// few seconds. As no task is over before the next of its type begins, each
	// type has one running at any moment.
	const turn = liveSlot / 8
	turns := time.Duration(2*nth + number)
	start := sc.slotStart(slot).Add(sc.pace(slot, turns*turn)).Add(second(0, 3))
	if slot < 0 {
		start = sc.slotStart(slot).Add(time.Duration(d.below(int(pastSlot - longest))))
	}
	for attempt := 0; ; attempt++ {
		r := Record{Task: about}
		r.ID, r.Start = "t-"+d.letters(20), start
		if attempt < failures {
			r.End = start.Add(second(24, 40))
			r.Status = task.Failed
			r.FailureReason = fillReason(pickReason(t, &d), r.Task, &d)
		} else {
			r.End = start.Add(second(25, 95))
			r.Status = task.Success
		}
		if !yield(r) {
			return false
		}
		if r.Status == task.Success {
			return true
		}
		start = r.End.Add(second(15, 45))
	}
}

// fails says which stories fail at first: one in failEvery of each type, at an
// even pace, the types and directories one after the other.
func fails(slot int64, number, nth int) bool {
	n := slot + int64(2*nth+number)
	return (n%failEvery+failEvery)%failEvery == 2
}

// subject returns whom and what the story of a slot is about. The subjects of
// the giving types go round through all there are without repeating; the
// taking types take back what was given giveBack slots ago.
func (c *company) subject(seed uint64, number int, t task.Type, slot int64) task.Task {
	switch t {
	case task.DeprovisionAccessConfiguration, task.DeleteAccessAssignment:
		slot -= giveBack
	}
	configurations := c.configurations[:len(c.configurations)-1] // the last is kept for the special stories
	size := len(c.accounts) * len(configurations) * len(c.principals)
	start := throw(seed, uint64(number), hash(0, string(t.Kind())))
	const step = 4523 // a prime that divides no such size, and no neat multiple of the parts
	at := int((slot%int64(size)+int64(size))%int64(size)*step+int64(start.below(size))) % size
	target := c.accounts[at/len(configurations)%len(c.accounts)]
	about := c.task(t, configurations[at%len(configurations)], target)
	switch at % 8 { // most were given to the account and don't say so
	case 1:
		about.OriginTargetID = target.id
	case 2, 3:
		about.OriginTargetID = target.folder // given to all accounts of the folder
	}
	if t.Kind() != task.Assignment {
		return about
	}
	return withPrincipal(about, c.principals[at/len(configurations)/len(c.accounts)])
}

func (c *company) task(t task.Type, configuration named, a account) task.Task {
	return task.Task{
		Type:                    t,
		AccessConfigurationID:   configuration.id,
		AccessConfigurationName: configuration.name,
		TargetType:              targetAccount,
		TargetID:                a.id,
		TargetName:              a.name,
		TargetPath:              a.path,
		TargetPathName:          a.pathName,
	}
}

func withPrincipal(t task.Task, p named) task.Task {
	t.PrincipalType, t.PrincipalID, t.PrincipalName = "User", p.id, p.name
	if strings.HasPrefix(p.id, "g-") {
		t.PrincipalType = "Group"
	}
	return t
}

// special yields the tasks of the story that only this directory has: in the first
// the tries to revoke the access of somebody who has left the company, which all
// fail; in the second provisionings that take the better part of an hour.
func (sc Scenario) special(c *company, number int, from, until time.Time, yield func(Record) bool) bool {
	configuration := c.configurations[len(c.configurations)-1]
	if number > 0 {
		r := Record{Task: c.task(task.ProvisionAccessConfiguration, configuration, c.accounts[13])}
		return sc.every(longEvery, sc.Epoch.Add(-longSince), 'p', from, until, func(id string, start time.Time, d *dice) bool {
			r.ID, r.Start, r.Status = id, start, task.Success
			r.End = start.Add(time.Duration(40+d.below(15)) * time.Minute)
			return yield(r)
		})
	}
	r := Record{Task: withPrincipal(c.task(task.DeleteAccessAssignment, configuration, c.accounts[7]), c.leaver)}
	return sc.every(leaverEvery, sc.Epoch.Add(-leaverSince), 'l', from, until, func(id string, start time.Time, d *dice) bool {
		r.ID, r.Start, r.Status = id, start, task.Failed
		r.End = start.Add(time.Duration(60+d.below(60)) * time.Second)
		r.FailureReason = fillReason(leaverReason, r.Task, d)
		return yield(r)
	})
}

// every goes through what begins at first and then at an even pace, within
// [from, until]; kind tells its dice from others.
func (sc Scenario) every(pace time.Duration, first time.Time, kind uint64, from, until time.Time, begin func(id string, start time.Time, d *dice) bool) bool {
	for n := max(0, int64(from.Sub(first)/pace)); ; n++ {
		start := first.Add(time.Duration(n) * pace)
		if start.After(until) {
			return true
		}
		d := throw(sc.Seed, kind, uint64(n))
		if !begin("t-"+d.letters(20), start, &d) {
			return false
		}
	}
}
