package hooks_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/bolt"
	"github.com/flaghook/flaghook/hooks/hookstest"
)

// ended waits for the end of a job.
func (b *bench) ended(id string) *hooks.Job {
	b.t.Helper()
	late := time.After(patience)
	for {
		j, err := b.Job(b.t.Context(), id)
		if err != nil {
			b.t.Fatal(err)
		}
		if j.State != hooks.JobRunning {
			return j
		}
		select {
		case <-b.log.seen: // the engine logs the end of a job
		case <-late:
			b.t.Fatalf("the job has not ended: %+v", j)
		}
	}
}

func (b *bench) startJob(kind hooks.JobKind, s *hooks.Subscription, since time.Time) *hooks.Job {
	b.t.Helper()
	j, err := b.StartJob(b.t.Context(), hooks.Job{Kind: kind, SubscriptionID: s.ID, Since: since})
	if err != nil {
		b.t.Fatal(err)
	}
	return j
}

func TestDeadDeliveriesAreRetriedTogether(t *testing.T) {
	tool := hookstest.NewReceiver(t)
	tool.Respond(hookstest.Sequence(hookstest.Status(400)))
	b := newBench(t, "", nil).start()
	s := b.subscribe(tool.URL(), nil)
	const n = 450 // more than two pages
	for i := range n {
		b.publish(flagEvent(fmt.Sprintf("e%03d", i)))
	}
	b.await(s, n, func(d *hooks.Delivery) bool { return d.State == hooks.StateDead })
	tool.Respond(hookstest.Sequence())

	j := b.ended(b.startJob(hooks.JobRetry, s, time.Time{}).ID)
	if j.State != hooks.JobDone || j.Done != n || j.Failed != 0 || j.Left != 0 || j.FinishedAt.IsZero() {
		t.Errorf("%+v", j)
	}
	for _, d := range b.await(s, n, func(d *hooks.Delivery) bool { return d.State == hooks.StateDelivered }) {
		if len(d.Attempts) != 2 || d.Replay != "" {
			t.Errorf("%s: %d attempts, replay %q", d.EventID, len(d.Attempts), d.Replay)
		}
	}
	if ok, err := b.Retry(t.Context(), hooks.DeliveryID("e000", s.ID, "")); ok || err != nil {
		t.Errorf("a delivered one is retried: %v, %v", ok, err)
	}
	if _, err := b.Retry(t.Context(), "nothing"); !errors.Is(err, hooks.ErrNotFound) {
		t.Error(err)
	}
}

func TestEventsAreReplayed(t *testing.T) {
	tool := hookstest.NewReceiver(t)
	b := newBench(t, "", nil).start()
	s := b.subscribe(tool.URL(), nil)
	for i := range 5 {
		b.publish(flagEvent(fmt.Sprintf("e%d", i)))
	}
	b.publish(`{"id": "other", "action": "updateOn", "resource": "proj/web:env/test:flag/checkout"}`)
	b.settled(s, 5)
	before := len(tool.Requests())

	j := b.ended(b.startJob(hooks.JobReplay, s, time.Time{}).ID)
	if j.State != hooks.JobDone || j.Done != 5 {
		t.Errorf("%+v", j)
	}
	var order []string
	for _, d := range b.settled(s, 10)[:5] {
		if d.Replay != j.ID || d.ID == hooks.DeliveryID(d.EventID, s.ID, "") {
			t.Errorf("%s: replay %q, id %s", d.EventID, d.Replay, d.ID)
		}
		order = append(order, d.EventID)
	}
	if got := strings.Join(order, " "); got != "e4 e3 e2 e1 e0" { // newest first
		t.Errorf("replayed in the order %s", got)
	}
	arrive(t, tool, before+5)

	replay, n, err := b.Replay(t.Context(), "e0")
	if err != nil || n != 1 || replay == "" {
		t.Errorf("replay of one: %q, %d, %v", replay, n, err)
	}
	b.settled(s, 11)
	if _, _, err := b.Replay(t.Context(), "unknown"); !errors.Is(err, hooks.ErrNotFound) {
		t.Error(err)
	}
}

func TestPendingDeliveriesAreCancelled(t *testing.T) {
	b := newBench(t, "", nil)
	s := b.subscribe("http://127.0.0.1:1/", nil)
	for i := range 3 {
		b.publish(flagEvent(fmt.Sprintf("e%d", i)))
	}
	one := hooks.DeliveryID("e0", s.ID, "")
	if ok, err := b.Cancel(t.Context(), one); !ok || err != nil {
		t.Fatalf("%v, %v", ok, err)
	}
	if d, err := b.Delivery(t.Context(), one); err != nil || d.State != hooks.StateCancelled || d.Reason == "" {
		t.Errorf("%+v, %v", d, err)
	}
	s.On = false // nothing is attempted once the engine runs
	s, err := b.UpdateSubscription(t.Context(), hooks.Actor{}, *s)
	if err != nil {
		t.Fatal(err)
	}
	j := b.startJob(hooks.JobCancel, s, time.Time{})
	b.start() // which does the jobs
	if j = b.ended(j.ID); j.State != hooks.JobDone || j.Done != 2 {
		t.Errorf("%+v", j)
	}
	b.await(s, 3, func(d *hooks.Delivery) bool { return d.State == hooks.StateCancelled })
}

func TestJobsGoOnAfterARestart(t *testing.T) {
	first := newBench(t, "", nil)
	s := first.subscribe("http://127.0.0.1:1/", nil)
	first.publish(flagEvent("e1"))
	j := first.startJob(hooks.JobCancel, s, time.Time{}) // which nobody does: the engine does not run
	if err := first.db.Close(); err != nil {
		t.Fatal(err)
	}
	second := newBench(t, first.dir, nil).start()
	if j = second.ended(j.ID); j.State != hooks.JobDone || j.Done+j.Failed == 0 {
		t.Errorf("%+v", j)
	}
	if list, err := second.Jobs(t.Context(), "", 10); err != nil || len(list) != 1 || list[0].ID != j.ID {
		t.Errorf("%+v, %v", list, err)
	}
}

// A replay of more than may wait goes out bit by bit, and can be cancelled
// while it waits; other jobs do not wait for it.
func TestReplayOfMoreThanMayWait(t *testing.T) {
	tool := hookstest.NewReceiver(t)
	b := newBenchWith(t, "", bolt.Options{MaxBacklog: 5}, func(o *hooks.Options) { o.ShutdownGrace = time.Millisecond }).start()
	s := b.subscribe(tool.URL(), nil)
	for i := range 8 {
		b.publish(flagEvent(fmt.Sprintf("e%d", i)))
		b.settled(s, i+1)
	}
	if j := b.ended(b.startJob(hooks.JobReplay, s, time.Time{}).ID); j.State != hooks.JobDone || j.Done != 8 {
		t.Errorf("%+v", j)
	}
	b.settled(s, 16)

	tool.Respond(hookstest.Sequence(hookstest.Reply{Hang: true}))
	for i := range 5 {
		b.publish(flagEvent(fmt.Sprintf("waiting%d", i)))
	}
	stuck := b.startJob(hooks.JobReplay, s, time.Time{})
	if j := b.ended(b.startJob(hooks.JobRetry, s, time.Time{}).ID); j.State != hooks.JobDone {
		t.Errorf("behind a job that waits: %+v", j)
	}
	if err := b.CancelJob(t.Context(), stuck.ID); err != nil {
		t.Fatal(err)
	}
	if j := b.ended(stuck.ID); j.State != hooks.JobCancelled {
		t.Errorf("%+v", j)
	}
}

func TestJobsThatMakeNoSense(t *testing.T) {
	b := newBench(t, "", nil)
	s := b.subscribe("http://127.0.0.1:1/", nil)
	var bad *hooks.InvalidError
	if _, err := b.StartJob(t.Context(), hooks.Job{Kind: "dance", SubscriptionID: s.ID, Since: time.Now().Add(time.Hour)}); !errors.As(err, &bad) || len(bad.Fields) != 2 {
		t.Error(err)
	}
	if _, err := b.StartJob(t.Context(), hooks.Job{Kind: hooks.JobRetry, SubscriptionID: "none"}); !errors.Is(err, hooks.ErrNotFound) {
		t.Error(err)
	}
	if err := b.CancelJob(t.Context(), "none"); !errors.Is(err, hooks.ErrNotFound) {
		t.Error(err)
	}
}
