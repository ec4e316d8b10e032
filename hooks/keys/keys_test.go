package keys_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/flaghook/flaghook/hooks/keys"
)

func open(t *testing.T, file string) (*keys.Keyset, bool) {
	t.Helper()
	k, made, err := keys.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	return k, made
}

func TestAKeyFileIsMadeOnceAndForItsOwnerAlone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys.json")
	first, made := open(t, file)
	if !made {
		t.Error("the first Open made no file")
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	again, made := open(t, file)
	if made || !slices.Equal(again.IDs(), first.IDs()) {
		t.Errorf("the second Open: made %v, keys %v, want %v", made, again.IDs(), first.IDs())
	}
	sealed, err := first.Encrypt([]byte("secret"), []byte("here"))
	if err != nil || strings.Contains(string(sealed), "secret") {
		t.Fatalf("Encrypt: %q, %v", sealed, err)
	}
	if got, err := again.Decrypt(sealed, []byte("here")); err != nil || string(got) != "secret" {
		t.Errorf("Decrypt: %q, %v", got, err)
	}
	if _, err := again.Decrypt(sealed, []byte("elsewhere")); err == nil {
		t.Error("what was encrypted for one place is decrypted at another")
	}
}

func TestRotation(t *testing.T) {
	old, err := keys.New()
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := old.Encrypt([]byte("secret"), nil)
	if err != nil {
		t.Fatal(err)
	}
	both, err := old.Rotated()
	if err != nil {
		t.Fatal(err)
	}
	if ids := both.IDs(); len(ids) != 2 || ids[0] == old.IDs()[0] || ids[1] != old.IDs()[0] {
		t.Errorf("keys %v after %v", ids, old.IDs())
	}
	if got, err := both.Decrypt(sealed, nil); err != nil || string(got) != "secret" {
		t.Errorf("both keys: %q, %v", got, err)
	}
	fresh, err := both.Encrypt([]byte("secret"), nil)
	if err != nil {
		t.Fatal(err)
	}
	last, err := both.Primary()
	if err != nil || len(last.IDs()) != 1 {
		t.Fatalf("keys %v, %v", last.IDs(), err)
	}
	if got, err := last.Decrypt(fresh, nil); err != nil || string(got) != "secret" {
		t.Errorf("the new key: %q, %v", got, err)
	}
	if _, err := last.Decrypt(sealed, nil); err == nil {
		t.Error("the old key is still used")
	}
}

func TestWhatIsNoKeyFileIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"empty": "", "text": "not keys but hunter2", "json": `{"primaryKeyId": 1, "key": []}`, "large": strings.Repeat("x", 2<<20),
	} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, _, err := keys.Open(file)
		if err == nil || !strings.Contains(err.Error(), file) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
		if now, _ := os.ReadFile(file); string(now) != text {
			t.Errorf("%s was changed", name)
		}
	}
	if _, err := keys.Read(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Read of no file: %v", err)
	}
	if _, _, err := keys.Open(filepath.Join(dir, "no", "such", "folder")); err == nil {
		t.Error("a key file was made in a folder that is not there")
	}
}
