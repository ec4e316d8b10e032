package hooks_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"testing"
	"testing/fstest"
	"time"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/bolt"
	"github.com/flaghook/flaghook/hooks/hookstest"
	"github.com/flaghook/flaghook/hooks/send"
	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/render"
)

// patience bounds every wait in these tests; none of them takes as long.
const patience = 20 * time.Second

const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>`

// toolManifest is an integration with a hook of its own.
const toolManifest = `{
	"name": "Tool", "version": "1.0.0", "overview": "A tool to test with.",
	"description": "An integration that the tests of the engine subscribe to their own receivers.",
	"author": "flaghook", "supportEmail": "tests@example.com",
	"links": {"site": "https://example.com", "privacyPolicy": "https://example.com/privacy"},
	"categories": ["notifications"], "icons": {"square": "icon.svg", "horizontal": "icon.svg"},
	"formVariables": [
		{"key": "url", "name": "URL", "type": "uri", "description": "Where to."},
		{"key": "secret", "name": "Secret", "type": "string", "description": "Signs.", "isSecret": true, "isOptional": true, "defaultValue": ""}
	],
	"capabilities": {"auditLogEventsHook": %s}
}`

const plainHook = `{
	"endpoint": {"url": "{{url}}", "method": "POST", "headers": [],
		"hmacSignature": {"headerName": "X-Signature", "hmacSecretFormVariableKey": "secret"}},
	"templates": {"flag": "flag.json.hbs", "project": "project.json.hbs", "segment": "segment.txt.hbs"},
	"defaultPolicy": [{"effect": "allow", "resources": ["proj/*:env/production:flag/*"], "actions": ["*"]}]
}`

// flagsHook tells flag and event in headers.
const flagsHook = `{
	"endpoint": {"url": "{{url}}", "method": "POST", "headers": [
		{"name": "X-Flag", "value": "{{context.key}}"}, {"name": "X-Event", "value": "{{context._id}}"}]},
	"templates": {"flag": "flag.json.hbs"},
	"defaultPolicy": [{"effect": "allow", "resources": ["proj/*:env/production:flag/*"], "actions": ["*"]}]
}`

// standardHook and webhookHook have no templates: they send events in the shape
// of that name.
const (
	standardHook = `{"endpoint": {"url": "{{url}}", "method": "POST"}, "templates": {}}`
	webhookHook  = `{"endpoint": {"url": "{{url}}", "method": "POST"}, "templates": {}, "useStandardWebhookPayload": true}`
)

// testCatalog has the integration "tool" (templates for flags, for projects
// one that cannot render, for segments one that renders to nothing).
func testCatalog(t testing.TB) *manifest.Catalog {
	t.Helper()
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	catalog, findings := manifest.Load(fstest.MapFS{
		"tool/manifest.json":     file(fmt.Sprintf(toolManifest, plainHook)),
		"standard/manifest.json": file(fmt.Sprintf(toolManifest, standardHook)),
		"standard/icon.svg":      file(icon),
		"webhook/manifest.json":  file(fmt.Sprintf(toolManifest, webhookHook)),
		"webhook/icon.svg":       file(icon),
		"flags/manifest.json":    file(fmt.Sprintf(toolManifest, flagsHook)),
		"flags/icon.svg":         file(icon),
		"flags/flag.json.hbs":    file(`{}`),
		"tool/icon.svg":          file(icon),
		"tool/flag.json.hbs":     file(`{"flag": "{{{key}}}", "title": "{{{title.plainText}}}"}`),
		"tool/project.json.hbs":  file("{{#each @root.l}}{{#each @root.l}}{{#each @root.l}}{{#each @root.l}}{{#each @root.l}}{{#each @root.l}}{{#each @root.l}}{{#each @root.l}}x{{/each}}{{/each}}{{/each}}{{/each}}{{/each}}{{/each}}{{/each}}{{/each}}"),
		"tool/segment.txt.hbs":   file(" {{comment}}\n"),
	})
	for _, f := range findings {
		if f.Severity == manifest.SeverityError {
			t.Fatal(f)
		}
	}
	return catalog
}

// outcomes is a log handler that tells of every line, and so of every outcome
// once it is recorded.
type outcomes struct{ seen chan struct{} }

func (o outcomes) Enabled(context.Context, slog.Level) bool { return true }
func (o outcomes) WithAttrs([]slog.Attr) slog.Handler       { return o }
func (o outcomes) WithGroup(string) slog.Handler            { return o }
func (o outcomes) Handle(context.Context, slog.Record) error {
	select {
	case o.seen <- struct{}{}:
	default: // one signal stands for all
	}
	return nil
}

// A bench is an engine with real storage and a real sender.
type bench struct {
	t      testing.TB
	dir    string
	db     *bolt.DB
	sender *send.Sender
	log    outcomes
	*hooks.Engine
	stop func() error // ends Run and waits for it; nil when it does not run
}

// newBench opens dir ("" for a new one); change may be nil.
func newBench(t testing.TB, dir string, change func(*hooks.Options)) *bench {
	t.Helper()
	return newBenchWith(t, dir, bolt.Options{}, change)
}

// newBenchWith is newBench with storage of these options.
func newBenchWith(t testing.TB, dir string, storage bolt.Options, change func(*hooks.Options)) *bench {
	t.Helper()
	if dir == "" {
		dir = t.TempDir()
	}
	b := &bench{t: t, dir: dir, log: outcomes{make(chan struct{}, 1)}}
	var err error
	if b.db, err = bolt.Open(filepath.Join(dir, "test.db"), storage); err != nil {
		t.Fatal(err)
	}
	b.sender, err = send.New(send.Options{EgressAllow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	if err != nil {
		t.Fatal(err)
	}
	o := hooks.Options{
		Store: b.db, Queue: b.db, Sender: b.sender, Catalog: testCatalog(t),
		Logger:        slog.New(b.log),
		Retry:         hooks.RetryPolicy{MaxAttempts: 4, Base: time.Millisecond, Factor: 1, Cap: time.Millisecond},
		ShutdownGrace: patience,
	}
	if change != nil {
		change(&o)
	}
	if b.Engine, err = hooks.New(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.close)
	return b
}

// start runs the engine until the test, or stop, ends it.
func (b *bench) start() *bench {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- b.Run(ctx) }()
	b.stop = func() error {
		b.stop = nil
		cancel()
		select {
		case err := <-done:
			return err
		case <-time.After(patience):
			return fmt.Errorf("Run goes on %v after its context ended", patience)
		}
	}
	return b
}

func (b *bench) close() {
	if b.stop != nil {
		if err := b.stop(); err != nil {
			b.t.Error(err)
		}
	}
	b.sender.Close()
	if err := b.db.Close(); err != nil {
		b.t.Error(err)
	}
}

// subscribe creates a subscription of tool to a URL; change may be nil.
func (b *bench) subscribe(url string, change func(*hooks.Subscription)) *hooks.Subscription {
	b.t.Helper()
	s := hooks.Subscription{
		Name: "test", Integration: "tool", On: true,
		Config: render.Object(render.Member{Key: "url", Value: render.String(url)}),
	}
	if change != nil {
		change(&s)
	}
	created, err := b.CreateSubscription(b.t.Context(), hooks.Actor{}, s)
	if err != nil {
		b.t.Fatal(err)
	}
	return created
}

// publish sends events and returns how many subscriptions each matched.
func (b *bench) publish(events ...string) []int {
	b.t.Helper()
	list := make([]*hooks.Event, len(events))
	for i, text := range events {
		var err error
		if list[i], err = hooks.NewEvent(parse(b.t, text), hooks.EventOptions{}); err != nil {
			b.t.Fatal(err)
		}
	}
	receipts, err := b.Publish(b.t.Context(), "api", list...)
	if err != nil {
		b.t.Fatal(err)
	}
	matched := make([]int, len(receipts))
	for i, r := range receipts {
		matched[i] = r.Matched
	}
	return matched
}

// settled waits until a subscription has n deliveries, all of them final.
func (b *bench) settled(s *hooks.Subscription, n int) []*hooks.Delivery {
	b.t.Helper()
	return b.await(s, n, func(d *hooks.Delivery) bool { return d.State.Final() })
}

// await waits until a subscription has n deliveries of which good holds.
func (b *bench) await(s *hooks.Subscription, n int, good func(*hooks.Delivery) bool) []*hooks.Delivery {
	b.t.Helper()
	late := time.After(patience)
	for {
		page, err := b.Deliveries(b.t.Context(), hooks.DeliveryQuery{SubscriptionID: s.ID, Limit: 1000})
		if err != nil {
			b.t.Fatal(err)
		}
		ok := 0
		for _, d := range page.Items {
			if good(d) {
				ok++
			}
		}
		if ok == n && len(page.Items) == n {
			return page.Items
		}
		select {
		case <-b.log.seen:
		case <-late:
			b.t.Fatalf("%d of %d deliveries are as they should be, %d wanted", ok, len(page.Items), n)
		}
	}
}

// arrive waits for n requests.
func arrive(t testing.TB, r *hookstest.Receiver, n int) []hookstest.Recorded {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	requests, err := r.Wait(ctx, n)
	if err != nil {
		t.Fatal(err)
	}
	return requests
}

func flagEvent(id string) string {
	return fmt.Sprintf(`{"id": %q, "action": "updateOn", "resource": "proj/web:env/production:flag/checkout", "after": {"on": true}}`, id)
}
