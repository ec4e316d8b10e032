package bolt

import (
	"bytes"
	"fmt"
)

// lookUp finds a delivery on one of the shelves.
func (t *txn) lookUp(p place, on ...shelf) (record, shelf, bool) {
	key := p.key()
	for _, s := range on {
		data := t.get(t.shelves[s], key)
		if data == nil {
			continue
		}
		r, err := decodeRecord(data)
		if err != nil {
			t.fail(fmt.Errorf("delivery %x: %w", key, err))
			return record{}, 0, false
		}
		return r, s, true
	}
	return record{}, 0, false
}

// move takes a delivery from one shelf to another, or to the same, and makes it
// what it is now. Everything that goes by where a delivery is follows: when it
// is due, how many wait and since when, and whose turn it is in its lane.
func (t *txn) move(p place, from, to shelf, was, is record) {
	key := p.key()
	if from == retry {
		t.delete(t.due, dueKey(p, was.at))
	}
	if to == retry {
		t.put(t.due, dueKey(p, is.at), nil)
	}
	finished := from.unfinished() && !to.unfinished()
	if finished {
		is.lane = 0
	}
	data := is.encode() // before the delete: it shares memory with the page
	if from != to {
		t.delete(t.shelves[from], key)
		t.count(from, is.created, -1)
		t.count(to, is.created, +1)
	}
	t.put(t.shelves[to], key, data)
	if finished && was.lane != 0 {
		t.leave(p, was.lane, from == held)
	}
}

// enter lets a new delivery into its lane and says where it belongs: it is held
// while there is another before it.
func (t *txn) enter(p place, lane uint64) shelf {
	_, occupied := t.firstIn(p.ref, lane)
	t.put(t.lanes, laneKey(p, lane), nil)
	if occupied {
		return held
	}
	return fresh
}

// leave takes a finished delivery out of its lane; the next moves up unless the
// one that left was only waiting in it.
func (t *txn) leave(p place, lane uint64, waited bool) {
	t.delete(t.lanes, laneKey(p, lane))
	if waited {
		return
	}
	next, ok := t.firstIn(p.ref, lane)
	if !ok {
		return
	}
	r, from, ok := t.lookUp(next, held)
	if !ok {
		t.fail(fmt.Errorf("delivery %x is next in its lane and not held: %w", next.key(), errRecord))
		return
	}
	t.move(next, from, fresh, r, r)
	t.wake(p.ref)
}

// firstIn is the first unfinished delivery of a lane.
func (t *txn) firstIn(ref, lane uint64) (place, bool) {
	k, _ := t.lanes.Cursor().Seek(laneKey(place{ref, 0}, lane))
	if len(k) != dueSize || !bytes.HasPrefix(k, laneKey(place{ref, 0}, lane)[:16]) {
		return place{}, false
	}
	seq, _ := numberOf(k[16:])
	return place{ref, seq}, true
}

// wake notes that a subscription has something to claim.
func (t *txn) wake(ref uint64) {
	if id := t.refs.Get(number(ref)); id != nil {
		t.woken = append(t.woken, wake{ref: ref, id: string(id)})
	}
}
