package hooks_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/hookstest"
)

// Over several runs of an engine, each ended while much is under way, everything is delivered, once, and in order
// where order was asked for.
func TestRunsThatEndLoseNothing(t *testing.T) {
	tool, inOrder := hookstest.NewReceiver(t), hookstest.NewReceiver(t)
	dir := t.TempDir()
	b := newBench(t, dir, nil)
	flags := func(s *hooks.Subscription) { s.Integration = "flags" }
	s := b.subscribe(tool.URL(), flags)
	o := b.subscribe(inOrder.URL(), func(s *hooks.Subscription) { flags(s); s.Ordered = true })
	n := 0
	for run := range 6 {
		for range 20 {
			var batch []string
			for range 10 {
				batch = append(batch, strings.Replace(flagEvent(fmt.Sprintf("e%05d", n)), "checkout", fmt.Sprintf("f%d", n%7), 1))
				n++
			}
			b.publish(batch...)
		}
		b.start()
		arrive(t, tool, run*60)
		if err := b.stop(); err != nil {
			t.Fatal(err)
		}
		b.close()
		b = newBench(t, dir, nil)
	}
	b.start()
	arrive(t, tool, n)
	arrive(t, inOrder, n)
	if err := b.stop(); err != nil { // after which all outcomes are recorded
		t.Fatal(err)
	}
	for _, s := range []*hooks.Subscription{s, o} {
		for before, done := "", 0; ; {
			page, err := b.Deliveries(t.Context(), hooks.DeliveryQuery{SubscriptionID: s.ID, Limit: 1000, Before: before})
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range page.Items {
				if d.State == hooks.StateDelivered && len(d.Attempts) == 1 {
					done++
				}
			}
			if before = page.Cursor; before == "" {
				if done != n {
					t.Errorf("%d deliveries of %d were made, each with one attempt", done, n)
				}
				break
			}
		}
	}
	for _, r := range []*hookstest.Receiver{tool, inOrder} {
		seen, last := map[string]int{}, map[string]string{}
		for _, q := range r.Requests() {
			id, flag := q.Header.Get("X-Event"), q.Header.Get("X-Flag")
			if seen[id]++; seen[id] > 1 {
				t.Errorf("%s twice", id)
			}
			if r == inOrder && id < last[flag] {
				t.Errorf("%s after %s", id, last[flag])
			}
			last[flag] = id
		}
		if len(seen) != n {
			t.Errorf("%d arrived of %d", len(seen), n)
		}
	}
}
