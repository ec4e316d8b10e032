package bolt

import (
	"context"
	"errors"
	"io/fs"
	"runtime"
	"strings"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
)

const (
	maxRequests = 1024    // waiting for the writer; more wait for a place
	maxBatch    = 1024    // requests in one transaction
	maxBytes    = 8 << 20 // about as much in one transaction, one request aside

	maxWokenKept = 4096 // places for what a transaction wakes that are kept for the next
)

// An operation is something to write.
type operation interface {
	// size is about how many bytes it will write.
	size() int
	// apply makes the change. Returning an error means that it was refused
	// and has changed nothing; the transaction goes on with the others.
	apply(t *txn) error
	// applied brings the memory up to date after the commit.
	applied(q *queue)
}

type request struct {
	ctx     context.Context
	op      operation
	done    chan error // has room for the answer
	refused error
}

// submit hands an operation to the writer and waits until it is durable. When
// ctx ends first, its error is returned and the operation may yet be made.
func (db *DB) submit(ctx context.Context, op operation) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := db.Err(); err != nil {
		return err
	}
	r := &request{ctx: ctx, op: op, done: make(chan error, 1)}
	select {
	case <-db.quit:
		return unavailable(errClosed)
	default:
	}
	select {
	case db.requests <- r:
	case <-db.quit:
		return unavailable(errClosed)
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case err := <-r.done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-db.stopped:
	}
	select {
	case err := <-r.done: // it was among the last
		return err
	default:
		return unavailable(errClosed)
	}
}

// write is the writer: it commits as soon as there is something to write.
func (db *DB) write() {
	defer close(db.stopped)
	var batch []*request
	for {
		chores := db.Err() == nil && !db.resting
		wait := !(chores && (len(db.sweeping) > 0 || db.pruner.due()))
		if wait && chores && db.pruner.works() {
			db.timer.Reset(time.Until(db.pruner.next))
		}
		batch = db.gather(batch[:0], wait)
		if len(batch) == 0 && db.quitting() {
			return // what is left to sweep and to prune is so after the next Open
		}
		db.busy = len(batch) >= busyBatch
		db.commit(batch)
		clear(batch)
	}
}

func (db *DB) quitting() bool {
	select {
	case <-db.quit:
		return true
	default:
		return false
	}
}

// After a commit of busyBatch requests the writer lets others gather for
// busyPause; after a smaller one it waits for nobody.
const (
	busyBatch = 16
	busyPause = time.Millisecond
)

// gather takes the requests that have come. When told to wait, it waits for
// one; none then means that Close was called or that there is something to prune.
func (db *DB) gather(batch []*request, wait bool) []*request {
	bytes := 0
	if wait {
		select {
		case r := <-db.requests:
			batch = append(batch, r)
			bytes += r.op.size()
		case <-db.timer.C:
			return batch
		case <-db.quit:
		}
		// Those that were answered by the last commit are about to come
		// back: let them, so that they share this one. Where many do, it pays
		// to wait a little, since most of the cost of a commit is its own.
		if db.busy {
			time.Sleep(busyPause)
		} else {
			runtime.Gosched()
		}
	}
	for len(batch) < maxBatch && bytes < maxBytes {
		select {
		case r := <-db.requests:
			batch = append(batch, r)
			bytes += r.op.size()
		default:
			return batch
		}
	}
	return batch
}

// commit writes a batch in one transaction and answers.
func (db *DB) commit(batch []*request) {
	var t *txn
	err := db.Err()
	if err == nil {
		t, err = db.transact(batch)
	}
	db.resting = err != nil
	if err == nil {
		db.sweeping, db.counts, db.pruner = t.sweeping, t.counts, t.pruner
		if db.remember(batch, t) {
			db.signal()
		}
		if clear(t.woken); cap(t.woken) <= maxWokenKept {
			db.woken = t.woken
		}
		if db.committed != nil && t.dirty && len(batch) > 0 {
			db.committed(len(batch))
		}
	}
	for _, r := range batch {
		if r.refused != nil {
			r.done <- r.refused
		} else {
			r.done <- err
		}
	}
}

// remember brings the memory up to date after a commit and reports whether
// there may be something to claim, or to wait for.
func (db *DB) remember(batch []*request, t *txn) bool {
	q := &db.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	q.changed = len(t.woken) > 0
	q.spoilParked()
	q.woken(t.woken, t.id) // first: an operation may delete one of them
	for _, r := range batch {
		if r.refused == nil {
			r.op.applied(q)
		}
	}
	return q.changed
}

// errClean rolls back a transaction in which nothing was written: no fsync.
var errClean = errors.New("nothing to commit")

// transact applies a batch in one transaction. It either commits, or returns an
// error that wraps hooks.ErrUnavailable.
func (db *DB) transact(batch []*request) (t *txn, err error) {
	var id int
	applied := false
	err = guard(func() error {
		return db.bolt.Update(func(tx *bbolt.Tx) error {
			t = newTxn(db, tx)
			id = t.id
			for _, r := range batch {
				if r.refused = r.ctx.Err(); r.refused == nil {
					r.refused = r.op.apply(t)
				}
				if t.err != nil {
					return t.err
				}
			}
			if !db.resting { // a full disk may have room for the requests alone
				t.sweep()
				if t.pruner.due() {
					t.prune(db.usedBytes(tx))
				}
			}
			t.writeStatuses()
			t.writeCounts()
			applied = t.err == nil && t.dirty
			if t.err == nil && !t.dirty {
				return errClean
			}
			return t.err
		})
	})
	if err == nil || errors.Is(err, errClean) {
		return t, nil
	}
	// Else a commit failed, or a record could not be read.
	if !applied || !outOfSpace(err) || !db.unchangedSince(id) {
		_ = db.judge(err) // for what it notices; the reason is err either way
		db.fail(err)
	}
	for _, r := range batch {
		r.refused = nil // the reason is the same for all
	}
	return nil, unavailable(err)
}

// outOfSpace reports whether a commit failed before anything of it counted:
// the file could not grow, or a page could not be written for want of space.
// bbolt flattens the error of the former to text.
func outOfSpace(err error) bool {
	if strings.HasPrefix(err.Error(), "file resize error") {
		return true
	}
	var path *fs.PathError
	if !errors.As(err, &path) || path.Op != "write" {
		return false // a failed fsync, for one, has no path
	}
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EFBIG) || errors.Is(err, syscall.EDQUOT)
}

// unchangedSince reports whether the file still is as before the transaction of
// that id: the page that makes it count was not written.
func (db *DB) unchangedSince(id int) bool {
	now := id
	err := guard(func() error {
		return db.bolt.View(func(tx *bbolt.Tx) error {
			now = tx.ID()
			return nil
		})
	})
	return err == nil && now < id
}

// Ready implements hooks.Queue.
func (db *DB) Ready() <-chan struct{} { return db.ready }

// signal says that there may be something to claim.
func (db *DB) signal() {
	select {
	case db.ready <- struct{}{}:
	default:
	}
}
