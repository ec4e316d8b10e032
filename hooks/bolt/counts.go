package bolt

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/flaghook/flaghook/hooks"
)

// counts says how many unfinished deliveries are on each shelf. They are kept
// in the file, and so known at once when it is opened. What a deleted
// subscription left behind counts until it is swept up.
type counts [held + 1]int

func (c counts) total() int { return c[fresh] + c[retry] + c[held] }

var keyCounts = []byte("counts")

func (c counts) encode() []byte {
	var b []byte
	for _, n := range c {
		b = binary.AppendUvarint(b, uint64(n))
	}
	return b
}

func decodeCounts(b []byte) (c counts, err error) {
	d := decoder{b: b}
	for i := range c {
		c[i] = int(d.uvarint())
		if c[i] < 0 {
			d.fail()
		}
	}
	if d.failed {
		return counts{}, fmt.Errorf("counts: %w", errRecord)
	}
	return c, nil
}

// count notes that a delivery accepted at a time has come to a shelf (by 1) or
// has left it (by -1).
func (t *txn) count(s shelf, created int64, by int) {
	if !s.unfinished() {
		return
	}
	t.counts[s] += by
	t.ages[secondOf(created)] += by
}

// secondOf is the key of a time in the bucket ages.
func secondOf(nanos int64) uint64 { return uint64(max(nanos, 0)) / uint64(time.Second) }

// writeCounts writes what count has noted, once per transaction.
func (t *txn) writeCounts() {
	if t.counts != t.db.counts {
		t.put(t.meta, keyCounts, t.counts.encode())
	}
	for second, change := range t.ages {
		if change == 0 {
			continue
		}
		key := number(second)
		n := int64(change)
		if v := t.agesBucket.Get(key); v != nil {
			was, _ := binary.Uvarint(v)
			n += int64(was)
		}
		if n > 0 {
			t.put(t.agesBucket, key, binary.AppendUvarint(nil, uint64(n)))
		} else {
			t.delete(t.agesBucket, key)
		}
	}
}

// Stats implements hooks.Queue. Oldest is in whole seconds.
func (db *DB) Stats(ctx context.Context) (hooks.QueueStats, error) {
	var s hooks.QueueStats
	err := db.view(ctx, func(tx *bbolt.Tx) error {
		c, err := decodeCounts(tx.Bucket(bucketMeta).Get(keyCounts))
		s.Fresh, s.Retry, s.Held = c[fresh], c[retry], c[held]
		if k, _ := tx.Bucket(bucketAges).Cursor().First(); k != nil {
			second, _ := numberOf(k)
			s.Oldest = time.Unix(int64(second), 0).UTC()
		}
		return err
	})
	if err != nil {
		return hooks.QueueStats{}, fmt.Errorf("count deliveries: %w", err)
	}
	db.queue.mu.Lock()
	defer db.queue.mu.Unlock()
	s.Leased = len(db.queue.leases)
	return s, nil
}
