package bolt_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/bolt"
)

// keys is a Cipher that encrypts with its first key and decrypts with any.
type keys []byte

func (k keys) aead(n byte) cipher.AEAD {
	block, err := aes.NewCipher(bytes.Repeat([]byte{n}, 16))
	if err != nil {
		panic(err)
	}
	a, err := cipher.NewGCM(block)
	if err != nil {
		panic(err)
	}
	return a
}

func (k keys) Encrypt(plaintext, associatedData []byte) ([]byte, error) {
	nonce := make([]byte, 12)
	rand.Read(nonce)
	return k.aead(k[0]).Seal(nonce, nonce, plaintext, associatedData), nil
}

func (k keys) Decrypt(ciphertext, associatedData []byte) ([]byte, error) {
	if len(ciphertext) < 12 {
		return nil, errors.New("too short")
	}
	for _, n := range k {
		if clear, err := k.aead(n).Open(nil, ciphertext[:12], ciphertext[12:], associatedData); err == nil {
			return clear, nil
		}
	}
	return nil, errors.New("no key fits")
}

const secret = "hunter2-hunter2-hunter2"

func putSecrets(t *testing.T, db *bolt.DB, n int) {
	t.Helper()
	for i := range n {
		var s hooks.Subscription
		text := fmt.Sprintf(`{"_id": "s%d", "version": 1, "config": {"token": %q}}`, i, secret)
		if err := json.Unmarshal([]byte(text), &s); err != nil {
			t.Fatal(err)
		}
		r := hooks.Record{ID: fmt.Sprint("r", i), Data: []byte(secret)}
		if err := errors.Join(db.PutSubscription(t.Context(), &s), db.PutRecord(t.Context(), "token", r)); err != nil {
			t.Fatal(err)
		}
	}
}

func hasSecrets(t *testing.T, db *bolt.DB, n int) {
	t.Helper()
	subs, err := db.Subscriptions(t.Context())
	if err != nil || len(subs) != n {
		t.Fatalf("%d subscriptions, %v, want %d", len(subs), err, n)
	}
	for i := range n {
		if got := subs[i].Config.Get("token").AsString(); got != secret {
			t.Fatalf("subscription %s has %q", subs[i].ID, got)
		}
		r, err := db.Record(t.Context(), "token", fmt.Sprint("r", i))
		if err != nil || string(r.Data) != secret {
			t.Fatalf("record %d: %q, %v", i, r.Data, err)
		}
	}
}

func closeDB(t *testing.T, db *bolt.DB) {
	t.Helper()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func holdsSecret(t *testing.T, path string) bool {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Contains(data, []byte(secret))
}

func refuses(t *testing.T, path string, c bolt.Cipher, want string) {
	t.Helper()
	db, err := bolt.Open(path, bolt.Options{Cipher: c})
	if err == nil {
		closeDB(t, db)
	}
	if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), secret) {
		t.Errorf("error %v, want one about %q", err, want)
	}
}

func TestCipher(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flaghook.db")
	db := openWith(t, path, bolt.Options{Cipher: keys{1}})
	putSecrets(t, db, 5)
	hasSecrets(t, db, 5)
	closeDB(t, db)
	if holdsSecret(t, path) {
		t.Error("the file holds the secret in clear")
	}
	refuses(t, path, nil, "encrypted; open it with the key")
	refuses(t, path, keys{2}, "with another key")
	hasSecrets(t, openWith(t, path, bolt.Options{Cipher: keys{2, 1}}), 5)
}

func TestCipherComesLater(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flaghook.db")
	db := openWith(t, path, bolt.Options{})
	putSecrets(t, db, 5)
	closeDB(t, db)
	if !holdsSecret(t, path) {
		t.Fatal("the file does not hold the secret, so that nothing is tested")
	}
	db = openWith(t, path, bolt.Options{Cipher: keys{1}})
	hasSecrets(t, db, 5)
	closeDB(t, db)
	refuses(t, path, nil, "encrypted")
	if _, _, err := bolt.Compact(path); err != nil {
		t.Fatal(err)
	}
	if holdsSecret(t, path) {
		t.Error("the file holds the secret in clear after Compact")
	}
	hasSecrets(t, openWith(t, path, bolt.Options{Cipher: keys{1}}), 5)
}

func TestReseal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flaghook.db")
	db := openWith(t, path, bolt.Options{Cipher: keys{1}})
	putSecrets(t, db, 450) // several chunks
	closeDB(t, db)
	db = openWith(t, path, bolt.Options{Cipher: keys{2, 1}})
	if err := db.Reseal(t.Context()); err != nil {
		t.Fatal(err)
	}
	closeDB(t, db)
	refuses(t, path, keys{1}, "another key")
	db = openWith(t, path, bolt.Options{Cipher: keys{2}})
	subs, err := db.Subscriptions(t.Context())
	if err != nil || len(subs) != 450 || subs[0].Version != 1 {
		t.Fatalf("%d subscriptions, %v", len(subs), err)
	}
	for i := range 450 {
		if r, err := db.Record(t.Context(), "token", fmt.Sprint("r", i)); err != nil || string(r.Data) != secret || r.Version != 1 {
			t.Fatalf("record %d: %+v, %v", i, r, err)
		}
	}
	// With the new key alone there is nothing that it cannot read.
	if err := db.Reseal(t.Context()); err != nil {
		t.Error(err)
	}
	closeDB(t, db)
	if err := db.Reseal(t.Context()); !errors.Is(err, hooks.ErrUnavailable) {
		t.Errorf("after Close: %v", err)
	}
}
