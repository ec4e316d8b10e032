package bolt

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"

	"go.etcd.io/bbolt"
)

// Consistent reads all deliveries of a file and compares what is kept beside
// them, so that each test that uses a file tests that too.
func Consistent(tx *bbolt.Tx) error {
	if tx.Bucket(bucketMeta) == nil {
		return nil // not ours
	}
	c := checker{tx: tx, ages: make(map[uint64]uint64)}
	for s := range shelves {
		c.each(s)
	}
	c.sizes()
	return errors.Join(c.all...)
}

type checker struct {
	tx      *bbolt.Tx
	all     []error
	records int
	counts  counts
	ages    map[uint64]uint64
}

func (c *checker) failf(format string, args ...any) {
	if len(c.all) < 20 {
		c.all = append(c.all, fmt.Errorf(format, args...))
	}
}

func (c *checker) each(s shelf) {
	refs, deleted := c.tx.Bucket(bucketRefs), c.tx.Bucket(bucketDeleted)
	err := c.tx.Bucket(shelfBuckets[s]).ForEach(func(k, v []byte) error {
		p, _ := placeOf(k)
		r, err := decodeRecord(v)
		if err != nil {
			return err
		}
		c.records++
		if s.unfinished() {
			c.counts[s]++
			c.ages[secondOf(r.created)]++
		}
		if want := states[r.state].Final(); want == s.unfinished() || (r.state == stateDead) != (s == dead) {
			c.failf("delivery %x is %s on shelf %d", k, states[r.state], s)
		}
		id := refs.Get(number(p.ref))
		if id == nil {
			if deleted.Get(number(p.ref)) == nil {
				c.failf("delivery %x belongs to nobody", k)
			}
			return nil // half swept
		}
		raw, _ := rawIDOf(r.id(string(id)))
		if !bytes.Equal(c.tx.Bucket(bucketIDs).Get(idKey(r.block, raw)), k) {
			c.failf("the id of delivery %x does not lead to it", k)
		}
		if s == retry && c.tx.Bucket(bucketDue).Get(dueKey(p, r.at)) == nil {
			c.failf("delivery %x is never due", k)
		}
		if r.lane == 0 && s == held || r.lane != 0 && !s.unfinished() {
			c.failf("delivery %x on shelf %d has lane %d", k, s, r.lane)
		}
		if r.lane != 0 {
			if c.tx.Bucket(bucketLanes).Get(laneKey(p, r.lane)) == nil {
				c.failf("delivery %x is not in its lane", k)
			}
			first, _ := (&txn{lanes: c.tx.Bucket(bucketLanes)}).firstIn(p.ref, r.lane)
			if (first == p) == (s == held) {
				c.failf("delivery %x on shelf %d, the first in its lane is %x", k, s, first.key())
			}
		}
		return nil
	})
	if err != nil {
		c.failf("shelf %d: %w", s, err)
	}
}

func (c *checker) sizes() {
	if stored, err := decodeCounts(c.tx.Bucket(bucketMeta).Get(keyCounts)); err != nil || stored != c.counts {
		c.failf("counts are stored as %v, %w, and are %v", stored, err, c.counts)
	}
	ages := make(map[uint64]uint64)
	c.tx.Bucket(bucketAges).ForEach(func(k, v []byte) error {
		second, _ := numberOf(k)
		ages[second], _ = binary.Uvarint(v)
		return nil
	})
	if !maps.Equal(ages, c.ages) {
		c.failf("ages are stored as %v, and are %v", ages, c.ages)
	}
	if k, _ := c.tx.Bucket(bucketDeleted).Cursor().First(); k != nil {
		return
	}
	n := func(name []byte) int { return c.tx.Bucket(name).Stats().KeyN }
	if got := n(bucketIDs); got != c.records {
		c.failf("there are %d ids for %d deliveries", got, c.records)
	}
	if got := n(bucketDue); got != c.counts[retry] {
		c.failf("%d are due, %d wait for a retry", got, c.counts[retry])
	}
}
