package bolt_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flaghook/flaghook/hooks"
)

// TestClaimHandsOutEvents: what was accepted a moment ago is claimed with the
// very event; what comes from the file with what is stored of it, unless other
// deliveries of the event are to come.
func TestClaimHandsOutEvents(t *testing.T) {
	path := filepath.Join(t.TempDir(), "flaghook.db")
	db := openAt(t, path)
	subscribe(t, db, "a", "b")
	one, two := testEvent(t, "e1"), testEvent(t, "e2")
	batch := []hooks.Accepted{{Event: one, SubscriptionIDs: []string{"a"}}, {Event: two, SubscriptionIDs: []string{"a", "b"}}}
	if _, err := db.Accept(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	claim := func() map[string]hooks.Claim {
		t.Helper()
		claims, _, err := db.Claim(t.Context(), hooks.ClaimOptions{Max: 10, Lease: time.Minute})
		if err != nil || len(claims) != 3 {
			t.Fatalf("%d claims, %v, want 3", len(claims), err)
		}
		byID := make(map[string]hooks.Claim)
		for _, c := range claims {
			byID[c.DeliveryID] = c
		}
		return byID
	}
	first := claim()
	for id, c := range first {
		if want := map[string]*hooks.Event{"e1": one, "e2": two}[c.EventKey]; c.Event != want {
			t.Errorf("%s for %s is claimed with event %p, want %p", c.EventKey, c.SubscriptionID, c.Event, want)
		}
		if err := db.Release(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	stored, err := one.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	for id, c := range claim() {
		want := first[id]
		want.Event, want.Stored, want.Matched = nil, "", 2
		if c.EventKey == "e1" {
			want.Stored, want.Matched = string(stored), 1
		}
		if diff := cmp.Diff(want, c); diff != "" {
			t.Errorf("from the file: %s", diff)
		}
	}
}

// TestClaimMoreThanIsAtHand accepts more than is kept in memory, before and
// between claims: each delivery is claimed once, in the order of acceptance.
func TestClaimMoreThanIsAtHand(t *testing.T) {
	db := openAt(t, filepath.Join(t.TempDir(), "flaghook.db"))
	subscribe(t, db, "a")
	next := 0
	add := func(n int) {
		var batch []hooks.Accepted
		for range n {
			batch = append(batch, hooks.Accepted{Event: testEvent(t, fmt.Sprintf("e%06d", next)), SubscriptionIDs: []string{"a"}})
			next++
		}
		if _, err := db.Accept(t.Context(), batch); err != nil {
			t.Fatal(err)
		}
	}
	claimed := 0
	claim := func(n int) {
		claims, _, err := db.Claim(t.Context(), hooks.ClaimOptions{Max: n, Lease: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range claims {
			if want := fmt.Sprintf("e%06d", claimed); c.EventKey != want {
				t.Fatalf("%s is claimed, want %s", c.EventKey, want)
			}
			claimed++
		}
	}
	for _, step := range []struct{ add, claim int }{{500, 100}, {1500, 700}, {10, 300}, {3000, 5000}, {10, 5}, {1, 100}, {2000, 3000}} {
		add(step.add)
		claim(step.claim)
	}
	claim(10_000)
	if claimed != next {
		t.Errorf("%d were claimed, want %d", claimed, next)
	}
}
