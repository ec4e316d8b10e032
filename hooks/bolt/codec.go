package bolt

import (
	"encoding/binary"

	"github.com/flaghook/flaghook/hooks"
)

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// A decoder reads what was appended, field by field. After a field that is not
// there, failed is set and everything reads as zero.
type decoder struct {
	b      []byte
	failed bool
}

func (d *decoder) fail() {
	d.failed = true
	d.b = nil
}

func (d *decoder) take(n uint64) []byte {
	if n > uint64(len(d.b)) {
		d.fail()
		return nil
	}
	taken := d.b[:n]
	d.b = d.b[n:]
	return taken
}

func (d *decoder) byte() byte {
	if b := d.take(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

func (d *decoder) int64() int64 {
	if b := d.take(8); len(b) == 8 {
		return int64(binary.BigEndian.Uint64(b))
	}
	return 0
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.b)
	if n <= 0 {
		d.fail()
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) bytes() []byte  { return d.take(d.uvarint()) }
func (d *decoder) string() string { return string(d.bytes()) }

// A known event is what its id leads to: all that it takes to answer when the
// event is sent again, also once the event itself is no longer kept.
type knownEvent struct {
	seq      uint64
	accepted int64
	matched  int
	digest   string
}

func (k knownEvent) encode() []byte {
	b := make([]byte, 0, 16+4+len(k.digest)+1)
	b = binary.BigEndian.AppendUint64(b, k.seq)
	b = binary.BigEndian.AppendUint64(b, uint64(k.accepted))
	b = binary.AppendUvarint(b, uint64(k.matched))
	return appendString(b, k.digest)
}

func decodeKnownEvent(b []byte) (knownEvent, error) {
	d := decoder{b: b}
	k := knownEvent{seq: uint64(d.int64()), accepted: d.int64(), matched: int(d.uvarint()), digest: d.string()}
	if d.failed {
		return knownEvent{}, errRecord
	}
	return k, nil
}

// An eventTail is what is kept behind an event: to whom it went is the index by
// which its deliveries are found. The same is kept of a replay, in place of the
// key its id. It stands behind, so that it can be written when the event is long
// encoded, without a copy.
type eventTail struct {
	accepted int64
	key      string
	refs     []uint64 // ascending
}

// tailEnd is the part of fixed size, at the very end: the time, and how long the
// rest of the tail is.
const tailEnd = 8 + 4

func tailSize(key string, refs int) int { return tailEnd + 12 + len(key) + 4*refs }

// append writes the tail behind an event.
func (h eventTail) append(event []byte) []byte {
	start := len(event)
	b := appendString(event, h.key)
	b = binary.AppendUvarint(b, uint64(len(h.refs)))
	last := uint64(0)
	for _, ref := range h.refs {
		b = binary.AppendUvarint(b, ref-last)
		last = ref
	}
	n := len(b) - start
	b = binary.BigEndian.AppendUint64(b, uint64(h.accepted))
	return binary.BigEndian.AppendUint32(b, uint32(n))
}

// decodeEvent reads the tail; event shares memory with b.
func decodeEvent(b []byte) (h eventTail, event []byte, err error) {
	d, event, err := openTail(b)
	if err != nil {
		return eventTail{}, nil, err
	}
	h = eventTail{accepted: acceptedOf(b), key: d.string()}
	count := d.uvarint()
	if count > uint64(len(d.b)) { // each takes a byte or more
		return eventTail{}, nil, errRecord
	}
	h.refs = make([]uint64, 0, count)
	last := uint64(0)
	for range count {
		last += d.uvarint()
		h.refs = append(h.refs, last)
	}
	if d.failed || len(d.b) > 0 {
		return eventTail{}, nil, errRecord
	}
	return h, event, nil
}

// openTail finds the tail of an event.
func openTail(b []byte) (d decoder, event []byte, err error) {
	end := len(b) - tailEnd
	if end < 0 {
		return d, nil, errRecord
	}
	n := int(binary.BigEndian.Uint32(b[end+8:]))
	if n > end {
		return d, nil, errRecord
	}
	return decoder{b: b[end-n : end]}, b[:end-n], nil
}

// peekEvent reads of the tail only the key and how many refs it has. All that it
// returns shares memory with b.
func peekEvent(b []byte) (key []byte, refs int, event []byte, err error) {
	d, event, err := openTail(b)
	if err != nil {
		return nil, 0, nil, err
	}
	key = d.bytes()
	if refs = int(d.uvarint()); d.failed {
		return nil, 0, nil, errRecord
	}
	return key, refs, event, nil
}

// acceptedOf reads the time of acceptance alone.
func acceptedOf(event []byte) int64 {
	if len(event) < tailEnd {
		return 0
	}
	return int64(binary.BigEndian.Uint64(event[len(event)-tailEnd:]))
}

// The counters of a status are written with every attempt and its errors, which
// may hold long answers, with failed ones only: hence two records.

func encodeCounters(s hooks.Status) []byte {
	b := make([]byte, 0, 32)
	b = binary.AppendVarint(b, int64(s.SuccessCount))
	b = binary.AppendVarint(b, int64(s.ErrorCount))
	b = binary.AppendVarint(b, nanos(s.LastSuccess))
	b = binary.AppendVarint(b, nanos(s.LastError))
	return binary.AppendVarint(b, nanos(s.FailingSince))
}

// decodeCounters reads into s; no record means all zero.
func decodeCounters(b []byte, s *hooks.Status) error {
	if b == nil {
		return nil
	}
	d := decoder{b: b}
	s.SuccessCount = int(d.varint())
	s.ErrorCount = int(d.varint())
	s.LastSuccess = timeOf(d.varint())
	s.LastError = timeOf(d.varint())
	if len(d.b) > 0 { // a file that was migrated does not know
		s.FailingSince = timeOf(d.varint())
	}
	if d.failed {
		return errRecord
	}
	return nil
}

func encodeErrors(list []hooks.StatusError) []byte {
	var b []byte
	for _, e := range list {
		one := binary.AppendVarint(nil, int64(e.StatusCode))
		one = appendString(one, e.ResponseBody)
		one = appendString(one, e.Message)
		one = binary.AppendVarint(one, nanos(e.Timestamp))
		b = append(binary.AppendUvarint(b, uint64(len(one))), one...)
	}
	return b
}

func decodeErrors(b []byte) ([]hooks.StatusError, error) {
	var list []hooks.StatusError
	for d := (decoder{b: b}); len(d.b) > 0; {
		in := decoder{b: d.bytes()}
		list = append(list, hooks.StatusError{
			StatusCode:   int(in.varint()),
			ResponseBody: in.string(),
			Message:      in.string(),
			Timestamp:    timeOf(in.varint()),
		})
		if d.failed || in.failed {
			return nil, errRecord
		}
	}
	return list, nil
}
