package hookstest

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flaghook/flaghook/hooks"
)

var claimTests = map[string]func(*fixture){
	"oldest first, each once": func(f *fixture) {
		f.subscribe("a")
		f.publishMany("e", 7, "a")
		var got []string
		for range 3 {
			got = append(got, eventIDs(f.claim(3))...)
		}
		var want []string
		for i := range 7 {
			want = append(want, eventID("e", i))
		}
		if !slices.Equal(got, want) {
			f.Errorf("claimed %v, want %v", got, want)
		}
		f.nothingToClaim()
	},
	"says what the claimer needs": func(f *fixture) {
		f.subscribe("a")
		before := time.Now().Add(-time.Second)
		f.publish("e1", "a")
		c := f.claimOne()
		if c.EventKey != "e1" || c.SubscriptionID != "a" || c.Attempts != 0 || c.CreatedAt.Before(before) || c.CreatedAt.After(time.Now()) {
			f.Errorf("claim %+v", c)
		}
	},
	"released ones are due again": func(f *fixture) {
		f.subscribe("a")
		f.publishMany("e", 3, "a")
		claims := f.claim(3)
		f.must(f.Release(f.ctx(), claims[2].DeliveryID, claims[0].DeliveryID, "no such delivery"))
		got := eventIDs(f.claim(3))
		if want := []string{claims[0].EventKey, claims[2].EventKey}; !slices.Equal(got, want) {
			f.Errorf("claimed %v, want %v", got, want)
		}
	},
	"a restart ends all leases": func(f *fixture) {
		f.subscribe("a", "b")
		f.publishMany("e", 3, "a", "b")
		claims := f.claim(5)
		f.deliver(claims[0])
		f.restart()
		if got := f.claim(10); len(got) != 5 || slices.Contains(got, claims[0]) {
			f.Errorf("claimed %+v, want all but the delivered one", got)
		}
	},
	"capacity": func(f *fixture) {
		f.subscribe("off", "some", "all")
		f.publishMany("e", 50, "off", "some", "all")
		capacity := func(id string) int { return map[string]int{"off": 0, "some": 7, "all": 1000}[id] }
		n := map[string]int{}
		claims, _ := f.claimWith(hooks.ClaimOptions{Max: 500, Lease: time.Minute, Capacity: capacity})
		for _, c := range claims {
			n[c.SubscriptionID]++
		}
		if n["off"] != 0 || n["some"] != 7 || n["all"] != 50 {
			f.Errorf("claimed %v, want 7 of some and 50 of all", n)
		}
		f.nothingToClaim() // until they are resumed
		f.Resume("off", "unknown")
		if got := f.claim(500); len(got) != 50 {
			f.Errorf("%d of off were left to claim, want 50", len(got))
		}
		f.Resume("off", "some", "all")
		if got := f.claim(500); len(got) != 43 {
			f.Errorf("%d of some were left to claim, want 43", len(got))
		}
	},
	"one without capacity is asked about once": func(f *fixture) {
		f.subscribe("a", "b")
		f.publish("e1", "a", "b")
		asked := 0
		none := hooks.ClaimOptions{Max: 10, Lease: time.Minute, Capacity: func(id string) int {
			if id == "a" {
				asked++
				return 0
			}
			return 1000
		}}
		for i := range 5 {
			claims, _ := f.claimWith(none)
			f.deliver(claims...)
			f.publish(eventID("e", i), "a", "b") // does not bring it back
		}
		if asked != 1 {
			f.Errorf("asked %d times about one that was not resumed", asked)
		}
		f.Resume("a")
		if f.claimWith(none); asked != 2 {
			f.Errorf("asked %d times after it was resumed, want 2", asked)
		}
		f.Resume("a")
		if got := f.claim(10); len(got) != 6 {
			f.Errorf("claimed %v", eventIDs(got))
		}
	},
	"one whose capacity is used up is resumed too": func(f *fixture) {
		f.subscribe("a")
		f.publishMany("e", 5, "a")
		two := hooks.ClaimOptions{Max: 10, Lease: time.Minute, Capacity: func(string) int { return 2 }}
		for _, want := range []int{2, 2, 1, 0} {
			claims, _ := f.claimWith(two)
			if len(claims) != want {
				f.Errorf("claimed %d, want %d", len(claims), want)
			}
			f.deliver(claims...)
			if claims, _ := f.claimWith(two); want == 2 && len(claims) != 0 {
				f.Errorf("claimed %d more before it was resumed", len(claims))
			}
			f.Resume("a")
		}
	},
	"one that has much waiting does not hold up the others": func(f *fixture) {
		f.subscribe("busy")
		f.publishMany("old", 2000, "busy")
		var others []string
		for i := range 20 {
			others = append(others, fmt.Sprintf("s%02d", i))
		}
		f.subscribe(others...)
		f.publishMany("new", 3, others...)
		n := map[string]int{}
		for range 4 {
			for _, c := range f.claim(40) {
				n[c.SubscriptionID]++
			}
		}
		for _, id := range others {
			if n[id] != 3 {
				f.Errorf("after 160 claims %s has %d of its 3, and busy %d", id, n[id], n["busy"])
			}
		}
		if n["busy"] == 0 {
			f.Error("the busy one got nothing")
		}
	},
	"all are served when there are more than fit": func(f *fixture) {
		var ids []string
		for i := range 30 {
			ids = append(ids, fmt.Sprintf("s%02d", i))
		}
		f.subscribe(ids...)
		f.publishMany("e", 4, ids...)
		n := map[string]int{}
		for range 15 {
			for _, c := range f.claim(4) {
				n[c.SubscriptionID]++
			}
		}
		for _, id := range ids {
			if n[id] < 1 || n[id] > 3 {
				f.Errorf("after 60 claims for 30 subscriptions %s has had %d", id, n[id])
			}
		}
	},
	"ready": func(f *fixture) {
		f.subscribe("a")
		drain := func() {
			select {
			case <-f.Ready():
			default:
			}
		}
		drain()
		f.publish("e1", "a")
		f.isReady("Accept")
		c := f.claimOne()
		drain()
		f.must(f.Release(f.ctx(), c.DeliveryID))
		f.isReady("Release")
		c = f.claimOne()
		drain()
		f.retry(c, time.Now().Add(time.Hour))
		f.isReady("Settle") // to be told when
		f.publish("e2", "a")
		f.claimWith(hooks.ClaimOptions{Max: 1, Lease: time.Minute, Capacity: func(string) int { return 0 }})
		drain()
		f.Resume("a")
		f.isReady("Resume")
		c = f.claimOne()
		f.must(f.Settle(f.ctx(), hooks.Settlement{Claim: c, State: hooks.StateDead}))
		drain()
		_, err := f.Revive(f.ctx(), c.DeliveryID)
		f.must(err)
		f.isReady("Revive")
	},
}

func (f *fixture) isReady(after string) {
	f.Helper()
	select {
	case <-f.Ready():
	case <-time.After(10 * time.Second):
		f.Errorf("nothing came from Ready after %s", after)
	}
}

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
		if got := f.claimOne(); got != c {
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
