package bolt_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	"go.uber.org/goleak"

	"github.com/flaghook/flaghook/hooks/bolt"
	"github.com/flaghook/flaghook/hooks/hookstest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestBackend(t *testing.T) {
	hookstest.Run(t, func(t *testing.T, dir string) hookstest.Backend {
		return openAt(t, filepath.Join(dir, "flaghook.db"))
	})
}

// openAt opens a file, and closes and checks it when the test ends.
func openAt(t testing.TB, path string) *bolt.DB {
	t.Helper()
	db, err := bolt.Open(path, bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		checkFile(t, path)
	})
	return db
}

// checkFile runs bbolt's own check and ours over a closed file.
func checkFile(t testing.TB, path string) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, Timeout: 5 * time.Second})
	if err != nil {
		t.Errorf("check %s: %v", path, err)
		return
	}
	err = db.View(func(tx *bbolt.Tx) error {
		var all []error
		for err := range tx.Check() {
			all = append(all, err)
		}
		all = append(all, bolt.Consistent(tx))
		return errors.Join(all...)
	})
	if err := errors.Join(err, db.Close()); err != nil {
		t.Errorf("check %s: %v", path, err)
	}
}
