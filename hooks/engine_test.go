package hooks_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/hookstest"
	"github.com/flaghook/flaghook/hooks/send"
	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/policy"
	"github.com/flaghook/flaghook/render"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEventArrivesRenderedSignedAndLogged(t *testing.T) {
	tool := hookstest.NewReceiver(t)
	b := newBench(t, "", nil).start()
	s := b.subscribe(tool.URL()+"/hook", func(s *hooks.Subscription) {
		s.Config = s.Config.With("secret", render.String("s3cret"))
	})
	b.publish(flagEvent("e1"))

	r := arrive(t, tool, 1)[0]
	const body = `{"flag": "checkout", "title": "Someone turned on the flag checkout in 'production'"}`
	if r.Method != "POST" || r.Path != "/hook" || string(r.Body) != body {
		t.Errorf("%s %s\n%s\nwant POST /hook\n%s", r.Method, r.Path, r.Body, body)
	}
	d := b.settled(s, 1)[0]
	if got := r.Header.Get("webhook-id"); got != d.ID || got != hooks.DeliveryID("e1", s.ID, "") {
		t.Errorf("webhook-id %q, delivery %q", got, d.ID)
	}
	if got, want := r.Header.Get("X-Signature"), send.Sign("s3cret", []byte(body)); got != want {
		t.Errorf("signature %q, want %q", got, want)
	}
	if d.State != hooks.StateDelivered || len(d.Attempts) != 1 || d.Attempts[0].StatusCode != 200 || d.EventID != "e1" {
		t.Errorf("delivery %+v", d)
	}
	status, err := b.Status(t.Context(), s.ID)
	if err != nil || status.SuccessCount != 1 || status.ErrorCount != 0 {
		t.Errorf("status %+v, %v", status, err)
	}
}

func TestPoliciesChooseTheSubscriptions(t *testing.T) {
	allow := func(resources ...string) []policy.Statement {
		return []policy.Statement{{Effect: "allow", Resources: resources, Actions: []string{"*"}}}
	}
	b := newBench(t, "", nil)
	for _, statements := range [][]policy.Statement{
		nil,                                 // the default policy: production flags
		{},                                  // nothing
		allow("proj/*:env/test:flag/*"),     // another environment
		allow("proj/web:env/*:flag/check*"), // this flag
		append(allow("*"), policy.Statement{Effect: "deny", Resources: []string{"*"}, Actions: []string{"delete*"}}),
	} {
		b.subscribe("http://127.0.0.1:1/", func(s *hooks.Subscription) { s.Statements = statements })
	}
	b.subscribe("http://127.0.0.1:1/", func(s *hooks.Subscription) { s.On = false })

	got := b.publish(
		`{"action": "updateOn", "resource": "proj/web:env/production:flag/checkout"}`,
		`{"action": "deleteFlag", "resource": "proj/web:env/production:flag/checkout"}`,
		`{"action": "updateOn", "resource": "proj/web:env/test:flag/checkout"}`,
		`{"action": "updateOn", "resource": "proj/api:env/test:flag/other"}`,
		`{"action": "createProject", "resource": "proj/api"}`,
	)
	if want := []int{3, 2, 3, 2, 1}; !slices.Equal(got, want) {
		t.Errorf("matched %v, want %v", got, want)
	}
}

func TestFailedAttemptsAreTriedAgainWhenThatMayHelp(t *testing.T) {
	tests := []struct {
		name     string
		replies  []hookstest.Reply
		state    hooks.State
		attempts int
		reason   string
	}{
		{"server error, then well", []hookstest.Reply{hookstest.Status(503), hookstest.Status(500), {}}, hooks.StateDelivered, 3, ""},
		{"too many requests", []hookstest.Reply{hookstest.Status(429), {}}, hooks.StateDelivered, 2, ""},
		{"request timeout, too early", []hookstest.Reply{hookstest.Status(408), hookstest.Status(425), {}}, hooks.StateDelivered, 3, ""},
		{"connection reset", []hookstest.Reply{{Reset: true}, {}}, hooks.StateDelivered, 2, ""},
		{"no answer in time", []hookstest.Reply{{Hang: true}, {}}, hooks.StateDelivered, 2, ""},
		{"never well", []hookstest.Reply{hookstest.Status(500)}, hooks.StateDead, 4, "given up after 4 attempts"},
		{"bad request", []hookstest.Reply{hookstest.Status(400)}, hooks.StateDead, 1, "400"},
		{"redirect", []hookstest.Reply{hookstest.Redirect("http://127.0.0.1:1/")}, hooks.StateDead, 1, "302"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tool := hookstest.NewReceiver(t)
			tool.Respond(hookstest.Sequence(tt.replies...))
			b := newBench(t, "", func(o *hooks.Options) { o.AttemptTimeout = 300 * time.Millisecond }).start()
			s := b.subscribe(tool.URL(), nil)
			b.publish(flagEvent("e1"))
			d := b.settled(s, 1)[0]
			if d.State != tt.state || len(d.Attempts) != tt.attempts || !strings.Contains(d.Reason, tt.reason) {
				t.Errorf("%s after %d attempts: %q", d.State, len(d.Attempts), d.Reason)
			}
			ids := map[string]bool{}
			for _, r := range arrive(t, tool, tt.attempts) {
				ids[r.Header.Get("webhook-id")] = true
			}
			if len(ids) != 1 {
				t.Errorf("webhook-ids %v, want one", ids)
			}
		})
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	tool := hookstest.NewReceiver(t)
	reply := hookstest.Status(503)
	reply.Header = map[string][]string{"Retry-After": {"3600"}}
	tool.Respond(hookstest.Sequence(reply))
	b := newBench(t, "", nil).start()
	s := b.subscribe(tool.URL(), nil)
	b.publish(flagEvent("e1"))
	d := b.await(s, 1, func(d *hooks.Delivery) bool { return len(d.Attempts) == 1 })[0]
	if wait := time.Until(d.NextAttemptAt); d.State != hooks.StatePending || wait < 55*time.Minute || wait > 61*time.Minute {
		t.Errorf("%s, next attempt in %v", d.State, wait)
	}
}

func TestWhatCannotBeSentEndsAtOnceAndHoldsUpNothing(t *testing.T) {
	tool := hookstest.NewReceiver(t)
	b := newBench(t, "", nil).start()
	s := b.subscribe(tool.URL(), func(s *hooks.Subscription) {
		s.Statements = []policy.Statement{{Effect: "allow", Resources: []string{"*"}, Actions: []string{"*"}}}
	})
	b.publish(
		`{"id": "endless", "action": "createProject", "resource": "proj/a", "l": [1,2,3,4,5,6,7,8,9,10]}`,
		`{"id": "empty", "action": "createSegment", "resource": "proj/a:env/e:segment/s"}`,
		`{"id": "none", "action": "updateRole", "resource": "member/m"}`,
		flagEvent("good"),
	)
	want := map[string]struct {
		state  hooks.State
		reason string
	}{
		"endless": {hooks.StateDead, "project.json.hbs:1:"},
		"empty":   {hooks.StateSkipped, "empty"},
		"none":    {hooks.StateSkipped, "member"},
		"good":    {hooks.StateDelivered, ""},
	}
	for _, d := range b.settled(s, 4) {
		w := want[d.EventID]
		if d.State != w.state || !strings.Contains(d.Reason, w.reason) {
			t.Errorf("%s: %s %q, want %s ...%s...", d.EventID, d.State, d.Reason, w.state, w.reason)
		}
	}
	if n := len(tool.Requests()); n != 1 {
		t.Errorf("%d requests arrived, want 1", n)
	}
}

func TestOffPausesAndOnResumes(t *testing.T) {
	tool := hookstest.NewReceiver(t)
	b := newBench(t, "", nil)
	s := b.subscribe(tool.URL(), nil)
	b.publish(flagEvent("before"))
	turn := func(on bool) {
		t.Helper()
		s.On = on
		var err error
		if s, err = b.UpdateSubscription(t.Context(), hooks.Actor{}, *s); err != nil {
			t.Fatal(err)
		}
	}
	turn(false)
	b.start()
	if got := b.publish(flagEvent("meanwhile")); got[0] != 0 {
		t.Errorf("an event reached %d subscriptions while all are off", got[0])
	}
	other := b.subscribe(tool.URL()+"/other", nil)
	b.publish(flagEvent("after"))
	b.settled(other, 1) // the engine is at work
	if n := len(tool.Requests()); n != 1 {
		t.Errorf("%d requests arrived while the first subscription is off, want that of the other", n)
	}
	turn(true)
	if d := b.await(s, 1, func(d *hooks.Delivery) bool { return d.State.Final() })[0]; d.EventID != "before" || d.State != hooks.StateDelivered {
		t.Errorf("after it is on again: %+v", d)
	}
}

func TestDeleteCancelsWhatWaits(t *testing.T) {
	tool := hookstest.NewReceiver(t)
	b := newBench(t, "", nil)
	s := b.subscribe(tool.URL()+"/gone", nil)
	b.publish(flagEvent("e1"))
	if err := b.DeleteSubscription(t.Context(), hooks.Actor{}, s.ID); err != nil {
		t.Fatal(err)
	}
	if err := b.DeleteSubscription(t.Context(), hooks.Actor{}, s.ID); !errors.Is(err, hooks.ErrNotFound) {
		t.Errorf("deleted again: %v", err)
	}
	b.start()
	other := b.subscribe(tool.URL()+"/other", nil)
	b.publish(flagEvent("e2"))
	b.settled(other, 1)
	for _, r := range tool.Requests() {
		if r.Path == "/gone" {
			t.Error("a delivery of a deleted subscription was made")
		}
	}
}

func TestRestartSendsWhatWasAccepted(t *testing.T) {
	tool := hookstest.NewReceiver(t)
	first := newBench(t, "", nil) // does not run: nothing is delivered
	s := first.subscribe(tool.URL(), nil)
	for i := range 50 {
		first.publish(flagEvent(fmt.Sprintf("e%d", i)))
	}
	if err := first.db.Close(); err != nil {
		t.Fatal(err)
	}
	second := newBench(t, first.dir, nil).start()
	for _, d := range second.settled(s, 50) {
		if d.State != hooks.StateDelivered {
			t.Errorf("%s: %s %s", d.EventID, d.State, d.Reason)
		}
	}
	if n := len(tool.Requests()); n != 50 {
		t.Errorf("%d requests, want 50", n)
	}
}

func TestStopLetsAttemptsFinish(t *testing.T) {
	tool := hookstest.NewReceiver(t)
	tool.Respond(hookstest.Sequence(hookstest.Reply{Delay: 200 * time.Millisecond}))
	b := newBench(t, "", nil).start()
	s := b.subscribe(tool.URL(), nil)
	b.publish(flagEvent("e1"))
	arrive(t, tool, 1)
	if err := b.stop(); err != nil {
		t.Fatal(err)
	}
	if d := b.settled(s, 1)[0]; d.State != hooks.StateDelivered {
		t.Errorf("the attempt under way ended as %s %s", d.State, d.Reason)
	}
}

func TestStopReleasesWhatHangs(t *testing.T) {
	tool := hookstest.NewReceiver(t)
	tool.Respond(hookstest.Sequence(hookstest.Reply{Hang: true}))
	b := newBench(t, "", func(o *hooks.Options) { o.ShutdownGrace = 10 * time.Millisecond }).start()
	s := b.subscribe(tool.URL(), nil)
	b.publish(flagEvent("e1"))
	arrive(t, tool, 1)
	if err := b.stop(); err != nil {
		t.Fatal(err)
	}
	d := b.await(s, 1, func(d *hooks.Delivery) bool { return d.State == hooks.StatePending })[0]
	if len(d.Attempts) != 0 {
		t.Errorf("a released delivery has %d attempts", len(d.Attempts))
	}
	tool.Respond(hookstest.Sequence())
	b.start()
	if d := b.settled(s, 1)[0]; d.State != hooks.StateDelivered {
		t.Errorf("after the next start: %s %s", d.State, d.Reason)
	}
}

func TestEndpointThatHangsHoldsUpOnlyItsOwn(t *testing.T) {
	bad, good := hookstest.NewReceiver(t), hookstest.NewReceiver(t)
	bad.Respond(hookstest.Sequence(hookstest.Reply{Hang: true}))
	b := newBench(t, "", func(o *hooks.Options) {
		o.Concurrency, o.SubscriptionConcurrency, o.ShutdownGrace = 8, 4, time.Millisecond
	}).start()
	b.subscribe(bad.URL(), nil)
	s := b.subscribe(good.URL(), nil)
	for i := range 100 {
		b.publish(flagEvent(fmt.Sprintf("e%d", i)))
	}
	b.settled(s, 100) // the attempts of the bad one last until the test ends
	if n := len(bad.Requests()); n > 4 {
		t.Errorf("%d attempts at once for one subscription, want at most 4", n)
	}
}

func TestEventSentTwiceIsDeliveredOnce(t *testing.T) {
	tool := hookstest.NewReceiver(t)
	b := newBench(t, "", nil).start()
	s := b.subscribe(tool.URL(), nil)
	if got := b.publish(flagEvent("e1")); got[0] != 1 {
		t.Fatalf("matched %d", got[0])
	}
	b.settled(s, 1)
	again, err := hooks.NewEvent(parse(t, flagEvent("e1")), hooks.EventOptions{})
	if err != nil {
		t.Fatal(err)
	}
	receipts, err := b.Publish(t.Context(), "api", again)
	if err != nil || !receipts[0].Duplicate || receipts[0].Matched != 1 {
		t.Errorf("sent again: %+v, %v", receipts, err)
	}
	other, err := hooks.NewEvent(parse(t, strings.Replace(flagEvent("e1"), "true", "false", 1)), hooks.EventOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var conflict *hooks.EventConflictError
	if _, err := b.Publish(t.Context(), "api", other); !errors.As(err, &conflict) || conflict.EventID != "e1" {
		t.Errorf("other content under the same id: %v", err)
	}
	b.settled(s, 1)
	if n := len(tool.Requests()); n != 1 {
		t.Errorf("%d requests, want 1", n)
	}
}

func TestSubscriptionWithoutItsIntegrationWaits(t *testing.T) {
	tool := hookstest.NewReceiver(t)
	first := newBench(t, "", nil)
	s := first.subscribe(tool.URL(), func(s *hooks.Subscription) {
		s.Statements = []policy.Statement{{Effect: "allow", Resources: []string{"*"}, Actions: []string{"*"}}}
	})
	if err := first.db.Close(); err != nil {
		t.Fatal(err)
	}
	second := newBench(t, first.dir, func(o *hooks.Options) { o.Catalog = manifest.NewCatalog() }).start()
	if got := second.publish(flagEvent("e1")); got[0] != 1 {
		t.Errorf("an event for an integration that is missing matched %d, want 1: it must wait", got[0])
	}
	second.close()
	third := newBench(t, first.dir, nil).start()
	third.settled(s, 1)
}

func TestBadSubscriptionsAreRefused(t *testing.T) {
	b := newBench(t, "", nil)
	config := func(text string) render.Value { return parse(t, text) }
	good := `{"url": "https://example.com"}`
	tests := []struct {
		name  string
		sub   hooks.Subscription
		field string
	}{
		{"no name", hooks.Subscription{Config: config(good)}, "name"},
		{"name too long", hooks.Subscription{Name: strings.Repeat("x", 300), Config: config(good)}, "name"},
		{"required variable missing", hooks.Subscription{Name: "n", Config: config(`{}`)}, "config.url"},
		{"unknown variable", hooks.Subscription{Name: "n", Config: config(`{"url": "https://example.com", "colour": "red"}`)}, "config.colour"},
		{"wrong type", hooks.Subscription{Name: "n", Config: config(`{"url": 7}`)}, "config.url"},
		{"policy", hooks.Subscription{Name: "n", Config: config(good), Statements: []policy.Statement{{Effect: "allow", Resources: []string{"flag/x"}, Actions: []string{"*"}}}}, "statements"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.sub.Integration = "tool"
			_, err := b.CreateSubscription(t.Context(), hooks.Actor{}, tt.sub)
			var invalid *hooks.InvalidError
			if !errors.As(err, &invalid) || !strings.HasPrefix(invalid.Fields[0].Field, tt.field) {
				t.Errorf("got %v, want an error about %s", err, tt.field)
			}
		})
	}
	var unknown *hooks.UnknownIntegrationError
	if _, err := b.CreateSubscription(t.Context(), hooks.Actor{}, hooks.Subscription{Name: "n", Integration: "tol"}); !errors.As(err, &unknown) || !slices.Contains(unknown.Nearest, "tool") {
		t.Errorf("unknown integration: %v", err)
	}
	if n := len(b.Subscriptions("")); n != 0 {
		t.Errorf("%d subscriptions were made", n)
	}
}

func TestUpdatesAreOptimistic(t *testing.T) {
	b := newBench(t, "", nil)
	s := b.subscribe("https://example.com/a", nil)
	first, second := *s, *s
	first.Name = "first"
	if _, err := b.UpdateSubscription(t.Context(), hooks.Actor{}, first); err != nil {
		t.Fatal(err)
	}
	second.Name = "second"
	if _, err := b.UpdateSubscription(t.Context(), hooks.Actor{}, second); !errors.Is(err, hooks.ErrConflict) {
		t.Errorf("the second update of one version: %v", err)
	}
	if got, _ := b.Subscription(s.ID); got.Name != "first" || got.Version != 2 {
		t.Errorf("stored %q at version %d", got.Name, got.Version)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	if _, err := hooks.New(context.Background(), hooks.Options{}); err == nil || !strings.Contains(err.Error(), "Store") {
		t.Errorf("no options: %v", err)
	}
}

func TestChangesOfSubscriptionsCountAtOnceAndAfterARestart(t *testing.T) {
	b := newBench(t, "", nil)
	flags := func(environment string) []policy.Statement {
		return []policy.Statement{{Effect: "allow", Resources: []string{"proj/*:env/" + environment + ":flag/*"}, Actions: []string{"*"}}}
	}
	moved, off, gone := b.subscribe("http://127.0.0.1:1/", nil), b.subscribe("http://127.0.0.1:1/", nil), b.subscribe("http://127.0.0.1:1/", nil)
	matched := func(b *bench, production, test int) {
		t.Helper()
		got := b.publish(
			`{"action": "updateOn", "resource": "proj/web:env/production:flag/checkout"}`,
			`{"action": "updateOn", "resource": "proj/web:env/test:flag/checkout"}`)
		if want := []int{production, test}; !slices.Equal(got, want) {
			t.Errorf("matched %v, want %v", got, want)
		}
	}
	matched(b, 3, 0)
	moved.Statements, off.On = flags("test"), false
	for _, s := range []*hooks.Subscription{moved, off} {
		if _, err := b.UpdateSubscription(t.Context(), hooks.Actor{}, *s); err != nil {
			t.Fatal(err)
		}
	}
	matched(b, 1, 1)
	if err := b.DeleteSubscription(t.Context(), hooks.Actor{}, gone.ID); err != nil {
		t.Fatal(err)
	}
	matched(b, 0, 1)
	if err := b.db.Close(); err != nil {
		t.Fatal(err)
	}
	matched(newBench(t, b.dir, nil), 0, 1)
}
