package bolt

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	"pgregory.net/rapid"

	"github.com/flaghook/flaghook/hooks"
)

// sound gives the bytes of a file with n records and some of everything.
func sound(t testing.TB, n int) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "flaghook.db")
	db, err := open(path, Options{}, presentFormat)
	if err != nil {
		t.Fatal(err)
	}
	for round := range 3 { // with pages that became free in between
		err := db.bolt.Update(func(tx *bbolt.Tx) error {
			b := tx.Bucket(bucketRecords)
			var all []error
			for i := range n {
				all = append(all, b.Put(fmt.Appendf(nil, "%06d", i*7919%n), bytes.Repeat([]byte{byte(i)}, i*(round+1)%300)))
			}
			all = append(all, b.Put([]byte("large"), make([]byte, 30_000*round))) // takes several pages
			return errors.Join(all...)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var c fileCheck
	if c.file = bytes.NewReader(data); c.meta(int64(len(data))) != nil {
		t.Fatal("no meta")
	}
	return data[:int(c.pages)*c.pageSize]
}

func TestCheckFile(t *testing.T) {
	data := sound(t, 3000)
	if err := checkFile(bytes.NewReader(data), int64(len(data))); err != nil {
		t.Fatalf("a sound file: %v", err)
	}
	// What is broken in the structure is found; what is broken within a value
	// nobody can see.
	found := 0
	rapid.Check(t, func(t *rapid.T) {
		broken := bytes.Clone(data)
		page := rapid.IntRange(0, len(data)/os.Getpagesize()-1).Draw(t, "page")
		at := page*os.Getpagesize() + rapid.IntRange(0, 200).Draw(t, "at")
		copy(broken[at:], rapid.SliceOfN(rapid.Byte(), 1, 24).Draw(t, "bytes"))
		err := checkFile(bytes.NewReader(broken), int64(len(broken)))
		if damaged := new(DamagedError); errors.As(err, &damaged) {
			found++
		} else if err != nil {
			t.Errorf("error %v, want a DamagedError", err)
		}
	})
	if found < 20 {
		t.Errorf("only %d broken files of 100 were found out", found)
	}
}

// TestOpenNeverDies opens files that are broken anywhere. It finds them damaged
// or opens them, and then can be asked anything.
func TestOpenNeverDies(t *testing.T) {
	data := sound(t, 3000)
	path := filepath.Join(t.TempDir(), "flaghook.db")
	rapid.Check(t, func(t *rapid.T) {
		broken := bytes.Clone(data)
		for range rapid.IntRange(1, 4).Draw(t, "places") {
			page := rapid.IntRange(0, len(data)/os.Getpagesize()-1).Draw(t, "page")
			at := page*os.Getpagesize() + rapid.IntRange(0, os.Getpagesize()-1).Draw(t, "at")
			copy(broken[at:], rapid.SliceOfN(rapid.Byte(), 1, 24).Draw(t, "bytes"))
		}
		if err := os.WriteFile(path, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := Open(path, Options{})
		if err != nil {
			if strings.Contains(err.Error(), "in use") {
				t.Fatalf("the one before was not let go: %v", err)
			}
			return
		}
		ctx := t.Context()
		db.Records(ctx, "k", "", 1000)
		db.Claim(ctx, hooks.ClaimOptions{Max: 1, Lease: time.Second})
		db.PutRecord(ctx, "k", hooks.Record{ID: "new"})
		db.Subscriptions(ctx)
		db.Close()
	})
}

func FuzzCheckFile(f *testing.F) {
	data := sound(f, 100)
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		checkFile(bytes.NewReader(data), int64(len(data)))
	})
}

// BenchmarkCheckFile says how large a file may be to be checked at every start.
func BenchmarkCheckFile(b *testing.B) {
	data := sound(b, 3000)
	path := filepath.Join(b.TempDir(), "file")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		b.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if err := checkFile(f, int64(len(data))); err != nil {
			b.Fatal(err)
		}
	}
}
