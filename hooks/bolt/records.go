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

// maxRecordID bounds the ids of records, in bytes.
const maxRecordID = 512

// recordKey puts the kind first, so that a kind is a stretch of the bucket.
func recordKey(kind, id string) ([]byte, error) {
	if kind == "" || len(kind) > 64 || strings.IndexByte(kind, 0) >= 0 {
		return nil, fmt.Errorf("record of kind %q: a kind has 1 to 64 bytes, none of them 0", kind)
	}
	if id == "" || len(id) > maxRecordID {
		return nil, fmt.Errorf("%s: its id has %d bytes; 1 to %d are allowed", kind, len(id), maxRecordID)
	}
	return append(append([]byte(kind), 0), id...), nil
}

// PutRecord implements hooks.Records.
func (db *DB) PutRecord(ctx context.Context, kind string, r hooks.Record) error {
	key, err := recordKey(kind, r.ID)
	if err != nil {
		return err
	}
	data, err := db.seal(bucketRecords, key, r.Data)
	if err != nil {
		return fmt.Errorf("%s %s: %w", kind, r.ID, err)
	}
	return db.submit(ctx, &recordPut{kind: kind, id: r.ID, key: key, version: r.Version, data: data})
}

type recordPut struct {
	kind, id  string
	key, data []byte
	version   uint64
}

func (o *recordPut) size() int { return len(o.data) + len(o.key) + 100 }

func (o *recordPut) apply(t *txn) error {
	var stored uint64
	if v := t.records.Get(o.key); v != nil {
		var err error
		if stored, _, err = decodeDocument(v); err != nil {
			t.fail(fmt.Errorf("%s %s: %w", o.kind, o.id, err))
			return nil
		}
	}
	if o.version != 0 && o.version != stored+1 {
		return fmt.Errorf("%s %s: version %d cannot follow version %d: %w", o.kind, o.id, o.version, stored, hooks.ErrConflict)
	}
	// One above also where the version does not matter, so that it does to others.
	t.put(t.records, o.key, append(binary.AppendUvarint(nil, stored+1), o.data...))
	return nil
}

func (o *recordPut) applied(*queue) {}

// decodeDocument reads a stored record; data shares memory with v.
func decodeDocument(v []byte) (version uint64, data []byte, err error) {
	d := decoder{b: v}
	if version = d.uvarint(); d.failed {
		return 0, nil, errRecord
	}
	return version, d.b, nil
}

// DeleteRecord implements hooks.Records.
func (db *DB) DeleteRecord(ctx context.Context, kind, id string) error {
	key, err := recordKey(kind, id)
	if err != nil {
		return errors.Join(hooks.ErrNotFound, err)
	}
	return db.submit(ctx, &recordDelete{kind: kind, id: id, key: key})
}

type recordDelete struct {
	kind, id string
	key      []byte
}

func (o *recordDelete) size() int { return 100 }

func (o *recordDelete) apply(t *txn) error {
	if t.records.Get(o.key) == nil {
		return fmt.Errorf("%s %s: %w", o.kind, o.id, hooks.ErrNotFound)
	}
	t.delete(t.records, o.key)
	return nil
}

func (o *recordDelete) applied(*queue) {}

// Record implements hooks.Records.
func (db *DB) Record(ctx context.Context, kind, id string) (hooks.Record, error) {
	key, err := recordKey(kind, id)
	if err != nil {
		return hooks.Record{}, errors.Join(hooks.ErrNotFound, err)
	}
	var r hooks.Record
	err = db.view(ctx, func(tx *bbolt.Tx) error {
		v := tx.Bucket(bucketRecords).Get(key)
		if v == nil {
			return hooks.ErrNotFound
		}
		r, err = db.openDocument(key, v)
		return err
	})
	if err != nil {
		return hooks.Record{}, fmt.Errorf("%s %s: %w", kind, id, err)
	}
	return r, nil
}

// openDocument gives a stored record as the domain knows it.
func (db *DB) openDocument(key, v []byte) (hooks.Record, error) {
	id := string(key[bytes.IndexByte(key, 0)+1:])
	version, data, err := decodeDocument(v)
	if err == nil {
		data, err = db.unseal(bucketRecords, key, data)
	}
	return hooks.Record{ID: id, Version: version, Data: data}, err
}

// Records implements hooks.Records.
func (db *DB) Records(ctx context.Context, kind, after string, limit int) ([]hooks.Record, error) {
	if limit < 1 || limit > maxLimit {
		return nil, fmt.Errorf("list of %s: limit %d is not within 1 to %d", kind, limit, maxLimit)
	}
	prefix, err := recordKey(kind, "x")
	if err != nil {
		return nil, err
	}
	prefix = prefix[:len(kind)+1]
	start := append(bytes.Clone(prefix), after...)
	var list []hooks.Record
	err = db.view(ctx, func(tx *bbolt.Tx) error {
		c := tx.Bucket(bucketRecords).Cursor()
		k, v := c.Seek(start)
		if after != "" && bytes.Equal(k, start) {
			k, v = c.Next()
		}
		for ; bytes.HasPrefix(k, prefix) && len(list) < limit; k, v = c.Next() {
			r, err := db.openDocument(k, v)
			if err != nil {
				return fmt.Errorf("%s %s: %w", kind, r.ID, err)
			}
			list = append(list, r)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}
