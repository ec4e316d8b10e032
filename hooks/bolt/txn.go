package bolt

import (
	"fmt"

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
	err      error
	dirty    bool
	sweeping []uint64
	statuses map[uint64]*statusChange

	subscriptions, refs, counters, errors *bbolt.Bucket
	events, eventIDs                      *bbolt.Bucket
	fresh, retry, due, log, ids, deleted  *bbolt.Bucket
}

// appendFill is how full bbolt leaves the pages of buckets that grow at their
// end; the rest of a page is room for records that grow.
const appendFill = 0.9

func newTxn(db *DB, tx *bbolt.Tx) *txn {
	t := &txn{
		db: db, sweeping: db.sweeping, statuses: make(map[uint64]*statusChange),
		subscriptions: tx.Bucket(bucketSubscriptions),
		refs:          tx.Bucket(bucketRefs),
		counters:      tx.Bucket(bucketCounters),
		errors:        tx.Bucket(bucketErrors),
		events:        tx.Bucket(bucketEvents),
		eventIDs:      tx.Bucket(bucketEventIDs),
		fresh:         tx.Bucket(bucketFresh),
		retry:         tx.Bucket(bucketRetry),
		due:           tx.Bucket(bucketDue),
		log:           tx.Bucket(bucketLog),
		ids:           tx.Bucket(bucketIDs),
		deleted:       tx.Bucket(bucketDeleted),
	}
	for _, b := range []*bbolt.Bucket{t.events, t.eventIDs, t.fresh, t.log, t.ids} {
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
	if err := b.Delete(key); err != nil {
		t.fail(err)
	}
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
	return refIn(t.subscriptions, subscriptionID)
}

func refIn(subscriptions *bbolt.Bucket, id string) (uint64, bool) {
	v := subscriptions.Get([]byte(id))
	if len(v) < 8 {
		return 0, false
	}
	return numberOf(v[:8])
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
	for _, b := range []*bbolt.Bucket{t.fresh, t.retry, t.log} {
		keys, blocks := t.recordsOf(b, ref, left)
		for i, k := range keys {
			t.delete(b, k)
			t.delete(t.ids, idKey(blocks[i].block, blocks[i].id(id)))
		}
		left -= len(keys)
	}
	keys := keysOf(t.due, ref, left)
	for _, k := range keys {
		t.delete(t.due, k)
	}
	if left -= len(keys); left > 0 {
		t.delete(t.deleted, number(ref))
		t.sweeping = t.sweeping[1:len(t.sweeping):len(t.sweeping)]
	}
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

// keysOf lists up to n keys that begin with a ref.
func keysOf(b *bbolt.Bucket, ref uint64, n int) [][]byte {
	var keys [][]byte
	c := b.Cursor()
	for k, _ := c.Seek(number(ref)); k != nil && len(keys) < n; k, _ = c.Next() {
		if r, ok := numberOf(k[:min(8, len(k))]); !ok || r != ref {
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
