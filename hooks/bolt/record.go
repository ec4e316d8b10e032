package bolt

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"time"

	"github.com/flaghook/flaghook/hooks"
)

// A record is a stored delivery. Its attempts stay as they are stored until
// somebody wants to see them: a settlement only appends one.
type record struct {
	state    byte
	created  int64
	at       int64  // pending: not before; else: finished
	since    int64  // accepted or, later, revived
	base     int    // attempts made before that
	block    uint32 // of its id
	lane     uint64 // what it is ordered by, 0 for nothing (more)
	eventKey string
	replay   string
	reason   string
	attempts int
	raw      []byte // the attempts, each with its length before it
}

// states gives the numbers by which states are stored; the order is part of
// the format.
var states = [...]hooks.State{
	hooks.StatePending, hooks.StateDelivered, hooks.StateDead, hooks.StateSkipped, hooks.StateCancelled,
}

const (
	statePending   = 0
	stateDelivered = 1
	stateDead      = 2
	stateSkipped   = 3
	stateCancelled = 4
)

func stateNumber(s hooks.State) (byte, bool) {
	for i, known := range states {
		if s == known {
			return byte(i), true
		}
	}
	return 0, false
}

// shelfOf is where a delivery belongs that has been attempted.
func shelfOf(state byte) shelf {
	switch state {
	case statePending:
		return retry
	case stateDead:
		return dead
	}
	return logged
}

var errRecord = errors.New("a stored record cannot be read; the file is damaged")

// recordHead is the part of fixed size: state and time of acceptance.
const recordHead = 1 + 8

// encode writes the other times as what they are later than created: mostly
// little, often nothing.
func (r *record) encode() []byte {
	b := make([]byte, 0, recordHead+40+len(r.eventKey)+len(r.replay)+len(r.reason)+len(r.raw))
	b = append(b, r.state)
	b = binary.BigEndian.AppendUint64(b, uint64(r.created))
	b = binary.AppendVarint(b, r.at-r.created)
	b = binary.AppendVarint(b, r.since-r.created)
	b = binary.AppendUvarint(b, uint64(r.base))
	b = binary.AppendUvarint(b, uint64(r.block))
	b = binary.AppendUvarint(b, r.lane)
	b = appendString(b, r.eventKey)
	b = appendString(b, r.replay)
	b = appendString(b, r.reason)
	b = binary.AppendUvarint(b, uint64(r.attempts))
	return append(b, r.raw...)
}

// decodeRecord reads a record; raw shares memory with b.
func decodeRecord(b []byte) (record, error) {
	d := decoder{b: b}
	r := record{state: d.byte(), created: d.int64()}
	r.at = r.created + d.varint()
	r.since = r.created + d.varint()
	r.base = int(d.uvarint())
	r.block = uint32(d.uvarint())
	r.lane = d.uvarint()
	r.eventKey = d.string()
	r.replay = d.string()
	r.reason = d.string()
	r.attempts = int(d.uvarint())
	r.raw = d.b
	if d.failed || int(r.state) >= len(states) || r.attempts < 0 {
		return record{}, errRecord
	}
	return r, nil
}

// createdOf reads the time of acceptance alone.
func createdOf(b []byte) int64 {
	if len(b) < recordHead {
		return 0
	}
	return int64(binary.BigEndian.Uint64(b[1:]))
}

// id is the delivery id of a record.
func (r *record) id(subscriptionID string) string {
	return hooks.DeliveryID(r.eventKey, subscriptionID, r.replay)
}

// delivery gives the record as the domain knows it.
func (r *record) delivery(subscriptionID string, on shelf) (*hooks.Delivery, error) {
	d := &hooks.Delivery{
		ID:             r.id(subscriptionID),
		EventKey:       r.eventKey,
		EventID:        hooks.EventIDOf(r.eventKey),
		SubscriptionID: subscriptionID,
		Replay:         r.replay,
		Held:           on == held,
		State:          states[r.state],
		Reason:         r.reason,
		CreatedAt:      timeOf(r.created),
		Attempts:       []hooks.Attempt{},
	}
	if d.State.Final() {
		d.FinishedAt = timeOf(r.at)
	} else {
		d.NextAttemptAt = timeOf(r.at)
	}
	in := decoder{b: r.raw}
	for range r.attempts {
		a := in.attempt()
		if in.failed {
			return nil, errRecord
		}
		d.Attempts = append(d.Attempts, a)
	}
	return d, nil
}

// encodeAttempt writes an attempt with its length before it, so that fields
// can be added at its end without a new format.
func encodeAttempt(a hooks.Attempt) []byte {
	size := 48 + len(a.Error) + len(a.ResponseBody)
	for _, h := range a.ResponseHeaders {
		size += 8 + len(h.Name) + len(h.Value)
	}
	const room = binary.MaxVarintLen32 // for the length
	b := make([]byte, room, room+size)
	b = binary.AppendVarint(b, nanos(a.At))
	b = binary.AppendVarint(b, int64(a.Duration))
	b = binary.AppendVarint(b, int64(a.StatusCode))
	b = appendString(b, string(a.ErrorClass))
	b = appendString(b, a.Error)
	b = appendString(b, a.ResponseBody)
	b = binary.AppendVarint(b, nanos(a.RetryAt))
	if len(a.ResponseHeaders) > 0 {
		b = binary.AppendUvarint(b, uint64(len(a.ResponseHeaders)))
	}
	for _, h := range a.ResponseHeaders {
		b = appendString(appendString(b, h.Name), h.Value)
	}
	length := uint64(len(b) - room)
	start := room - (bits.Len64(length|1)+6)/7
	binary.PutUvarint(b[start:], length)
	return b[start:]
}

func (d *decoder) attempt() hooks.Attempt {
	in := decoder{b: d.bytes()}
	a := hooks.Attempt{
		At:           timeOf(in.varint()),
		Duration:     time.Duration(in.varint()),
		StatusCode:   int(in.varint()),
		ErrorClass:   hooks.ErrorClass(in.string()),
		Error:        in.string(),
		ResponseBody: in.string(),
		RetryAt:      timeOf(in.varint()),
	}
	if len(in.b) > 0 {
		for range in.uvarint() {
			h := hooks.ResponseHeader{Name: in.string(), Value: in.string()}
			if in.failed {
				break
			}
			a.ResponseHeaders = append(a.ResponseHeaders, h)
		}
	}
	d.failed = d.failed || in.failed
	return a
}
