package hooks_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/bolt"
	"github.com/flaghook/flaghook/policy"
)

// TestLastUseIsKept: a use counts at once, and is stored at most once a minute.
func TestLastUseIsKept(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		db, err := bolt.Open(filepath.Join(dir, "test.db"), bolt.Options{})
		if err != nil {
			t.Fatal(err)
		}
		open := func() *hooks.Tokens {
			e, err := hooks.New(t.Context(), hooks.Options{Store: db, Queue: db, Sender: refusing{}, Catalog: testCatalog(t), Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			return e.Tokens()
		}
		tokens := open()
		made, text, err := tokens.Create(t.Context(), hooks.Actor{}, hooks.Token{Name: "n", Role: hooks.RoleReader})
		if err != nil {
			t.Fatal(err)
		}
		last := func(tokens *hooks.Tokens) time.Time {
			found, err := tokens.Token(made.ID)
			if err != nil {
				t.Fatal(err)
			}
			return found.LastUsedAt
		}
		if !last(tokens).IsZero() {
			t.Errorf("used at %v, never shown", last(tokens))
		}
		start, stored := time.Now().UTC(), 0
		for n := range 180 { // for three minutes
			if tokens.Authenticate(t.Context(), text) == nil {
				t.Fatal("refused")
			}
			if now := time.Now().UTC(); !last(tokens).Equal(now) {
				t.Errorf("use %d at %v counts as %v", n, now, last(tokens))
			}
			if r, err := db.Record(t.Context(), "token", made.ID); err != nil || int(r.Version) != stored {
				stored++
			}
			time.Sleep(time.Second)
		}
		if stored != 4 { // once when it was made
			t.Errorf("stored %d times in three minutes", stored)
		}
		if again := last(open()); again.Before(start.Add(2*time.Minute)) || again.After(start.Add(3*time.Minute)) {
			t.Errorf("another start knows of %v, used until %v", again, last(tokens))
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestRevokedStaysRevoked: whatever uses go on meanwhile, what is revoked is
// refused, and no use brings it back.
func TestRevokedStaysRevoked(t *testing.T) {
	b := newBench(t, "", nil)
	var work sync.WaitGroup
	for n := range 50 {
		made, text, err := b.Tokens().Create(t.Context(), hooks.Actor{}, hooks.Token{Name: fmt.Sprint(n), Role: hooks.RoleSender})
		if err != nil {
			t.Fatal(err)
		}
		for range 4 {
			work.Go(func() { b.Tokens().Authenticate(context.Background(), text) })
		}
		work.Go(func() {
			if err := b.Tokens().Revoke(context.Background(), hooks.Actor{}, made.ID); err != nil {
				t.Error(err)
			}
			if b.Tokens().Authenticate(context.Background(), text) != nil {
				t.Error("a revoked token is taken")
			}
		})
	}
	work.Wait()
	if records, err := b.db.Records(t.Context(), "token", "", 100); err != nil || len(records) != 0 {
		t.Errorf("%d records are left (%v)", len(records), err)
	}
}

func TestTokensAreBounded(t *testing.T) {
	b := newBench(t, "", nil)
	var first *hooks.Token
	for n := range hooks.MaxTokens {
		made, _, err := b.Tokens().Create(t.Context(), hooks.Actor{}, hooks.Token{Name: fmt.Sprint(n), Role: hooks.RoleReader})
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = made
		}
	}
	one := hooks.Token{Name: "one more", Role: hooks.RoleReader}
	var bad *hooks.InvalidError
	if _, _, err := b.Tokens().Create(t.Context(), hooks.Actor{}, one); !errors.As(err, &bad) {
		t.Errorf("one more: %v", err)
	}
	if err := b.Tokens().Revoke(t.Context(), hooks.Actor{}, first.ID); err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.Tokens().Create(t.Context(), hooks.Actor{}, one); err != nil {
		t.Errorf("in its place: %v", err)
	}
	if err := b.Tokens().Revoke(t.Context(), hooks.Actor{}, first.ID); !errors.Is(err, hooks.ErrNotFound) {
		t.Errorf("revoked twice: %v", err)
	}
}

// TestGrantAsksForEveryAccess: a sender's event passes where each access alone
// would, whereas a subscription wants it for one.
func TestGrantAsksForEveryAccess(t *testing.T) {
	b := newBench(t, "", nil)
	statements := []policy.Statement{
		{Effect: "allow", Resources: []string{"proj/a:env/*:flag/*", "proj/b"}, Actions: []string{"update*"}},
		{Effect: "deny", Resources: []string{"proj/a:env/production:flag/*"}, Actions: []string{"updateRules"}},
	}
	rules, err := policy.Parse(statements)
	if err != nil {
		t.Fatal(err)
	}
	_, text, err := b.Tokens().Create(t.Context(), hooks.Actor{}, hooks.Token{Name: "n", Role: hooks.RoleSender, Statements: statements})
	if err != nil {
		t.Fatal(err)
	}
	grant := b.Tokens().Authenticate(t.Context(), text)
	rapid.Check(t, func(rt *rapid.T) {
		type access struct{ action, resource string }
		accesses := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) access {
			return access{
				rapid.SampledFrom([]string{"updateOn", "updateRules", "deleteFlag"}).Draw(rt, "action"),
				rapid.SampledFrom([]string{"proj/a:env/production:flag/x", "proj/a:env/test:flag/x", "proj/b", "proj/c:env/test:flag/x"}).Draw(rt, "resource"),
			}
		}), 1, 4).Draw(rt, "accesses")
		body, refused := `{"accesses": [`, ""
		for i, a := range accesses {
			if i > 0 {
				body += ","
			}
			body += fmt.Sprintf(`{"action": %q, "resource": %q}`, a.action, a.resource)
			parsed, err := policy.ParseAccess(policy.Access{Action: a.action, Resource: a.resource})
			if err != nil {
				rt.Fatal(err)
			}
			if refused == "" && !rules.Allows([]policy.ParsedAccess{parsed}) {
				refused = a.resource
			}
		}
		event, err := hooks.NewEvent(parse(t, body+"]}"), hooks.EventOptions{})
		if err != nil {
			rt.Fatal(err)
		}
		if got := grant.Refuses(event); got != refused {
			rt.Errorf("it refuses %q, want %q", got, refused)
		}
		if hooks.AdminGrant().Refuses(event) != "" {
			rt.Error("an admin is refused")
		}
	})
}

// A stored token whose policy does not parse, which an earlier version took, lets
// nothing through, and the server starts.
func TestTokenWhosePolicyDoesNotParse(t *testing.T) {
	before := newBench(t, "", nil)
	made, text, err := before.Tokens().Create(t.Context(), hooks.Actor{}, hooks.Token{
		Name: "n", Role: hooks.RoleSender, Statements: []policy.Statement{{Effect: "allow", Resources: []string{"proj/web"}, Actions: []string{"*"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := before.db.Record(t.Context(), "token", made.ID)
	if err != nil {
		t.Fatal(err)
	}
	r.Data = bytes.Replace(r.Data, []byte(`"proj/web"`), []byte(`"proj/web;;"`), 1)
	r.Version++
	if err := before.db.PutRecord(t.Context(), "token", r); err != nil {
		t.Fatal(err)
	}
	before.close()
	grant := newBench(t, before.dir, nil).Tokens().Authenticate(t.Context(), text)
	if grant == nil || grant.Refuses(newEvent(t, `{"action": "updateName", "resource": "proj/web"}`)) == "" {
		t.Errorf("it lets an event through: %+v", grant)
	}
}
