package bolt

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/flaghook/flaghook/hooks"
)

// Settle implements hooks.Queue. It does nothing, and that is no error, when the
// subscription was deleted or the delivery is finished already: by another
// claimer after this one's lease had ended, or because it was cancelled. A
// settlement after the lease's end counts while the delivery is unfinished.
func (db *DB) Settle(ctx context.Context, outcomes ...hooks.Settlement) error {
	op := make(settlements, len(outcomes))
	now := nanos(time.Now())
	for i, s := range outcomes {
		state, ok := stateNumber(s.State)
		if !ok {
			return fmt.Errorf("settle delivery %s: %q is not a state", s.Claim.DeliveryID, s.State)
		}
		op[i] = settlement{Settlement: s, state: state, at: nanos(s.RetryAt)}
		if s.State.Final() {
			op[i].at = now
		}
		if s.Attempt != nil {
			op[i].attempt = encodeAttempt(*s.Attempt)
		}
	}
	db.queue.locate(op)
	if err := db.submit(ctx, op); err != nil {
		return err
	}
	var errs []error
	for i := range op {
		errs = append(errs, op[i].err)
	}
	return errors.Join(errs...)
}

// locate finds the places of deliveries that are leased.
func (q *queue) locate(op settlements) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range op {
		if l := q.leases[op[i].Claim.DeliveryID]; l != nil {
			op[i].place, op[i].known = place{l.sub.ref, l.seq}, true
		}
	}
}

// settlements are recorded in one transaction.
type settlements []settlement

type settlement struct {
	hooks.Settlement
	state   byte
	at      int64
	attempt []byte
	place   place
	known   bool  // place is that of the delivery; else it is looked for
	moved   bool  // there was something to settle
	err     error // why it was not settled
}

func (op settlements) size() int {
	n := 0
	for i := range op {
		n += 300 + len(op[i].attempt)
	}
	return n
}

func (op settlements) apply(t *txn) error {
	for i := range op {
		op[i].apply(t)
	}
	return nil
}

func (op settlements) applied(q *queue) {
	for i := range op {
		op[i].applied(q)
	}
}

func (o *settlement) apply(t *txn) {
	o.moved, o.err = false, nil // of a transaction that failed
	ref, ok := t.ref(o.Claim.SubscriptionID)
	if !ok {
		return
	}
	if !o.known {
		if o.place, ok = t.db.find(t.ids, o.Claim.DeliveryID); !ok {
			o.err = fmt.Errorf("settle delivery %s: %w", o.Claim.DeliveryID, hooks.ErrNotFound)
			return
		}
	}
	if o.place.ref != ref {
		return // it belonged to a deleted subscription of the same id
	}
	was, from, ok := t.lookUp(o.place, fresh, retry, held)
	if !ok {
		return // finished
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
