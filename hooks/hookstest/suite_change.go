package hookstest

import (
	"errors"
	"slices"
	"time"

	"github.com/flaghook/flaghook/hooks"
)

func (f *fixture) cancels(want int, ids ...string) {
	f.Helper()
	if n, err := f.Cancel(f.ctx(), "changed our mind", ids...); err != nil || n != want {
		f.Fatalf("Cancel changed %d, %v, want %d", n, err, want)
	}
}

func (f *fixture) revives(want int, ids ...string) {
	f.Helper()
	if n, err := f.Revive(f.ctx(), ids...); err != nil || n != want {
		f.Fatalf("Revive changed %d, %v, want %d", n, err, want)
	}
}

func (f *fixture) replayTo(replay, event string, subscriptions ...string) hooks.Receipt {
	f.Helper()
	return f.accept(hooks.Accepted{Event: f.event(event, ""), SubscriptionIDs: subscriptions, Replay: replay})[0]
}

var replayTests = map[string]func(*fixture){
	"makes new deliveries that carry the mark": func(f *fixture) {
		f.subscribe("a", "b")
		f.publish("e1", "a")
		first := f.claimOne()
		f.deliver(first)
		if got, want := f.replayTo("r1", "e1", "a", "b", "gone"), (hooks.Receipt{EventID: "e1", Matched: 2}); got != want {
			f.Errorf("receipt %+v, want %+v", got, want)
		}
		f.restart()
		claims := f.claim(10)
		if len(claims) != 2 || claims[0].Replay != "r1" || claims[0].EventKey != "e1" || claims[0].DeliveryID == first.DeliveryID {
			f.Fatalf("claimed %+v", claims)
		}
		f.deliver(claims...)
		if d := f.delivery(claims[0]); d.Replay != "r1" || d.EventID != "e1" || d.State != hooks.StateDelivered {
			f.Errorf("delivery %+v", d)
		}
		if d := f.delivery(first); d.Replay != "" || d.State != hooks.StateDelivered {
			f.Errorf("the first delivery %+v", d)
		}
		if e, err := f.Event(f.ctx(), "e1"); err != nil || e.Matched != 1 {
			f.Errorf("event %+v, %v", e, err)
		}
		page, err := f.Events(f.ctx(), hooks.EventQuery{Limit: 10})
		if err != nil || len(page.Items) != 1 {
			f.Errorf("%d events, %v, want 1", len(page.Items), err)
		}
	},
	"the same replay again adds only what is missing": func(f *fixture) {
		f.subscribe("a", "b")
		f.publish("e1")
		f.replayTo("r1", "e1", "a")
		f.deliver(f.claimOne())
		for range 2 {
			if got := f.replayTo("r1", "e1", "a"); !got.Duplicate || got.Matched != 1 {
				f.Errorf("receipt %+v", got)
			}
			f.restart()
		}
		f.nothingToClaim()
		if got := f.replayTo("r1", "e1", "a", "b"); got.Duplicate || got.Matched != 2 {
			f.Errorf("receipt %+v", got)
		}
		if c := f.claimOne(); c.SubscriptionID != "b" {
			f.Errorf("claimed %+v", c)
		}
		f.replayTo("r2", "e1", "a")
		if c := f.claimOne(); c.SubscriptionID != "a" || c.Replay != "r2" {
			f.Errorf("claimed %+v", c)
		}
	},
	"an event that is not stored cannot be replayed": func(f *fixture) {
		f.subscribe("a")
		f.publish("e1")
		batch := []hooks.Accepted{
			{Event: f.event("e1", ""), SubscriptionIDs: []string{"a"}, Replay: "r1"},
			{Event: f.event("none", ""), SubscriptionIDs: []string{"a"}, Replay: "r1"},
		}
		if _, err := f.Accept(f.ctx(), batch); !errors.Is(err, hooks.ErrNotFound) {
			f.Errorf("error %v, want ErrNotFound", err)
		}
		f.nothingToClaim()
		batch[1].Event = f.event("e1", "other")
		var conflict *hooks.EventConflictError
		if _, err := f.Accept(f.ctx(), batch); !errors.As(err, &conflict) {
			f.Errorf("error %v, want a conflict", err)
		}
		f.nothingToClaim()
	},
}

var changeTests = map[string]func(*fixture){
	"revived ones are due again, with their attempts": func(f *fixture) {
		f.subscribe("a")
		f.publishMany("e", 4, "a")
		claims := f.claim(4)
		f.must(f.Settle(f.ctx(), hooks.Settlement{Claim: claims[0], State: hooks.StateDead, Reason: "no", Attempt: failure(404)}))
		f.settle(claims[1], hooks.StateSkipped)
		f.settle(claims[2], hooks.StateCancelled)
		f.deliver(claims[3])
		var ids []string
		for _, c := range claims {
			ids = append(ids, c.DeliveryID)
		}
		start := time.Now().Add(-time.Second)
		f.revives(3, append(ids, "x", hooks.DeliveryID("none", "a", ""))...)
		f.revives(0, ids...)
		f.restart()
		if d := f.delivery(claims[0]); d.State != hooks.StatePending || d.Reason != "" || !d.FinishedAt.IsZero() || len(d.Attempts) != 1 {
			f.Errorf("delivery %+v", d)
		}
		again := f.claim(10)
		if len(again) != 3 {
			f.Fatalf("claimed %v, want 3", eventIDs(again))
		}
		i := slices.IndexFunc(again, func(c hooks.Claim) bool { return c.DeliveryID == ids[0] })
		c := again[i]
		if c.Attempts != 1 || c.Tries != 0 || !c.CreatedAt.Equal(claims[0].CreatedAt) || c.Since.Before(start) || c.Since.After(time.Now()) {
			f.Errorf("claim %+v", c)
		}
		f.retry(c, time.Now())
		next := f.claimOne()
		if next.Attempts != 2 || next.Tries != 1 || !next.Since.Equal(c.Since) {
			f.Errorf("claim %+v after one more try, revived at %v", next, c.Since)
		}
		f.deliver(next)
		if d := f.delivery(next); d.State != hooks.StateDelivered || len(d.Attempts) != 3 {
			f.Errorf("delivery %+v", d)
		}
	},
	"since and tries count from the acceptance": func(f *fixture) {
		f.subscribe("a")
		f.publish("e1", "a")
		c := f.claimOne()
		if c.Tries != 0 || !c.Since.Equal(c.CreatedAt) {
			f.Errorf("claim %+v", c)
		}
		f.retry(c, time.Now())
		if c = f.claimOne(); c.Tries != 1 || !c.Since.Equal(c.CreatedAt) {
			f.Errorf("claim %+v", c)
		}
	},
	"cancelled ones are not claimed": func(f *fixture) {
		f.subscribe("a")
		f.publishMany("e", 5, "a")
		claims := f.claim(3)
		f.deliver(claims[0])
		f.retry(claims[1], time.Now())
		var ids []string
		for i := range 4 { // delivered, waiting for a retry, leased, new
			ids = append(ids, hooks.DeliveryID(eventID("e", i), "a", ""))
		}
		f.cancels(3, append(ids, "x", hooks.DeliveryID("none", "a", ""))...)
		f.cancels(0, ids...)
		if d, err := f.Delivery(f.ctx(), ids[3]); err != nil || d.State != hooks.StateCancelled || d.Reason != "changed our mind" || d.FinishedAt.IsZero() {
			f.Errorf("delivery %+v, %v", d, err)
		}
		f.deliver(claims[2]) // it was under way: no error, and it stays cancelled
		if d := f.delivery(claims[2]); d.State != hooks.StateCancelled {
			f.Errorf("delivery %+v", d)
		}
		for range 2 {
			f.claims("e-0004")
			f.restart()
		}
	},
	"one that was just accepted is cancelled": func(f *fixture) {
		f.subscribe("a")
		f.publishMany("e", 3, "a")
		f.cancels(1, hooks.DeliveryID("e-0001", "a", ""))
		f.deliver(f.claims("e-0000", "e-0002")...)
		f.claims()
	},
	"many at once": func(f *fixture) {
		f.subscribe("a", "b")
		f.publishMany("e", 700, "a", "b")
		var ids []string
		for _, d := range f.list(hooks.DeliveryQuery{SubscriptionID: "a", Limit: 1000}) {
			ids = append(ids, d.ID)
		}
		f.cancels(700, ids...)
		f.revives(700, ids...)
		if n := len(f.claim(2000)); n != 1400 {
			f.Errorf("claimed %d, want 1400", n)
		}
	},
	"those of a deleted subscription are left alone": func(f *fixture) {
		f.subscribe("a")
		f.publish("e1", "a")
		c := f.claimOne()
		f.must(f.DeleteSubscription(f.ctx(), "a"))
		f.cancels(0, c.DeliveryID)
		f.subscribe("a")
		f.cancels(0, c.DeliveryID)
		f.revives(0, c.DeliveryID)
	},
}

var statsTests = map[string]func(*fixture){
	"count what waits": func(f *fixture) {
		f.hasStats(hooks.QueueStats{})
		f.subscribe("a", "b")
		f.publishMany("e", 5, "a", "b")
		f.ordered("x1", "x", "a")
		f.ordered("x2", "x", "a")
		f.ordered("x3", "x", "a")
		f.hasStats(hooks.QueueStats{Fresh: 11, Held: 2})
		claims := f.claimOf("b", 5)
		f.retry(claims[0], time.Now().Add(time.Hour))
		f.deliver(claims[1])
		f.settle(claims[2], hooks.StateDead)
		f.hasStats(hooks.QueueStats{Fresh: 8, Retry: 1, Held: 2, Leased: 2})
		f.revives(1, claims[2].DeliveryID)
		f.cancels(1, claims[3].DeliveryID)
		f.restart()
		f.hasStats(hooks.QueueStats{Fresh: 7, Retry: 2, Held: 2})
		for claims := f.claim(100); len(claims) > 0; claims = f.claim(100) {
			f.deliver(claims...)
		}
		f.hasStats(hooks.QueueStats{Retry: 1})
		f.cancels(1, claims[0].DeliveryID)
		f.hasStats(hooks.QueueStats{})
	},
}

// hasStats compares the counts; the oldest must have been accepted just now.
func (f *fixture) hasStats(want hooks.QueueStats) {
	f.Helper()
	got, err := f.Stats(f.ctx())
	f.must(err)
	waiting := got.Fresh+got.Retry+got.Held > 0
	if age := time.Since(got.Oldest); waiting == got.Oldest.IsZero() || waiting && (age < -time.Second || age > time.Minute) {
		f.Errorf("the oldest of %+v was accepted at %v", got, got.Oldest)
	}
	if got.Oldest = want.Oldest; got != want {
		f.Errorf("stats %+v, want %+v", got, want)
	}
}
