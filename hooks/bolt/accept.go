package bolt

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/flaghook/flaghook/hooks"
)

// Accept implements hooks.Queue. A subscription that does not exist (any more)
// gets no delivery. When ctx ends while the commit is under way, its error is
// returned and the batch may be stored all the same; sending it again is safe.
func (db *DB) Accept(ctx context.Context, batch []hooks.Accepted) ([]hooks.Receipt, error) {
	if len(batch) == 0 {
		return nil, nil
	}
	op := &acceptance{events: make([]incoming, 0, len(batch)), receipts: make([]hooks.Receipt, len(batch))}
	for _, a := range batch {
		if err := op.add(a); err != nil {
			return nil, err
		}
	}
	if err := db.submit(ctx, op); err != nil {
		return nil, err // the writer may not have seen it yet, and need its memory
	}
	op.free()
	return op.receipts, nil
}

// eventBuffers are for events on their way to the file, which has its own copy
// when they are accepted.
var eventBuffers = sync.Pool{New: func() any { return new([]byte) }}

// maxBuffer bounds the buffers that are kept.
const maxBuffer = 16 << 10

func (o *acceptance) free() {
	for i := range o.events {
		if b := o.events[i].buffer; b != nil && cap(*b) <= maxBuffer {
			eventBuffers.Put(b)
		}
	}
}

// An acceptance is a batch of events on its way to the file. All that can be
// done before the writer's turn is done by the caller.
type acceptance struct {
	events   []incoming
	receipts []hooks.Receipt
	bytes    int
}

type incoming struct {
	id, key, digest string
	replay          string       // of an event that is stored already
	source          *hooks.Event // nil for a replay
	event           []byte       // nil for a replay
	buffer          *[]byte      // where event is
	lane            uint64       // of the targets that are ordered
	targets         []target

	outcome *hooks.Settlement // of deliveries that are finished when they come
	state   byte              // its number
	attempt []byte            // its attempt, encoded
}

// A target is a subscription with the id of the event's delivery to it.
type target struct {
	subscriptionID string
	id             string
	raw            rawID // the same
	ordered        bool
}

func (o *acceptance) add(a hooks.Accepted) error {
	if a.Event == nil {
		return errors.New("accept: an event is missing")
	}
	in := incoming{
		id: a.Event.ID(), key: a.Event.Key(), digest: a.Event.Digest(), replay: a.Replay,
		targets: make([]target, len(a.SubscriptionIDs)),
	}
	if err := checkID(in.key); err != nil {
		return fmt.Errorf("event: %w", err)
	}
	if err := checkID(in.replay); err != nil && in.replay != "" {
		return fmt.Errorf("replay: %w", err)
	}
	if in.replay == "" {
		in.source = a.Event
		var err error
		in.buffer = eventBuffers.Get().(*[]byte)
		if in.event, err = a.Event.AppendBinary((*in.buffer)[:0]); err != nil {
			return fmt.Errorf("event %s: %w", in.id, err)
		}
		in.event = slices.Grow(in.event, tailSize(in.key, len(in.targets)))
		*in.buffer = in.event[:0]
		if len(a.Ordered) > 0 {
			in.lane = laneOf(a.Event.Resource())
		}
	}
	if err := in.add(a.Outcome); err != nil {
		return fmt.Errorf("event %s: %w", in.id, err)
	}
	var ordered map[string]bool
	if len(a.Ordered) > 0 && in.lane != 0 {
		ordered = make(map[string]bool, len(a.Ordered))
		for _, s := range a.Ordered {
			ordered[s] = true
		}
	}
	for i, s := range a.SubscriptionIDs {
		id := hooks.DeliveryID(in.key, s, in.replay)
		raw, _ := rawIDOf(id)
		in.targets[i] = target{s, id, raw, ordered[s]}
	}
	o.events = append(o.events, in)
	o.bytes += len(in.event) + 200 + 150*len(in.targets)
	return nil
}

func (in *incoming) add(outcome *hooks.Settlement) error {
	if outcome == nil {
		return nil
	}
	state, ok := stateNumber(outcome.State)
	if !ok || !outcome.State.Final() {
		return fmt.Errorf("%q is not a state that an outcome can have", outcome.State)
	}
	in.outcome, in.state, in.lane = outcome, state, 0
	if outcome.Attempt != nil {
		in.attempt = encodeAttempt(*outcome.Attempt)
	}
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

// apply looks at all events before it writes the first, so that what is refused
// leaves nothing behind.
func (o *acceptance) apply(t *txn) error {
	clear(o.receipts)                            // of a transaction that failed
	first := make(map[string]int, len(o.events)) // where a new event comes first in the batch
	waiting := 0                                 // deliveries that the batch adds
	for i := range o.events {
		in := &o.events[i]
		o.receipts[i].EventID = in.id
		isNew, err := o.check(t, in, &o.receipts[i], first)
		if err != nil {
			return err
		}
		if isNew {
			first[in.key] = i
		}
		if in.outcome == nil && !o.receipts[i].Duplicate {
			waiting += len(in.targets)
		}
	}
	switch most := t.db.maxBacklog; {
	case waiting > most:
		return &hooks.TooManyError{Deliveries: waiting, Max: most}
	case waiting > 0 && waiting > most-t.counts.total():
		return fmt.Errorf("%w: there is room for %d in all", hooks.ErrBacklog, most)
	}
	for i := range o.events {
		in := &o.events[i]
		switch r := &o.receipts[i]; {
		case in.replay != "":
			t.storeReplay(in, r)
		case !r.Duplicate:
			r.Matched = t.store(in)
		case r.Matched < 0: // of another in this batch
			r.Matched = o.receipts[first[in.key]].Matched
		}
	}
	return nil
}

// check says whether an event is new, and why it cannot be accepted.
func (o *acceptance) check(t *txn, in *incoming, r *hooks.Receipt, first map[string]int) (isNew bool, err error) {
	if j, ok := first[in.key]; ok && in.replay == "" {
		r.Duplicate, r.Matched = true, -1
		return false, o.same(in, o.events[j].digest)
	}
	v := t.get(t.eventIDs, eventIDKey(in.key))
	switch {
	case v == nil && in.replay == "":
		return true, nil
	case v == nil:
		return false, fmt.Errorf("replay event %s: %w", in.id, hooks.ErrNotFound)
	}
	known, err := decodeKnownEvent(v)
	if err != nil {
		t.fail(fmt.Errorf("event %s: %w", in.id, err))
		return false, err
	}
	if in.replay == "" {
		r.Duplicate, r.Matched = true, known.matched
	} else if t.get(t.events, number(known.seq)) == nil {
		return false, fmt.Errorf("replay event %s: it is no longer stored: %w", in.id, hooks.ErrNotFound)
	}
	return false, o.same(in, known.digest)
}

func (o *acceptance) same(in *incoming, digest string) error {
	if digest != in.digest {
		return &hooks.EventConflictError{EventID: in.id}
	}
	return nil
}

func (o *acceptance) applied(*queue) {}
