package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/flaghook/flaghook/integrations"
	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/schemas"
)

// demoTimeout bounds demo --once.
const demoTimeout = 30 * time.Second

func demoCommand() *cobra.Command {
	var once bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See it work: a server, a receiver, subscriptions and sample events",
		Long: `Runs everything at once on temporary data and loopback: the server, a receiver
that prints each request as it arrives, three subscriptions with policies of
their own, and the sample events. It goes on until you stop it, for events of
your own; with --once it ends when all has arrived.`,
		Example: "  flaghook demo --once\n  flaghook demo",
		Args:    exactArgs(0, "no arguments"),
		RunE:    func(cmd *cobra.Command, _ []string) error { return demo(cmd, once) },
	}
	cmd.Flags().BoolVar(&once, "once", false, "end when everything has arrived")
	return cmd
}

// demoSubscriptions are what the demo's admin subscribes, %s being the
// receiver's URL.
var demoSubscriptions = []struct{ integration, about, body string }{
	{"slack", "production flags only", `{"name": "Releases channel", "on": true, "config": {"url": "%s/slack"},
	  "statements": [{"effect": "allow", "resources": ["proj/*:env/production:flag/*"], "actions": ["*"]}]}`},
	{"msteams", "segments and environments", `{"name": "Platform team", "on": true, "config": {"url": "%s/msteams"},
	  "statements": [{"effect": "allow", "resources": ["proj/*:env/*:segment/*", "proj/*:env/*"], "actions": ["*"]}]}`},
	{"webhook", "everything but deletions, signed", `{"name": "Archive", "on": true, "config": {"url": "%s/webhook", "secret": "demo"},
	  "statements": [{"effect": "allow", "resources": ["*"], "actions": ["*"]}, {"effect": "deny", "resources": ["*"], "actions": ["delete*"]}]}`},
}

func demo(cmd *cobra.Command, once bool) (err error) {
	ctx, cancel := context.WithCancel(cmd.Context())
	defer cancel()
	dir, err := os.MkdirTemp("", "flaghook-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	out := &demoPrinter{w: cmd.OutOrStdout()}
	receiver, err := startReceiver(ctx, out)
	if err != nil {
		return err
	}
	defer receiver.close()

	catalog, _ := manifest.Load(integrations.FS())
	s, err := newServer(ctx, serverConfig{
		Addr: "127.0.0.1:0", DataDir: dir, Catalog: catalog, AdminToken: newToken(),
		Logger: newLogger(cmd, "warn", "text"), ShutdownTimeout: 5 * time.Second,
		EgressAllow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")},
	})
	if err != nil {
		return err
	}
	stopped := make(chan error, 1)
	go func() { stopped <- s.run(ctx) }()
	defer func() {
		cancel()
		err = errors.Join(err, <-stopped)
	}()

	client := demoClient{url: s.url(), token: s.token}
	expected, err := client.play(ctx, out, receiver.url())
	if err != nil {
		return err
	}
	if !once {
		out.printf("\nServing on %s until you stop it (Ctrl-C). Send an event of your own:\n\n%s\n\n", s.url(), client.example())
		<-ctx.Done()
		return nil
	}
	arrived, err := receiver.wait(ctx, expected)
	if err != nil {
		return &exitError{code: exitFailed, err: fmt.Errorf("%d of %d requests arrived: %w", arrived, expected, err)}
	}
	out.printf("\nAll %d requests arrived.\n", expected)
	return nil
}

// demoPrinter keeps the lines of concurrent requests together.
type demoPrinter struct {
	mu sync.Mutex
	w  io.Writer
}

func (p *demoPrinter) printf(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintf(p.w, format, args...)
}

// demoClient is the admin and the program that sends events.
type demoClient struct{ url, token string }

// play subscribes and sends every sample; it returns how many requests follow.
func (c demoClient) play(ctx context.Context, out *demoPrinter, receiver string) (int, error) {
	out.printf("flaghook demo: the API is at %s, the receiver at %s\n\nSubscriptions:\n", c.url, receiver)
	for _, d := range demoSubscriptions {
		if _, err := c.post(ctx, "/api/v2/integrations/"+d.integration, fmt.Appendf(nil, d.body, receiver)); err != nil {
			return 0, err
		}
		out.printf("  %-8s %s\n", d.integration, d.about)
	}
	out.printf("\nEvents, and what arrives:\n\n")
	expected := 0
	for _, name := range schemas.SampleNames() {
		event, err := sample(name, time.Now())
		if err != nil {
			return 0, err
		}
		answer, err := c.post(ctx, "/api/v1/events", event.AppendJSON(nil))
		if err != nil {
			return 0, fmt.Errorf("sample %s: %w", name, err)
		}
		var receipt struct{ Items []struct{ Matched int } }
		if err := json.Unmarshal(answer, &receipt); err != nil || len(receipt.Items) != 1 {
			return 0, fmt.Errorf("sample %s: unexpected answer %s", name, answer)
		}
		out.printf("event %s goes to %s\n\n", name, count(receipt.Items[0].Matched, "subscription"))
		expected += receipt.Items[0].Matched
	}
	return expected, nil
}

// post sends JSON as the admin and returns the answer's body.
func (c demoClient) post(ctx context.Context, path string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", c.token)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err == nil && res.StatusCode/100 != 2 {
		err = fmt.Errorf("POST %s: %s: %s", path, res.Status, answer)
	}
	return answer, err
}

// example is an event to send by hand.
func (c demoClient) example() string {
	return fmt.Sprintf(`  curl -H 'Authorization: %s' %s/api/v1/events -d '
    {"action": "updateOn", "resource": "proj/web:env/production:flag/checkout",
     "member": {"email": "you@example.com"}, "after": {"on": true}}'`, c.token, c.url)
}

// demoReceiver is the tool at the other end: it prints what it is sent.
type demoReceiver struct {
	out     *demoPrinter
	server  *http.Server
	addr    net.Addr
	arrived chan struct{}
}

func startReceiver(ctx context.Context, out *demoPrinter) (*demoReceiver, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	r := &demoReceiver{out: out, addr: l.Addr(), arrived: make(chan struct{}, 1024)}
	r.server = &http.Server{Handler: r, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = r.server.Serve(l) }() // ends at close
	return r, nil
}

func (r *demoReceiver) url() string { return "http://" + r.addr.String() }

func (r *demoReceiver) close() { r.server.Close() }

// wait returns when n requests have arrived, or how many did.
func (r *demoReceiver) wait(ctx context.Context, n int) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, demoTimeout)
	defer cancel()
	for i := range n {
		select {
		case <-r.arrived:
		case <-ctx.Done():
			return i, ctx.Err()
		}
	}
	return n, nil
}

// demoHeaders are those worth showing.
var demoHeaders = []string{"Content-Type", "User-Agent", "Webhook-Id", "X-LD-Signature"}

func (r *demoReceiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, 2<<20))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var text bytes.Buffer
	fmt.Fprintf(&text, "--> %s %s\n", req.Method, req.URL.Path)
	for _, name := range demoHeaders {
		if v := req.Header.Get(name); v != "" {
			fmt.Fprintf(&text, "    %s: %s\n", name, v)
		}
	}
	var pretty bytes.Buffer
	if json.Indent(&pretty, body, "    ", "  ") == nil {
		body = pretty.Bytes()
	}
	r.out.printf("%s\n    %s\n\n", text.Bytes(), bytes.TrimSpace(body))
	w.WriteHeader(http.StatusOK)
	select {
	case r.arrived <- struct{}{}:
	default:
	}
}
