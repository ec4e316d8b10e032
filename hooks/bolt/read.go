package bolt

import (
	"bytes"
	"context"
	"fmt"
	"strconv"

	"go.etcd.io/bbolt"

	"github.com/flaghook/flaghook/hooks"
)

// Event implements hooks.Store.
func (db *DB) Event(ctx context.Context, id string) (*hooks.Event, error) {
	var data []byte
	err := db.view(ctx, func(tx *bbolt.Tx) error {
		seq := tx.Bucket(bucketEventIDs).Get([]byte(id))
		if seq == nil {
			return hooks.ErrNotFound
		}
		_, stored, err := decodeEvent(tx.Bucket(bucketEvents).Get(seq))
		data = bytes.Clone(stored)
		return err
	})
	event := new(hooks.Event)
	if err == nil {
		err = event.UnmarshalBinary(data)
	}
	if err != nil {
		return nil, fmt.Errorf("event %s: %w", id, err)
	}
	return event, nil
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
		for _, name := range deliveryBuckets {
			if data := tx.Bucket(name).Get(p.key()); data != nil {
				r, err := decodeRecord(data)
				if err != nil {
					return err
				}
				d, err = r.delivery(string(subscriptionID))
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

// deliveryBuckets are those that hold records of deliveries.
var deliveryBuckets = [...][]byte{bucketFresh, bucketRetry, bucketLog}

// find asks the blocks of ids, newest first, where a delivery is.
func (db *DB) find(ids *bbolt.Bucket, id string) (place, bool) {
	raw, ok := rawIDOf(id)
	if !ok {
		return place{}, false
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

// Deliveries implements hooks.Store. A subscription that does not exist has
// none.
func (db *DB) Deliveries(ctx context.Context, subscriptionID, before string, limit int) (hooks.DeliveryPage, error) {
	var page hooks.DeliveryPage
	if limit < 1 || limit > 1000 {
		return page, fmt.Errorf("list deliveries: limit %d is not within 1 to 1000", limit)
	}
	var end uint64 // the seq before which the page begins; 0 is after the last
	if before != "" {
		var err error
		if end, err = strconv.ParseUint(before, 36, 64); err != nil || end == 0 {
			return page, fmt.Errorf("list deliveries: %q is not a cursor that an earlier page ended with", before)
		}
	}
	err := db.view(ctx, func(tx *bbolt.Tx) error {
		ref, ok := refIn(tx.Bucket(bucketSubscriptions), subscriptionID)
		if !ok {
			return nil
		}
		list := newListing(tx, ref, end)
		for {
			p, data := list.next()
			if data == nil {
				return nil
			}
			if len(page.Items) == limit {
				page.Cursor = strconv.FormatUint(end, 36)
				return nil
			}
			r, err := decodeRecord(data)
			if err != nil {
				return fmt.Errorf("delivery %x: %w", p.key(), err)
			}
			d, err := r.delivery(subscriptionID)
			if err != nil {
				return fmt.Errorf("delivery %x: %w", p.key(), err)
			}
			page.Items = append(page.Items, d)
			end = p.seq
		}
	})
	if err != nil {
		return hooks.DeliveryPage{}, err
	}
	return page, nil
}

// A listing merges the stretches of a subscription in the buckets that hold
// deliveries, newest first.
type listing struct {
	prefix []byte
	heads  [len(deliveryBuckets)]struct {
		cursor    *bbolt.Cursor
		key, data []byte
	}
}

// newListing begins before the delivery of seq end; 0 is after the last.
func newListing(tx *bbolt.Tx, ref, end uint64) *listing {
	l := &listing{prefix: number(ref)}
	stop := place{ref, end}.key()
	if end == 0 {
		stop = number(ref + 1)
	}
	for i, name := range deliveryBuckets {
		h := &l.heads[i]
		h.cursor = tx.Bucket(name).Cursor()
		if k, _ := h.cursor.Seek(stop); k == nil {
			h.key, h.data = h.cursor.Last()
		} else {
			h.key, h.data = h.cursor.Prev()
		}
	}
	return l
}

// next gives a record and moves on; data is nil at the end.
func (l *listing) next() (p place, data []byte) {
	newest := -1
	for i, h := range l.heads {
		if bytes.HasPrefix(h.key, l.prefix) && (newest < 0 || bytes.Compare(h.key, l.heads[newest].key) > 0) {
			newest = i
		}
	}
	if newest < 0 {
		return place{}, nil
	}
	h := &l.heads[newest]
	p, _ = placeOf(h.key)
	data = h.data
	h.key, h.data = h.cursor.Prev()
	return p, data
}
