package bolt

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/flaghook/flaghook/hooks"
)

// Accept implements hooks.Queue. A subscription that does not exist (any more)
// gets no delivery. When ctx ends while the commit is under way, its error is
// returned and the batch may be stored all the same; sending it again is safe.
func (db *DB) Accept(ctx context.Context, batch []hooks.Accepted) ([]hooks.Receipt, error) {
	if len(batch) == 0 {
		return nil, nil
	}
	op := &acceptance{now: time.Now(), receipts: make([]hooks.Receipt, len(batch))}
	for _, a := range batch {
		if err := op.add(a); err != nil {
			return nil, err
		}
	}
	if err := db.submit(ctx, op); err != nil {
		return nil, err
	}
	return op.receipts, nil
}

// An acceptance is a batch of events on its way to the file. All that can be
// done before the writer's turn is done by the caller.
type acceptance struct {
	now      time.Time
	events   []incoming
	receipts []hooks.Receipt
	bytes    int
	woken    []wake // subscriptions that got deliveries
}

type incoming struct {
	id, digest string
	event      []byte
	targets    []target
}

// A target is a subscription with the id of the event's delivery to it.
type target struct {
	subscriptionID string
	id             rawID
}

// A wake names a subscription that has something due.
type wake struct {
	ref uint64
	id  string
}

func (o *acceptance) add(a hooks.Accepted) error {
	if a.Event == nil {
		return errors.New("accept: an event is missing")
	}
	id := a.Event.ID()
	if err := checkID(id); err != nil {
		return fmt.Errorf("event: %w", err)
	}
	data, err := a.Event.MarshalBinary()
	if err != nil {
		return fmt.Errorf("event %s: %w", id, err)
	}
	in := incoming{id: id, digest: a.Event.Digest(), event: data, targets: make([]target, 0, len(a.SubscriptionIDs))}
	for _, s := range a.SubscriptionIDs {
		raw, _ := rawIDOf(hooks.DeliveryID(id, s))
		in.targets = append(in.targets, target{s, raw})
	}
	o.events = append(o.events, in)
	o.bytes += len(data) + 200 + 150*len(in.targets)
	return nil
}

// maxID keeps ids within what a key of the file can be.
const maxID = 1024

func checkID(id string) error {
	if id == "" || len(id) > maxID {
		return fmt.Errorf("its id has %d bytes; 1 to %d are allowed", len(id), maxID)
	}
	return nil
}

func rawIDOf(id string) (raw rawID, ok bool) {
	if len(id) != hex.EncodedLen(len(raw)) {
		return raw, false
	}
	_, err := hex.Decode(raw[:], []byte(id))
	return raw, err == nil
}

func (o *acceptance) size() int { return o.bytes }

// apply looks at all events before it writes the first, so that a conflict
// leaves nothing behind.
func (o *acceptance) apply(t *txn) error {
	first := make(map[string]int, len(o.events)) // where an id comes first in the batch
	for i, in := range o.events {
		o.receipts[i] = hooks.Receipt{EventID: in.id}
		digest := in.digest
		if j, ok := first[in.id]; ok {
			digest = o.events[j].digest
			o.receipts[i].Duplicate = true
		} else if head, ok := t.storedEvent(in.id); ok {
			digest = head.digest
			o.receipts[i] = hooks.Receipt{EventID: in.id, Matched: head.matched, Duplicate: true}
		}
		if digest != in.digest {
			return &hooks.EventConflictError{EventID: in.id}
		}
		if _, ok := first[in.id]; !ok {
			first[in.id] = i
		}
	}
	for i, in := range o.events {
		if j := first[in.id]; o.receipts[i].Duplicate {
			o.receipts[i].Matched = o.receipts[j].Matched
			continue
		}
		o.receipts[i].Matched = o.store(t, in)
	}
	return nil
}

func (t *txn) storedEvent(id string) (eventHead, bool) {
	seq := t.eventIDs.Get([]byte(id))
	if seq == nil {
		return eventHead{}, false
	}
	head, _, err := decodeEvent(t.events.Get(seq))
	if err != nil {
		t.fail(fmt.Errorf("event %s: %w", id, err))
	}
	return head, true
}

// store writes an event with its deliveries, and returns how many it has.
func (o *acceptance) store(t *txn, in incoming) int {
	seq := t.next(t.events)
	matched := 0
	seen := make(map[uint64]bool, len(in.targets))
	r := record{created: nanos(o.now), at: nanos(o.now), eventID: in.id}
	for _, target := range in.targets {
		ref, ok := t.ref(target.subscriptionID)
		if !ok || seen[ref] {
			continue
		}
		seen[ref] = true
		matched++
		p := place{ref, seq}
		key := p.key()
		r.block = t.nextBlock()
		t.put(t.fresh, key, r.encode())
		t.put(t.ids, idKey(r.block, target.id), key)
		o.woken = append(o.woken, wake{ref, target.subscriptionID})
	}
	t.put(t.events, number(seq), encodeEvent(eventHead{matched, in.digest}, in.event))
	t.put(t.eventIDs, []byte(in.id), number(seq))
	return matched
}

func (o *acceptance) applied(q *queue) {
	for _, w := range o.woken {
		q.activate(q.subscription(w.ref, w.id))
		q.changed = true
	}
}

// id is the delivery id of a record.
func (r *record) id(subscriptionID string) rawID {
	raw, _ := rawIDOf(hooks.DeliveryID(r.eventID, subscriptionID))
	return raw
}
