package integrations_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/bolt"
	"github.com/flaghook/flaghook/hooks/hookstest"
	"github.com/flaghook/flaghook/hooks/send"
	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/policy"
	"github.com/flaghook/flaghook/schemas"
)

// patience bounds the waiting in these tests; they do not take as long.
const patience = time.Minute

// A town is where the tools live: one server for each integration. As a sender it turns every request to the tool's
// server, path and query as they are, since the hosts of some integrations are fixed; the rest is the real sender's.
type town struct {
	sender *send.Sender
	hosts  map[string]string // by the host that the integration has in its goldens
}

func (w town) Send(ctx context.Context, out hooks.Outgoing) hooks.Response {
	u, err := url.Parse(out.Request.URL)
	if err != nil {
		return hooks.Response{ErrorClass: hooks.ErrorRender, Error: "the URL cannot be read", Permanent: true}
	}
	here := *out.Request
	u.Scheme, u.Host = "http", w.hosts[u.Host]
	here.URL = u.String()
	out.Request = &here
	return w.sender.Send(ctx, out)
}

// settled is a log handler that signals each line, and so each outcome once it is recorded.
type settled chan struct{}

func (s settled) Enabled(context.Context, slog.Level) bool { return true }
func (s settled) WithAttrs([]slog.Attr) slog.Handler       { return s }
func (s settled) WithGroup(string) slog.Handler            { return s }
func (s settled) Handle(context.Context, slog.Record) error {
	select {
	case s <- struct{}{}:
	default: // one signal stands for all
	}
	return nil
}

// Every sample event reaches the tool of every integration by the real engine, storage and sender, and each tool, as
// strict as the real one, takes each. Two integrations at one host would share a tool, so each is delivered by itself.
func TestDeliveries(t *testing.T) {
	for _, i := range load(t).All() {
		t.Run(i.Key, func(t *testing.T) {
			t.Parallel()
			deliver(t, i)
		})
	}
}

func deliver(t *testing.T, i *manifest.Integration) {
	tool, _ := hookstest.ToolFor(i.Key)
	var mu sync.Mutex
	ids := map[string]int{} // how many requests a delivery made
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		ids[r.Header.Get("Webhook-Id")]++
		mu.Unlock()
		tool.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)

	golden := readGolden(t, filepath.Join(i.Key, "testdata", "flag-on.json"))
	at, err := url.Parse(golden.Outcome.Request.URL)
	if err != nil {
		t.Fatal(err)
	}
	engine, seen := newEngine(t, manifest.NewCatalog(i), map[string]string{at.Host: server.Listener.Addr().String()})
	s, err := engine.CreateSubscription(t.Context(), hooks.Actor{}, hooks.Subscription{
		Name: i.Key, Integration: i.Key, On: true, Config: golden.FormVariables,
		Statements: []policy.Statement{{Effect: "allow", Resources: []string{"*"}, Actions: []string{"*"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var events []*hooks.Event
	for _, name := range schemas.SampleNames() {
		event, err := hooks.NewEvent(sample(t, name), hooks.EventOptions{})
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, event)
	}
	if _, err := engine.Publish(t.Context(), "api", events...); err != nil {
		t.Fatal(err)
	}
	for _, d := range await(t, engine, s.ID, len(events), seen) {
		if d.State != hooks.StateDelivered || len(d.Attempts) != 1 {
			t.Errorf("event %s is %s: %s", d.EventID, d.State, d.Reason)
			for _, a := range d.Attempts {
				t.Errorf("attempt: %d %s %s", a.StatusCode, a.Error, a.ResponseBody)
			}
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(ids) != len(events) {
		t.Errorf("the tool saw %d deliveries; want %d", len(ids), len(events))
	}
}

func newEngine(t *testing.T, catalog *manifest.Catalog, hosts map[string]string) (*hooks.Engine, settled) {
	t.Helper()
	db, err := bolt.Open(filepath.Join(t.TempDir(), "test.db"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	sender, err := send.New(send.Options{EgressAllow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	if err != nil {
		t.Fatal(err)
	}
	seen := make(settled, 1)
	engine, err := hooks.New(t.Context(), hooks.Options{
		Store: db, Queue: db, Sender: town{sender, hosts}, Catalog: catalog, Logger: slog.New(seen),
		Retry: hooks.RetryPolicy{MaxAttempts: 1, Base: time.Millisecond, Factor: 1, Cap: time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- engine.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		sender.Close()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return engine, seen
}

// await waits until a subscription has n deliveries, none of them pending.
func await(t *testing.T, engine *hooks.Engine, subscription string, n int, seen settled) []*hooks.Delivery {
	t.Helper()
	late := time.After(patience)
	for {
		page, err := engine.Deliveries(t.Context(), hooks.DeliveryQuery{SubscriptionID: subscription, Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		final := 0
		for _, d := range page.Items {
			if d.State.Final() {
				final++
			}
		}
		if final == n {
			return page.Items
		}
		select {
		case <-seen:
		case <-late:
			t.Fatalf("%d of %d deliveries are settled after %v", final, n, patience)
		}
	}
}

// A newcomer's subscription tells of a production flag that was switched; in a chat, not of people's accounts.
func TestDefaultPolicies(t *testing.T) {
	for _, i := range load(t).All() {
		p, err := policy.Parse(hooks.DefaultStatements(i))
		if err != nil {
			t.Fatalf("%s: %v", i.Key, err)
		}
		for name, want := range map[string]bool{"flag-on": true, "flag-off": true, "member-update": false} {
			event, err := hooks.NewEvent(sample(t, name), hooks.EventOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if !want && !slices.Contains(i.Manifest.Categories, "messaging") {
				continue // a log may hold everything
			}
			if got := p.Allows(event.Accesses()); got != want {
				t.Errorf("%s: by default %s is let through: %v; want %v", i.Key, name, got, want)
			}
		}
	}
}
