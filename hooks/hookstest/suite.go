package hookstest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/flaghook/flaghook/hooks"
)

// A Backend is all that is kept, behind one door.
type Backend interface {
	hooks.Store
	hooks.Queue
	io.Closer
}

// Run tests a backend. open opens what is kept in dir, which is empty at first
// and is opened again to test restarts, each time after Close. open ends the
// test when it cannot, and closes what is open when the test ends; Close must
// bear being called again. Some tests call open in a testing/synctest bubble.
func Run(t *testing.T, open func(t *testing.T, dir string) Backend) {
	groups := []struct {
		name  string
		tests map[string]func(*fixture)
	}{
		{"Accept", acceptTests},
		{"Claim", claimTests},
		{"Time", timeTests},
		{"Settle", settleTests},
		{"Store", storeTests},
		{"List", listTests},
		{"Records", recordTests},
		{"Order", orderTests},
		{"Replay", replayTests},
		{"Change", changeTests},
		{"Stats", statsTests},
		{"Delete", deleteTests},
		{"Concurrent", concurrentTests},
	}
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) {
			for _, name := range slices.Sorted(maps.Keys(g.tests)) {
				test := g.tests[name]
				t.Run(name, func(t *testing.T) {
					f := &fixture{T: t, dir: t.TempDir(), opener: open}
					if g.name == "Time" || g.name == "List" {
						inBubble(f, test)
						return
					}
					f.start()
					test(f)
				})
			}
		})
	}
}

// A fixture is a test with its backend and the words the tests are written in.
// Whatever fails unexpectedly ends the test.
type fixture struct {
	*testing.T
	Backend
	dir    string
	opener func(t *testing.T, dir string) Backend
}

func (f *fixture) start() { f.Backend = f.opener(f.T, f.dir) }

func (f *fixture) restart() {
	f.Helper()
	if err := f.Close(); err != nil {
		f.Fatalf("Close: %v", err)
	}
	f.start()
}

// ctx ends when the test takes so long that something hangs.
func (f *fixture) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	f.Cleanup(cancel)
	return ctx
}

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

// event is one of that id; another comment is other content.
func (f *fixture) event(id, comment string) *hooks.Event {
	f.Helper()
	return f.eventOf(id, comment, checkout, "")
}

const checkout = "proj/web:env/production:flag/checkout"

// eventOf is an event about a resource, sent within a scope.
func (f *fixture) eventOf(id, comment, resource, scope string) *hooks.Event {
	f.Helper()
	// A subscription's config is a JSON value as events are made of.
	posted := f.parse(fmt.Sprintf(`{"config": {"_id": %q, "comment": %q, "action": "updateOn",
		"resource": %q}}`, id, comment, resource)).Config
	e, err := hooks.NewEvent(posted, hooks.EventOptions{Scope: scope, Now: time.UnixMilli(1_700_000_000_000)})
	f.must(err)
	return e
}

// parse reads a subscription from JSON.
func (f *fixture) parse(text string) *hooks.Subscription {
	f.Helper()
	s := new(hooks.Subscription)
	f.must(json.Unmarshal([]byte(text), s))
	return s
}

// subscribe stores new subscriptions of those ids.
func (f *fixture) subscribe(ids ...string) {
	f.Helper()
	for _, id := range ids {
		f.must(f.PutSubscription(f.ctx(), f.parse(fmt.Sprintf(
			`{"_id": %q, "kind": "webhook", "version": 1, "on": true, "config": {"url": "https://example.com/"}}`, id))))
	}
}

func (f *fixture) accept(batch ...hooks.Accepted) []hooks.Receipt {
	f.Helper()
	receipts, err := f.Accept(f.ctx(), batch)
	f.must(err)
	return receipts
}

// publish accepts the event of an id for subscriptions.
func (f *fixture) publish(id string, subscriptions ...string) hooks.Receipt {
	f.Helper()
	return f.accept(hooks.Accepted{Event: f.event(id, ""), SubscriptionIDs: subscriptions})[0]
}

// publishMany accepts n events prefix-0000, prefix-0001, ... in batches.
func (f *fixture) publishMany(prefix string, n int, subscriptions ...string) {
	f.Helper()
	var batch []hooks.Accepted
	for i := range n {
		batch = append(batch, hooks.Accepted{Event: f.event(eventID(prefix, i), ""), SubscriptionIDs: subscriptions})
		if len(batch) == 500 || i == n-1 {
			f.accept(batch...)
			batch = nil
		}
	}
}

func eventID(prefix string, i int) string { return fmt.Sprintf("%s-%04d", prefix, i) }

// claim claims up to max for a minute, without limits of capacity.
func (f *fixture) claim(max int) []hooks.Claim {
	f.Helper()
	claims, _ := f.claimWith(hooks.ClaimOptions{Max: max, Lease: time.Minute, Capacity: unlimited})
	return claims
}

func unlimited(string) int { return 1 << 20 }

func (f *fixture) claimWith(o hooks.ClaimOptions) ([]hooks.Claim, time.Time) {
	f.Helper()
	claims, next, err := f.Claim(f.ctx(), o)
	f.must(err)
	if len(claims) > o.Max {
		f.Fatalf("Claim gave %d, more than Max %d", len(claims), o.Max)
	}
	for _, c := range claims {
		if want := hooks.DeliveryID(c.EventKey, c.SubscriptionID, c.Replay); c.DeliveryID != want {
			f.Fatalf("claim of event %s for %s has id %s, not %s", c.EventKey, c.SubscriptionID, c.DeliveryID, want)
		}
		if c.Event != nil && c.Event.Key() != c.EventKey {
			f.Fatalf("claim of event %s comes with event %s", c.EventKey, c.Event.Key())
		}
	}
	return claims, next
}

// claimOne claims what must be the only claimable delivery.
func (f *fixture) claimOne() hooks.Claim {
	f.Helper()
	claims := f.claim(10)
	if len(claims) != 1 {
		f.Fatalf("%d deliveries are claimable, want 1: %v", len(claims), eventIDs(claims))
	}
	return claims[0]
}

func (f *fixture) nothingToClaim() {
	f.Helper()
	if claims := f.claim(10); len(claims) != 0 {
		f.Fatalf("deliveries are claimable: %v", eventIDs(claims))
	}
}

func eventIDs(claims []hooks.Claim) []string {
	var ids []string
	for _, c := range claims {
		ids = append(ids, c.EventKey)
	}
	return ids
}

func deliveryIDs(claims []hooks.Claim) []string {
	var ids []string
	for _, c := range claims {
		ids = append(ids, c.DeliveryID)
	}
	return ids
}

// deliver settles claims as delivered.
func (f *fixture) deliver(claims ...hooks.Claim) {
	f.Helper()
	for _, c := range claims {
		f.must(f.Settle(f.ctx(), hooks.Settlement{Claim: c, State: hooks.StateDelivered, Attempt: success()}))
	}
}

// retry settles a claim as failed, to be tried again.
func (f *fixture) retry(c hooks.Claim, at time.Time) {
	f.Helper()
	a := failure(500)
	a.RetryAt = at.UTC()
	f.must(f.Settle(f.ctx(), hooks.Settlement{Claim: c, State: hooks.StatePending, Attempt: a, RetryAt: at}))
}

func success() *hooks.Attempt {
	return &hooks.Attempt{At: time.Now().UTC(), Duration: 3 * time.Millisecond, StatusCode: 204}
}

func failure(status int) *hooks.Attempt {
	return &hooks.Attempt{
		At: time.Now().UTC(), Duration: 5 * time.Millisecond, StatusCode: status, ErrorClass: hooks.ErrorStatus,
		Error: fmt.Sprintf("https://example.com answered %d", status), ResponseBody: "try \"later\"\n",
	}
}

func (f *fixture) delivery(c hooks.Claim) *hooks.Delivery {
	f.Helper()
	d, err := f.Delivery(f.ctx(), c.DeliveryID)
	f.must(err)
	return d
}

// list gives all that a query chooses, page by page.
func (f *fixture) list(q hooks.DeliveryQuery) []*hooks.Delivery {
	f.Helper()
	var all []*hooks.Delivery
	for pages := 0; ; pages++ {
		page, err := f.Deliveries(f.ctx(), q)
		f.must(err)
		if len(page.Items) > q.Limit || pages > 10_000 {
			f.Fatalf("page %d has %d items; at most %d are asked for", pages, len(page.Items), q.Limit)
		}
		all = append(all, page.Items...)
		if q.Before = page.Cursor; q.Before == "" {
			return all
		}
	}
}

// listed returns the event ids of a subscription's deliveries, in pages.
func (f *fixture) listed(subscription string, limit int) []string {
	f.Helper()
	var ids []string
	for _, d := range f.list(hooks.DeliveryQuery{SubscriptionID: subscription, Limit: limit}) {
		ids = append(ids, d.EventID)
	}
	return ids
}
