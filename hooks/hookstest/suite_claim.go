package hookstest

import (
	"fmt"
	"slices"
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
		if got := deliveryIDs(f.claim(10)); len(got) != 5 || slices.Contains(got, claims[0].DeliveryID) {
			f.Errorf("claimed %v, want all but the delivered one", got)
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
