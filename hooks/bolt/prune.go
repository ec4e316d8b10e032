package bolt

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/bbolt"
)

// idsKept is how long at least an event's id is known, so that the event is
// recognised when it is sent again.
const idsKept = 24 * time.Hour

const (
	// pruneChunk is how many events and deliveries are looked at in one
	// transaction, and pruneEvery the least time between two such.
	pruneChunk = 256
	pruneEvery = 10 * time.Millisecond
	// pruneAgain is when to look for more where all that is old enough was
	// removed, and pruneRewind when to look anew at what was passed over
	// because it was not finished.
	pruneAgain  = time.Minute
	pruneRewind = time.Hour
)

// A pruner walks over the events from the oldest on and removes finished
// deliveries, and the events that have no other. What it passes over because it
// is not finished it meets again when it begins anew.
type pruner struct {
	retention time.Duration // 0 or less: for ever
	maxBytes  int64         // 0: no limit

	event   uint64 // where it is: among the deliveries of this event, or after it
	looked  int    // how many of them it has looked at
	remains bool   // some of those stay
	next    time.Time
	rewind  time.Time
}

func (p *pruner) works() bool { return p.retention > 0 || p.maxBytes > 0 }

func (p *pruner) due() bool { return p.works() && !time.Now().Before(p.next) }

// rest ends a pass; until is when the next event will be old enough. Where space
// is short, that may be the case earlier, and what was not finished is looked at
// again.
func (p *pruner) rest(now, until time.Time, over bool) {
	p.next = now.Add(pruneAgain)
	switch {
	case over && p.rewind.After(p.next):
		p.rewind = p.next
	case p.maxBytes == 0 && until.After(p.next):
		p.next = until
		if p.rewind.Before(until) {
			p.next = p.rewind
		}
	}
}

// prune removes a chunk.
func (t *txn) prune(used int64) {
	p := &t.pruner
	now := time.Unix(0, t.now)
	if !now.Before(p.rewind) {
		p.event, p.looked, p.remains = 0, 0, false
		p.rewind = now.Add(pruneRewind)
	}
	over := p.maxBytes > 0 && used > p.maxBytes
	left := pruneChunk - t.forgetPruned(now, pruneChunk/2)
	p.next = now.Add(pruneEvery)
	for left > 0 && t.err == nil {
		k, v := t.events.Cursor().Seek(number(p.event))
		if k == nil {
			p.rest(now, now.Add(p.retention), over)
			return
		}
		seq, _ := numberOf(k)
		if seq != p.event {
			p.event, p.looked, p.remains = seq, 0, false
		}
		old := p.retention > 0 && acceptedOf(v) <= t.now-int64(p.retention)
		if !old && !over {
			p.rest(now, time.Unix(0, acceptedOf(v)).Add(p.retention), over)
			return
		}
		left -= 1 + t.pruneEvent(left, over)
	}
}

// pruneEvent looks at up to n deliveries of the event that the pruner is at,
// removes those that are finished for long enough or, in need of space, at all,
// and the event itself when none is left. It returns how many it looked at.
func (t *txn) pruneEvent(n int, over bool) int {
	p := &t.pruner
	all, err := placesOfEvent(t.events, t.replays, p.event)
	if err != nil {
		t.fail(err)
		return 0
	}
	some := all[min(p.looked, len(all)):min(p.looked+n, len(all))]
	for _, place := range some {
		if !t.pruneDelivery(place, over) {
			p.remains = true
		}
	}
	if p.looked += len(some); p.looked < len(all) {
		return len(some)
	}
	if !p.remains {
		t.removeEvent(p.event)
	}
	p.event, p.looked, p.remains = p.event+1, 0, false
	return len(some)
}

// pruneDelivery reports whether there is nothing (any more) at a place.
func (t *txn) pruneDelivery(p place, over bool) bool {
	r, on, ok := t.lookUp(p, fresh, retry, held, dead, logged)
	if !ok {
		return t.err == nil
	}
	if on.unfinished() || !over && r.at > t.now-int64(t.pruner.retention) {
		return false
	}
	if id := t.refs.Get(number(p.ref)); id != nil {
		t.delete(t.shelves[on], p.key())
		t.forgetID(&r, string(id))
	} // else it is being swept up
	return true
}

// removeEvent removes an event and the marks of its replays. Its id stays known
// for its time.
func (t *txn) removeEvent(seq uint64) {
	tail, _, err := decodeEvent(t.events.Get(number(seq)))
	if err != nil {
		t.fail(fmt.Errorf("event %x: %w", seq, err))
		return
	}
	for _, k := range keysOf(t.replays, seq, -1) {
		t.delete(t.replays, k)
	}
	t.delete(t.events, number(seq))
	if tail.accepted > t.now-int64(idsKept) {
		t.put(t.pruned, number(seq), []byte(tail.key))
	} else {
		t.forgetEvent(tail.key, seq)
	}
}

// forgetEvent removes an event's id, unless another event has it now.
func (t *txn) forgetEvent(key string, seq uint64) {
	k := eventIDKey(key)
	if bytes.HasPrefix(t.eventIDs.Get(k), number(seq)) {
		t.delete(t.eventIDs, k)
	}
}

// forgetPruned removes up to n ids of events that were removed before their ids
// could be, and returns how many.
func (t *txn) forgetPruned(now time.Time, n int) int {
	var done []uint64
	c := t.pruned.Cursor()
	for k, v := c.First(); k != nil && len(done) < n; k, v = c.Next() {
		seq, _ := numberOf(k)
		known, err := decodeKnownEvent(t.eventIDs.Get(eventIDKey(string(v))))
		if err == nil && known.seq == seq && now.Sub(time.Unix(0, known.accepted)) < idsKept {
			break
		}
		done = append(done, seq)
	}
	for _, seq := range done {
		t.forgetEvent(string(slices.Clone(t.pruned.Get(number(seq)))), seq)
		t.delete(t.pruned, number(seq))
	}
	return len(done)
}

// Used is how many bytes of the file hold something: its size without the pages
// that are free to be used again.
func (db *DB) Used(ctx context.Context) (used int64, err error) {
	err = db.view(ctx, func(tx *bbolt.Tx) error {
		used = db.usedBytes(tx)
		return nil
	})
	return used, err
}

func (db *DB) usedBytes(tx *bbolt.Tx) int64 { return tx.Size() - int64(db.bolt.Stats().FreeAlloc) }
