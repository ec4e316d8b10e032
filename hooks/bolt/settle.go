package bolt

import (
	"context"
	"fmt"
	"time"

	"github.com/flaghook/flaghook/hooks"
)

// Settle implements hooks.Queue. It does nothing, and that is no error, when the
// subscription was deleted or the delivery is finished already: by another
// claimer after this one's lease had ended, or because it was cancelled. A
// settlement after the lease's end counts while the delivery is unfinished.
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
	was, from, ok := t.lookUp(o.place, fresh, retry, held)
	if !ok {
		return nil // finished
	}
	is := was
	is.state, is.reason, is.at = o.state, o.Reason, o.at
	if o.attempt != nil {
		is.attempts++
		is.raw = append(is.raw[:len(is.raw):len(is.raw)], o.attempt...)
	}
	o.moved = true
	t.move(o.place, from, shelfOf(o.state), was, is)
	if o.Attempt != nil {
		t.recordAttempt(ref, *o.Attempt)
	}
	return nil
}

func (o *settlement) applied(q *queue) {
	s := q.endLease(o.Claim.DeliveryID)
	if s == nil && o.moved && q.subs[o.place.ref] != nil {
		q.spoil(q.subs[o.place.ref]) // it may be due there
	}
	if o.moved && !o.State.Final() {
		s = q.subscription(o.place.ref, o.Claim.SubscriptionID)
		q.wakeAt(s, o.RetryAt)
		q.changed = true
	}
	if s != nil {
		q.rest(s)
	}
}
