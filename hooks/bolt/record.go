package bolt

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/flaghook/flaghook/hooks"
)

// A record is a stored delivery. Its attempts stay as they are stored until
// somebody wants to see them: a settlement only appends one.
type record struct {
	state    byte
	created  int64
	at       int64 // pending: not before; else: finished
	block    uint32
	eventID  string
	reason   string
	attempts int
	raw      []byte // the attempts, each with its length before it
}

// states gives the numbers by which states are stored; the order is part of
// the format.
var states = [...]hooks.State{
	hooks.StatePending, hooks.StateDelivered, hooks.StateDead, hooks.StateSkipped, hooks.StateCancelled,
}

func stateNumber(s hooks.State) (byte, bool) {
	for i, known := range states {
		if s == known {
			return byte(i), true
		}
	}
	return 0, false
}

var errRecord = errors.New("a stored record cannot be read; the file is damaged")

// recordHead is the part of fixed size: state and two times.
const recordHead = 1 + 8 + 8

func (r *record) encode() []byte {
	b := make([]byte, 0, recordHead+16+len(r.eventID)+len(r.reason)+len(r.raw))
	b = append(b, r.state)
	b = binary.BigEndian.AppendUint64(b, uint64(r.created))
	b = binary.BigEndian.AppendUint64(b, uint64(r.at))
	b = binary.AppendUvarint(b, uint64(r.block))
	b = appendString(b, r.eventID)
	b = appendString(b, r.reason)
	b = binary.AppendUvarint(b, uint64(r.attempts))
	return append(b, r.raw...)
}

// decodeRecord reads a record; raw shares memory with b.
func decodeRecord(b []byte) (record, error) {
	d := decoder{b: b}
	r := record{
		state:    d.byte(),
		created:  d.int64(),
		at:       d.int64(),
		block:    uint32(d.uvarint()),
		eventID:  d.string(),
		reason:   d.string(),
		attempts: int(d.uvarint()),
	}
	r.raw = d.b
	if d.failed || int(r.state) >= len(states) {
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

// delivery gives the record as the domain knows it.
func (r *record) delivery(subscriptionID string) (*hooks.Delivery, error) {
	d := &hooks.Delivery{
		ID:             hooks.DeliveryID(r.eventID, subscriptionID),
		EventID:        r.eventID,
		SubscriptionID: subscriptionID,
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
	b := make([]byte, 0, 48+len(a.Error)+len(a.ResponseBody))
	b = binary.AppendVarint(b, nanos(a.At))
	b = binary.AppendVarint(b, int64(a.Duration))
	b = binary.AppendVarint(b, int64(a.StatusCode))
	b = appendString(b, string(a.ErrorClass))
	b = appendString(b, a.Error)
	b = appendString(b, a.ResponseBody)
	b = binary.AppendVarint(b, nanos(a.RetryAt))
	return append(binary.AppendUvarint(make([]byte, 0, len(b)+4), uint64(len(b))), b...)
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
	d.failed = d.failed || in.failed
	return a
}
