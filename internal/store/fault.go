package store

import (
	"fmt"
	"runtime/debug"
)

// fault is a panic or a memory fault inside bbolt.
type fault struct{ value any }

func (f *fault) Error() string { return fmt.Sprintf("unexpected content: %v", f.value) }

// guard runs fn and turns its panics into errors, those of memory faults
// included: reading a mapped file that has become shorter raises SIGBUS, which
// ends the process unless this very goroutine has asked for a panic instead.
func guard(fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if v := recover(); v != nil {
			err = &fault{v}
		}
	}()
	return fn()
}
