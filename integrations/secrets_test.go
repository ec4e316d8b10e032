package integrations_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/api"
	"github.com/flaghook/flaghook/hooks/bolt"
	"github.com/flaghook/flaghook/hooks/hookstest"
	"github.com/flaghook/flaghook/hooks/keys"
	"github.com/flaghook/flaghook/hooks/metrics"
	"github.com/flaghook/flaghook/hooks/send"
	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/policy"
	"github.com/flaghook/flaghook/render"
)

// TestNoSecretIsEverShown sends every integration through every failure, with
// endpoints that send back all that they were sent, and looks for the secrets in
// everything that flaghook says: its log, its answers, its metrics, and its
// file.
func TestNoSecretIsEverShown(t *testing.T) {
	w := newWitness(t)
	var subs []*hooks.Subscription
	for _, i := range load(t).All() {
		s, err := w.engine.CreateSubscription(t.Context(), hooks.Actor{}, hooks.Subscription{
			Name: i.Key, Integration: i.Key, On: true, Config: w.secretConfig(t, i),
			Statements: []policy.Statement{{Effect: "allow", Resources: []string{"*"}, Actions: []string{"*"}}},
		})
		if err != nil {
			t.Fatalf("%s: %v", i.Key, err)
		}
		subs = append(subs, s)
	}
	for n, f := range w.failures(t) {
		w.town.now.Store(&f)
		event, err := hooks.NewEvent(sample(t, "flag-on").With("_id", render.String(fmt.Sprintf("event-%d", n))), hooks.EventOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.engine.Publish(t.Context(), "api", event); err != nil {
			t.Fatal(err)
		}
		for _, s := range subs {
			await(t, w.engine, s.ID, 2*n+1, w.seen) // with the validations
		}
		var validating sync.WaitGroup
		for _, s := range subs {
			validating.Go(func() { w.get(t, "POST", "/api/v1/subscriptions/"+s.ID+"/validate", "{}") })
		}
		validating.Wait()
	}
	for _, s := range subs {
		w.get(t, "GET", "/api/v2/integrations/"+s.Integration, "")
		w.get(t, "GET", "/api/v2/integrations/"+s.Integration+"/"+s.ID, "")
		w.get(t, "GET", "/api/v1/subscriptions/"+s.ID, "")
		w.get(t, "GET", "/api/v1/subscriptions/"+s.ID+"/deliveries?limit=1000", "")
		w.get(t, "PATCH", "/api/v2/integrations/"+s.Integration+"/"+s.ID, `[{"op": "replace", "path": "/config/nothing", "value": {}}]`)
	}
	for _, path := range []string{"/api/v1/events?limit=1000", "/api/v1/deliveries?limit=1000", "/api/v1/subscriptions?limit=1000", "/api/v2/auditlog?limit=20", "/api/v1/jobs"} {
		w.get(t, "GET", path, "")
	}
	scrape := httptest.NewRecorder()
	w.metrics.Handler().ServeHTTP(scrape, httptest.NewRequest("GET", "/metrics", nil))
	w.said("metrics", scrape.Body.Bytes())
	w.look(t)
}

// A witness is a server in this process that remembers all that it says.
type witness struct {
	engine  *hooks.Engine
	town    *hostileTown
	metrics *metrics.Metrics
	api     *api.API
	seen    settled
	file    string
	secrets []string
	urls    []string // of configs, which an admin reads as they were given

	mu   sync.Mutex
	told map[string]*bytes.Buffer
}

// alsoSignals passes a log on and signals each line.
type alsoSignals struct {
	slog.Handler
	settled
}

func (h alsoSignals) Enabled(context.Context, slog.Level) bool { return true }
func (h alsoSignals) WithAttrs(a []slog.Attr) slog.Handler {
	return alsoSignals{h.Handler.WithAttrs(a), h.settled}
}
func (h alsoSignals) WithGroup(n string) slog.Handler {
	return alsoSignals{h.Handler.WithGroup(n), h.settled}
}
func (h alsoSignals) Handle(ctx context.Context, r slog.Record) error {
	err := h.Handler.Handle(ctx, r)
	_ = h.settled.Handle(ctx, r) // never fails
	return err
}

// logOf is where the log goes.
type logOf struct{ w *witness }

func (l logOf) Write(p []byte) (int, error) {
	l.w.said("log", p)
	return len(p), nil
}

func newWitness(t *testing.T) *witness {
	t.Helper()
	dir := t.TempDir()
	w := &witness{seen: make(settled, 1), file: filepath.Join(dir, "test.db"), told: map[string]*bytes.Buffer{}, metrics: metrics.New(metrics.Options{})}
	ring, err := keys.New()
	if err != nil {
		t.Fatal(err)
	}
	db, err := bolt.Open(w.file, bolt.Options{Cipher: ring})
	if err != nil {
		t.Fatal(err)
	}
	sender, err := send.New(send.Options{EgressAllow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	if err != nil {
		t.Fatal(err)
	}
	w.town = &hostileTown{sender: sender}
	log := slog.New(alsoSignals{slog.NewJSONHandler(logOf{w}, &slog.HandlerOptions{Level: slog.LevelDebug}), w.seen})
	w.engine, err = hooks.New(t.Context(), hooks.Options{
		Store: db, Queue: db, Sender: w.town, Catalog: load(t), Logger: log, Observer: w.metrics, AttemptTimeout: 300 * time.Millisecond,
		Retry: hooks.RetryPolicy{MaxAttempts: 1, Base: time.Millisecond, Factor: 1, Cap: time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	if w.api, err = api.New(api.Options{Engine: w.engine, Token: "admin", Logger: log}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.engine.Run(ctx) }()
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
	return w
}

func (w *witness) said(where string, text []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.told[where] == nil {
		w.told[where] = new(bytes.Buffer)
	}
	w.told[where].Write(text)
}

func (w *witness) get(t *testing.T, method, path, body string) {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "admin")
	answer := httptest.NewRecorder()
	w.api.ServeHTTP(answer, r)
	if answer.Code >= 500 {
		t.Errorf("%s %s: %d %s", method, path, answer.Code, answer.Body)
	}
	w.said(method+" "+path, answer.Body.Bytes())
	w.said(method+" "+path, fmt.Append(nil, answer.Header()))
}

// secretConfig is the config of the goldens with a secret in each place that
// may hold one.
func (w *witness) secretConfig(t *testing.T, i *manifest.Integration) render.Value {
	t.Helper()
	c := config(t, i)
	for _, v := range i.Manifest.FormVariables {
		value := c.Get(v.Key)
		if value.Kind() != render.KindString || v.Options() != nil {
			continue
		}
		mark := func(kind string) string {
			s := fmt.Sprintf("%s-%s-%s-Zq9", kind, i.Key, v.Key)
			w.secrets = append(w.secrets, s)
			return s
		}
		switch {
		case v.IsSecret:
			c = c.With(v.Key, render.String(mark("secret")))
		case v.Type == manifest.TypeURI:
			u, err := url.Parse(value.AsString())
			if err != nil {
				t.Fatal(err)
			}
			if strings.Trim(u.Path, "/") == "" && u.RawQuery == "" {
				continue // a host of the tool, to which the template adds the path
			}
			u.Path, u.RawPath = "/hooks/"+mark("path"), ""
			u.RawQuery = "key=" + mark("query")
			w.urls = append(w.urls, u.String())
			c = c.With(v.Key, render.String(u.String()))
		}
	}
	return c
}

// look searches everything that was said, and the file.
func (w *witness) look(t *testing.T) {
	t.Helper()
	if len(w.secrets) < 80 {
		t.Errorf("only %d secrets were hidden", len(w.secrets))
	}
	file, err := os.ReadFile(w.file)
	if err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told["file"] = bytes.NewBuffer(file)
	for where, buffer := range w.told {
		text := buffer.Bytes()
		if strings.Contains(where, " /api/") {
			for _, u := range w.urls {
				text = bytes.ReplaceAll(text, []byte(`"`+u+`"`), nil)
			}
		}
		for _, s := range w.secrets {
			for _, form := range []string{s, url.QueryEscape(s), base64.StdEncoding.EncodeToString([]byte(s))} {
				if at := bytes.Index(text, []byte(form)); at >= 0 {
					t.Errorf("%s shows %s: …%.300q…", where, s, text[max(0, at-150):])
				}
			}
		}
	}
}

// A hostileTown is where the tools live when things go wrong: each request goes
// to where the failure of the day is.
type hostileTown struct {
	sender *send.Sender
	now    atomic.Pointer[failure]
}

// A failure says where requests end up.
type failure struct{ name, scheme, host string }

func (h *hostileTown) Send(ctx context.Context, out hooks.Outgoing) hooks.Response {
	f := h.now.Load()
	u, err := url.Parse(out.Request.URL)
	if err != nil {
		return h.sender.Send(ctx, out)
	}
	here := *out.Request
	u.Scheme, u.Host = f.scheme, f.host
	here.URL = u.String()
	out.Request = &here
	return h.sender.Send(ctx, out)
}

// echo sends back all that came, in the body and in headers.
func echo(status int) func(int, *http.Request) hookstest.Reply {
	return func(_ int, r *http.Request) hookstest.Reply {
		dump, err := httputil.DumpRequest(r, false)
		if err != nil {
			return hookstest.Status(500)
		}
		header := http.Header{"Location": {"http://127.0.0.1:1" + r.URL.RequestURI()}, "X-Url": {r.URL.RequestURI()}}
		for name, values := range r.Header {
			header.Set("X-Echo-"+name, strings.Join(values, ","))
		}
		return hookstest.Reply{Status: status, Header: header, Body: string(dump)}
	}
}

func (w *witness) failures(t *testing.T) []failure {
	t.Helper()
	at := func(name string, respond func(int, *http.Request) hookstest.Reply) failure {
		r := hookstest.NewReceiver(t)
		r.Respond(respond)
		return failure{name, "http", strings.TrimPrefix(r.URL(), "http://")}
	}
	always := func(r hookstest.Reply) func(int, *http.Request) hookstest.Reply { return hookstest.Sequence(r) }
	secure := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	secure.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelDebug)
	secure.StartTLS()
	t.Cleanup(secure.Close)
	return []failure{
		at("accepted", echo(200)), at("refused", echo(400)), at("unauthorized", echo(401)),
		at("too many", echo(429)), at("redirect", echo(302)), at("server error", echo(500)),
		at("hangs", always(hookstest.Reply{Hang: true})), at("resets", always(hookstest.Reply{Reset: true})),
		at("garbage", always(hookstest.Reply{Raw: "garbage\r\n\r\n"})), at("closes amid its header", always(hookstest.Reply{Raw: "HTTP/1.1 200 OK\r\nContent-"})),
		{"bad certificate", "https", secure.Listener.Addr().String()}, {"plain HTTP", "https", strings.TrimPrefix(hookstest.NewReceiver(t).URL(), "http://")},
		{"nobody listens", "http", "127.0.0.1:1"}, {"refused address", "http", "10.0.0.1"}, {"no such name", "http", "nowhere.invalid"},
		at("gone", echo(410)), // the last: it switches them off
	}
}
