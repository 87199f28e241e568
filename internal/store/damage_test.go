package store

import (
	"bufio"
	"bytes"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"cloudsso_exporter/internal/ledger"
)

// damaged is a file of some commits, and what each prefix of them adds up to.
type damaged struct {
	path    string // of the folder
	content []byte
	ends    []int64  // where the frame of each commit ends
	after   []*state // after so many commits
	checks  int
}

func written(t testing.TB, commits int) *damaged {
	d := &damaged{path: t.TempDir(), after: []*state{newState()}}
	w := newWriter(t, d.path)
	for range commits {
		w.commit(t, 1)
		d.after = append(d.after, w.want)
		d.ends = append(d.ends, w.s.files["d-1"].end)
	}
	w.s.Close()
	var err error
	if d.content, err = os.ReadFile(d.file()); err != nil {
		t.Fatal(err)
	}
	if !slices.IsSorted(d.ends) {
		t.Fatal("it was compacted")
	}
	return d
}

func (d *damaged) file() string { return filepath.Join(d.path, fileName("d-1")) }

// survives are the commits whose frames lie before byte at.
func (d *damaged) survives(at int64) int {
	n := 0
	for _, end := range d.ends {
		if end <= at {
			n++
		}
	}
	return n
}

// check loads the content and wants what so many commits add up to, twice: what
// was cut off stays so. Then it goes on.
func (d *damaged) check(t testing.TB, content []byte, commits int, name string) {
	t.Helper()
	if err := os.WriteFile(d.file(), content, 0o600); err != nil {
		t.Fatal(err)
	}
	var l logbook
	f := &file{id: "d-1", path: d.file(), log: slog.New(slog.NewTextHandler(&l, nil))}
	got := newState()
	whole, err := f.load(got.replay)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if whole != (commits > 0 && len(content) == int(d.ends[commits-1])) || !reflect.DeepEqual(d.after[commits], got) {
		t.Fatalf("%s: whole %t, want the state after %d commits; its time is %v, want %v", name, whole, commits, got.Meta.At, d.after[commits].Meta.At)
	}
	if !whole && l.Len() == 0 {
		t.Fatalf("%s: nothing is logged", name)
	}
	if d.checks++; d.checks%64 != 0 { // most of the time goes into syncing
		f.close()
		return
	}
	next := *got
	if err := f.commit(step(99), func() (all ledgerChange) { all = next.all(); all.Meta = step(99).Meta; return all }); err != nil {
		t.Fatalf("%s: the next commit: %v", name, err)
	}
	f.close()
	again := newState()
	f = &file{id: "d-1", path: d.file(), log: f.log}
	if whole, err := f.load(again.replay); !whole || err != nil || !again.Meta.At.Equal(step(99).Meta.At) {
		t.Fatalf("%s: after the next commit: whole %t, %v, %v", name, whole, err, again.Meta.At)
	}
	f.close()
}

// Whatever byte is flipped, wherever the file is cut: what is read is the
// state after some commit, and nothing before the damage is lost.
func TestEveryByteFlipped(t *testing.T) {
	d := written(t, 2)
	for at := range d.content {
		commits := d.survives(int64(at))
		want := commits
		if at < begins { // the records are good
			want = len(d.ends)
		}
		flipped := append([]byte(nil), d.content...)
		flipped[at] ^= []byte{0x01, 0x80}[at%2]
		d.check(t, flipped, want, fmt.Sprintf("byte %d flipped", at))
		if at%3 == 0 {
			d.check(t, d.content[:at], commits, fmt.Sprintf("cut to %d bytes", at))
		}
	}
}

// 1,000 random damages of a large file: runs of bytes zeroed, overwritten, cut out, doubled.
func TestRandomDamage(t *testing.T) {
	d := written(t, 40)
	for seed := range uint64(1000) {
		rng := rand.New(rand.NewPCG(seed, 1))
		at := begins + rng.IntN(len(d.content)-begins)
		n := min(1+rng.IntN(300), len(d.content)-at)
		content := append([]byte(nil), d.content...)
		switch rng.IntN(4) {
		case 0:
			clear(content[at : at+n])
		case 1:
			for i := range n {
				content[at+i] = byte(rng.Uint32())
			}
		case 2:
			content = append(content[:at], content[at+n:]...)
		case 3:
			content = append(content[:at+n], append(append([]byte(nil), content[at:at+n]...), content[at+n:]...)...)
		}
		same := 0
		for same < min(len(content), len(d.content)) && content[same] == d.content[same] {
			same++
		}
		if same == len(d.content) && len(content) == same {
			continue
		}
		d.check(t, content, d.survives(int64(same)), fmt.Sprint("seed ", seed))
	}
}

func TestWhatIsSaidOfDamage(t *testing.T) {
	d := written(t, 3)
	for name, c := range map[string]struct {
		content []byte
		want    string
		copied  bool
	}{
		"torn":                {d.content[:len(d.content)-5], "incomplete", false},
		"later":               {append(append([]byte(nil), d.content[:d.ends[0]+20]...), append([]byte{d.content[d.ends[0]+20] ^ 1}, d.content[d.ends[0]+21:]...)...), "read again", true},
		"zeros in the middle": {append(append(append([]byte(nil), d.content[:d.ends[0]]...), make([]byte, 16)...), append(append([]byte(nil), d.content[d.ends[0]+16:]...), make([]byte, tornAtMost)...)...), "read again", true},
		"first":               {append(append([]byte(nil), d.content[:60]...), append([]byte{d.content[60] ^ 1}, d.content[61:]...)...), "counting starts again", true},
	} {
		t.Run(name, func(t *testing.T) {
			os.Remove(d.file() + ".damaged")
			if err := os.WriteFile(d.file(), c.content, 0o600); err != nil {
				t.Fatal(err)
			}
			var l logbook
			f := &file{id: "d-1", path: d.file(), log: slog.New(slog.NewTextHandler(&l, nil))}
			if whole, err := f.load(newState().replay); whole || err != nil || !strings.Contains(l.String(), c.want) {
				t.Errorf("whole %t, %v, log: %s", whole, err, &l)
			}
			f.close()
			copied, err := os.ReadFile(d.file() + ".damaged")
			if (err == nil) != c.copied || c.copied && string(copied) != string(c.content) {
				t.Errorf("copy: %v, %d bytes of %d", err, len(copied), len(c.content))
			}
		})
	}
}

// Whatever a file holds, Load ends with what is good or an error, in little memory.
func FuzzLoad(f *testing.F) {
	d := written(f, 3)
	f.Add(d.content)
	f.Add(d.content[:begins])
	f.Add([]byte{})
	path := filepath.Join(f.TempDir(), "fuzz"+suffix)
	f.Fuzz(func(t *testing.T, content []byte) {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		one := &file{id: "d-1", path: path, log: slog.New(slog.DiscardHandler)}
		_, _ = one.load(newState().replay)
		one.close()
		// The same as the payload of a frame whose checksums are good.
		c := &coder{in: reader(content)}
		var id string
		var change ledgerChange
		c.frame(&id, &change)
		if c.err == nil {
			_ = newState().replay(change)
		}
	})
}

type ledgerChange = ledger.Change

func reader(b []byte) *bufio.Reader { return bufio.NewReader(bytes.NewReader(b)) }
