package bolt

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/bbolt"
)

// changesPerCommit is how many deliveries Revive and Cancel change in one
// transaction, so that nobody waits long for it.
const changesPerCommit = 250

// Revive implements hooks.Queue. What was ordered once is not any more. When it
// fails, it returns how many it had changed before.
func (db *DB) Revive(ctx context.Context, deliveryIDs ...string) (int, error) {
	n, err := db.change(ctx, deliveryIDs, func() *change {
		return &change{from: []shelf{dead, logged}, move: (*txn).revive}
	})
	if err != nil {
		return n, fmt.Errorf("revive deliveries: %w", err)
	}
	return n, nil
}

func (t *txn) revive(p place, from shelf, was record) bool {
	is := was
	if is.state == stateDelivered {
		return false
	}
	is.state, is.reason, is.at = statePending, "", t.now
	is.since, is.base = t.now, was.attempts
	t.move(p, from, retry, was, is)
	t.wake(p.ref)
	return true
}

// Cancel implements hooks.Queue. When it fails, it returns how many it had
// changed before.
func (db *DB) Cancel(ctx context.Context, reason string, deliveryIDs ...string) (int, error) {
	n, err := db.change(ctx, deliveryIDs, func() *change {
		return &change{
			from: []shelf{fresh, retry, held},
			move: func(t *txn, p place, from shelf, was record) bool {
				is := was
				is.state, is.reason, is.at = stateCancelled, reason, t.now
				t.move(p, from, logged, was, is)
				return true
			},
		}
	})
	if err != nil {
		return n, fmt.Errorf("cancel deliveries: %w", err)
	}
	return n, nil
}

// A change moves deliveries that are on some shelves to another.
type change struct {
	ids    []string
	places []place // where they are
	from   []shelf
	move   func(t *txn, p place, from shelf, was record) bool

	changed []int // indexes of ids
}

// change makes one after another, each for some of the deliveries.
func (db *DB) change(ctx context.Context, ids []string, begin func() *change) (n int, err error) {
	for some := range slices.Chunk(ids, changesPerCommit) {
		op := begin()
		// Finding them may take longer than the writer has.
		err := db.view(ctx, func(tx *bbolt.Tx) error {
			bucket := tx.Bucket(bucketIDs)
			for _, id := range some {
				if p, ok := db.find(bucket, id); ok {
					op.ids, op.places = append(op.ids, id), append(op.places, p)
				}
			}
			return nil
		})
		if err == nil && len(op.ids) > 0 {
			err = db.submit(ctx, op)
		}
		if err != nil {
			return n, err
		}
		n += len(op.changed)
	}
	return n, nil
}

func (o *change) size() int { return 300 * len(o.ids) }

func (o *change) apply(t *txn) error {
	for i, p := range o.places {
		id := t.refs.Get(number(p.ref))
		if id == nil {
			continue // of a deleted subscription
		}
		was, from, ok := t.lookUp(p, o.from...)
		if ok && was.id(string(id)) == o.ids[i] && o.move(t, p, from, was) {
			o.changed = append(o.changed, i)
		}
	}
	return nil
}

// applied ends the leases that there may be: an outcome that comes later finds
// the delivery finished.
func (o *change) applied(q *queue) {
	for _, i := range o.changed {
		q.endLease(o.ids[i])
		if s := q.subs[o.places[i].ref]; s != nil {
			q.spoil(s)
			q.rest(s)
		}
	}
}

// Extend implements hooks.Queue. What is not leased (any more) is left alone,
// and no lease becomes shorter.
func (db *DB) Extend(ctx context.Context, until time.Time, deliveryIDs ...string) error {
	if err := db.usable(ctx); err != nil {
		return err
	}
	q := &db.queue
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, id := range deliveryIDs {
		if l := q.leases[id]; l != nil && until.After(l.alarm.at) {
			q.alarms.set(&l.alarm, until)
		}
	}
	return nil
}

// Release implements hooks.Queue: what is not leased is left alone.
func (db *DB) Release(ctx context.Context, deliveryIDs ...string) error {
	if err := db.usable(ctx); err != nil {
		return err
	}
	released := false
	db.queue.mu.Lock()
	for _, id := range deliveryIDs {
		if s := db.queue.endLease(id); s != nil {
			db.queue.spoil(s)
			db.queue.activate(s)
			released = true
		}
	}
	db.queue.mu.Unlock()
	if released {
		db.signal()
	}
	return nil
}

// Resume implements hooks.Queue.
func (db *DB) Resume(subscriptionIDs ...string) {
	resumed := false
	db.queue.mu.Lock()
	for _, id := range subscriptionIDs {
		if s := db.queue.parked[id]; s != nil {
			db.queue.unpark(s)
			resumed = true
		}
	}
	db.queue.mu.Unlock()
	if resumed {
		db.signal()
	}
}

// usable says why nothing can be asked of the DB, nil when it can.
func (db *DB) usable(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return db.Err()
}
