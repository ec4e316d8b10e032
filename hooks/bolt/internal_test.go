package bolt

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	"pgregory.net/rapid"

	"github.com/flaghook/flaghook/hooks"
)

// later is a format that may come: two steps beyond the present one.
var later = format{number: 4, steps: []func(*bbolt.Tx) error{
	migrate1,
	func(tx *bbolt.Tx) error { return tx.Bucket(bucketMeta).Put([]byte("step"), []byte("one")) },
	func(tx *bbolt.Tx) error {
		if string(tx.Bucket(bucketMeta).Get([]byte("step"))) != "one" {
			return errors.New("the first step is missing")
		}
		_, err := tx.CreateBucket([]byte("invented"))
		return err
	},
}}

func mustOpen(t *testing.T, path string, f format) *DB {
	t.Helper()
	db, err := open(path, Options{}, f)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func closed(t *testing.T, db *DB) {
	t.Helper()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestMigration(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flaghook.db")
	closed(t, mustOpen(t, path, presentFormat))
	closed(t, mustOpen(t, path, later))
	closed(t, mustOpen(t, path, later)) // has nothing left to do

	_, err := open(path, Options{}, presentFormat)
	if err == nil || !strings.Contains(err.Error(), "format 4, written by a newer flaghook") {
		t.Errorf("an older program opens it: %v", err)
	}

	backup := path + ".format-2.bak"
	info, err := os.Stat(backup)
	if err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Fatalf("copy: %v, %v", info, err)
	}
	closed(t, mustOpen(t, backup, presentFormat))
	if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 2 {
		t.Errorf("files %v, want the store and its copy", files)
	}
}

func TestMigrationThatFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flaghook.db")
	closed(t, mustOpen(t, path, presentFormat))
	broken := format{number: 4, steps: []func(*bbolt.Tx) error{
		migrate1, later.steps[1],
		func(*bbolt.Tx) error { return errors.New("no luck") },
	}}
	_, err := open(path, Options{}, broken)
	if err == nil || !strings.Contains(err.Error(), "from format 3 to 4: no luck") {
		t.Errorf("error %v", err)
	}
	closed(t, mustOpen(t, path, presentFormat)) // as it was
	closed(t, mustOpen(t, path, later))         // and can be migrated
}

// TestFailedCommit takes the file away from under bbolt: writes fail, though
// not for want of space.
func TestFailedCommit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flaghook.db")
	db := mustOpen(t, path, presentFormat)
	s := &hooks.Subscription{ID: "a", Version: 1}
	if err := db.PutSubscription(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if err := db.Err(); err != nil {
		t.Fatalf("Err: %v", err)
	}
	db.file.Close()
	s.Version = 2
	if err := db.PutSubscription(t.Context(), s); !errors.Is(err, hooks.ErrUnavailable) {
		t.Errorf("error %v, want ErrUnavailable", err)
	}
	select {
	case <-db.Failed():
	default:
		t.Error("it has not failed")
	}
	ctx := context.Background()
	_, _, claim := db.Claim(ctx, hooks.ClaimOptions{Max: 1, Lease: time.Second})
	_, list := db.Subscriptions(ctx)
	for name, err := range map[string]error{
		"Err": db.Err(), "Claim": claim, "Subscriptions": list,
		"DeleteSubscription": db.DeleteSubscription(ctx, "a"), "Release": db.Release(ctx, "x"),
	} {
		if !errors.Is(err, hooks.ErrUnavailable) {
			t.Errorf("%s: %v, want ErrUnavailable", name, err)
		}
	}
	db.Close() // has a file less to close, and does not hang
	closed(t, mustOpen(t, path, presentFormat))
}

// TestDamageFoundLater reads a record that nobody wrote.
func TestDamageFoundLater(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flaghook.db")
	db := mustOpen(t, path, presentFormat)
	if err := db.PutSubscription(t.Context(), &hooks.Subscription{ID: "a", Version: 1}); err != nil {
		t.Fatal(err)
	}
	err := db.bolt.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucketFresh).Put(place{1, 1}.key(), []byte("nonsense"))
	})
	closed(t, db)
	if err != nil {
		t.Fatal(err)
	}
	db = mustOpen(t, path, presentFormat)
	if _, _, err := db.Claim(t.Context(), hooks.ClaimOptions{Max: 1, Lease: time.Second}); !errors.Is(err, hooks.ErrUnavailable) {
		t.Errorf("error %v, want ErrUnavailable", err)
	}
	if db.Err() == nil {
		t.Error("it has not failed")
	}
}

func TestRecordRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := record{
			state:    byte(rapid.IntRange(0, len(states)-1).Draw(t, "state")),
			created:  rapid.Int64().Draw(t, "created"),
			at:       rapid.Int64().Draw(t, "at"),
			since:    rapid.Int64().Draw(t, "since"),
			base:     rapid.IntRange(0, 100).Draw(t, "base"),
			block:    rapid.Uint32().Draw(t, "block"),
			lane:     rapid.Uint64().Draw(t, "lane"),
			eventKey: rapid.String().Draw(t, "eventKey"),
			replay:   rapid.String().Draw(t, "replay"),
			reason:   rapid.String().Draw(t, "reason"),
			attempts: rapid.IntRange(0, 100).Draw(t, "attempts"),
			raw:      rapid.SliceOfN(rapid.Byte(), 1, 50).Draw(t, "raw"),
		}
		data := want.encode()
		got, err := decodeRecord(data)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("%+v, %v, want %+v", got, err, want)
		}
		if createdOf(data) != want.created {
			t.Fatalf("created %d, want %d", createdOf(data), want.created)
		}
	})
}

// TestDecodersTakeAnything feeds the decoders what no encoder wrote.
func TestDecodersTakeAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), 0, 60).Draw(t, "b")
		if r, err := decodeRecord(b); err == nil {
			r.delivery("a", logged)
		}
		decodeRecord1(b)
		decodeEvent(b)
		acceptedOf(b)
		decodeKnownEvent(b)
		decodeCounts(b)
		decodeDocument(b)
		decodeErrors(b)
		decodeCounters(b, new(hooks.Status))
		decodeSubscription(b)
		placeOf(b)
		dueOf(b)
	})
}
