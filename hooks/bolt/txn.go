package bolt

import (
	"bytes"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/flaghook/flaghook/hooks"
)

// idsPerBlock is how many delivery ids share a block: few enough that a block
// is a handful of pages, many enough that there are few blocks to ask.
const idsPerBlock = 512

// A txn is the writer's transaction. Its put and delete keep the first error,
// which ends the transaction for everybody.
type txn struct {
	db       *DB
	id       int
	now      int64 // when it began: the time of acceptance of its events
	err      error
	dirty    bool
	sweeping []uint64
	statuses map[uint64]*statusChange
	counts   counts
	ages     map[uint64]int // changes by second of acceptance
	pruner   pruner
	woken    []wake // what may be claimable when it is committed

	cursors map[*bbolt.Bucket]*bbolt.Cursor // for get and delete: a new one for each costs more than the search
	known   map[string]uint64               // refs of subscriptions that were asked for

	meta, subscriptions, refs, counters, errors, records *bbolt.Bucket
	events, eventIDs, replays, pruned                    *bbolt.Bucket
	due, lanes, ids, agesBucket, deleted                 *bbolt.Bucket
	shelves                                              [shelves]*bbolt.Bucket
}

// A wake names a subscription that has something due: a delivery that is new or,
// where that has no id, something else.
type wake struct {
	ref     uint64
	id      string
	pending pending
}

// appendFill is how full bbolt leaves the pages of buckets that grow at their
// end; the rest of a page is room for records that grow.
const appendFill = 0.9

func newTxn(db *DB, tx *bbolt.Tx) *txn {
	t := &txn{
		db: db, id: tx.ID(), now: time.Now().UnixNano(), sweeping: db.sweeping, counts: db.counts, pruner: db.pruner, woken: db.woken[:0],
		statuses:      make(map[uint64]*statusChange),
		ages:          make(map[uint64]int),
		cursors:       make(map[*bbolt.Bucket]*bbolt.Cursor),
		known:         make(map[string]uint64),
		meta:          tx.Bucket(bucketMeta),
		subscriptions: tx.Bucket(bucketSubscriptions),
		refs:          tx.Bucket(bucketRefs),
		counters:      tx.Bucket(bucketCounters),
		errors:        tx.Bucket(bucketErrors),
		records:       tx.Bucket(bucketRecords),
		events:        tx.Bucket(bucketEvents),
		eventIDs:      tx.Bucket(bucketEventIDs),
		replays:       tx.Bucket(bucketReplays),
		pruned:        tx.Bucket(bucketPruned),
		due:           tx.Bucket(bucketDue),
		lanes:         tx.Bucket(bucketLanes),
		ids:           tx.Bucket(bucketIDs),
		agesBucket:    tx.Bucket(bucketAges),
		deleted:       tx.Bucket(bucketDeleted),
	}
	for s, name := range shelfBuckets {
		t.shelves[s] = tx.Bucket(name)
	}
	for _, b := range []*bbolt.Bucket{t.events, t.eventIDs, t.shelves[fresh], t.shelves[logged], t.ids} {
		b.FillPercent = appendFill
	}
	return t
}

func (t *txn) fail(err error) {
	if t.err == nil {
		t.err = err
	}
}

func (t *txn) put(b *bbolt.Bucket, key, value []byte) {
	t.dirty = true
	if err := b.Put(key, value); err != nil {
		t.fail(err)
	}
}

func (t *txn) delete(b *bbolt.Bucket, key []byte) {
	t.dirty = true
	c, _ := t.seek(b, key)
	if c == nil {
		return
	}
	if err := c.Delete(); err != nil {
		t.fail(err)
	}
}

// get is the value of a key, nil when there is none.
func (t *txn) get(b *bbolt.Bucket, key []byte) []byte {
	_, v := t.seek(b, key)
	return v
}

// seek gives a cursor at a key and the key's value, nil when there is no such key.
func (t *txn) seek(b *bbolt.Bucket, key []byte) (c *bbolt.Cursor, value []byte) {
	c = t.cursor(b)
	k, v := c.Seek(key)
	if !bytes.Equal(k, key) {
		return nil, nil
	}
	return c, v
}

// cursor is the bucket's, wherever it is.
func (t *txn) cursor(b *bbolt.Bucket) *bbolt.Cursor {
	c := t.cursors[b]
	if c == nil {
		c = b.Cursor()
		t.cursors[b] = c
	}
	return c
}

func (t *txn) next(b *bbolt.Bucket) uint64 {
	n, err := b.NextSequence()
	if err != nil {
		t.fail(err)
	}
	return n
}

// ref is the number of a subscription that exists.
func (t *txn) ref(subscriptionID string) (uint64, bool) {
	if ref, ok := t.known[subscriptionID]; ok {
		return ref, true
	}
	ref, ok := refIn(t.subscriptions, subscriptionID)
	if ok {
		t.known[subscriptionID] = ref
	}
	return ref, ok
}

func refIn(subscriptions *bbolt.Bucket, id string) (uint64, bool) {
	return leadingNumber(subscriptions.Get([]byte(id)))
}

// nextBlock is the block for one more delivery id.
func (t *txn) nextBlock() uint32 {
	db := t.db
	if db.inBlock >= idsPerBlock {
		db.block.Add(1)
		db.inBlock = 0
	}
	db.inBlock++
	return db.block.Load()
}

// sweepChunk is how many records of deleted subscriptions go in one
// transaction, so that nobody waits long for it.
const sweepChunk = 500

// sweep removes a chunk of what a deleted subscription left behind.
func (t *txn) sweep() {
	if len(t.sweeping) == 0 {
		return
	}
	ref := t.sweeping[0]
	id := string(t.deleted.Get(number(ref)))
	left := sweepChunk
	for s, b := range t.shelves {
		keys, records := t.recordsOf(b, ref, left)
		for i, k := range keys {
			t.delete(b, k)
			t.forgetID(&records[i], id)
			t.count(shelf(s), records[i].created, -1)
		}
		left -= len(keys)
	}
	for _, b := range []*bbolt.Bucket{t.due, t.lanes} {
		keys := keysOf(b, ref, left)
		for _, k := range keys {
			t.delete(b, k)
		}
		left -= len(keys)
	}
	if left > 0 {
		t.delete(t.deleted, number(ref))
		t.sweeping = t.sweeping[1:len(t.sweeping):len(t.sweeping)]
	}
}

// forgetID removes the id of a delivery that is removed.
func (t *txn) forgetID(r *record, subscriptionID string) {
	raw, _ := rawIDOf(r.id(subscriptionID))
	t.delete(t.ids, idKey(r.block, raw))
}

// recordsOf lists up to n records of a subscription. Nothing may be deleted
// while a cursor walks, so they are listed first.
func (t *txn) recordsOf(b *bbolt.Bucket, ref uint64, n int) (keys [][]byte, records []record) {
	keys = keysOf(b, ref, n)
	for _, k := range keys {
		r, err := decodeRecord(b.Get(k))
		if err != nil {
			t.fail(fmt.Errorf("delivery %x: %w", k, err))
		}
		records = append(records, r)
	}
	return keys, records
}

// keysOf lists up to n keys that begin with a number; a negative n is no limit.
func keysOf(b *bbolt.Bucket, ref uint64, n int) [][]byte {
	var keys [][]byte
	c := b.Cursor()
	for k, _ := c.Seek(number(ref)); k != nil && len(keys) != n; k, _ = c.Next() {
		if r, ok := leadingNumber(k); !ok || r != ref {
			break
		}
		keys = append(keys, append([]byte(nil), k...))
	}
	return keys
}

// A statusChange is a status being brought up to date; it is written once per
// transaction, however many attempts it records.
type statusChange struct {
	status hooks.Status
	failed bool // its list of errors was read and has grown
}

func (t *txn) recordAttempt(ref uint64, a hooks.Attempt) {
	s := t.statuses[ref]
	if s == nil {
		s = &statusChange{}
		if err := decodeCounters(t.counters.Get(number(ref)), &s.status); err != nil {
			t.fail(err)
			return
		}
		t.statuses[ref] = s
	}
	if a.ErrorClass != "" && !s.failed {
		list, err := decodeErrors(t.errors.Get(number(ref)))
		if err != nil {
			t.fail(err)
			return
		}
		s.status.Errors, s.failed = list, true
	}
	s.status.Record(a)
}

func (t *txn) writeStatuses() {
	for ref, s := range t.statuses {
		t.put(t.counters, number(ref), encodeCounters(s.status))
		if s.failed {
			t.put(t.errors, number(ref), encodeErrors(s.status.Errors))
		}
	}
}
