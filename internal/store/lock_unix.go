//go:build unix

package store

import (
	"errors"
	"os"
	"syscall"
)

// tryLock locks f against other processes and other openings in this one. bbolt
// takes the same lock on the same opening later, which always succeeds.
func tryLock(f *os.File) (bool, error) {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return true, nil
		case errors.Is(err, syscall.EWOULDBLOCK):
			return false, nil
		case !errors.Is(err, syscall.EINTR):
			return false, err
		}
	}
}

// unlock is needed besides closing: a mapping of the file keeps its lock.
func unlock(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_UN) }
