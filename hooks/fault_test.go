package hooks_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/hookstest"
	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/policy"
)

// Who asks for a change may leave before it is done; what the store then holds
// and what the engine works with must not differ.
func TestChangesOfACallerThatLeaves(t *testing.T) {
	b := newBench(t, "", nil)
	gone := func(after time.Duration) context.Context {
		ctx, cancel := context.WithTimeout(t.Context(), after)
		t.Cleanup(cancel)
		return ctx
	}
	s := b.subscribe("https://example.com/a", nil)
	for i := range 20 {
		next := *s
		next.Name = fmt.Sprintf("name %d", i)
		_, _ = b.UpdateSubscription(gone(time.Duration(i)*100*time.Microsecond), hooks.Actor{}, next)
		var err error
		if s, err = b.Subscription(s.ID); err != nil {
			t.Fatal(err)
		}
	}
	s.Name = "last"
	if _, err := b.UpdateSubscription(t.Context(), hooks.Actor{}, *s); err != nil {
		t.Errorf("after updates whose callers left: %v", err)
	}
	_ = b.DeleteSubscription(gone(0), hooks.Actor{}, s.ID)
	stored, err := b.db.Subscriptions(t.Context())
	if err != nil || len(stored) != len(b.Subscriptions("")) {
		t.Errorf("the store has %d subscriptions, the engine %d (%v)", len(stored), len(b.Subscriptions("")), err)
	}
}

// unsure is a queue whose first outcomes are not taken.
type unsure struct {
	hooks.Queue
	refusals atomic.Int64
}

func (u *unsure) Settle(ctx context.Context, s ...hooks.Settlement) error {
	if u.refusals.Add(-1) >= 0 {
		return fmt.Errorf("disk full: %w", hooks.ErrUnavailable)
	}
	return u.Queue.Settle(ctx, s...)
}

func TestOutcomeThatCannotBeStoredIsNotForgotten(t *testing.T) {
	tool := hookstest.NewReceiver(t)
	b := newBench(t, "", func(o *hooks.Options) {
		u := &unsure{Queue: o.Queue}
		u.refusals.Store(2)
		o.Queue = u
	}).start()
	s := b.subscribe(tool.URL(), nil)
	for i := range 10 {
		b.publish(flagEvent(fmt.Sprintf("e%d", i)))
	}
	for _, d := range b.settled(s, 10) {
		if d.State != hooks.StateDelivered || len(d.Attempts) != 1 {
			t.Errorf("%s: %s after %d attempts", d.EventID, d.State, len(d.Attempts))
		}
	}
	if n := len(tool.Requests()); n != 10 {
		t.Errorf("%d requests, want 10: none twice", n)
	}
}

// An event whose text changed on the disk is not sent, and its delivery says so;
// all others are as before.
func TestDamagedEvent(t *testing.T) {
	tool := hookstest.NewReceiver(t)
	before := newBench(t, "", nil)
	const words = "so it was written"
	s := before.subscribe(tool.URL(), func(s *hooks.Subscription) { s.Name = words }) // which is an event, too
	before.publish(strings.Replace(flagEvent("e1"), "{", `{"comment": "`+words+`", `, 1), flagEvent("e2"))
	before.close()
	path := filepath.Join(before.dir, "test.db")
	file, err := os.ReadFile(path)
	if err != nil || !bytes.Contains(file, []byte(words)) {
		t.Fatalf("the file does not have the event's text (%v)", err)
	}
	if err := os.WriteFile(path, bytes.ReplaceAll(file, []byte(words), []byte("so it Was written")), 0o600); err != nil {
		t.Fatal(err)
	}
	b := newBench(t, before.dir, nil).start()
	for _, d := range b.settled(s, 2) {
		want := hooks.StateDelivered
		if d.EventID == "e1" {
			want = hooks.StateDead
		}
		if d.State != want || (d.State == hooks.StateDead) != strings.Contains(d.Reason, "the stored event is damaged") {
			t.Errorf("%s is %s: %s", d.EventID, d.State, d.Reason)
		}
	}
	page, err := b.Events(t.Context(), hooks.EventQuery{Limit: 10})
	if err != nil || len(page.Items) != 1 || page.Items[0].ID() != "e2" || len(page.Damaged) != 2 {
		t.Errorf("listed: %+v (%v)", page, err)
	}
	if j := b.ended(b.startJob(hooks.JobReplay, s, time.Time{}).ID); j.State != hooks.JobDone || j.Done != 1 || j.Failed != 2 {
		t.Errorf("%+v", j)
	}
	b.settled(s, 3)
	if n := len(tool.Requests()); n != 2 {
		t.Errorf("%d requests", n)
	}
}

func TestManyEndpointsThatHangHoldUpOnlyTheirOwn(t *testing.T) {
	bad, good := hookstest.NewReceiver(t), hookstest.NewReceiver(t)
	bad.Respond(hookstest.Sequence(hookstest.Reply{Hang: true}))
	b := newBench(t, "", func(o *hooks.Options) { o.Concurrency, o.ShutdownGrace = 64, time.Millisecond })
	for range 12 {
		b.subscribe(bad.URL(), nil)
	}
	for i := range 50 {
		b.publish(flagEvent(fmt.Sprintf("before%d", i)))
	}
	b.start()
	arrive(t, bad, 12)
	s := b.subscribe(good.URL(), nil)
	b.publish(flagEvent("e1"))
	b.settled(s, 1) // the attempts of the others last until the test ends
}

func TestDeliveredEventsDoNotFillTheMemory(t *testing.T) {
	tool := hookstest.NewReceiver(t)
	b := newBench(t, "", nil)
	s := b.subscribe(tool.URL(), func(s *hooks.Subscription) {
		s.Statements = []policy.Statement{{Effect: "allow", Resources: []string{"proj/none"}, Actions: []string{"*"}}, {Effect: "allow", Resources: []string{"*"}, Actions: []string{"updateOn"}}}
	})
	heap := func() int64 {
		runtime.GC()
		runtime.GC() // a second one, for what pools keep over the first
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	comment := strings.Repeat("x", 20<<10)
	for i := range 40 {
		batch := make([]string, 50)
		for j := range batch {
			batch[j] = fmt.Sprintf(`{"id": "e%d-%d", "action": "updateOn", "resource": "proj/p:env/e:flag/f", "comment": %q}`, i, j, comment)
		}
		b.publish(batch...)
	}
	if grown := heap() - before; grown > 24<<20 {
		t.Errorf("2,000 events of 20 KiB leave %d MiB", grown>>20)
	}
	runtime.KeepAlive(s)
}

func TestSubscriptionOfAMissingIntegrationCanBeSwitchedOff(t *testing.T) {
	first := newBench(t, "", nil)
	s := first.subscribe("https://example.com", nil)
	if err := first.db.Close(); err != nil {
		t.Fatal(err)
	}
	second := newBench(t, first.dir, func(o *hooks.Options) { o.Catalog = manifest.NewCatalog() })
	s.On = false
	off, err := second.UpdateSubscription(t.Context(), hooks.Actor{}, *s)
	if err != nil {
		t.Fatal(err)
	}
	off.Config = parse(t, `{"url": "https://example.com/other"}`)
	var unknown *hooks.UnknownIntegrationError
	if _, err := second.UpdateSubscription(t.Context(), hooks.Actor{}, *off); !errors.As(err, &unknown) {
		t.Errorf("another config, which nobody can check: %v", err)
	}
}
