package bolt

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"

	"go.etcd.io/bbolt"

	"github.com/flaghook/flaghook/hooks"
)

// PutSubscription implements hooks.Store.
func (db *DB) PutSubscription(ctx context.Context, s *hooks.Subscription) error {
	if err := checkID(s.ID); err != nil {
		return fmt.Errorf("subscription: %w", err)
	}
	data, err := json.Marshal(s)
	if err == nil {
		data, err = db.seal(bucketSubscriptions, []byte(s.ID), data)
	}
	if err != nil {
		return fmt.Errorf("subscription %s: %w", s.ID, err)
	}
	return db.submit(ctx, &subscriptionPut{id: s.ID, version: s.Version, data: data})
}

type subscriptionPut struct {
	id      string
	version uint64
	data    []byte
}

func (o *subscriptionPut) size() int { return len(o.data) + 100 }

func (o *subscriptionPut) apply(t *txn) error {
	v := t.subscriptions.Get([]byte(o.id))
	exists := v != nil
	var ref, stored uint64
	if exists {
		var err error
		if ref, stored, _, err = decodeSubscription(v); err != nil {
			t.fail(fmt.Errorf("subscription %s: %w", o.id, err))
			return nil
		}
	}
	if o.version != stored+1 {
		return fmt.Errorf("subscription %s: version %d cannot follow version %d: %w", o.id, o.version, stored, hooks.ErrConflict)
	}
	if !exists {
		ref = t.next(t.subscriptions)
		t.put(t.refs, number(ref), []byte(o.id))
	}
	t.put(t.subscriptions, []byte(o.id), append(binary.AppendUvarint(number(ref), o.version), o.data...))
	return nil
}

func (o *subscriptionPut) applied(*queue) {}

// decodeSubscription reads a stored subscription; data shares memory with v.
func decodeSubscription(v []byte) (ref, version uint64, data []byte, err error) {
	d := decoder{b: v}
	ref, version = uint64(d.int64()), d.uvarint()
	if d.failed {
		return 0, 0, nil, errRecord
	}
	return ref, version, d.b, nil
}

// DeleteSubscription implements hooks.Store. When it returns, the subscription
// is gone and nothing of it can be claimed or seen; the space is given back bit
// by bit in the background, also after a restart.
func (db *DB) DeleteSubscription(ctx context.Context, id string) error {
	return db.submit(ctx, &subscriptionDelete{id: id})
}

type subscriptionDelete struct {
	id  string
	ref uint64
}

func (o *subscriptionDelete) size() int { return 100 }

func (o *subscriptionDelete) apply(t *txn) error {
	ref, ok := t.ref(o.id)
	if !ok {
		return fmt.Errorf("subscription %s: %w", o.id, hooks.ErrNotFound)
	}
	o.ref = ref
	key := number(ref)
	t.delete(t.subscriptions, []byte(o.id))
	delete(t.known, o.id)
	t.delete(t.refs, key)
	t.delete(t.counters, key)
	t.delete(t.errors, key)
	delete(t.statuses, ref)
	t.put(t.deleted, key, []byte(o.id))
	t.sweeping = append(t.sweeping[:len(t.sweeping):len(t.sweeping)], ref)
	return nil
}

func (o *subscriptionDelete) applied(q *queue) { q.drop(o.ref) }

// Subscriptions implements hooks.Store.
func (db *DB) Subscriptions(ctx context.Context) ([]*hooks.Subscription, error) {
	var list []*hooks.Subscription
	err := db.view(ctx, func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketSubscriptions).ForEach(func(k, v []byte) error {
			_, _, data, err := decodeSubscription(v)
			if err == nil {
				data, err = db.unseal(bucketSubscriptions, k, data)
			}
			s := new(hooks.Subscription)
			if err == nil && json.Unmarshal(data, s) != nil {
				err = errRecord // what it says may be a secret
			}
			if err != nil {
				return fmt.Errorf("subscription %s: %w", k, err)
			}
			list = append(list, s)
			return nil
		})
	})
	return list, err
}

// Status implements hooks.Store.
func (db *DB) Status(ctx context.Context, subscriptionID string) (hooks.Status, error) {
	var s hooks.Status
	err := db.view(ctx, func(tx *bbolt.Tx) (err error) {
		ref, ok := refIn(tx.Bucket(bucketSubscriptions), subscriptionID)
		if !ok {
			return nil
		}
		if err := decodeCounters(tx.Bucket(bucketCounters).Get(number(ref)), &s); err != nil {
			return err
		}
		s.Errors, err = decodeErrors(tx.Bucket(bucketErrors).Get(number(ref)))
		return err
	})
	return s, err
}
