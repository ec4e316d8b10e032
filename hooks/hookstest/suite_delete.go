package hookstest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/flaghook/flaghook/hooks"
)

var deleteTests = map[string]func(*fixture){
	"nothing of it is left": func(f *fixture) {
		f.subscribe("a", "b")
		f.publishMany("e", 1200, "a")
		f.publish("both", "a", "b")
		claims := f.claimOf("a", 20)
		f.deliver(claims[:5]...)
		f.retry(claims[5], time.Now())
		f.retry(claims[6], time.Now().Add(time.Hour))
		f.must(f.DeleteSubscription(f.ctx(), "a"))
		for range 2 {
			f.isGone("a", claims)
			if c := f.claimOne(); c.SubscriptionID != "b" {
				f.Errorf("claimed %+v", c)
			}
			f.restart()
		}
	},
	"its outcomes are no error": func(f *fixture) {
		f.subscribe("a")
		f.publishMany("e", 3, "a")
		claims := f.claim(3)
		f.must(f.DeleteSubscription(f.ctx(), "a"))
		f.deliver(claims[0])
		f.retry(claims[1], time.Now())
		f.must(f.Release(f.ctx(), claims[2].DeliveryID))
		f.nothingToClaim()
		f.isGone("a", claims)
	},
	"another of the same id begins anew": func(f *fixture) {
		f.subscribe("a")
		f.publishMany("e", 900, "a")
		old := f.claim(2)
		f.retry(old[0], time.Now())
		f.must(f.DeleteSubscription(f.ctx(), "a"))
		f.subscribe("a")
		f.hasStatus("a", hooks.Status{})
		f.publish("new", "a")
		c := f.claimOne()
		// Of the first subscription: a backend need not remember it.
		late := hooks.Settlement{Claim: old[1], State: hooks.StateDelivered, Attempt: success()}
		if err := f.Settle(f.ctx(), late); err != nil && !errors.Is(err, hooks.ErrNotFound) {
			f.Errorf("Settle: %v", err)
		}
		f.hasStatus("a", hooks.Status{})
		f.deliver(c)
		f.restart()
		f.nothingToClaim()
		if got := f.listed("a", 10); !slices.Equal(got, []string{"new"}) {
			f.Errorf("deliveries of %v, want new", got)
		}
	},
	"what is not there": func(f *fixture) {
		if err := f.DeleteSubscription(f.ctx(), "a"); !errors.Is(err, hooks.ErrNotFound) {
			f.Errorf("error %v, want ErrNotFound", err)
		}
		f.subscribe("a")
		f.must(f.DeleteSubscription(f.ctx(), "a"))
		if err := f.DeleteSubscription(f.ctx(), "a"); !errors.Is(err, hooks.ErrNotFound) {
			f.Errorf("the second time: error %v, want ErrNotFound", err)
		}
	},
	"events stay": func(f *fixture) {
		f.subscribe("a")
		f.publish("e1", "a")
		f.must(f.DeleteSubscription(f.ctx(), "a"))
		f.hasEvent("e1", "")
	},
}

// claimOf claims n of one subscription and leaves the others alone.
func (f *fixture) claimOf(subscription string, n int) []hooks.Claim {
	f.Helper()
	claims, _ := f.claimWith(hooks.ClaimOptions{Max: n, Lease: time.Minute, Capacity: func(id string) int {
		if id == subscription {
			return n
		}
		return 0
	}})
	f.Resume(f.subscriptionIDs()...) // those that were passed over
	if len(claims) != n {
		f.Fatalf("claimed %d of %s, want %d", len(claims), subscription, n)
	}
	return claims
}

func (f *fixture) subscriptionIDs() (ids []string) {
	f.Helper()
	list, err := f.Subscriptions(f.ctx())
	f.must(err)
	for _, s := range list {
		ids = append(ids, s.ID)
	}
	return ids
}

func (f *fixture) isGone(subscription string, claims []hooks.Claim) {
	f.Helper()
	if slices.Contains(f.subscriptionIDs(), subscription) {
		f.Errorf("subscription %s is still there", subscription)
	}
	if got := f.listed(subscription, 100); len(got) != 0 {
		f.Errorf("%d deliveries are still listed", len(got))
	}
	f.hasStatus(subscription, hooks.Status{})
	for _, c := range claims {
		if _, err := f.Delivery(f.ctx(), c.DeliveryID); !errors.Is(err, hooks.ErrNotFound) {
			f.Errorf("delivery of %s: error %v, want ErrNotFound", c.EventKey, err)
		}
	}
}

var concurrentTests = map[string]func(*fixture){
	"nothing is lost, nothing is made twice": func(f *fixture) {
		const publishers, events, workers = 8, 60, 4
		subs := []string{"a", "b", "c"}
		f.subscribe(subs...)
		f.subscribe("victim")
		want := publishers * events * len(subs)
		var mu sync.Mutex
		delivered := make(map[string]int)
		done := make(chan struct{})

		var publishing, working sync.WaitGroup
		for p := range publishers {
			publishing.Go(func() {
				for i := range events {
					e := f.event(eventID(fmt.Sprint("p", p), i), "")
					if _, err := f.Accept(f.ctx(), []hooks.Accepted{{Event: e, SubscriptionIDs: append(subs[:3:3], "victim")}}); err != nil {
						f.Error(err)
					}
				}
			})
		}
		for w := range workers {
			working.Go(func() {
				f.work(w, done, func(c hooks.Claim) {
					mu.Lock()
					defer mu.Unlock()
					delivered[c.DeliveryID]++
					if len(delivered) == want {
						close(done)
					}
				})
			})
		}
		publishing.Go(func() { f.readUntil(done) })
		publishing.Go(func() {
			if err := f.DeleteSubscription(f.ctx(), "victim"); err != nil {
				f.Error(err)
			}
		})
		publishing.Wait()
		working.Wait()
		for id, n := range delivered {
			if n != 1 {
				f.Errorf("delivery %s was made %d times", id, n)
			}
		}
		f.restart()
		f.nothingToClaim()
		for _, s := range subs {
			if n := len(f.listed(s, 100)); n != publishers*events {
				f.Errorf("%s has %d deliveries, want %d", s, n, publishers*events)
			}
		}
	},
}

// work delivers until done, now and then releasing or retrying first.
func (f *fixture) work(n int, done <-chan struct{}, delivered func(hooks.Claim)) {
	for round := n; ; round++ {
		claims, _, err := f.Claim(f.ctx(), hooks.ClaimOptions{Max: 16, Lease: time.Minute, Capacity: unlimited})
		if err != nil {
			f.Error(err)
			return
		}
		for i, c := range claims {
			s := hooks.Settlement{Claim: c, State: hooks.StateDelivered, Attempt: success()}
			switch {
			case c.Attempts == 0 && (round+i)%5 == 0:
				s.State, s.RetryAt, s.Attempt = hooks.StatePending, time.Now(), failure(500)
			case (round+i)%7 == 0:
				err = f.Release(f.ctx(), c.DeliveryID)
				s.State = ""
			}
			if s.State != "" {
				err = f.Settle(f.ctx(), s)
			}
			if err != nil {
				f.Error(err)
				return
			}
			if s.State == hooks.StateDelivered && c.SubscriptionID != "victim" {
				delivered(c)
			}
		}
		if len(claims) > 0 {
			continue
		}
		select {
		case <-done:
			return
		case <-f.Ready():
		case <-time.After(time.Millisecond): // another worker took the signal
		}
	}
}

// readUntil reads all there is to read, again and again.
func (f *fixture) readUntil(done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		default:
		}
		page, err := f.Deliveries(f.ctx(), hooks.DeliveryQuery{SubscriptionID: "a", Limit: 20})
		if err != nil {
			f.Error(err)
			return
		}
		for _, d := range page.Items {
			if _, err := f.Delivery(f.ctx(), d.ID); err != nil {
				f.Error(err)
			}
			if _, err := f.Event(f.ctx(), d.EventKey); err != nil {
				f.Error(err)
			}
		}
		if _, err := f.Status(f.ctx(), "a"); err != nil {
			f.Error(err)
		}
		if _, err := f.Subscriptions(f.ctx()); err != nil {
			f.Error(err)
		}
	}
}
