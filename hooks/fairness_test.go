package hooks_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/hookstest"
)

// A thousand endpoints that hang take all the time there is, and one that
// answers gets its deliveries all the same. Nothing here waits for a timeout:
// they are longer than the test's patience.
func TestAThousandEndpointsThatHang(t *testing.T) {
	bad, good := hookstest.NewReceiver(t), hookstest.NewReceiver(t)
	bad.Respond(hookstest.Sequence(hookstest.Reply{Hang: true}))
	b := newBench(t, "", func(o *hooks.Options) {
		o.AttemptTimeout, o.ShutdownGrace, o.HostConcurrency = hooks.MaxTimeout, time.Millisecond, 2000
	})
	var subscribing sync.WaitGroup
	for range 100 {
		subscribing.Go(func() {
			for range 10 {
				b.subscribe(bad.URL(), nil)
			}
		})
	}
	subscribing.Wait()
	b.start()
	b.publish(flagEvent("first"))
	arrive(t, bad, 500)
	s := b.subscribe(good.URL(), nil)
	for i := range 100 {
		b.publish(flagEvent(fmt.Sprintf("e%d", i)))
	}
	b.settled(s, 100)
}

func TestABacklogHoldsUpNobodyElse(t *testing.T) {
	slow, good := hookstest.NewReceiver(t), hookstest.NewReceiver(t)
	slow.Respond(hookstest.Sequence(hookstest.Reply{Delay: 20 * time.Millisecond}))
	b := newBench(t, "", func(o *hooks.Options) { o.ShutdownGrace = time.Millisecond })
	b.subscribe(slow.URL(), nil)
	for range 20 {
		batch := make([]string, 500)
		for i := range batch {
			batch[i] = flagEvent(hooks.NewID())
		}
		b.publish(batch...)
	}
	b.start()
	arrive(t, slow, 1)
	s := b.subscribe(good.URL(), nil)
	b.publish(flagEvent("new"))
	b.settled(s, 1)
	if n := len(slow.Requests()); n >= 10_000 {
		t.Errorf("the other subscription was served after all %d deliveries of the first", n)
	}
}

func TestAHostGetsNoMoreAtOnceThanItMay(t *testing.T) {
	const most = 3
	var now, seen atomic.Int64
	tool := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		n := now.Add(1)
		for old := seen.Load(); n > old && !seen.CompareAndSwap(old, n); old = seen.Load() {
		}
		<-time.After(2 * time.Millisecond)
		now.Add(-1) // before the answer, so that nobody is counted twice
	}))
	t.Cleanup(tool.Close)
	b := newBench(t, "", func(o *hooks.Options) { o.HostConcurrency = most })
	var subs []*hooks.Subscription
	for range 8 {
		subs = append(subs, b.subscribe(tool.URL, nil))
	}
	for i := range 10 {
		b.publish(flagEvent(fmt.Sprintf("e%d", i)))
	}
	b.start()
	for _, s := range subs {
		b.settled(s, 10)
	}
	if n := seen.Load(); n != most {
		t.Errorf("%d requests at once to one host, want %d", n, most)
	}
}

// Endpoints that hang leave room at their host for those that answer.
func TestHangingPathsOfOneHost(t *testing.T) {
	tool := hookstest.NewReceiver(t)
	tool.Respond(func(_ int, r *http.Request) hookstest.Reply { return hookstest.Reply{Hang: r.URL.Path == "/hang"} })
	b := newBench(t, "", func(o *hooks.Options) {
		o.HostConcurrency, o.AttemptTimeout, o.ShutdownGrace = 8, hooks.MaxTimeout, time.Millisecond
	}).start()
	s := b.subscribe(tool.URL()+"/good", nil)
	b.publish(flagEvent("first")) // so that it is known to answer
	b.settled(s, 1)
	for range 30 {
		b.subscribe(tool.URL()+"/hang", nil)
	}
	for i := range 50 {
		b.publish(flagEvent(fmt.Sprintf("e%d", i)))
	}
	b.settled(s, 51)
}

// After a start with a backlog all subscriptions of a host have their share of its
// places, also those of which nothing is known yet when the others fill it.
func TestTheBacklogsOfOneHost(t *testing.T) {
	const subscriptions, events = 20, 300
	tool := hookstest.NewReceiver(t)
	tool.Respond(hookstest.Sequence(hookstest.Reply{Delay: 2 * time.Millisecond}))
	before := newBench(t, "", nil)
	all := make([]*hooks.Subscription, subscriptions)
	for i := range all {
		all[i] = before.subscribe(fmt.Sprintf("%s/%d", tool.URL(), i), nil)
	}
	batch := make([]string, events)
	for i := range batch {
		batch[i] = flagEvent(hooks.NewID())
	}
	before.publish(batch...)
	before.close()
	b := newBench(t, before.dir, func(o *hooks.Options) { o.HostConcurrency = 8 }).start()
	for _, s := range all {
		b.settled(s, events)
	}
	count, most := map[string]int{}, 0
	for _, r := range tool.Requests() {
		count[r.Path]++
		if most = max(most, count[r.Path]); len(count) == subscriptions {
			break
		}
	}
	if most == events {
		t.Error("one subscription had all its deliveries before another had any")
	}
}

// One of which nothing is known gets its turn at a host also while many others
// hang there. Nothing here waits for a timeout.
func TestANewPathOfAHostWhereOthersHang(t *testing.T) {
	tool := hookstest.NewReceiver(t)
	tool.Respond(func(_ int, r *http.Request) hookstest.Reply { return hookstest.Reply{Hang: r.URL.Path == "/hang"} })
	b := newBench(t, "", func(o *hooks.Options) { o.AttemptTimeout, o.ShutdownGrace = hooks.MaxTimeout, time.Millisecond }).start()
	for range 250 {
		b.subscribe(tool.URL()+"/hang", nil)
	}
	b.publish(flagEvent("first"))
	arrive(t, tool, 64)
	s := b.subscribe(tool.URL()+"/good", nil)
	for i := range 50 {
		b.publish(flagEvent(fmt.Sprintf("e%d", i)))
	}
	b.settled(s, 50)
}

// Whatever endpoints do, nobody who waits for room is forgotten.
func TestNobodyWaitsForEver(t *testing.T) {
	replies := []hookstest.Reply{{}, hookstest.Status(500), hookstest.Status(429), {Reset: true}, {Hang: true}, {Delay: time.Millisecond}, hookstest.Status(400)}
	b := newBench(t, "", func(o *hooks.Options) {
		o.Concurrency, o.HostConcurrency, o.SubscriptionConcurrency, o.AttemptTimeout = 12, 3, 4, 50*time.Millisecond
	})
	var subs []*hooks.Subscription
	for i := range 3 {
		tool := hookstest.NewReceiver(t)
		tool.Respond(func(n int, _ *http.Request) hookstest.Reply { return replies[(n*7+i)%len(replies)] })
		for range 12 {
			subs = append(subs, b.subscribe(tool.URL(), func(s *hooks.Subscription) { s.Ordered = i == 0 }))
		}
	}
	b.start()
	for i := range 12 {
		b.publish(flagEvent(fmt.Sprintf("e%d", i)))
	}
	for _, s := range subs {
		b.settled(s, 12)
	}
}

func TestOrderOnRequest(t *testing.T) {
	tool := hookstest.NewReceiver(t)
	var failures atomic.Int64
	failures.Store(3)
	tool.Respond(func(_ int, r *http.Request) hookstest.Reply {
		if r.Header.Get("X-Flag") == "stubborn" && failures.Add(-1) >= 0 {
			return hookstest.Status(503)
		}
		return hookstest.Reply{}
	})
	b := newBench(t, "", nil)
	s := b.subscribe(tool.URL(), func(s *hooks.Subscription) { s.Integration, s.Ordered = "flags", true })
	var want []string
	for i := range 20 {
		b.publish(
			fmt.Sprintf(`{"id": "a%02d", "action": "updateOn", "resource": "proj/web:env/production:flag/stubborn;tag%d"}`, i, i),
			fmt.Sprintf(`{"id": "b%02d", "action": "updateOn", "resource": "proj/web:env/production:flag/easy"}`, i))
		want = append(want, fmt.Sprintf("a%02d", i))
	}
	b.start()
	deliveries := b.settled(s, 40)
	arrived := map[string][]string{}
	for _, d := range deliveries {
		if d.State != hooks.StateDelivered {
			t.Errorf("%s: %s", d.EventID, d.State)
		}
	}
	for _, r := range tool.Requests() {
		flag, id := r.Header.Get("X-Flag"), r.Header.Get("X-Event")
		if list := arrived[flag]; len(list) == 0 || list[len(list)-1] != id { // another attempt of the same
			arrived[flag] = append(list, id)
		}
	}
	if !slices.Equal(arrived["stubborn"], want) {
		t.Errorf("the failing flag's events arrived as %v", arrived["stubborn"])
	}
	if n := len(arrived["easy"]); n != 20 || !slices.IsSorted(arrived["easy"]) {
		t.Errorf("the other flag's events arrived as %v", arrived["easy"])
	}
	// The other flag did not wait for the failing one.
	requests := tool.Requests()
	last := slices.IndexFunc(requests, func(r hookstest.Recorded) bool { return r.Header.Get("X-Event") == "b00" })
	first := slices.IndexFunc(requests, func(r hookstest.Recorded) bool { return r.Header.Get("X-Event") == "a01" })
	if last > first {
		t.Errorf("the first event of the other flag arrived as number %d, after the second one of the failing flag, number %d", last, first)
	}
}

// Many subscriptions whose endpoints share a host with few places take turns
// until nothing is left, also where those that are told of a place have no use
// for it.
func TestFewPlacesAtAHost(t *testing.T) {
	for _, places := range []int{1, 2} {
		for _, subscriptions := range []int{3, 12} {
			for _, events := range []int{1, 2, 7} {
				t.Run(fmt.Sprintf("%d places, %d subscriptions, %d events", places, subscriptions, events), func(t *testing.T) {
					tool := hookstest.NewReceiver(t)
					before := newBench(t, "", nil)
					all := make([]*hooks.Subscription, subscriptions)
					for i := range all {
						all[i] = before.subscribe(tool.URL(), nil)
					}
					for i := range events {
						before.publish(flagEvent(fmt.Sprintf("e%d", i)))
					}
					before.close()
					b := newBench(t, before.dir, func(o *hooks.Options) { o.HostConcurrency = places }).start()
					for _, s := range all {
						b.settled(s, events)
					}
				})
			}
		}
	}
}
