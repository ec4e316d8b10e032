package bolt

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"go.etcd.io/bbolt"
)

// A Cipher encrypts what may hold secrets: subscriptions and records. It must
// authenticate the associated data, which says what is encrypted, and be safe
// for concurrent use. tink.AEAD of tink-go is one.
type Cipher interface {
	Encrypt(plaintext, associatedData []byte) ([]byte, error)
	Decrypt(ciphertext, associatedData []byte) ([]byte, error)
}

var (
	keyCipher = []byte("cipher")
	// cipherProof is kept encrypted, so that another key is noticed at once.
	cipherProof = []byte("flaghook")
)

// associated names what is encrypted: its bucket and its key there.
func associated(bucket, key []byte) []byte {
	return append(append(bytes.Clone(bucket), 0), key...)
}

// seal gives data as it is stored.
func (db *DB) seal(bucket, key, data []byte) ([]byte, error) {
	if db.cipher == nil {
		return data, nil
	}
	sealed, err := db.cipher.Encrypt(data, associated(bucket, key))
	if err != nil {
		return nil, fmt.Errorf("encrypt: %w", err)
	}
	return sealed, nil
}

// unseal gives stored data in clear, in memory of its own.
func (db *DB) unseal(bucket, key, data []byte) ([]byte, error) {
	if db.cipher == nil {
		return bytes.Clone(data), nil
	}
	clear, err := db.cipher.Decrypt(data, associated(bucket, key))
	if err != nil {
		return nil, fmt.Errorf("it cannot be decrypted: %w", errRecord)
	}
	return clear, nil
}

// sealed are the buckets whose values are encrypted after a head, and how long
// that is.
var sealed = []struct {
	bucket []byte
	head   func(v []byte) (int, error)
}{
	{bucketSubscriptions, func(v []byte) (int, error) {
		_, _, data, err := decodeSubscription(v)
		return len(v) - len(data), err
	}},
	{bucketRecords, func(v []byte) (int, error) {
		_, data, err := decodeDocument(v)
		return len(v) - len(data), err
	}},
}

// openCipher sees that the file and the cipher belong together. A file that is
// not encrypted yet is encrypted.
func (db *DB) openCipher() error {
	var proof []byte
	err := db.bolt.View(func(tx *bbolt.Tx) error {
		proof = bytes.Clone(tx.Bucket(bucketMeta).Get(keyCipher))
		return nil
	})
	switch {
	case err != nil:
		return err
	case proof == nil && db.cipher == nil:
		return nil
	case proof == nil:
		return db.bolt.Update(db.encryptAll)
	case db.cipher == nil:
		return errors.New("its secrets are encrypted; open it with the key that encrypted them")
	}
	clear, err := db.cipher.Decrypt(proof, associated(bucketMeta, keyCipher))
	if err != nil || !bytes.Equal(clear, cipherProof) {
		return errors.New("its secrets are encrypted with another key; open it with the key file that it was written with, which for a backup is that of the server it was taken from")
	}
	return nil
}

func (db *DB) encryptAll(tx *bbolt.Tx) error {
	for _, s := range sealed {
		b := tx.Bucket(s.bucket)
		for _, k := range keysAfter(b, nil, -1) {
			err := reseal(b, k, s.head, func(data []byte) ([]byte, error) { return db.seal(s.bucket, k, data) })
			if err != nil {
				return fmt.Errorf("%s %q: %w", s.bucket, k, err)
			}
		}
	}
	return db.proveCipher(tx.Bucket(bucketMeta))
}

func (db *DB) proveCipher(meta *bbolt.Bucket) error {
	proof, err := db.seal(bucketMeta, keyCipher, cipherProof)
	if err != nil {
		return err
	}
	return meta.Put(keyCipher, proof)
}

// reseal changes what follows the head of a value.
func reseal(b *bbolt.Bucket, k []byte, head func([]byte) (int, error), change func([]byte) ([]byte, error)) error {
	v := b.Get(k)
	n, err := head(v)
	if err != nil {
		return err
	}
	data, err := change(v[n:])
	if err != nil {
		return err
	}
	return b.Put(k, append(bytes.Clone(v[:n]), data...))
}

// keysAfter lists up to n keys after one; a negative n is no limit.
func keysAfter(b *bbolt.Bucket, after []byte, n int) [][]byte {
	var keys [][]byte
	c := b.Cursor()
	k, _ := c.Seek(after)
	if after != nil && bytes.Equal(k, after) {
		k, _ = c.Next()
	}
	for ; k != nil && len(keys) != n; k, _ = c.Next() {
		keys = append(keys, bytes.Clone(k))
	}
	return keys
}

// Reseal encrypts all that is encrypted anew, so that a cipher whose key was
// changed needs the old one no more: a tink keyset whose primary key is a new
// one, for instance. When it fails it can be called again. Pages that became
// free may hold what was encrypted with the old key until they are used again;
// Compact removes them. Without a Cipher there is nothing to do.
func (db *DB) Reseal(ctx context.Context) error {
	if db.cipher == nil {
		return nil
	}
	op := &resealing{}
	for !op.done {
		err := db.submit(ctx, op)
		if err == nil {
			err = op.err
		}
		if err != nil {
			return fmt.Errorf("encrypt anew: %w", err)
		}
	}
	return nil
}

// resealChunk is how much is encrypted anew in one transaction.
const resealChunk = 200

type resealing struct {
	bucket int    // in sealed
	after  []byte // in that bucket
	done   bool
	err    error

	next *resealing // where it is when the transaction is committed
}

func (o *resealing) size() int { return maxBytes } // nobody else's share is

func (o *resealing) apply(t *txn) error {
	o.next = &resealing{bucket: o.bucket}
	if o.bucket == len(sealed) {
		o.next.done = true
		t.dirty = true
		return t.db.proveCipher(t.meta)
	}
	s := sealed[o.bucket]
	b := map[int]*bbolt.Bucket{0: t.subscriptions, 1: t.records}[o.bucket]
	keys := keysAfter(b, o.after, resealChunk)
	for _, k := range keys {
		err := reseal(b, k, s.head, func(data []byte) ([]byte, error) {
			clear, err := t.db.unseal(s.bucket, k, data)
			if err != nil {
				return nil, err
			}
			return t.db.seal(s.bucket, k, clear)
		})
		if err != nil {
			// What was changed before it is good, and stays.
			o.err = fmt.Errorf("%s %q: %w", s.bucket, k, err)
			break
		}
		t.dirty = true
		o.next.after = k
	}
	if len(keys) < resealChunk {
		o.next.bucket, o.next.after = o.bucket+1, nil
	}
	return nil
}

func (o *resealing) applied(*queue) {
	if o.err == nil {
		o.bucket, o.after, o.done = o.next.bucket, o.next.after, o.next.done
	}
}
