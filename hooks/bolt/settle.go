package bolt

import (
	"context"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/flaghook/flaghook/hooks"
)

// Settle implements hooks.Queue. It does nothing, and that is no error, when the
// subscription was deleted or the delivery is finished already: by another
// claimer after this one's lease had ended. A settlement after the lease's end
// counts while the delivery is unfinished.
func (db *DB) Settle(ctx context.Context, s hooks.Settlement) error {
	state, ok := stateNumber(s.State)
	if !ok {
		return fmt.Errorf("settle delivery %s: %q is not a state", s.Claim.DeliveryID, s.State)
	}
	op := &settlement{Settlement: s, state: state, at: nanos(s.RetryAt)}
	if s.State.Final() {
		op.at = nanos(time.Now())
	}
	if s.Attempt != nil {
		op.attempt = encodeAttempt(*s.Attempt)
	}
	op.place, op.known = db.queue.leased(s.Claim.DeliveryID)
	return db.submit(ctx, op)
}

type settlement struct {
	hooks.Settlement
	state   byte
	at      int64
	attempt []byte
	place   place
	known   bool // place is that of the delivery; else it is looked for
	moved   bool // there was something to settle
}

func (o *settlement) size() int { return 300 + len(o.attempt) }

func (o *settlement) apply(t *txn) error {
	ref, ok := t.ref(o.Claim.SubscriptionID)
	if !ok {
		return nil
	}
	if !o.known {
		if o.place, ok = t.db.find(t.ids, o.Claim.DeliveryID); !ok {
			return fmt.Errorf("settle delivery %s: %w", o.Claim.DeliveryID, hooks.ErrNotFound)
		}
	}
	if o.place.ref != ref {
		return nil // it belonged to a deleted subscription of the same id
	}
	key := o.place.key()
	from := t.fresh
	data := from.Get(key)
	if data == nil {
		from = t.retry
		data = from.Get(key)
	}
	if data == nil {
		return nil // finished
	}
	r, err := decodeRecord(data)
	if err != nil {
		t.fail(fmt.Errorf("delivery %s: %w", o.Claim.DeliveryID, err))
		return nil
	}
	o.move(t, r, from, key)
	if o.Attempt != nil {
		t.recordAttempt(ref, *o.Attempt)
	}
	return nil
}

// move writes the record as it is now to where it belongs now.
func (o *settlement) move(t *txn, r record, from *bbolt.Bucket, key []byte) {
	o.moved = true
	if from == t.retry {
		t.delete(t.due, dueKey(o.place, timeOf(r.at)))
	}
	r.state, r.reason, r.at = o.state, o.Reason, o.at
	if o.attempt != nil {
		r.attempts++
		r.raw = append(r.raw[:len(r.raw):len(r.raw)], o.attempt...)
	}
	to := t.log
	if !o.State.Final() {
		to = t.retry
		t.put(t.due, dueKey(o.place, timeOf(r.at)), nil)
	}
	data := r.encode() // before the delete: r shares memory with the page
	if from != to {
		t.delete(from, key)
	}
	t.put(to, key, data)
}

func (o *settlement) applied(q *queue) {
	s := q.endLease(o.Claim.DeliveryID)
	if o.moved && !o.State.Final() {
		s = q.subscription(o.place.ref, o.Claim.SubscriptionID)
		q.wakeAt(s, o.RetryAt)
		q.changed = true
	}
	if s != nil {
		q.rest(s)
	}
}

// Release implements hooks.Queue: what is not leased is left alone.
func (db *DB) Release(ctx context.Context, deliveryIDs ...string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := db.Err(); err != nil {
		return err
	}
	released := false
	db.queue.mu.Lock()
	for _, id := range deliveryIDs {
		if s := db.queue.endLease(id); s != nil {
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
