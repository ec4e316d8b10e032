package bolt

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"go.etcd.io/bbolt"

	"github.com/flaghook/flaghook/hooks"
)

// Event implements hooks.Store. An event that has no scope and is asked for by
// its key comes before others of that id.
func (db *DB) Event(ctx context.Context, key string) (*hooks.StoredEvent, error) {
	var stored storedEvent
	err := db.view(ctx, func(tx *bbolt.Tx) error {
		known, err := findEvent(tx.Bucket(bucketEventIDs), key)
		if err != nil {
			return err
		}
		v := tx.Bucket(bucketEvents).Get(number(known.seq))
		if v == nil {
			return hooks.ErrNotFound // only its id is still known
		}
		stored, err = readEvent(v)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("event %s: %w", key, err)
	}
	return stored.event()
}

// findEvent looks for the event of a key or of a bare id.
func findEvent(eventIDs *bbolt.Bucket, key string) (knownEvent, error) {
	exact := eventIDKey(key)
	if v := eventIDs.Get(exact); v != nil {
		return decodeKnownEvent(v)
	}
	var newest knownEvent
	if strings.Contains(key, "/") {
		return newest, hooks.ErrNotFound
	}
	c := eventIDs.Cursor()
	for k, v := c.Seek(exact); bytes.HasPrefix(k, exact); k, v = c.Next() {
		known, err := decodeKnownEvent(v)
		if err != nil {
			return newest, err
		}
		if known.seq > newest.seq {
			newest = known
		}
	}
	if newest.seq == 0 {
		return newest, hooks.ErrNotFound
	}
	return newest, nil
}

// A storedEvent is a copy of what is stored of an event. It is taken apart
// outside of the transaction, which that would make long.
type storedEvent struct {
	tail eventTail
	data []byte
}

func readEvent(v []byte) (storedEvent, error) {
	tail, data, err := decodeEvent(v)
	return storedEvent{tail, bytes.Clone(data)}, err
}

func (s storedEvent) event() (*hooks.StoredEvent, error) {
	event := new(hooks.Event)
	if err := event.UnmarshalBinary(s.data); err != nil {
		return nil, fmt.Errorf("event %s: %w", s.tail.key, err)
	}
	return &hooks.StoredEvent{Event: event, AcceptedAt: timeOf(s.tail.accepted), Matched: len(s.tail.refs)}, nil
}

// Delivery implements hooks.Store.
func (db *DB) Delivery(ctx context.Context, id string) (*hooks.Delivery, error) {
	var d *hooks.Delivery
	err := db.view(ctx, func(tx *bbolt.Tx) error {
		p, ok := db.find(tx.Bucket(bucketIDs), id)
		if !ok {
			return hooks.ErrNotFound
		}
		// Without a ref it is one of a deleted subscription, not yet swept.
		subscriptionID := tx.Bucket(bucketRefs).Get(number(p.ref))
		if subscriptionID == nil {
			return hooks.ErrNotFound
		}
		for s, name := range shelfBuckets {
			if data := tx.Bucket(name).Get(p.key()); data != nil {
				r, err := decodeRecord(data)
				if err != nil {
					return err
				}
				if r.id(string(subscriptionID)) != id {
					break
				}
				d, err = r.delivery(string(subscriptionID), shelf(s))
				return err
			}
		}
		return hooks.ErrNotFound
	})
	if err != nil {
		return nil, fmt.Errorf("delivery %s: %w", id, err)
	}
	return d, nil
}

// find asks the blocks of ids, newest first, where a delivery is. Those that
// were listed a moment ago are remembered: lists are what bulk work goes by. It
// may be there no more.
func (db *DB) find(ids *bbolt.Bucket, id string) (place, bool) {
	raw, ok := rawIDOf(id)
	if !ok {
		return place{}, false
	}
	if p, ok := db.listed.get(raw); ok {
		return p, true
	}
	first, ok := firstBlock(ids)
	if !ok {
		return place{}, false
	}
	for block := db.block.Load(); block >= first; block-- {
		if v := ids.Get(idKey(block, raw)); v != nil {
			return placeOf(v)
		}
		if block == 0 {
			break
		}
	}
	return place{}, false
}

// firstBlock is the oldest block of ids that there is.
func firstBlock(ids *bbolt.Bucket) (uint32, bool) {
	k, _ := ids.Cursor().First()
	if len(k) < 4 {
		return 0, false
	}
	return binary.BigEndian.Uint32(k), true
}

// maxLimit bounds the pages of lists.
const maxLimit = 1000

var errLimit = fmt.Errorf("the limit is not within 1 to %d", maxLimit)

func errCursor(before string) error {
	return fmt.Errorf("%q is not a cursor that an earlier page ended with", before)
}

var errNoState = errors.New("it asks for a state that is none")
