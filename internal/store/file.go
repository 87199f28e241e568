package store

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"cloudsso_exporter/internal/ledger"
)

const (
	suffix = ".state"
	// smallTail is how much may follow the first frame of any file, however small the state.
	smallTail = 64 << 10
)

// fileName is the name of a directory's file. An id too long for a name is hashed.
func fileName(directoryID string) string {
	name := url.PathEscape(directoryID)
	if len(name) > 200 {
		name = fmt.Sprintf("%x", sha256.Sum256([]byte(directoryID)))
	}
	return name + suffix
}

// file is the file of one directory. Only one goroutine at a time uses it.
type file struct {
	id, path string
	log      *slog.Logger

	mu     sync.Mutex
	closed bool
	ours   bool     // what was there has been looked at
	open   *os.File // nil: the next commit writes a new file
	live   int64    // size of the first frame: the whole state as it was then
	end    int64    // of the last good frame
}

// check reads whether the file is one of ours.
func (f *file) check() error {
	file, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return explainFile(err)
	}
	defer file.Close()
	if err := checkBeginning(file); !errors.Is(err, errDamaged) {
		return err
	}
	return nil
}

// load replays the good frames and leaves the file ready to be appended to.
func (f *file) load(replay func(ledger.Change) error) (whole bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	file, err := os.OpenFile(f.path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, explainFile(err)
	}
	defer func() {
		if f.open != file {
			_ = file.Close()
		}
	}()
	beginning := checkBeginning(file)
	if beginning != nil && !errors.Is(beginning, errDamaged) {
		return false, beginning
	}
	f.ours = true
	frames, damage := verify(file)
	for _, frame := range frames {
		if err := readFrame(file, frame, f.id, replay); err != nil {
			return false, fmt.Errorf("state file %s: %w", f.path, err)
		}
	}
	end := int64(begins)
	if len(frames) > 0 {
		f.live, end = frames[0].size, frames[len(frames)-1].end()
	}
	if damage != nil && !f.truncate(file, end, damage) {
		return false, nil // the next commit writes a new file
	}
	if beginning != nil {
		f.log.Error("the first bytes of the state file are damaged but its records are good; it will be rewritten", "path", f.path)
		return damage == nil, nil
	}
	f.open, f.end = file, end
	return damage == nil, nil
}

// truncate takes the damaged end off the file, after a copy was kept of what is no torn
// write, and reports whether the file can be gone on with.
func (f *file) truncate(file *os.File, end int64, damage error) bool {
	if errors.Is(damage, errTorn) && end > int64(begins) {
		f.log.Warn("the last record of the state file is incomplete, as after a power failure; the time since is read again", "path", f.path, "err", damage)
		return file.Truncate(end) == nil
	}
	aside := f.path + ".damaged"
	err := copyFile(aside, file)
	message := "the state file is damaged; the time since its last good record is read again, up to 7 days"
	if end <= int64(begins) {
		message = "the first record of the state file is damaged; counting starts again from the tasks listed now"
	}
	if err != nil {
		f.log.Error(message+"; could not keep a copy of it", "path", f.path, "err", damage, "copy_err", err)
		return false
	}
	f.log.Error(message, "path", f.path, "copy", aside, "err", damage)
	return end > int64(begins) && file.Truncate(end) == nil
}

func copyFile(to string, from *os.File) error {
	if _, err := from.Seek(0, io.SeekStart); err != nil {
		return err
	}
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, from)
	return errors.Join(err, out.Close())
}

// commit appends c, or writes all of the state to a new file.
func (f *file) commit(c ledger.Change, all func() ledger.Change) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return ErrClosed
	}
	if f.open != nil {
		if why := f.changed(); why != "" {
			f.log.Error("another program changed the state file; it will be rewritten from memory", "path", f.path, "reason", why)
			f.drop()
		}
	}
	var err error
	if !f.ours {
		if err := f.check(); err != nil {
			return err
		}
		f.ours = true
	}
	if f.open == nil || f.end-f.live >= max(f.live, smallTail) {
		if err = f.rewrite(all()); err == nil {
			return nil
		}
	}
	if f.open != nil { // also where there is no room for a second file
		err = f.append(c)
	}
	if err != nil {
		return explainFile(err)
	}
	return nil
}

// append adds a frame at the end, whole or not at all.
func (f *file) append(c ledger.Change) error {
	frame, err := writeFrame(f.open, f.end, f.id, c)
	if err != nil {
		if f.open.Truncate(f.end) != nil {
			f.drop()
		}
		return err
	}
	if err := f.open.Sync(); err != nil { // what the disk has of it now, nobody knows
		f.drop()
		return err
	}
	f.end = frame.end()
	return nil
}

// rewrite puts a new file in the place of the old.
func (f *file) rewrite(all ledger.Change) (err error) {
	next, err := os.OpenFile(f.path+".new", os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = next.Close()
			_ = os.Remove(next.Name())
		}
	}()
	if _, err := next.Write(beginning(version)); err != nil {
		return err
	}
	frame, err := writeFrame(next, int64(begins), f.id, all)
	if err != nil {
		return err
	}
	if err := next.Sync(); err != nil {
		return err
	}
	if err := os.Rename(next.Name(), f.path); err != nil {
		return err
	}
	f.drop()
	f.open, f.live, f.end = next, frame.size, frame.end()
	if err := syncFolder(filepath.Dir(f.path)); err != nil {
		f.open = nil // the name may be the old file's after a power failure
		return err
	}
	return nil
}

// changed says why the open file cannot be gone on with, or nothing.
func (f *file) changed() string {
	there, err := os.Stat(f.path)
	if err != nil {
		return err.Error()
	}
	have, err := f.open.Stat()
	switch {
	case err != nil:
		return err.Error()
	case !os.SameFile(have, there):
		return "another file has its name"
	case have.Size() < f.end:
		return fmt.Sprintf("it was cut from %d to %d bytes", f.end, have.Size())
	}
	return ""
}

// drop lets go of the open file; the next commit writes a new one.
func (f *file) drop() {
	if f.open != nil {
		_ = f.open.Close()
		f.open = nil
	}
}

func (f *file) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	f.drop()
}

func explainFile(err error) error {
	if isFull(err) {
		return fmt.Errorf("write the state: %w; make room, the exporter catches up by itself", err)
	}
	return fmt.Errorf("state file: %w", err)
}

// syncFolder makes a new name in the folder durable.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	// Some file systems cannot sync a folder; nothing more can be done then.
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}
