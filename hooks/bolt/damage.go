package bolt

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/flaghook/flaghook/hooks"
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
			err = &DamagedError{Reason: reasonOf(p), panicked: true}
		}
	}()
	return do()
}

// reasonOf puts a panic into words: bbolt's own say what is wrong, those of the
// runtime only that something is.
func reasonOf(p any) string {
	if _, ok := p.(runtime.Error); ok {
		return "it cannot be read as a store"
	}
	return fmt.Sprint(p)
}

// Failed is closed when the file can no longer be trusted to take writes: after
// a failed fsync, for instance. Err then says why. The remedy is to look after
// the disk and to open the file again; what was acknowledged is in it.
func (db *DB) Failed() <-chan struct{} { return db.failed }

// Err says why the DB failed; nil as long as it has not.
func (db *DB) Err() error {
	select {
	case <-db.failed:
		return db.err
	default:
		return nil
	}
}

func (db *DB) fail(err error) {
	db.failing.Do(func() {
		db.err = unavailable(err)
		close(db.failed)
	})
}

func unavailable(err error) error {
	return fmt.Errorf("%w: %w", hooks.ErrUnavailable, err)
}

// view reads. A file that turns out to be damaged fails the DB.
func (db *DB) view(ctx context.Context, read func(tx *bbolt.Tx) error) error {
	if err := db.usable(ctx); err != nil {
		return err
	}
	err := guard(func() error { return db.bolt.View(read) })
	return db.judge(err)
}

// judge turns bbolt's ways of saying no into ours.
func (db *DB) judge(err error) error {
	var damaged *DamagedError
	if errors.As(err, &damaged) && damaged.panicked {
		db.stuck.Store(true)
	}
	switch {
	case errors.Is(err, berrors.ErrDatabaseNotOpen):
		return unavailable(errClosed)
	case errors.Is(err, berrors.ErrInvalidMapping), errors.Is(err, errRecord), damaged != nil:
		db.fail(err)
		return db.Err()
	}
	return err
}
