package bolt_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/bolt"
)

// writerFunc is an io.Writer that calls a function.
type writerFunc func(b []byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// only checks that a folder holds these files.
func only(t *testing.T, dir string, want ...string) {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range files {
		got = append(got, f.Name())
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("files %v, want %v", got, want)
	}
}

// TestBackup takes a snapshot while events are accepted: what was accepted
// before it is in it, and it is whole. The stream is slow: events are accepted
// meanwhile.
func TestBackup(t *testing.T) {
	dir := t.TempDir()
	db := openAt(t, filepath.Join(dir, "flaghook.db"))
	subscribe(t, db, "a")
	mustAccept(t, db, "before", "a")
	stop := make(chan struct{})
	var busy sync.WaitGroup
	busy.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			if err := accept(t, db, hooks.NewID(), "a"); err != nil {
				t.Error(err)
				return
			}
		}
	})
	var snapshot bytes.Buffer
	err := db.Backup(t.Context(), writerFunc(func(b []byte) (int, error) {
		if snapshot.Len() == 0 {
			mustAccept(t, db, "meanwhile", "a")
		}
		return snapshot.Write(b)
	}))
	close(stop)
	busy.Wait()
	if err != nil {
		t.Fatal(err)
	}
	only(t, dir, "flaghook.db")

	from, to := filepath.Join(t.TempDir(), "snapshot"), filepath.Join(t.TempDir(), "restored.db")
	if err := os.WriteFile(from, snapshot.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := bolt.Restore(from, to); err != nil {
		t.Fatal(err)
	}
	only(t, filepath.Dir(to), "restored.db")
	info, err := os.Stat(to)
	if err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("%v, %v", info, err)
	}
	restored := openAt(t, to)
	if got := has(t, restored, "before", "meanwhile"); got != "before" {
		t.Errorf("the snapshot has %s", got)
	}
	if err := bolt.Restore(from, to); err == nil || !strings.Contains(err.Error(), "there is a file already") {
		t.Errorf("restored over a file: %v", err)
	}
}

func TestBackupThatFails(t *testing.T) {
	dir := t.TempDir()
	db := openAt(t, filepath.Join(dir, "flaghook.db"))
	subscribe(t, db, "a")
	for i := range 10 { // more than one write
		if _, err := db.Accept(t.Context(), []hooks.Accepted{{Event: bigEvent(t, string(rune('a'+i)), strings.Repeat("x", 50_000))}}); err != nil {
			t.Fatal(err)
		}
	}
	gone := errors.New("the client is gone")
	if err := db.Backup(t.Context(), writerFunc(func([]byte) (int, error) { return 0, gone })); !errors.Is(err, gone) {
		t.Errorf("error %v, want %v", err, gone)
	}
	ctx, cancel := context.WithCancel(t.Context())
	err := db.Backup(ctx, writerFunc(func(b []byte) (int, error) { cancel(); return len(b), nil }))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want the context's", err)
	}
	only(t, dir, "flaghook.db")
	// One that was interrupted by a crash is cleared away.
	closeDB(t, db)
	if err := os.WriteFile(filepath.Join(dir, "flaghook.db.backup-123"), []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	db = openAt(t, filepath.Join(dir, "flaghook.db"))
	only(t, dir, "flaghook.db")
	closeDB(t, db)
	if err := db.Backup(t.Context(), io.Discard); !errors.Is(err, hooks.ErrUnavailable) {
		t.Errorf("after Close: %v", err)
	}
}

func TestRestoreOfWhatIsNoSnapshot(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "flaghook.db")
	db := openAt(t, path)
	subscribe(t, db, "a", "b")
	mustAccept(t, db, "e1", "a")
	var snapshot bytes.Buffer
	if err := db.Backup(t.Context(), &snapshot); err != nil {
		t.Fatal(err)
	}
	closeDB(t, db)
	broken := bytes.Clone(snapshot.Bytes())
	for at := 2 * os.Getpagesize(); at < len(broken); at += os.Getpagesize() {
		copy(broken[at:], "not a page")
	}
	to := filepath.Join(t.TempDir(), "to.db")
	for name, data := range map[string][]byte{
		"empty":     {},
		"text":      []byte(strings.Repeat("this is not a database\n", 1000)),
		"cut short": snapshot.Bytes()[:snapshot.Len()-4096],
		"broken":    broken,
	} {
		from := filepath.Join(t.TempDir(), "from")
		if err := os.WriteFile(from, data, 0o600); err != nil {
			t.Fatal(err)
		}
		var damaged *bolt.DamagedError
		if err := bolt.Restore(from, to); !errors.As(err, &damaged) {
			t.Errorf("%s: %v, want a DamagedError", name, err)
		}
		only(t, filepath.Dir(to))
	}
	if err := bolt.Restore(filepath.Join(dir, "none"), to); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v, want ErrNotExist", err)
	}
	only(t, filepath.Dir(to))
}

func TestCompact(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "flaghook.db")
	db := openAt(t, path)
	subscribe(t, db, "a", "b")
	for i := range 20 {
		e := bigEvent(t, string(rune('a'+i)), strings.Repeat("x", 200_000))
		if _, err := db.Accept(t.Context(), []hooks.Accepted{{Event: e, SubscriptionIDs: []string{"a", "b"}}}); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := bolt.Compact(path); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("compacted while it is open: %v", err)
	}
	if err := db.DeleteSubscription(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	closeDB(t, db)
	before, after, err := bolt.Compact(path)
	if err != nil || after >= before || before < 4_000_000 {
		t.Errorf("from %d to %d bytes, %v", before, after, err)
	}
	only(t, dir, "flaghook.db")
	db = openAt(t, path)
	mustAccept(t, db, "new", "b") // numbers go on where they were
	claims, _, err := db.Claim(t.Context(), hooks.ClaimOptions{Max: 100, Lease: 1 << 40})
	if err != nil || len(claims) != 21 {
		t.Errorf("%d claims, %v", len(claims), err)
	}
	if _, _, err := bolt.Compact(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v, want ErrNotExist", err)
	}
	only(t, dir, "flaghook.db")
}
