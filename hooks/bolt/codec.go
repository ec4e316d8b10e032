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

// An eventHead is what is asked of a stored event without reading all of it.
type eventHead struct {
	matched int
	digest  string
}

func encodeEvent(h eventHead, event []byte) []byte {
	b := make([]byte, 0, 10+len(h.digest)+len(event))
	b = binary.AppendUvarint(b, uint64(h.matched))
	b = appendString(b, h.digest)
	return append(b, event...)
}

// decodeEvent reads the head; event shares memory with b.
func decodeEvent(b []byte) (h eventHead, event []byte, err error) {
	d := decoder{b: b}
	h = eventHead{matched: int(d.uvarint()), digest: d.string()}
	if d.failed {
		return eventHead{}, nil, errRecord
	}
	return h, d.b, nil
}

// The counters of a status are written with every attempt and its errors, which
// may hold long answers, with failed ones only: hence two records.

func encodeCounters(s hooks.Status) []byte {
	b := make([]byte, 0, 32)
	b = binary.AppendVarint(b, int64(s.SuccessCount))
	b = binary.AppendVarint(b, int64(s.ErrorCount))
	b = binary.AppendVarint(b, nanos(s.LastSuccess))
	return binary.AppendVarint(b, nanos(s.LastError))
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
