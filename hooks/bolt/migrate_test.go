package bolt_test

import (
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/bolt"
)

// unpack gives a file of testdata a place where it can be opened.
func unpack(t *testing.T, name string) string {
	t.Helper()
	packed, err := os.Open(filepath.Join("testdata", name+".gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	in, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "flaghook.db")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestMigrationFrom1 opens a file that a flaghook of format 1 has written. Of
// subscription a it holds a delivery in each state, named by its event; b has
// one, and gone was deleted and is not swept up yet.
func TestMigrationFrom1(t *testing.T) {
	path := unpack(t, "format-1.db")
	db := openAt(t, path)
	for id, want := range map[string]struct {
		state    hooks.State
		attempts int
		reason   string
	}{
		"delivered": {hooks.StateDelivered, 1, ""},
		"dead":      {hooks.StateDead, 1, "answered 404"},
		"skipped":   {hooks.StateSkipped, 0, "no template"},
		"retry":     {hooks.StatePending, 1, ""},
		"fresh":     {hooks.StatePending, 0, ""},
		"both":      {hooks.StatePending, 0, ""},
	} {
		d, err := db.Delivery(t.Context(), hooks.DeliveryID(id, "a", ""))
		if err != nil {
			t.Error(err)
			continue
		}
		if d.State != want.state || len(d.Attempts) != want.attempts || d.Reason != want.reason || d.EventID != id {
			t.Errorf("%s: %+v, want %+v", id, d, want)
		}
		e, err := db.Event(t.Context(), id)
		if err != nil {
			t.Error(err)
		} else if !e.AcceptedAt.Equal(d.CreatedAt) || e.Key() != id {
			t.Errorf("event %s accepted at %v, its delivery at %v", e.Key(), e.AcceptedAt, d.CreatedAt)
		}
	}
	page, err := db.Events(t.Context(), hooks.EventQuery{Limit: 10})
	if err != nil || len(page.Items) != 7 || page.Items[0].ID() != "nobody" || page.Items[0].AcceptedAt.IsZero() {
		t.Errorf("events %+v, %v", page, err)
	}
	stillKnows(t, db)
	claims, next, err := db.Claim(t.Context(), hooks.ClaimOptions{Max: 10, Lease: time.Minute})
	if err != nil || len(claims) != 3 || next.IsZero() {
		t.Errorf("claimed %+v, next %v, %v; want fresh and both of a, both of b", claims, next, err)
	}
	stats, err := db.Stats(t.Context())
	if err != nil || stats.Fresh < 3 || stats.Retry != 1 || stats.Leased != 3 {
		t.Errorf("stats %+v, %v", stats, err)
	}
}

// stillKnows asks what a migrated file must not have forgotten.
func stillKnows(t *testing.T, db *bolt.DB) {
	t.Helper()
	receipts, err := db.Accept(t.Context(), []hooks.Accepted{{Event: testEvent(t, "both"), SubscriptionIDs: []string{"a"}}})
	if err != nil || !receipts[0].Duplicate || receipts[0].Matched < 2 {
		t.Errorf("an event that was sent before: %+v, %v", receipts, err)
	}
	status, err := db.Status(t.Context(), "a")
	if err != nil || status.SuccessCount != 1 || status.ErrorCount != 2 || !status.FailingSince.IsZero() {
		t.Errorf("status %+v, %v", status, err)
	}
	subs, err := db.Subscriptions(t.Context())
	if err != nil || len(subs) != 2 || subs[0].ID != "a" || subs[0].Version != 1 {
		t.Fatalf("subscriptions %+v, %v", subs, err)
	}
	subs[0].Version++
	if err := db.PutSubscription(t.Context(), subs[0]); err != nil {
		t.Error(err)
	}
}

// TestBacklog fills a file up to its limit.
func TestBacklog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flaghook.db")
	open := func() *bolt.DB {
		db, err := bolt.Open(path, bolt.Options{MaxBacklog: 3})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close() })
		return db
	}
	db := open()
	subscribe(t, db, "a", "b")
	full := func(id string, subscriptions ...string) {
		t.Helper()
		if err := accept(t, db, id, subscriptions...); !errors.Is(err, hooks.ErrBacklog) {
			t.Errorf("%s: %v, want ErrBacklog", id, err)
		}
		if _, err := db.Event(t.Context(), id); err == nil {
			t.Errorf("event %s is stored", id)
		}
	}
	fits := func(id string, subscriptions ...string) {
		t.Helper()
		if err := accept(t, db, id, subscriptions...); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	fits("e1", "a", "b")
	full("e2", "a", "b")
	fits("e3", "a")
	full("e4", "a")
	full("e6", "a", "b", "c", "d")
	var many *hooks.TooManyError // which no waiting helps against
	if err := accept(t, db, "e6", "a", "b", "c", "d"); !errors.As(err, &many) || many.Deliveries != 4 || many.Max != 3 {
		t.Errorf("e6: %v, want a TooManyError", err)
	}
	fits("e5")           // goes to nobody
	fits("e1", "a", "b") // is there already
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = open()
	full("e4", "a")
	if n, err := db.Cancel(t.Context(), "", hooks.DeliveryID("e1", "b", "")); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	fits("e4", "a")
	full("e6", "a")
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	checkFile(t, path)
}
