package hookstest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/flaghook/flaghook/hooks"
)

var acceptTests = map[string]func(*fixture){
	"keeps events and makes deliveries": func(f *fixture) {
		f.subscribe("a", "b")
		got := f.publish("e1", "a", "b")
		if want := (hooks.Receipt{EventID: "e1", Matched: 2}); got != want {
			f.Errorf("receipt %+v, want %+v", got, want)
		}
		f.restart()
		f.hasEvent("e1", "")
		for _, s := range []string{"a", "b"} {
			d, err := f.Delivery(f.ctx(), hooks.DeliveryID("e1", s, ""))
			f.must(err)
			if d.State != hooks.StatePending || d.EventID != "e1" || d.SubscriptionID != s || d.CreatedAt.IsZero() || len(d.Attempts) != 0 {
				f.Errorf("delivery to %s: %+v", s, d)
			}
		}
	},
	"keeps events that go to nobody": func(f *fixture) {
		if got := f.publish("e1"); got.Matched != 0 || got.Duplicate {
			f.Errorf("receipt %+v", got)
		}
		f.hasEvent("e1", "")
		if got := f.publish("e1"); !got.Duplicate {
			f.Errorf("second receipt %+v, want a duplicate", got)
		}
	},
	"an empty batch is fine": func(f *fixture) {
		if got := f.accept(); len(got) != 0 {
			f.Errorf("receipts %+v", got)
		}
	},
	"the same event again adds nothing": func(f *fixture) {
		f.subscribe("a", "b")
		f.publish("e1", "a")
		f.deliver(f.claimOne())
		for range 2 {
			// With the second subscription there is more to match now; the
			// first result stands.
			if got, want := f.publish("e1", "a", "b"), (hooks.Receipt{EventID: "e1", Matched: 1, Duplicate: true}); got != want {
				f.Errorf("receipt %+v, want %+v", got, want)
			}
			f.nothingToClaim()
			f.restart()
		}
		if got := f.listed("a", 10); len(got) != 1 {
			f.Errorf("deliveries of %v", got)
		}
	},
	"the same event twice in a batch": func(f *fixture) {
		f.subscribe("a")
		e := hooks.Accepted{Event: f.event("e1", ""), SubscriptionIDs: []string{"a"}}
		got := f.accept(e, e)
		want := []hooks.Receipt{{EventID: "e1", Matched: 1}, {EventID: "e1", Matched: 1, Duplicate: true}}
		if !slices.Equal(got, want) {
			f.Errorf("receipts %+v, want %+v", got, want)
		}
		f.claimOne()
	},
	"other content under a taken id refuses the whole batch": func(f *fixture) {
		f.subscribe("a")
		f.publish("e1", "a")
		f.conflicts("e1", f.event("new", ""), f.event("e1", "other"))
		f.hasNoEvent("new")
		f.hasEvent("e1", "")
		f.claimOne()
	},
	"other content under one id in a batch refuses it": func(f *fixture) {
		f.subscribe("a")
		f.conflicts("e1", f.event("e1", ""), f.event("e1", "other"))
		f.hasNoEvent("e1")
		f.nothingToClaim()
		f.publish("e1", "a")
		f.claimOne()
	},
	"subscriptions count once, and only those that exist": func(f *fixture) {
		f.subscribe("a")
		if got := f.publish("e1", "a", "a", "gone"); got.Matched != 1 {
			f.Errorf("matched %d, want 1", got.Matched)
		}
		f.claimOne()
	},
	"an id belongs to the scope that it was sent in": func(f *fixture) {
		f.subscribe("a")
		for _, scope := range []string{"", "token-1", "token-2"} {
			e := f.eventOf("e1", scope, checkout, scope)
			got := f.accept(hooks.Accepted{Event: e, SubscriptionIDs: []string{"a"}})
			if got[0].Duplicate || got[0].EventID != "e1" {
				f.Errorf("in scope %q: %+v", scope, got)
			}
		}
		again := f.accept(hooks.Accepted{Event: f.eventOf("e1", "token-1", checkout, "token-1")})
		if !again[0].Duplicate || again[0].Matched != 1 {
			f.Errorf("again: %+v", again)
		}
		f.conflicts("e1", f.eventOf("e1", "other", checkout, "token-2"))
		if claims := f.claim(10); len(claims) != 3 {
			f.Errorf("claimed %v", eventIDs(claims))
		}
		f.restart()
		for key, comment := range map[string]string{"e1": "", "token-1/e1": "token-1", "token-2/e1": "token-2"} {
			got, err := f.Event(f.ctx(), key)
			f.must(err)
			if got.Key() != key || got.Doc().Get("comment").AsString() != comment {
				f.Errorf("event %s is stored as %s", key, got.Doc().AppendJSON(nil))
			}
		}
		f.hasNoEvent("token-3/e1")
		f.hasNoEvent("e1/token-1")
	},
	"a bare id finds the newest in any scope": func(f *fixture) {
		for _, scope := range []string{"z", "a", "m"} {
			f.accept(hooks.Accepted{Event: f.eventOf("e1", "", checkout, scope)})
			got, err := f.Event(f.ctx(), "e1")
			f.must(err)
			if got.Key() != scope+"/e1" {
				f.Errorf("found %s, want the one in %s", got.Key(), scope)
			}
		}
		f.hasNoEvent("e")
		f.hasNoEvent("e10")
	},
	"an event says when it was accepted, and for how many": func(f *fixture) {
		f.subscribe("a", "b")
		start := time.Now().Add(-time.Second)
		f.publish("e1", "a", "b", "gone")
		f.restart()
		got, err := f.Event(f.ctx(), "e1")
		f.must(err)
		if got.Matched != 2 || got.AcceptedAt.Before(start) || got.AcceptedAt.After(time.Now()) {
			f.Errorf("matched %d, accepted %v", got.Matched, got.AcceptedAt)
		}
	},
	"deliveries that are finished when they come": func(f *fixture) {
		f.subscribe("a", "b")
		f.ordered("e0", "x", "a")
		f.claimOne()
		var status hooks.Status
		for i, end := range []hooks.Settlement{
			{State: hooks.StateDelivered, Attempt: success()},
			{State: hooks.StateDead, Attempt: failure(404), Reason: "it answered 404"},
			{State: hooks.StateSkipped, Reason: "no template"},
		} {
			id := eventID("e", i)
			e := f.eventOf(id, "", "proj/web:env/production:flag/x", "")
			got := f.accept(hooks.Accepted{Event: e, SubscriptionIDs: []string{"a"}, Ordered: []string{"a"}, Outcome: &end})
			if want := (hooks.Receipt{EventID: id, Matched: 1}); got[0] != want {
				f.Errorf("receipt %+v, want %+v", got, want)
			}
			f.restart()
			d, err := f.Delivery(f.ctx(), hooks.DeliveryID(id, "a", ""))
			f.must(err)
			if d.State != end.State || d.Reason != end.Reason || d.FinishedAt.IsZero() || d.Held {
				f.Errorf("delivery %+v, want %+v", d, end)
			}
			var attempts []hooks.Attempt
			if end.Attempt != nil {
				attempts = append(attempts, *end.Attempt)
				status.Record(*end.Attempt)
			}
			f.sameAttempts(d.Attempts, attempts)
			f.hasStatus("a", status)
		}
		f.hasStatus("b", hooks.Status{})
		f.hasStats(hooks.QueueStats{Fresh: 1})
		f.deliver(f.claimOne()) // e0 alone
	},
	"what is not final is no outcome": func(f *fixture) {
		f.subscribe("a")
		for _, state := range []hooks.State{hooks.StatePending, "odd", ""} {
			_, err := f.Accept(f.ctx(), []hooks.Accepted{{
				Event: f.event("e1", ""), SubscriptionIDs: []string{"a"}, Outcome: &hooks.Settlement{State: state},
			}})
			if err == nil {
				f.Errorf("%q was taken", state)
			}
		}
		f.hasNoEvent("e1")
	},
	"one of many that accept the same event is first": func(f *fixture) {
		f.subscribe("a")
		e := hooks.Accepted{Event: f.event("e1", ""), SubscriptionIDs: []string{"a"}}
		var first atomic.Int64
		var all sync.WaitGroup
		for range 32 {
			all.Go(func() {
				receipts, err := f.Accept(f.ctx(), []hooks.Accepted{e})
				if err != nil {
					f.Error(err)
				} else if !receipts[0].Duplicate {
					first.Add(1)
				}
			})
		}
		all.Wait()
		if first.Load() != 1 {
			f.Errorf("%d were told that the event is new, want 1", first.Load())
		}
		f.claimOne()
	},
	"an ended context": func(f *fixture) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_, err := f.Accept(ctx, []hooks.Accepted{{Event: f.event("e1", "")}})
		if !errors.Is(err, context.Canceled) {
			f.Errorf("error %v, want the context's", err)
		}
	},
	"closed": func(f *fixture) {
		f.must(f.Close())
		f.must(f.Close())
		e := f.event("e1", "")
		_, accept := f.Accept(f.ctx(), []hooks.Accepted{{Event: e}})
		_, _, claim := f.Claim(f.ctx(), hooks.ClaimOptions{Max: 1, Lease: 1, Capacity: unlimited})
		_, event := f.Event(f.ctx(), "e1")
		settle := f.Settle(f.ctx(), hooks.Settlement{State: hooks.StateDelivered})
		for name, err := range map[string]error{"Accept": accept, "Claim": claim, "Event": event, "Settle": settle} {
			// A queue may know without asking that it has nothing to claim.
			if !errors.Is(err, hooks.ErrUnavailable) && (name != "Claim" || err != nil) {
				f.Errorf("%s after Close: %v, want ErrUnavailable", name, err)
			}
		}
	},
}

func (f *fixture) hasEvent(id, comment string) {
	f.Helper()
	got, err := f.Event(f.ctx(), id)
	f.must(err)
	want := f.event(id, comment)
	if got.ID() != id || got.Digest() != want.Digest() || !got.Doc().Equal(want.Doc()) {
		f.Errorf("event %s is stored as %s", id, got.Doc().AppendJSON(nil))
	}
}

func (f *fixture) hasNoEvent(id string) {
	f.Helper()
	if _, err := f.Event(f.ctx(), id); !errors.Is(err, hooks.ErrNotFound) {
		f.Errorf("event %s: error %v, want ErrNotFound", id, err)
	}
}

// conflicts accepts events for subscription a, which must fail for that id.
func (f *fixture) conflicts(id string, events ...*hooks.Event) {
	f.Helper()
	var batch []hooks.Accepted
	for _, e := range events {
		batch = append(batch, hooks.Accepted{Event: e, SubscriptionIDs: []string{"a"}})
	}
	receipts, err := f.Accept(f.ctx(), batch)
	var conflict *hooks.EventConflictError
	if !errors.As(err, &conflict) || conflict.EventID != id || receipts != nil {
		f.Errorf("receipts %v, error %v, want a conflict about %s", receipts, err, id)
	}
}
