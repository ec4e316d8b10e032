// Package keys holds the keys that encrypt secrets at rest: a keyset in a file,
// used as AES-256-GCM by way of Tink (https://developers.google.com/tink).
package keys

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// maxFile bounds a key file, in bytes.
const maxFile = 1 << 20

// A Keyset encrypts with its primary key and decrypts with any of its keys. It
// never changes and is safe for concurrent use.
type Keyset struct {
	handle *keyset.Handle
	aead   tink.AEAD
}

// New makes a keyset of one fresh key.
func New() (*Keyset, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("make a key: %w", err)
	}
	return of(handle)
}

func of(handle *keyset.Handle) (*Keyset, error) {
	primitive, err := aead.New(handle)
	if err != nil {
		return nil, fmt.Errorf("use the keys: %w", err)
	}
	return &Keyset{handle, primitive}, nil
}

// Open reads a key file or, where there is none, makes one with mode 0600; made
// says which. A file that cannot be read as keys is left alone.
func Open(file string) (k *Keyset, made bool, err error) {
	k, err = Read(file)
	if !errors.Is(err, fs.ErrNotExist) {
		return k, false, err
	}
	if k, err = New(); err != nil {
		return nil, false, err
	}
	return k, true, k.Write(file)
}

// Read reads a key file.
func Read(file string) (*Keyset, error) {
	info, err := os.Stat(file)
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	if info.Size() > maxFile {
		return nil, fmt.Errorf("key file %s has %d bytes; it is not one of flaghook's", file, info.Size())
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("key file: %w", err)
	}
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(data)))
	if err != nil { // its text may quote the file
		return nil, fmt.Errorf("key file %s does not hold keys; put the right file there, or a copy of it", file)
	}
	return of(handle)
}

// Write replaces a key file, whole and durable, with mode 0600.
func (k *Keyset) Write(file string) error {
	var data bytes.Buffer
	if err := insecurecleartextkeyset.Write(k.handle, keyset.NewJSONWriter(&data)); err != nil {
		return fmt.Errorf("write key file %s: %w", file, err)
	}
	data.WriteByte('\n')
	f, err := os.CreateTemp(filepath.Dir(file), ".keys-") // mode 0600
	if err != nil {
		return fmt.Errorf("write key file: %w", err)
	}
	_, err = f.Write(data.Bytes())
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write key file: %w", err), os.Remove(f.Name()))
	}
	return syncDir(filepath.Dir(file))
}

// syncDir makes a new file's name durable where the system can.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	_ = d.Sync() // some systems cannot sync a directory
	return nil
}

// Rotated gives a keyset with a fresh primary key beside the present ones.
func (k *Keyset) Rotated() (*Keyset, error) {
	m := keyset.NewManagerFromHandle(k.handle)
	id, err := m.Add(aead.AES256GCMKeyTemplate())
	if err == nil {
		err = m.SetPrimary(id)
	}
	if err != nil {
		return nil, fmt.Errorf("add a key: %w", err)
	}
	handle, err := m.Handle()
	if err != nil {
		return nil, fmt.Errorf("add a key: %w", err)
	}
	return of(handle)
}

// Primary gives a keyset of the primary key alone: what older keys encrypted it
// cannot decrypt.
func (k *Keyset) Primary() (*Keyset, error) {
	m := keyset.NewManagerFromHandle(k.handle)
	primary := k.handle.KeysetInfo().GetPrimaryKeyId()
	for _, key := range k.handle.KeysetInfo().GetKeyInfo() {
		if key.GetKeyId() == primary {
			continue
		}
		if err := m.Delete(key.GetKeyId()); err != nil {
			return nil, fmt.Errorf("drop a key: %w", err)
		}
	}
	handle, err := m.Handle()
	if err != nil {
		return nil, fmt.Errorf("drop old keys: %w", err)
	}
	return of(handle)
}

// IDs lists the keys' ids, the primary first. They tell keys apart and are no
// secret.
func (k *Keyset) IDs() []uint32 {
	info := k.handle.KeysetInfo()
	ids := []uint32{info.GetPrimaryKeyId()}
	for _, key := range info.GetKeyInfo() {
		if key.GetKeyId() != ids[0] {
			ids = append(ids, key.GetKeyId())
		}
	}
	return ids
}

// Encrypt encrypts with the primary key. The associated data is not stored and
// must be given again to decrypt.
func (k *Keyset) Encrypt(plaintext, associatedData []byte) ([]byte, error) {
	return k.aead.Encrypt(plaintext, associatedData)
}

// Decrypt decrypts what any of the keys has encrypted.
func (k *Keyset) Decrypt(ciphertext, associatedData []byte) ([]byte, error) {
	return k.aead.Decrypt(ciphertext, associatedData)
}
