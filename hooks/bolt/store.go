package bolt

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/flaghook/flaghook/hooks"
)

// store writes a new event with its deliveries, and returns how many it has.
func (t *txn) store(in *incoming) int {
	seq := t.next(t.events)
	tail := eventTail{accepted: t.now, key: in.key, refs: t.deliver(in, seq, nil)}
	known := knownEvent{seq: seq, accepted: t.now, matched: len(tail.refs), digest: in.digest}
	t.put(t.events, number(seq), tail.append(in.event))
	t.put(t.eventIDs, eventIDKey(in.key), known.encode())
	return known.matched
}

// deliver writes the deliveries of an event, those to some refs aside, and
// returns the refs that they are for.
func (t *txn) deliver(in *incoming, seq uint64, except []uint64) []uint64 {
	refs := make([]uint64, 0, len(in.targets))
	var seen map[uint64]bool // nil for one target, which is none twice
	if len(in.targets)+len(except) > 1 {
		seen = make(map[uint64]bool, len(in.targets)+len(except))
	}
	for _, ref := range except {
		seen[ref] = true
	}
	for _, target := range in.targets {
		ref, ok := t.ref(target.subscriptionID)
		if !ok || seen[ref] {
			continue
		}
		if seen != nil {
			seen[ref] = true
		}
		refs = append(refs, ref)
		r := record{created: t.now, at: t.now, since: t.now, eventKey: in.key, replay: in.replay, block: t.nextBlock()}
		p, on := place{ref, seq}, fresh
		switch {
		case in.outcome != nil:
			on = in.finish(&r)
			if a := in.outcome.Attempt; a != nil {
				t.recordAttempt(ref, *a)
			}
		case target.ordered:
			r.lane = in.lane
			on = t.enter(p, r.lane)
		}
		t.put(t.shelves[on], p.key(), r.encode())
		t.put(t.ids, idKey(r.block, target.raw), p.key())
		t.count(on, r.created, +1)
		if on == fresh {
			t.woken = append(t.woken, wake{ref, target.subscriptionID, pending{
				seq: seq, id: target.id, key: in.key, replay: in.replay, created: r.created,
				event: in.source, size: len(in.event) / len(in.targets),
			}})
		}
	}
	slices.Sort(refs)
	return refs
}

// finish makes a new delivery one that is finished.
func (in *incoming) finish(r *record) shelf {
	r.state, r.reason = in.state, in.outcome.Reason
	if in.attempt != nil {
		r.attempts, r.raw = 1, in.attempt
	}
	return shelfOf(in.state)
}

// storeReplay writes the deliveries that a replay makes of an event. Those that
// it has made already are not made again: it may be repeated after a crash.
func (t *txn) storeReplay(in *incoming, r *hooks.Receipt) {
	known, err := decodeKnownEvent(t.eventIDs.Get(eventIDKey(in.key)))
	if err != nil {
		t.fail(fmt.Errorf("event %s: %w", in.id, err))
		return
	}
	var made []uint64
	c := t.replays.Cursor()
	for k, v := c.Seek(number(known.seq)); bytes.HasPrefix(k, number(known.seq)); k, v = c.Next() {
		tail, _, err := decodeEvent(v)
		if err != nil {
			t.fail(fmt.Errorf("replay of event %s: %w", in.id, err))
			return
		}
		if tail.key == in.replay {
			made = append(made, tail.refs...)
		}
	}
	seq := t.next(t.events)
	refs := t.deliver(in, seq, made)
	r.Matched, r.Duplicate = len(made)+len(refs), len(refs) == 0 && len(made) > 0
	if len(refs) > 0 {
		tail := eventTail{accepted: t.now, key: in.replay, refs: refs}
		t.put(t.replays, place{known.seq, seq}.key(), tail.append(nil))
	}
}
