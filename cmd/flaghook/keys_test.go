package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/bolt"
	"github.com/flaghook/flaghook/hooks/keys"
)

const sealedSecret = "what only the keys can read"

// sealed makes a data directory whose store holds a secret under a key, and the
// key's file.
func sealed(t *testing.T) (data, keyFile string, key *keys.Keyset) {
	t.Helper()
	data = t.TempDir()
	keyFile = filepath.Join(t.TempDir(), "keys")
	key, _, err := keys.Open(keyFile)
	if err != nil {
		t.Fatal(err)
	}
	db, err := bolt.Open(databaseIn(data), bolt.Options{Cipher: key})
	if err != nil {
		t.Fatal(err)
	}
	err = db.PutRecord(t.Context(), "token", hooks.Record{ID: "r1", Version: 1, Data: []byte(sealedSecret)})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return data, keyFile, key
}

// reads reports whether a store opens with these keys, and has the secret.
func reads(t *testing.T, data string, k *keys.Keyset) bool {
	t.Helper()
	db, err := bolt.Open(databaseIn(data), bolt.Options{Cipher: k})
	if err != nil {
		return false
	}
	defer db.Close()
	r, err := db.Record(t.Context(), "token", "r1")
	return err == nil && string(r.Data) == sealedSecret
}

func TestKeysRotate(t *testing.T) {
	for name, test := range map[string]struct {
		args []string
		keys int
	}{
		"keep":   {nil, 2},
		"forget": {[]string{"--forget"}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			data, file, old := sealed(t)
			args := append([]string{"keys", "rotate", "--data", data, "--key-file", file}, test.args...)
			if out := flaghook(t, args...); !strings.HasPrefix(out, "the store is encrypted under key ") {
				t.Errorf("it says %q", out)
			}
			now, err := keys.Read(file)
			if err != nil || len(now.IDs()) != test.keys || now.IDs()[0] == old.IDs()[0] {
				t.Fatalf("the key file has %v (%v), where there was %v", now.IDs(), err, old.IDs())
			}
			fresh, err := now.Primary()
			if err != nil {
				t.Fatal(err)
			}
			if reads(t, data, old) {
				t.Error("the old key still opens the store")
			}
			if !reads(t, data, fresh) {
				t.Error("the new key does not open the store")
			}
			shown := flaghook(t, "keys", "show", "--key-file", file)
			if n := strings.Count(shown, "\n"); n != test.keys+1 || !strings.Contains(shown, "  encrypts\n") {
				t.Errorf("show says\n%s", shown)
			}
			// After compaction nothing that the old key can decrypt is left.
			flaghook(t, "compact", "--data", data)
			if !reads(t, data, fresh) {
				t.Error("after compaction the new key does not open the store")
			}
		})
	}
}

// What cannot be rotated stays as it is: the store, and the key file.
func TestKeysRotateRefuses(t *testing.T) {
	data, file, key := sealed(t)
	_, other, _ := sealed(t)
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	open, err := bolt.Open(databaseIn(data), bolt.Options{Cipher: key})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--data", data, "--key-file", file}, exitFailed, "in use by another process"},
		{[]string{"--data", t.TempDir(), "--key-file", file}, exitUsage, "--data names the directory"},
		{[]string{"--data", data, "--key-file", file + ".missing"}, exitUsage, "no such file"},
		{[]string{"--data", data}, exitUsage, "no such file"}, // the default is in the data directory
	} {
		var out, errs bytes.Buffer
		code := run(t.Context(), append([]string{"keys", "rotate"}, test.args...), strings.NewReader(""), &out, &errs)
		if code != test.code || !strings.Contains(errs.String(), test.want) || out.Len() > 0 {
			t.Errorf("%v: exit code %d, %s%s", test.args, code, &out, &errs)
		}
	}
	if err := open.Close(); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"keys", "rotate", "--data", data, "--key-file", other}, strings.NewReader(""), &out, &errs); code != exitFailed {
		t.Errorf("with another's key: exit code %d, %s%s", code, &out, &errs)
	}
	after, err := os.ReadFile(file)
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("the key file has changed (%v)", err)
	}
	if !reads(t, data, key) {
		t.Error("the key does not open the store any more")
	}
}
