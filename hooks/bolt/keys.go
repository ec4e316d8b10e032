package bolt

import (
	"encoding/binary"
	"hash/fnv"
	"strings"
	"time"
)

// The top-level buckets; the package documentation says what is in them.
var (
	bucketMeta          = []byte("meta")
	bucketSubscriptions = []byte("subscriptions")
	bucketRefs          = []byte("refs")
	bucketCounters      = []byte("counters")
	bucketErrors        = []byte("errors")
	bucketRecords       = []byte("records")
	bucketEvents        = []byte("events")
	bucketEventIDs      = []byte("eventids")
	bucketReplays       = []byte("replays")
	bucketPruned        = []byte("pruned")
	bucketFresh         = []byte("fresh")
	bucketRetry         = []byte("retry")
	bucketDue           = []byte("due")
	bucketHeld          = []byte("held")
	bucketLanes         = []byte("lanes")
	bucketDead          = []byte("dead")
	bucketLog           = []byte("log")
	bucketIDs           = []byte("ids")
	bucketAges          = []byte("ages")
	bucketDeleted       = []byte("deleted")
)

// buckets lists the buckets of a file of the present format.
var buckets = [][]byte{
	bucketMeta, bucketSubscriptions, bucketRefs, bucketCounters, bucketErrors, bucketRecords,
	bucketEvents, bucketEventIDs, bucketReplays, bucketPruned, bucketFresh, bucketRetry, bucketDue,
	bucketHeld, bucketLanes, bucketDead, bucketLog, bucketIDs, bucketAges, bucketDeleted,
}

// A shelf is one of the buckets that hold deliveries.
type shelf int

const (
	fresh  shelf = iota // wait for their first attempt
	retry               // wait for another attempt
	held                // wait for an earlier one of their lane
	dead                // given up
	logged              // finished otherwise
	shelves
)

// shelfBuckets gives the buckets of the shelves.
var shelfBuckets = [shelves][]byte{bucketFresh, bucketRetry, bucketHeld, bucketDead, bucketLog}

// unfinished reports whether what is there may still be attempted.
func (s shelf) unfinished() bool { return s <= held }

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

// number is the key of one integer: a ref, a seq or a second.
func number(n uint64) []byte {
	return binary.BigEndian.AppendUint64(make([]byte, 0, 8), n)
}

func numberOf(k []byte) (uint64, bool) {
	if len(k) != 8 {
		return 0, false
	}
	return binary.BigEndian.Uint64(k), true
}

// leadingNumber reads the integer that a key or a value begins with.
func leadingNumber(k []byte) (uint64, bool) {
	if len(k) < 8 {
		return 0, false
	}
	return binary.BigEndian.Uint64(k), true
}

const dueSize = 24

// dueKey orders the retries of a subscription by time, in nanoseconds. Times
// before 1970 are taken for 1970, so that they sort first.
func dueKey(p place, at int64) []byte {
	return tripleKey(p.ref, uint64(max(at, 0)), p.seq)
}

func dueOf(k []byte) (p place, at int64, ok bool) {
	if len(k) != dueSize {
		return place{}, 0, false
	}
	p = place{binary.BigEndian.Uint64(k), binary.BigEndian.Uint64(k[16:])}
	return p, int64(binary.BigEndian.Uint64(k[8:])), true
}

// laneKey orders the unfinished deliveries of a lane by seq.
func laneKey(p place, lane uint64) []byte { return tripleKey(p.ref, lane, p.seq) }

func tripleKey(a, b, c uint64) []byte {
	k := make([]byte, 24)
	binary.BigEndian.PutUint64(k, a)
	binary.BigEndian.PutUint64(k[8:], b)
	binary.BigEndian.PutUint64(k[16:], c)
	return k
}

// laneOf is the number of the lane of a resource, never 0. Two resources of one
// number share a lane, which costs them time and nothing else.
func laneOf(resource string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(resource))
	return max(h.Sum64(), 1)
}

// eventIDKey puts the id first, so that a bare id finds its events in all
// scopes. No id and no scope holds a NUL.
func eventIDKey(key string) []byte {
	slash := strings.LastIndexByte(key, '/')
	k := make([]byte, 0, len(key)+1)
	k = append(append(k, key[slash+1:]...), 0)
	return append(k, key[:max(slash, 0)]...)
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
