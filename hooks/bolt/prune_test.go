package bolt_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/bolt"
)

// openWith opens a file with options, and closes and checks it when the test
// ends.
func openWith(t testing.TB, path string, o bolt.Options) *bolt.DB {
	t.Helper()
	db, err := bolt.Open(path, o)
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

// finish claims everything and settles it in a state.
func finish(t testing.TB, db *bolt.DB, state hooks.State) {
	t.Helper()
	for {
		claims, _, err := db.Claim(t.Context(), hooks.ClaimOptions{Max: 100, Lease: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		if len(claims) == 0 {
			return
		}
		var all sync.WaitGroup // they share commits
		for _, c := range claims {
			all.Go(func() {
				if err := db.Settle(t.Context(), hooks.Settlement{Claim: c, State: state, RetryAt: time.Now().Add(1000 * time.Hour)}); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if t.Failed() {
			t.FailNow()
		}
	}
}

func mustAccept(t testing.TB, db *bolt.DB, id string, subscriptions ...string) {
	t.Helper()
	if err := accept(t, db, id, subscriptions...); err != nil {
		t.Fatal(err)
	}
}

// has says which events are stored, and of which there is a delivery to a.
func has(t testing.TB, db *bolt.DB, ids ...string) string {
	t.Helper()
	var found []string
	for _, id := range ids {
		_, event := db.Event(t.Context(), id)
		_, delivery := db.Delivery(t.Context(), hooks.DeliveryID(id, "a", ""))
		for _, err := range []error{event, delivery} {
			if err != nil && !errors.Is(err, hooks.ErrNotFound) {
				t.Fatal(err)
			}
		}
		switch {
		case event == nil && delivery == nil:
			found = append(found, id)
		case event == nil:
			found = append(found, id+" alone")
		case delivery == nil:
			t.Errorf("the delivery of %s has no event", id)
		}
	}
	return strings.Join(found, ", ")
}

func TestRetention(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := openWith(t, filepath.Join(t.TempDir(), "flaghook.db"), bolt.Options{Retention: 48 * time.Hour})
		subscribe(t, db, "a")
		mustAccept(t, db, "done", "a")
		finish(t, db, hooks.StateDelivered)
		mustAccept(t, db, "dead", "a")
		finish(t, db, hooks.StateDead)
		mustAccept(t, db, "nobody")
		mustAccept(t, db, "waits", "a")
		finish(t, db, hooks.StatePending)
		time.Sleep(24 * time.Hour)
		mustAccept(t, db, "later", "a")
		finish(t, db, hooks.StateDelivered)
		all := []string{"done", "dead", "nobody", "waits", "later"}
		for _, step := range []struct {
			wait time.Duration
			want string
		}{
			{0, "done, dead, nobody alone, waits, later"},
			{23 * time.Hour, "done, dead, nobody alone, waits, later"},
			{2 * time.Hour, "waits, later"},
			{24 * time.Hour, "waits"},
			{1000 * time.Hour, "waits"},
		} {
			time.Sleep(step.wait)
			synctest.Wait()
			if got := has(t, db, all...); got != step.want {
				t.Errorf("after %v more: %s, want %s", step.wait, got, step.want)
			}
		}
		// What ends late is kept from then on.
		finish(t, db, hooks.StateDelivered)
		time.Sleep(47 * time.Hour)
		if got := has(t, db, all...); got != "waits" {
			t.Errorf("just after its end: %s", got)
		}
		time.Sleep(3 * time.Hour)
		if got := has(t, db, all...); got != "" {
			t.Errorf("at last: %s", got)
		}
		mustAccept(t, db, "done", "a") // is new again
		if got := has(t, db, all...); got != "done" {
			t.Errorf("after it was sent again: %s", got)
		}
	})
}

// TestRetentionShorterThanIDs removes events whose ids must still be known.
func TestRetentionShorterThanIDs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "flaghook.db")
		db := openWith(t, path, bolt.Options{Retention: time.Hour})
		subscribe(t, db, "a")
		mustAccept(t, db, "e1", "a")
		finish(t, db, hooks.StateDelivered)
		time.Sleep(3 * time.Hour)
		if got := has(t, db, "e1"); got != "" {
			t.Errorf("after three hours: %s", got)
		}
		again := []hooks.Accepted{{Event: testEvent(t, "e1"), SubscriptionIDs: []string{"a"}}}
		for _, step := range []struct {
			wait time.Duration
			want hooks.Receipt
		}{
			{20 * time.Hour, hooks.Receipt{EventID: "e1", Matched: 1, Duplicate: true}},
			{3 * time.Hour, hooks.Receipt{EventID: "e1", Matched: 1}},
		} {
			time.Sleep(step.wait)
			got, err := db.Accept(t.Context(), again)
			if err != nil || got[0] != step.want {
				t.Errorf("%v later: %+v, %v, want %+v", step.wait, got, err, step.want)
			}
		}
	})
}

// TestPruneReplays: an event stays as long as one of its replays does.
func TestPruneReplays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := openWith(t, filepath.Join(t.TempDir(), "flaghook.db"), bolt.Options{Retention: 48 * time.Hour})
		subscribe(t, db, "a", "b")
		mustAccept(t, db, "e1", "a", "b")
		finish(t, db, hooks.StateDelivered)
		time.Sleep(47 * time.Hour)
		_, err := db.Accept(t.Context(), []hooks.Accepted{{Event: testEvent(t, "e1"), SubscriptionIDs: []string{"a"}, Replay: "r"}})
		if err != nil {
			t.Fatal(err)
		}
		finish(t, db, hooks.StateDelivered)
		time.Sleep(3 * time.Hour)
		if got := has(t, db, "e1"); got != "e1 alone" {
			t.Errorf("%s, want e1 alone", got)
		}
		if _, err := db.Delivery(t.Context(), hooks.DeliveryID("e1", "a", "r")); err != nil {
			t.Error(err)
		}
		time.Sleep(48 * time.Hour)
		if got := has(t, db, "e1"); got != "" {
			t.Errorf("%s is left", got)
		}
	})
}

// TestMaxBytes writes several times as much as the file may hold: the oldest
// goes, what is not finished stays, and the file stops growing.
func TestMaxBytes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "flaghook.db")
		const limit = 2 << 20
		db := openWith(t, path, bolt.Options{MaxBytes: limit})
		subscribe(t, db, "a")
		mustAccept(t, db, "waits", "a")
		finish(t, db, hooks.StatePending)
		comment := strings.Repeat("x", 2000)
		var batch []hooks.Accepted
		for i := range 4000 {
			e := bigEvent(t, fmt.Sprintf("e%d", i), comment)
			batch = append(batch, hooks.Accepted{Event: e, SubscriptionIDs: []string{"a"}})
			if len(batch) < 100 {
				continue
			}
			if _, err := db.Accept(t.Context(), batch); err != nil {
				t.Fatal(err)
			}
			batch = nil
			finish(t, db, hooks.StateDelivered)
			time.Sleep(time.Second)
		}
		time.Sleep(5 * time.Minute)
		if got := has(t, db, "e0", "e1000", "e3999", "waits"); got != "e3999, waits" {
			t.Errorf("%s is left, want e3999, waits", got)
		}
		used, err := db.Used(t.Context())
		if err != nil || used > limit || used < limit/2 {
			t.Errorf("%d bytes are used, %v, of %d", used, err, limit)
		}
	})
}

// TestPruneWideEvent prunes an event with more deliveries than fit a chunk.
func TestPruneWideEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := openWith(t, filepath.Join(t.TempDir(), "flaghook.db"), bolt.Options{Retention: 48 * time.Hour})
		var subs []string
		for i := range 300 { // more than pruneChunk
			subs = append(subs, fmt.Sprintf("s%04d", i))
		}
		subscribe(t, db, subs...)
		mustAccept(t, db, "e1", subs...)
		mustAccept(t, db, "e2", subs...)
		finish(t, db, hooks.StateDelivered)
		time.Sleep(50 * time.Hour) // what is passed over is looked at again within an hour
		page, err := db.Deliveries(t.Context(), hooks.DeliveryQuery{Limit: 10})
		if err != nil || len(page.Items) != 0 {
			t.Errorf("%d deliveries are left, %v", len(page.Items), err)
		}
		if got := has(t, db, "e1", "e2"); got != "" {
			t.Errorf("%s is left", got)
		}
	})
}
