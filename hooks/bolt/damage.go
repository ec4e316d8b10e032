package bolt

import (
	"fmt"
	"runtime/debug"
)

// DamagedError says that a file is not what was written. It is never repaired
// or overwritten.
type DamagedError struct {
	Reason string

	// panicked says that bbolt was interrupted and may hold its locks for ever.
	panicked bool
}

func (e *DamagedError) Error() string {
	return "the file is damaged or not flaghook's (" + e.Reason + "). It is never repaired in place: put a backup there, or move it away to start empty"
}

// guard turns a panic of bbolt, and a fault on a mapped page that the disk
// cannot deliver, into a DamagedError: that is how bbolt meets a damaged file.
func guard(do func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = &DamagedError{Reason: fmt.Sprint(p), panicked: true}
		}
	}()
	return do()
}
