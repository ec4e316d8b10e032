package hooks_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/bolt"
	"github.com/flaghook/flaghook/hooks/hookstest"
	"github.com/flaghook/flaghook/policy"
	"github.com/flaghook/flaghook/render"
)

// remembering is a sender that notes what it is asked to send.
type remembering struct {
	hooks.Sender
	mu   sync.Mutex
	sent []hooks.Outgoing
}

func (r *remembering) Send(ctx context.Context, o hooks.Outgoing) hooks.Response {
	r.mu.Lock()
	r.sent = append(r.sent, o)
	r.mu.Unlock()
	return r.Sender.Send(ctx, o)
}

func TestSettingsOfASubscription(t *testing.T) {
	three, none := 3, 0
	for _, tt := range []struct {
		name     string
		settings hooks.DeliverySettings
		reply    hookstest.Reply
		attempts int
	}{
		{"the engine's own", hooks.DeliverySettings{}, hookstest.Status(500), 4},
		{"three retries on any answer that is not 2xx", hooks.DeliverySettings{MaxRetries: &three, RetryOn: hooks.RetryNon2xx}, hookstest.Status(400), 4},
		{"no retry", hooks.DeliverySettings{MaxRetries: &none}, hookstest.Status(500), 1},
		{"a redirect is no answer to try again", hooks.DeliverySettings{}, hookstest.Redirect("http://127.0.0.1:1/"), 1},
		{"nothing after a nanosecond", hooks.DeliverySettings{MaxElapsed: 1}, hookstest.Status(500), 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tool := hookstest.NewReceiver(t)
			tool.Respond(hookstest.Sequence(tt.reply))
			var sender *remembering
			b := newBench(t, "", func(o *hooks.Options) {
				sender = &remembering{Sender: o.Sender}
				o.Sender = sender
			}).start()
			tt.settings.TimeoutSeconds = 7
			s := b.subscribe(tool.URL(), func(s *hooks.Subscription) { s.Delivery = tt.settings })
			b.publish(flagEvent("e1"))
			if d := b.settled(s, 1)[0]; d.State != hooks.StateDead || len(d.Attempts) != tt.attempts {
				t.Errorf("%s after %d attempts, want %d: %s", d.State, len(d.Attempts), tt.attempts, d.Reason)
			}
			if sent := sender.sent[0]; sent.Timeout != 7*time.Second {
				t.Errorf("timeout %v, want 7 s", sent.Timeout)
			}
		})
	}
}

func TestSettingsThatMakeNoSense(t *testing.T) {
	b := newBench(t, "", nil)
	many := 101
	_, err := b.CreateSubscription(t.Context(), hooks.Actor{}, hooks.Subscription{
		Name: "n", Integration: "tool", Config: parse(t, `{"url": "https://example.com"}`),
		Delivery: hooks.DeliverySettings{TimeoutSeconds: 31, MaxRetries: &many, MaxElapsed: -1, RetryOn: "always", SecretOverlap: hooks.Duration(time.Hour * 1000)},
	})
	var bad *hooks.InvalidError
	if !errors.As(err, &bad) {
		t.Fatal(err)
	}
	var fields []string
	for _, f := range bad.Fields {
		fields = append(fields, f.Field)
	}
	if got, want := strings.Join(fields, " "), "timeoutSeconds maxRetries maxElapsed retryOn secretOverlap"; got != want {
		t.Errorf("fields %s, want %s", got, want)
	}
}

func TestDurationInJSON(t *testing.T) {
	for text, want := range map[string]time.Duration{`"90s"`: 90 * time.Second, `15`: 15 * time.Second, `"24h"`: 24 * time.Hour, `0.5`: time.Second / 2} {
		var d hooks.Duration
		if err := json.Unmarshal([]byte(text), &d); err != nil || time.Duration(d) != want {
			t.Errorf("%s: %v, %v", text, time.Duration(d), err)
		}
		again, err := json.Marshal(d)
		var back hooks.Duration
		if err != nil || json.Unmarshal(again, &back) != nil || back != d {
			t.Errorf("%s is written as %s", text, again)
		}
	}
	for _, text := range []string{`"soon"`, `-1`, `true`, `1e12`, `{}`} {
		var d hooks.Duration
		if err := json.Unmarshal([]byte(text), &d); err == nil {
			t.Errorf("%s is read as %v", text, time.Duration(d))
		}
	}
}

// Both secrets sign until the time is over.
func TestSecretsOverlap(t *testing.T) {
	tool := hookstest.NewReceiver(t)
	b := newBench(t, "", nil).start()
	s := b.subscribe(tool.URL(), func(s *hooks.Subscription) {
		s.Config = s.Config.With("secret", render.String("old-secret"))
		s.Delivery.SecretOverlap = hooks.Duration(time.Hour)
	})
	s.Config = s.Config.With("secret", render.String("new-secret"))
	s, err := b.UpdateSubscription(t.Context(), hooks.Actor{}, *s)
	if err != nil {
		t.Fatal(err)
	}
	b.publish(flagEvent("e1"))
	if got := arrive(t, tool, 1)[0].Header.Values("X-Signature"); len(got) != 2 || got[0] == got[1] {
		t.Errorf("signatures %v, want one by each secret", got)
	}
	b.settled(s, 1)
	if _, err := b.Validate(t.Context(), hooks.Actor{}, s.ID); err != nil {
		t.Fatal(err)
	}
	if got := arrive(t, tool, 2)[1].Header.Values("X-Signature"); len(got) != 2 {
		t.Errorf("the test request has the signatures %v, want those of a delivery", got)
	}
	s.Delivery.SecretOverlap = 0
	s.Config = s.Config.With("secret", render.String("newest-secret"))
	s.PreviousSecrets, s.PreviousUntil = render.Value{}, time.Time{}
	if s, err = b.UpdateSubscription(t.Context(), hooks.Actor{}, *s); err != nil {
		t.Fatal(err)
	}
	if got := s.PreviousSecrets.Get("secret").AsString(); got != "old-secret" {
		t.Errorf("without an overlap of its own a change leaves the secret of before as it was: %q", got)
	}
}

// wants is a policy for the changes of subscriptions.
var ownChanges = []policy.Statement{{Effect: "allow", Resources: []string{"integration/*"}, Actions: []string{"*"}}}

func TestGoneSwitchesOff(t *testing.T) {
	tool, watcher := hookstest.NewReceiver(t), hookstest.NewReceiver(t)
	tool.Respond(hookstest.Sequence(hookstest.Status(410)))
	b := newBench(t, "", nil).start()
	s := b.subscribe(tool.URL(), func(s *hooks.Subscription) { s.Tags = []string{"team a", "ops"} })
	all := b.subscribe(watcher.URL(), func(s *hooks.Subscription) { s.Statements = []policy.Statement{everything} })
	w := b.subscribe(watcher.URL(), func(s *hooks.Subscription) {
		s.Integration, s.Statements = "flags", ownChanges
	})
	b.publish(flagEvent("e1"))
	d := b.settled(s, 1)[0]
	if d.State != hooks.StateDead || !strings.Contains(d.Reason, "410") {
		t.Errorf("%s: %s", d.State, d.Reason)
	}
	b.settled(all, 1) // and nothing about the switch
	told := b.settled(w, 1)[0]
	off, err := b.Subscription(s.ID)
	if err != nil || off.On || !strings.Contains(off.OffReason, "410 Gone") {
		t.Errorf("%+v, %v", off, err)
	}
	event, err := b.Event(t.Context(), told.EventID)
	if err != nil {
		t.Fatal(err)
	}
	a := event.Doc().Get("accesses").At(0)
	if a.Get("action").AsString() != "updateOn" || a.Get("resource").AsString() != "integration/tool;team a,ops" {
		t.Errorf("%s on %s", a.Get("action").AsString(), a.Get("resource").AsString())
	}
	if c := event.Doc().Get("comment").AsString(); c != off.OffReason {
		t.Errorf("comment %q, want the reason %q", c, off.OffReason)
	}
	off.On = true
	if on, err := b.UpdateSubscription(t.Context(), hooks.Actor{}, *off); err != nil || on.OffReason != "" {
		t.Errorf("on again, with the reason %q (%v)", on.OffReason, err)
	}
}

// refusing is a tool that always says no.
type refusing struct{}

func (refusing) Send(context.Context, hooks.Outgoing) hooks.Response {
	return hooks.Response{StatusCode: 500, ErrorClass: hooks.ErrorStatus, Error: "https://example.com answered 500"}
}

func TestFiveDaysOfFailuresSwitchOff(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		db, err := bolt.Open(filepath.Join(dir, "test.db"), bolt.Options{})
		if err != nil {
			t.Fatal(err)
		}
		e, err := hooks.New(t.Context(), hooks.Options{Store: db, Queue: db, Sender: refusing{}, Catalog: testCatalog(t), Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- e.Run(ctx) }()
		s, err := e.CreateSubscription(ctx, hooks.Actor{}, hooks.Subscription{
			Name: "n", Integration: "tool", On: true, Config: parse(t, `{"url": "https://example.com"}`),
		})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		for on := true; on && time.Since(start) < 7*24*time.Hour; {
			event, err := hooks.NewEvent(parse(t, flagEvent(hooks.NewID())), hooks.EventOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := e.Publish(ctx, "api", event); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
			now, err := e.Subscription(s.ID)
			if err != nil {
				t.Fatal(err)
			}
			on, s = now.On, now
		}
		if lasted := time.Since(start); s.On || lasted < 5*24*time.Hour || lasted > 5*24*time.Hour+2*time.Hour || !strings.Contains(s.OffReason, "has failed") {
			t.Errorf("on %v after %v: %s", s.On, lasted, s.OffReason)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestHTTPSMayBeRequired(t *testing.T) {
	b := newBench(t, "", func(o *hooks.Options) { o.RequireHTTPS = true })
	create := func(url string) error {
		_, err := b.CreateSubscription(t.Context(), hooks.Actor{}, hooks.Subscription{
			Name: "n", Integration: "tool", On: true, Config: render.Object(render.Member{Key: "url", Value: render.String(url)}),
		})
		return err
	}
	if err := create("https://example.com"); err != nil {
		t.Error(err)
	}
	var bad *hooks.InvalidError
	if err := create("http://example.com"); !errors.As(err, &bad) || bad.Fields[0].Field != "config" {
		t.Errorf("http:// is taken: %v", err)
	}
}
