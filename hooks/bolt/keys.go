package bolt

import (
	"encoding/binary"
	"time"
)

// The top-level buckets; the package documentation says what is in them.
var (
	bucketMeta          = []byte("meta")
	bucketSubscriptions = []byte("subscriptions")
	bucketRefs          = []byte("refs")
	bucketCounters      = []byte("counters")
	bucketErrors        = []byte("errors")
	bucketEvents        = []byte("events")
	bucketEventIDs      = []byte("eventids")
	bucketFresh         = []byte("fresh")
	bucketRetry         = []byte("retry")
	bucketDue           = []byte("due")
	bucketLog           = []byte("log")
	bucketIDs           = []byte("ids")
	bucketDeleted       = []byte("deleted")
)

// buckets lists the buckets of a file of the present format.
var buckets = [][]byte{
	bucketMeta, bucketSubscriptions, bucketRefs, bucketCounters, bucketErrors,
	bucketEvents, bucketEventIDs, bucketFresh, bucketRetry, bucketDue,
	bucketLog, bucketIDs, bucketDeleted,
}

// A place names a delivery: the key of its record.
type place struct{ ref, seq uint64 }

const placeSize = 16

func (p place) key() []byte {
	k := make([]byte, placeSize)
	binary.BigEndian.PutUint64(k, p.ref)
	binary.BigEndian.PutUint64(k[8:], p.seq)
	return k
}

// placeOf reads a key, or a value of the bucket ids.
func placeOf(k []byte) (place, bool) {
	if len(k) != placeSize {
		return place{}, false
	}
	return place{binary.BigEndian.Uint64(k), binary.BigEndian.Uint64(k[8:])}, true
}

// number is the key of one integer: a ref or a seq.
func number(n uint64) []byte {
	return binary.BigEndian.AppendUint64(make([]byte, 0, 8), n)
}

func numberOf(k []byte) (uint64, bool) {
	if len(k) != 8 {
		return 0, false
	}
	return binary.BigEndian.Uint64(k), true
}

const dueSize = 24

// dueKey orders the retries of a subscription by time. Times before 1970 are
// taken for 1970, so that they sort first.
func dueKey(p place, at time.Time) []byte {
	k := make([]byte, dueSize)
	binary.BigEndian.PutUint64(k, p.ref)
	binary.BigEndian.PutUint64(k[8:], uint64(max(nanos(at), 0)))
	binary.BigEndian.PutUint64(k[16:], p.seq)
	return k
}

func dueOf(k []byte) (p place, at time.Time, ok bool) {
	if len(k) != dueSize {
		return place{}, time.Time{}, false
	}
	p = place{binary.BigEndian.Uint64(k), binary.BigEndian.Uint64(k[16:])}
	return p, time.Unix(0, int64(binary.BigEndian.Uint64(k[8:]))), true
}

// rawID is a delivery id as bytes.
type rawID [16]byte

func idKey(block uint32, id rawID) []byte {
	k := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(id)), block)
	return append(k, id[:]...)
}

// nanos gives a time as it is stored: nanoseconds since 1970, 0 for none.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func timeOf(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}
