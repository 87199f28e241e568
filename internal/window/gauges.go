package window

// show makes a record count in everything it belongs to at now and plans when
// that changes. Its opposite is hide.
func (w *Window) show(r *record, now int64) {
	if r.hidden {
		w.agenda.set(forgottenAt(r, now), r)
		return
	}
	w.minutes[minute(r.start)]++
	if r.finished {
		w.settle(r)
	}
	w.place(r, now)
}

// hide takes a record out of everything derived from records.
func (w *Window) hide(r *record) {
	if r.hidden {
		return
	}
	if m := minute(r.start); w.minutes[m] > 1 {
		w.minutes[m]--
	} else {
		delete(w.minutes, m)
	}
	w.leaveWindow(r)
	w.stopFollowing(r)
	if r.finished {
		w.unsettle(r)
	}
}

// place puts a visible record where it belongs at now: in the window or out,
// followed or not; and plans its next moment.
func (w *Window) place(r *record, now int64) {
	leaves := r.start + w.set.Window.Milliseconds() + 1
	unlisted := r.start + Listed.Milliseconds() + 1
	future := r.start > now+slack.Milliseconds()

	if inWindow := !future && now < leaves; inWindow && !r.inWindow {
		w.enterWindow(r)
	} else if !inWindow {
		w.leaveWindow(r)
	}
	if !r.finished && now < unlisted {
		r.running = true
		w.running[r] = struct{}{}
	} else {
		w.stopFollowing(r)
	}

	switch next := forgottenAt(r, now); {
	case future:
		w.agenda.set(min(r.start-slack.Milliseconds(), next), r)
	case r.inWindow:
		w.agenda.set(leaves, r)
	case r.running:
		w.agenda.set(unlisted, r)
	case r.failing && next <= now: // remembered until resolved or given up
		w.agenda.set(0, r)
	default:
		w.agenda.set(next, r)
	}
}

// forgottenAt is when nothing needs the record any more: no list can bring it
// back. One that lies in the future is listed for as long as it does, so it is
// looked at again and again until its time has come.
func forgottenAt(r *record, now int64) int64 {
	return max(min(max(r.start, r.ended()), now)+memory.Milliseconds(), 1)
}

func (w *Window) enterWindow(r *record) {
	r.inWindow = true
	key := w.statusKey(r)
	w.tasks[key]++
	if r.failed() {
		w.failed[reasonKey{key.typ, r.reason.Value()}]++
	}
	if r.finished && r.end > w.lastEnd[key] {
		w.lastEnd[key] = r.end
	}
}

func (w *Window) leaveWindow(r *record) {
	if !r.inWindow {
		return
	}
	r.inWindow = false
	key := w.statusKey(r)
	decrease(w.tasks, key)
	if r.failed() {
		decrease(w.failed, reasonKey{key.typ, r.reason.Value()})
	}
	if r.finished && r.end != 0 && r.end == w.lastEnd[key] {
		w.findLastEnd(key)
	}
}

// findLastEnd looks through all records for the newest end that is left. Tasks
// mostly leave in the order they ended, so that it is rarely needed.
func (w *Window) findLastEnd(key statusKey) {
	delete(w.lastEnd, key)
	if w.tasks[key] == 0 {
		return
	}
	for _, r := range w.records {
		if r.inWindow && r.finished && r.end > w.lastEnd[key] && w.statusKey(r) == key {
			w.lastEnd[key] = r.end
		}
	}
}

func (w *Window) stopFollowing(r *record) {
	r.running = false
	delete(w.running, r)
}

// pass lets time go on to now.
func (w *Window) pass(now int64) {
	for r := w.agenda.next(now); r != nil; r = w.agenda.next(now) {
		if r.hidden {
			w.agenda.set(forgottenAt(r, now), r)
		} else {
			w.place(r, now)
		}
		if !r.inWindow && !r.running && !r.failing && forgottenAt(r, now) <= now {
			w.forget(r)
		}
	}
}

// forget drops a record for good.
func (w *Window) forget(r *record) {
	delete(w.records, r.id)
	w.hide(r)
	w.agenda.set(0, r)
	w.changed[r.id] = struct{}{}
}

func decrease[K comparable](m map[K]int, k K) {
	if m[k] > 1 {
		m[k]--
	} else {
		delete(m, k)
	}
}

func minute(ms int64) int64 { return ms / 60_000 }
