package hookstest

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flaghook/flaghook/hooks"
)

// inBubble runs a test on time that passes only when everybody waits.
func inBubble(f *fixture, test func(*fixture)) {
	synctest.Test(f.T, func(t *testing.T) {
		inner := &fixture{T: t, dir: f.dir, opener: f.opener}
		inner.start()
		test(inner)
		inner.must(inner.Close())
	})
}

// timeTests run in bubbles.
var timeTests = map[string]func(*fixture){
	"a lease that ends": func(f *fixture) {
		f.subscribe("a")
		f.publish("e1", "a")
		claims, next := f.claimWith(hooks.ClaimOptions{Max: 1, Lease: time.Minute, Capacity: unlimited})
		if want := time.Now().Add(time.Minute); len(claims) != 1 || !next.IsZero() && !next.Equal(want) {
			f.Errorf("%d claims, next at %v, want 1 and %v", len(claims), next, want)
		}
		time.Sleep(time.Minute - time.Nanosecond)
		f.nothingToClaim()
		time.Sleep(time.Nanosecond)
		again := f.claimOne()
		f.deliver(again)
		f.deliver(claims[0]) // too late, and no error
		if d := f.delivery(again); d.State != hooks.StateDelivered || len(d.Attempts) != 1 {
			f.Errorf("delivery %+v", d)
		}
	},
	"a lease that is extended": func(f *fixture) {
		f.subscribe("a")
		f.publish("e1", "a")
		c := f.claimOne()
		time.Sleep(30 * time.Second)
		f.must(f.Extend(f.ctx(), time.Now().Add(time.Hour), c.DeliveryID, "no such delivery"))
		time.Sleep(time.Hour - time.Nanosecond)
		f.nothingToClaim()
		time.Sleep(time.Nanosecond)
		f.deliver(f.claimOne())
		f.must(f.Extend(f.ctx(), time.Now().Add(time.Hour), c.DeliveryID)) // is leased no more
		f.nothingToClaim()
	},
	"a lease that ends while there is no capacity": func(f *fixture) {
		f.subscribe("a")
		f.publishMany("e", 2, "a")
		one := hooks.ClaimOptions{Max: 10, Lease: time.Minute, Capacity: func(string) int { return 1 }}
		f.claimWith(one)
		time.Sleep(2 * time.Minute)
		f.nothingToClaim()
		f.Resume("a")
		if got := f.claim(10); len(got) != 2 {
			f.Errorf("claimed %v", eventIDs(got))
		}
	},
	"an outcome after the lease counts": func(f *fixture) {
		f.subscribe("a")
		f.publish("e1", "a")
		c := f.claimOne()
		time.Sleep(2 * time.Minute)
		f.deliver(c)
		f.nothingToClaim()
		if d := f.delivery(c); d.State != hooks.StateDelivered {
			f.Errorf("delivery %+v", d)
		}
	},
	"a retry waits for its time": func(f *fixture) {
		f.subscribe("a", "b")
		f.publish("e1", "a", "b")
		claims := f.claim(2)
		early, late := time.Now().Add(10*time.Second), time.Now().Add(time.Hour)
		f.retry(claims[0], late)
		f.retry(claims[1], early)
		f.dueAt(early)
		time.Sleep(10*time.Second - time.Nanosecond)
		f.nothingToClaim()
		time.Sleep(time.Nanosecond)
		c := f.claimOne()
		if c.DeliveryID != claims[1].DeliveryID || c.Attempts != 1 || !c.CreatedAt.Equal(claims[1].CreatedAt) {
			f.Errorf("claimed %+v, want %+v with 1 attempt", c, claims[1])
		}
		f.retry(c, time.Now().Add(10*time.Second))
		time.Sleep(10 * time.Second)
		if c = f.claimOne(); c.Attempts != 2 {
			f.Errorf("%d attempts, want 2", c.Attempts)
		}
		f.deliver(c)
		f.dueAt(late)
		if d := f.delivery(claims[0]); d.State != hooks.StatePending || !d.NextAttemptAt.Equal(late) || !d.FinishedAt.IsZero() {
			f.Errorf("delivery %+v", d)
		}
		time.Sleep(time.Until(late))
		f.deliver(f.claimOne())
	},
	"a retry keeps its time over a restart": func(f *fixture) {
		f.subscribe("a")
		f.publishMany("e", 2, "a")
		claims := f.claim(2)
		at := time.Now().Add(time.Hour)
		f.retry(claims[0], at)
		f.restart()
		if c := f.claimOne(); c.EventKey != claims[1].EventKey {
			f.Errorf("claimed %s", c.EventKey)
		} else {
			f.deliver(c)
		}
		f.dueAt(at)
		time.Sleep(time.Hour)
		f.restart()
		f.deliver(f.claimOne())
	},
	"a retry that is due and leased is not claimed again": func(f *fixture) {
		f.subscribe("a")
		f.publish("e1", "a")
		f.retry(f.claimOne(), time.Now())
		c := f.claimOne()
		f.nothingToClaim()
		f.publish("e2", "a")
		if got := f.claimOne(); got.EventKey != "e2" {
			f.Errorf("claimed %s", got.EventKey)
		}
		f.must(f.Release(f.ctx(), c.DeliveryID))
		if got := f.claimOne(); got.DeliveryID != c.DeliveryID || got.Attempts != c.Attempts || got.Tries != c.Tries {
			f.Errorf("claimed %+v, want %+v", got, c)
		}
	},
	"retries and new ones go by age": func(f *fixture) {
		f.subscribe("a")
		f.publish("e1", "a")
		f.retry(f.claimOne(), time.Now().Add(2*time.Second))
		time.Sleep(time.Second)
		f.publish("e2", "a")
		time.Sleep(2 * time.Second)
		f.publish("e3", "a")
		if got, want := eventIDs(f.claim(10)), []string{"e2", "e1", "e3"}; !slices.Equal(got, want) {
			f.Errorf("claimed %v, want %v", got, want)
		}
	},
}

// dueAt claims nothing and is told when there will be something. Leases may
// count as well, so there must be none.
func (f *fixture) dueAt(want time.Time) {
	f.Helper()
	claims, next := f.claimWith(hooks.ClaimOptions{Max: 10, Lease: time.Minute, Capacity: unlimited})
	if len(claims) != 0 || !next.Equal(want) {
		f.Errorf("%d claims, next at %v, want none and %v", len(claims), next, want)
	}
}
