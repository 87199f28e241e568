package ledger

import (
	"testing"
	"time"
)

func TestHold(t *testing.T) {
	held := plain
	held.Hold = 2 * minutes
	const reason = "failures CreateAccessAssignment NoPermission"
	s := begin(t, held)
	s.refresh(0)
	s.refresh(minutes, failed(create, "a", 0, minutes)) // committed at 1m1s
	want := func(when string, value uint64, shown bool) {
		t.Helper()
		if got := s.counts()[reason]; got != value {
			t.Errorf("%s: the new reason is at %d, want %d", when, got, value)
		}
		if _, got := s.created()[reason]; got != shown {
			t.Errorf("%s: shown is %t, want %t", when, got, shown)
		}
		if got := s.counts()["finished CreateAccessAssignment Failed"]; when != "born" && got < value {
			t.Errorf("%s: the first series is at %d", when, got)
		}
	}
	want("born", 0, true)
	if got := s.counts()["finished CreateAccessAssignment Failed"]; got != 1 {
		t.Errorf("a first series is held: %d", got)
	}
	if got, want := s.NextRelease(), noon.Add(3*minutes+time.Second); !got.Equal(want) {
		t.Errorf("NextRelease is %v, want %v", got, want)
	}
	s.refresh(2*minutes, failed(create, "b", minutes, 2*minutes))
	want("on hold", 0, true)
	s.Release(noon.Add(3 * minutes))
	s.commit(3 * minutes)
	want("a second too early", 0, true)
	s.Release(noon.Add(3*minutes + time.Second))
	want("not yet committed", 0, true)
	s.commit(3*minutes + time.Second)
	want("released", 2, true)
	if got := s.NextRelease(); !got.IsZero() {
		t.Errorf("NextRelease is %v with nothing on hold", got)
	}
	s.restart(4*minutes, held)
	want("after a restart", 2, true)

	// A series born in a restart's gap, or whose hold a restart cut short, is held anew.
	s.refresh(5*minutes, because("Throttled.Call", failed(create, "c", 4*minutes, 5*minutes)))
	s.restart(6*minutes, held)
	if got := s.counts()["failures CreateAccessAssignment Throttled.Call"]; got != 0 {
		t.Errorf("the hold was forgotten: %d", got)
	}
	if got := s.NextRelease(); !got.IsZero() {
		t.Errorf("NextRelease is %v before API time is known again", got)
	}
	s.refresh(7 * minutes)
	if got, want := s.NextRelease(), noon.Add(9*minutes+time.Second); !got.Equal(want) {
		t.Errorf("NextRelease is %v, want %v", got, want)
	}
	s.refresh(9 * minutes) // at 9m1s, releases and commits
	if got := s.counts()["failures CreateAccessAssignment Throttled.Call"]; got != 1 {
		t.Errorf("released, but at %d", got)
	}
}

func TestHoldBeginsWhenItsBirthIsShown(t *testing.T) {
	held := plain
	held.Hold = 2 * minutes
	s := begin(t, held)
	s.refresh(0)
	s.read(minutes, failed(create, "a", 0, minutes)) // the state folder cannot be written
	s.read(5 * minutes)
	if _, shown := s.created()["failures CreateAccessAssignment NoPermission"]; shown {
		t.Error("shown before it is durable")
	}
	s.commit(5 * minutes)
	if got, want := s.NextRelease(), noon.Add(7*minutes+time.Second); !got.Equal(want) {
		t.Errorf("NextRelease is %v, want %v", got, want)
	}
}

func TestHoldOfUnknownStatusHoldsItsHistogramToo(t *testing.T) {
	held := plain
	held.Hold = 2 * minutes
	s := begin(t, held)
	s.refresh(0)
	s.refresh(minutes, job(create, "a", "Cancelled", 0, minutes))
	key := "durations CreateAccessAssignment Cancelled"
	if _, shown := s.created()[key]; !shown || s.counts()[key] != 0 {
		t.Errorf("shown %t at %d, want at 0", shown, s.counts()[key])
	}
	s.refresh(4 * minutes)
	if s.counts()[key] != 1 || s.counts()["finished CreateAccessAssignment Cancelled"] != 1 {
		t.Errorf("released: %v", s.counts())
	}
}

func TestNoHold(t *testing.T) {
	s := begin(t, plain)
	s.refresh(0)
	s.refresh(minutes, failed(create, "a", 0, minutes))
	if got := s.counts()["failures CreateAccessAssignment NoPermission"]; got != 1 {
		t.Errorf("at %d, want 1 at once", got)
	}
	if got := s.NextRelease(); !got.IsZero() {
		t.Errorf("NextRelease is %v", got)
	}
}
