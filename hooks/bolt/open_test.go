package bolt_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/bolt"
	"github.com/flaghook/flaghook/render"
)

func testEvent(t testing.TB, id string) *hooks.Event { return bigEvent(t, id, "") }

func bigEvent(t testing.TB, id, comment string) *hooks.Event {
	t.Helper()
	return newEvent(t, id, comment, "proj/web:env/production:flag/checkout")
}

func eventOn(t testing.TB, resource string) *hooks.Event {
	t.Helper()
	return newEvent(t, hooks.NewID(), "", resource)
}

func newEvent(t testing.TB, id, comment, resource string) *hooks.Event {
	t.Helper()
	e, err := hooks.NewEvent(render.Object(
		render.Member{Key: "_id", Value: render.String(id)},
		render.Member{Key: "action", Value: render.String("updateOn")},
		render.Member{Key: "resource", Value: render.String(resource)},
		render.Member{Key: "comment", Value: render.String(comment)},
	), hooks.EventOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func accept(t testing.TB, db *bolt.DB, id string, subscriptions ...string) error {
	t.Helper()
	_, err := db.Accept(context.Background(), []hooks.Accepted{{Event: testEvent(t, id), SubscriptionIDs: subscriptions}})
	return err
}

func subscribe(t testing.TB, db *bolt.DB, ids ...string) {
	t.Helper()
	for _, id := range ids {
		if err := db.PutSubscription(context.Background(), &hooks.Subscription{ID: id, Version: 1, On: true}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOpenCreatesPrivateFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flaghook.db")
	openAt(t, path)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, want 0600", info.Mode().Perm())
	}
}

func TestOpenTwice(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flaghook.db")
	openAt(t, path)
	start := time.Now()
	_, err := bolt.Open(path, bolt.Options{Timeout: 100 * time.Millisecond})
	if err == nil || !strings.Contains(err.Error(), "in use by another process") || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v", err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestOpenWhereThereIsNoDirectory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none", "flaghook.db")
	if _, err := bolt.Open(path, bolt.Options{}); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v", err)
	}
}

// TestOpenDamaged opens files that are not as they were written: each gives an
// error that says so, and keeps its bytes.
func TestOpenDamaged(t *testing.T) {
	sound := filepath.Join(t.TempDir(), "sound.db")
	db, err := bolt.Open(sound, bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	subscribe(t, db, "a")
	for _, id := range []string{"e1", "e2", "e3"} {
		if err := accept(t, db, id, "a"); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(sound)
	if err != nil {
		t.Fatal(err)
	}
	page := os.Getpagesize()
	overwrite := func(from, to int) []byte {
		b := bytes.Clone(whole)
		for i := from; i < to; i++ {
			b[i] = 0xa5
		}
		return b
	}
	for name, content := range map[string][]byte{
		"text":           []byte(strings.Repeat("this is not a database\n", 1000)),
		"one byte":       {1},
		"zeros":          make([]byte, 8*page),
		"cut short":      whole[:3*page],
		"both metas bad": overwrite(0, 2*page),
		"only metas":     overwrite(2*page, len(whole)),
		"only two pages": whole[:2*page],
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "flaghook.db")
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
			db, err := bolt.Open(path, bolt.Options{})
			var damaged *bolt.DamagedError
			if !errors.As(err, &damaged) || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v, want a DamagedError about %s", err, path)
			}
			if err == nil {
				db.Close()
			}
			after, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(after, content) {
				t.Error("the file was changed")
			}
		})
	}
}

func TestOpenForeignFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "other.db")
	other, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = other.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucket([]byte("consul"))
		return err
	})
	if err := errors.Join(err, other.Close()); err != nil {
		t.Fatal(err)
	}
	var damaged *bolt.DamagedError
	if _, err := bolt.Open(path, bolt.Options{}); !errors.As(err, &damaged) {
		t.Errorf("error %v, want a DamagedError", err)
	}
	checkFile(t, path)
}

// TestSweep looks into the file after subscriptions were deleted: the records
// go in chunks, over restarts too.
func TestSweep(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flaghook.db")
	db := openAt(t, path)
	subscribe(t, db, "a", "b")
	var batch []hooks.Accepted
	const n = 1100
	for range n {
		batch = append(batch, hooks.Accepted{Event: testEvent(t, hooks.NewID()), SubscriptionIDs: []string{"a", "b"}})
	}
	if _, err := db.Accept(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	claims, _, err := db.Claim(t.Context(), hooks.ClaimOptions{Max: 400, Lease: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range claims {
		s := hooks.Settlement{Claim: c, State: hooks.StateSkipped}
		if i%2 == 0 {
			s.State, s.RetryAt = hooks.StatePending, time.Now().Add(time.Hour)
		}
		if err := db.Settle(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.DeleteSubscription(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	// Each time the file is open, at least one chunk goes.
	left := func() (records int) {
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		return countRecords(t, path)
	}
	for range 2 + n/250 {
		if left() == 2*n {
			return // b has a record and an id of each
		}
		db = openAt(t, path)
		subscribe(t, db, hooks.NewID()) // waits for a commit, which sweeps
	}
	t.Errorf("%d records are left, want %d", left(), 2*n)
}

// countRecords counts the deliveries and their ids in a closed file.
func countRecords(t *testing.T, path string) (n int) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.View(func(tx *bbolt.Tx) error {
		for _, name := range []string{"fresh", "retry", "log", "ids", "deleted"} {
			n += tx.Bucket([]byte(name)).Stats().KeyN
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestCommitted counts what is told about commits.
func TestCommitted(t *testing.T) {
	var requests atomic.Int64
	db := openWith(t, filepath.Join(t.TempDir(), "flaghook.db"), bolt.Options{
		Committed: func(n int) { requests.Add(int64(n)) },
	})
	subscribe(t, db, "a", "b")
	mustAccept(t, db, "e1", "a")
	mustAccept(t, db, "e1", "a") // is there already: nothing to commit
	if n := requests.Load(); n != 3 {
		t.Errorf("%d requests were committed, want 3", n)
	}
}
