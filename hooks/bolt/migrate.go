package bolt

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/bbolt"
)

// migrate1 turns format 1 into format 2. There, the value of an event id was
// its seq alone and an event did not say when it was accepted nor to whom it
// went; a delivery knew no lanes, replays and revivals, and dead ones were in
// log. A subscription's version stood in its JSON alone, and there were no
// counts.
func migrate1(tx *bbolt.Tx) error {
	for _, name := range buckets {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	m := migration1{tx: tx, events: make(map[uint64]*eventTail), ages: make(map[uint64]int)}
	for _, step := range []func() error{m.deliveries, m.eventTails, m.subscriptions, m.counted} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

type migration1 struct {
	tx     *bbolt.Tx
	events map[uint64]*eventTail // what the deliveries tell of their events
	counts counts
	ages   map[uint64]int
}

// rewrite gives each value of a bucket a new one.
func (m *migration1) rewrite(name []byte, change func(k, v []byte) ([]byte, error)) error {
	b := m.tx.Bucket(name)
	var keys [][]byte
	err := b.ForEach(func(k, _ []byte) error {
		keys = append(keys, bytes.Clone(k))
		return nil
	})
	if err != nil {
		return err
	}
	for _, k := range keys {
		v, err := change(k, b.Get(k))
		if err == nil {
			err = b.Put(k, v)
		}
		if err != nil {
			return fmt.Errorf("%s %x: %w", name, k, err)
		}
	}
	return nil
}

func (m *migration1) deliveries() error {
	for _, from := range []shelf{fresh, retry, logged} {
		err := m.rewrite(shelfBuckets[from], func(k, v []byte) ([]byte, error) {
			p, ok := placeOf(k)
			r, err := decodeRecord1(v)
			if !ok || err != nil {
				return nil, errRecord
			}
			if from.unfinished() {
				m.counts[from]++
				m.ages[secondOf(r.created)]++
			}
			e := m.events[p.seq]
			if e == nil {
				e = &eventTail{accepted: r.created}
				m.events[p.seq] = e
			}
			e.refs = append(e.refs, p.ref)
			return r.encode(), nil
		})
		if err != nil {
			return err
		}
	}
	log, to := m.tx.Bucket(bucketLog), m.tx.Bucket(bucketDead)
	var died [][]byte
	err := log.ForEach(func(k, v []byte) error {
		if v[0] != stateDead {
			return nil
		}
		died = append(died, bytes.Clone(k))
		return to.Put(k, v)
	})
	for _, k := range died {
		if err == nil {
			err = log.Delete(k)
		}
	}
	return err
}

// eventTails takes an event that went to nobody for as old as the one before
// it.
func (m *migration1) eventTails() error {
	ids := m.tx.Bucket(bucketEventIDs)
	keys := make(map[uint64]string)
	err := ids.ForEach(func(k, v []byte) error {
		seq, ok := numberOf(v)
		if !ok {
			return errRecord
		}
		keys[seq] = string(k)
		return nil
	})
	if err != nil {
		return err
	}
	for _, key := range keys {
		if err := ids.Delete([]byte(key)); err != nil {
			return err
		}
	}
	last := time.Now().UnixNano()
	for _, e := range m.events {
		last = min(last, e.accepted)
	}
	return m.rewrite(bucketEvents, func(k, v []byte) ([]byte, error) {
		seq, _ := numberOf(k)
		d := decoder{b: v}
		d.uvarint() // how many it matched
		digest := d.string()
		key, ok := keys[seq]
		if d.failed || !ok {
			return nil, errRecord
		}
		tail := m.events[seq]
		if tail == nil {
			tail = &eventTail{accepted: last}
		}
		last, tail.key = tail.accepted, key
		slices.Sort(tail.refs)
		known := knownEvent{seq: seq, accepted: tail.accepted, matched: len(tail.refs), digest: digest}
		return tail.append(bytes.Clone(d.b)), ids.Put(eventIDKey(key), known.encode())
	})
}

func (m *migration1) subscriptions() error {
	return m.rewrite(bucketSubscriptions, func(_, v []byte) ([]byte, error) {
		var s struct {
			Version uint64 `json:"version"`
		}
		if len(v) < 8 || json.Unmarshal(v[8:], &s) != nil {
			return nil, errRecord
		}
		changed := binary.AppendUvarint(bytes.Clone(v[:8]), s.Version)
		return append(changed, v[8:]...), nil
	})
}

func (m *migration1) counted() error {
	ages := m.tx.Bucket(bucketAges)
	for second, n := range m.ages {
		if err := ages.Put(number(second), binary.AppendUvarint(nil, uint64(n))); err != nil {
			return err
		}
	}
	return m.tx.Bucket(bucketMeta).Put(keyCounts, m.counts.encode())
}

// decodeRecord1 reads a delivery of format 1.
func decodeRecord1(b []byte) (record, error) {
	d := decoder{b: b}
	r := record{
		state:    d.byte(),
		created:  d.int64(),
		at:       d.int64(),
		block:    uint32(d.uvarint()),
		eventKey: d.string(),
		reason:   d.string(),
		attempts: int(d.uvarint()),
	}
	r.since, r.raw = r.created, d.b
	if d.failed || int(r.state) >= len(states) {
		return record{}, errRecord
	}
	return r, nil
}
