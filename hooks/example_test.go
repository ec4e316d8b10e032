package hooks_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/api"
	"github.com/flaghook/flaghook/hooks/bolt"
	"github.com/flaghook/flaghook/hooks/send"
	"github.com/flaghook/flaghook/integrations"
	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/render"
)

// A flag service embeds flaghook: it loads a catalog, opens a store, mounts
// the REST API under a prefix of its own mux, and publishes its changes.
func ExampleEngine() {
	dir, err := os.MkdirTemp("", "flaghook-example-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)

	// The tool at the other end.
	arrived := make(chan string, 1)
	tool := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		arrived <- string(body)
	}))
	defer tool.Close()

	catalog, findings := manifest.Load(integrations.FS())
	if len(findings) > 0 {
		panic(findings[0])
	}
	db, err := bolt.Open(filepath.Join(dir, "flaghook.db"), bolt.Options{})
	if err != nil {
		panic(err)
	}
	defer db.Close()
	sender, err := send.New(send.Options{EgressAllow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	if err != nil {
		panic(err)
	}
	defer sender.Close()

	ctx, stop := context.WithCancel(context.Background())
	logger := slog.New(slog.DiscardHandler)
	engine, err := hooks.New(ctx, hooks.Options{Store: db, Queue: db, Sender: sender, Catalog: catalog, Logger: logger})
	if err != nil {
		panic(err)
	}
	rest, err := api.New(api.Options{Engine: engine, Token: "secret", Logger: logger})
	if err != nil {
		panic(err)
	}
	mux := http.NewServeMux() // the service's own
	mux.Handle("/flaghook/", http.StripPrefix("/flaghook", rest))

	stopped := make(chan error)
	go func() { stopped <- engine.Run(ctx) }()

	// Subscriptions come through REST, or as here from code.
	_, err = engine.CreateSubscription(ctx, hooks.Actor{}, hooks.Subscription{
		Name: "releases", Integration: "webhook", On: true,
		Config: render.Object(render.Member{Key: "url", Value: render.String(tool.URL)}),
	})
	if err != nil {
		panic(err)
	}

	change, err := render.ParseJSON([]byte(`{
		"action": "updateOn", "resource": "proj/web:env/production:flag/checkout",
		"member": {"email": "ann@example.com"}, "after": {"on": true}}`))
	if err != nil {
		panic(err)
	}
	event, err := hooks.NewEvent(change, hooks.EventOptions{})
	if err != nil {
		panic(err)
	}
	receipts, err := engine.Publish(ctx, "api", event) // durable when it returns
	if err != nil {
		panic(err)
	}
	fmt.Println("subscriptions matched:", receipts[0].Matched)

	message, err := render.ParseJSON([]byte(<-arrived))
	if err != nil {
		panic(err)
	}
	fmt.Println("the tool got:", message.Get("titleVerb").AsString())

	stop()
	fmt.Println("stopped:", <-stopped)
	// Output:
	// subscriptions matched: 1
	// the tool got: turned on the flag
	// stopped: <nil>
}
