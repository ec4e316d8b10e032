package hookstest

import (
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/flaghook/flaghook/hooks"
)

// ordered accepts an event about a flag for subscriptions that want order.
func (f *fixture) ordered(id, flag string, subscriptions ...string) {
	f.Helper()
	e := f.eventOf(id, "", "proj/web:env/production:flag/"+flag+";"+id, "")
	f.accept(hooks.Accepted{Event: e, SubscriptionIDs: subscriptions, Ordered: subscriptions})
}

// claims claims what there is and compares the events.
func (f *fixture) claims(want ...string) []hooks.Claim {
	f.Helper()
	claims := f.claim(100)
	got := eventIDs(claims)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		f.Fatalf("claimed %v, want %v", got, want)
	}
	return claims
}

// settle ends a claim without an attempt.
func (f *fixture) settle(c hooks.Claim, state hooks.State) {
	f.Helper()
	f.must(f.Settle(f.ctx(), hooks.Settlement{Claim: c, State: state, Reason: "because"}))
}

var orderTests = map[string]func(*fixture){
	"one resource goes out one by one, in the order of acceptance": func(f *fixture) {
		f.subscribe("a")
		for i := range 4 {
			f.ordered(eventID("e", i), "x", "a")
		}
		for i := range 4 {
			f.deliver(f.claims(eventID("e", i))...)
			if i == 1 {
				f.restart()
			}
		}
		f.claims()
	},
	"another resource does not wait, nor another subscription": func(f *fixture) {
		f.subscribe("a", "b", "free")
		f.ordered("x1", "x", "a")
		f.ordered("x2", "x", "a", "b")
		f.ordered("y1", "y", "a")
		e := f.eventOf("x3", "", "proj/web:env/production:flag/x", "")
		f.accept(hooks.Accepted{Event: e, SubscriptionIDs: []string{"a", "free"}, Ordered: []string{"a"}})
		f.claims("x1", "x2", "x3", "y1")
	},
	"what is not ordered does not wait": func(f *fixture) {
		f.subscribe("a")
		f.ordered("x1", "x", "a")
		e := f.eventOf("x2", "", "proj/web:env/production:flag/x", "")
		f.accept(hooks.Accepted{Event: e, SubscriptionIDs: []string{"a"}})
		f.claims("x1", "x2")
	},
	"every final state lets the next go": func(f *fixture) {
		f.subscribe("a")
		ends := []hooks.State{hooks.StateDelivered, hooks.StateDead, hooks.StateSkipped, hooks.StateCancelled}
		for i := range len(ends) + 1 {
			f.ordered(eventID("e", i), "x", "a")
		}
		for i, end := range ends {
			f.settle(f.claims(eventID("e", i))[0], end)
		}
		f.claims(eventID("e", len(ends)))
	},
	"one that fails holds back the later ones": func(f *fixture) {
		f.subscribe("a")
		f.ordered("e1", "x", "a")
		f.ordered("e2", "x", "a")
		f.retry(f.claims("e1")[0], time.Now())
		f.restart()
		f.ordered("e3", "x", "a")
		c := f.claims("e1")[0]
		f.must(f.Release(f.ctx(), c.DeliveryID))
		f.retry(f.claims("e1")[0], time.Now().Add(time.Hour))
		f.claims()
		for id, held := range map[string]bool{"e1": false, "e2": true, "e3": true} {
			d, err := f.Delivery(f.ctx(), hooks.DeliveryID(id, "a", ""))
			f.must(err)
			if d.Held != held || d.State != hooks.StatePending {
				f.Errorf("%s: %+v, want held: %v", id, d, held)
			}
		}
	},
	"cancelling one that waits lets nobody go, cancelling the first does": func(f *fixture) {
		f.subscribe("a")
		for i := range 4 {
			f.ordered(eventID("e", i), "x", "a")
		}
		f.cancels(1, hooks.DeliveryID("e-0001", "a", ""))
		c := f.claims("e-0000")[0]
		f.cancels(1, c.DeliveryID)
		next := f.claims("e-0002")
		f.deliver(c) // too late: it is cancelled, and lets nobody go again
		f.claims()
		f.deliver(next...)
		f.claims("e-0003")
	},
	"a revived one and a replay stand outside": func(f *fixture) {
		f.subscribe("a")
		f.ordered("e1", "x", "a")
		f.ordered("e2", "x", "a")
		f.settle(f.claims("e1")[0], hooks.StateDead)
		second := f.claims("e2")
		f.ordered("e3", "x", "a")
		f.revives(1, hooks.DeliveryID("e1", "a", ""))
		f.accept(hooks.Accepted{
			Event: f.eventOf("e1", "", "proj/web:env/production:flag/x;e1", ""), Replay: "r1",
			SubscriptionIDs: []string{"a"}, Ordered: []string{"a"},
		})
		f.deliver(f.claims("e1", "e1")...)
		f.claims()
		f.deliver(second...)
		f.claims("e3")
	},
	"many that wait slow nobody": func(f *fixture) {
		f.subscribe("a")
		var batch []hooks.Accepted
		for i := range 3000 {
			e := f.eventOf(eventID("e", i), "", "proj/web:env/production:flag/x", "")
			batch = append(batch, hooks.Accepted{Event: e, SubscriptionIDs: []string{"a"}, Ordered: []string{"a"}})
		}
		f.accept(batch...)
		f.ordered("y", "y", "a")
		f.claims("e-0000", "y")
		f.claims()
	},
	"whatever happens, no later one is claimed before an earlier one is final": func(f *fixture) {
		rapid.Check(f.T, func(rt *rapid.T) {
			inner := &fixture{T: f.T, dir: f.TempDir(), opener: f.opener}
			inner.start()
			m := &orderModel{fixture: inner, rt: rt}
			inner.subscribe("a", "b")
			rt.Repeat(map[string]func(*rapid.T){
				"accept": m.accept, "claim": m.claimSome, "settle": m.settleOne, "release": m.release,
				"cancel": m.cancel, "revive": m.revive, "replay": m.replay, "restart": m.restart,
			})
			m.drain()
			inner.must(inner.Close())
		})
	},
}

// An orderModel knows which deliveries must come before which.
type orderModel struct {
	*fixture
	rt     *rapid.T
	all    []*modelled
	leased []hooks.Claim
	events int
}

// A modelled delivery; lane is "" when it stands outside of any order.
type modelled struct {
	id, lane, event, flag string
	subscription          string
	final                 bool
}

func (m *orderModel) accept(*rapid.T) {
	m.events++
	id := fmt.Sprint("e", m.events)
	flag := rapid.SampledFrom([]string{"x", "y"}).Draw(m.rt, "flag")
	m.ordered(id, flag, "a", "b")
	for _, s := range []string{"a", "b"} {
		m.all = append(m.all, &modelled{id: hooks.DeliveryID(id, s, ""), lane: s + flag, event: id, flag: flag, subscription: s})
	}
}

func (m *orderModel) claimSome(*rapid.T) {
	for _, c := range m.claim(rapid.IntRange(1, 5).Draw(m.rt, "n")) {
		if slices.ContainsFunc(m.leased, func(l hooks.Claim) bool { return l.DeliveryID == c.DeliveryID }) {
			m.rt.Fatalf("%s of %s is claimed twice", c.EventKey, c.SubscriptionID)
		}
		m.leased = append(m.leased, c)
		for _, d := range m.all {
			if d.id == c.DeliveryID {
				if d.final {
					m.rt.Fatalf("%s of %s is claimed and final", d.event, d.subscription)
				}
				break
			}
			if mine := m.find(c.DeliveryID); !d.final && d.lane != "" && d.lane == mine.lane {
				m.rt.Fatalf("%s of %s is claimed before %s is final", mine.event, mine.subscription, d.event)
			}
		}
	}
}

func (m *orderModel) find(id string) *modelled {
	for _, d := range m.all {
		if d.id == id {
			return d
		}
	}
	m.rt.Fatalf("%s is claimed, and nobody made it", id)
	return nil
}

// take chooses one that is leased.
func (m *orderModel) take() hooks.Claim {
	if len(m.leased) == 0 {
		m.rt.Skip("nothing is leased")
	}
	i := rapid.IntRange(0, len(m.leased)-1).Draw(m.rt, "which")
	c := m.leased[i]
	m.leased = slices.Delete(m.leased, i, i+1)
	return c
}

func (m *orderModel) settleOne(*rapid.T) {
	c := m.take()
	state := rapid.SampledFrom([]hooks.State{
		hooks.StatePending, hooks.StateDelivered, hooks.StateDead, hooks.StateSkipped, hooks.StateCancelled,
	}).Draw(m.rt, "state")
	m.must(m.Settle(m.ctx(), hooks.Settlement{Claim: c, State: state, RetryAt: time.Now()}))
	if state.Final() {
		m.find(c.DeliveryID).final = true
	}
}

func (m *orderModel) release(*rapid.T) { m.must(m.Release(m.ctx(), m.take().DeliveryID)) }

// pick chooses a delivery, final or not.
func (m *orderModel) pick(final bool) *modelled {
	var some []*modelled
	for _, d := range m.all {
		if d.final == final {
			some = append(some, d)
		}
	}
	if len(some) == 0 {
		m.rt.Skip("there is none")
	}
	return rapid.SampledFrom(some).Draw(m.rt, "delivery")
}

func (m *orderModel) cancel(*rapid.T) {
	d := m.pick(false)
	m.cancels(1, d.id)
	d.final = true
	m.leased = slices.DeleteFunc(m.leased, func(c hooks.Claim) bool { return c.DeliveryID == d.id })
}

func (m *orderModel) revive(*rapid.T) {
	d := m.pick(true)
	n, err := m.Revive(m.ctx(), d.id)
	m.must(err)
	if n == 1 {
		d.final, d.lane = false, ""
	}
}

func (m *orderModel) replay(*rapid.T) {
	if len(m.all) == 0 {
		m.rt.Skip("there is no event")
	}
	d := rapid.SampledFrom(m.all).Draw(m.rt, "delivery")
	m.events++
	replay := fmt.Sprint("r", m.events)
	e := m.eventOf(d.event, "", "proj/web:env/production:flag/"+d.flag+";"+d.event, "")
	m.fixture.accept(hooks.Accepted{Event: e, SubscriptionIDs: []string{d.subscription}, Replay: replay})
	m.all = append(m.all, &modelled{
		id: hooks.DeliveryID(d.event, d.subscription, replay), event: d.event, flag: d.flag, subscription: d.subscription,
	})
}

func (m *orderModel) restart(*rapid.T) {
	if rapid.IntRange(0, 5).Draw(m.rt, "seldom") != 0 {
		m.rt.Skip("it takes long")
	}
	m.fixture.restart()
	m.leased = nil
}

// drain delivers all that is left: nothing was forgotten.
func (m *orderModel) drain() {
	ids := make([]string, len(m.leased))
	for i, c := range m.leased {
		ids[i] = c.DeliveryID
	}
	m.must(m.Release(m.ctx(), ids...))
	for claims := m.claim(100); len(claims) > 0; claims = m.claim(100) {
		m.deliver(claims...)
		for _, c := range claims {
			m.find(c.DeliveryID).final = true
		}
	}
	for _, d := range m.all {
		if !d.final {
			m.rt.Fatalf("%s of %s is not delivered", d.event, d.subscription)
		}
	}
}
