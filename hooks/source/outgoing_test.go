package source_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/bolt"
	"github.com/flaghook/flaghook/hooks/hookstest"
	"github.com/flaghook/flaghook/hooks/send"
	"github.com/flaghook/flaghook/hooks/source"
	"github.com/flaghook/flaghook/integrations"
	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/policy"
	"github.com/flaghook/flaghook/schemas"
)

// A receiver checks requests as a system's documentation tells its users to. It
// knows nothing of package source.
type receiver struct {
	kind        source.Kind
	integration string
	config      string // beside url
	secret      string
	check       func(h http.Header, body []byte, secret string) bool
	only        []string // kinds of events that the system has; empty for all
}

func hexOf(body []byte, secret string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

var receivers = []receiver{
	{source.Flipt, "flipt-webhook", `"secret":"shh"`, "shh", func(h http.Header, body []byte, secret string) bool {
		return h.Get("x-flipt-webhook-signature") == hexOf(body, secret)
	}, []string{"flag", "segment", "project"}},
	{source.Flagsmith, "flagsmith-webhook", `"secret":"shh"`, "shh", func(h http.Header, body []byte, secret string) bool {
		return h.Get("X-Flagsmith-Signature") == hexOf(body, secret)
	}, []string{"flag", "segment", "environment"}},
	{source.Flagsmith, "flagsmith-webhook", `"secret":"shh","form":"audit"`, "shh", func(h http.Header, body []byte, secret string) bool {
		return h.Get("X-Flagsmith-Signature") == hexOf(body, secret)
	}, []string{"flag", "segment", "environment"}},
	{source.Goflagship, "flagship-webhook", `"secret":"whsec_YWJj"`, "whsec_YWJj", func(h http.Header, body []byte, secret string) bool {
		got, found := strings.CutPrefix(h.Get("X-Flagship-Signature"), "sha256=")
		return found && got == hexOf(body, secret) && strings.HasPrefix(h.Get("X-Flagship-Event"), "flag.") && h.Get("X-Flagship-Delivery") != ""
	}, []string{"flag"}},
	{source.LaunchDarkly, "launchdarkly-webhook", `"secret":"shh"`, "shh", func(h http.Header, body []byte, secret string) bool {
		return h.Get("X-LD-Signature") == hexOf(body, secret)
	}, nil},
	{source.CloudEvents, "cloudevents", `"secret":"whsec_YWJj","token":""`, "whsec_YWJj", func(h http.Header, body []byte, secret string) bool {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(h.Get("webhook-id") + "." + h.Get("webhook-timestamp") + "." + string(body)))
		return err == nil && h.Get("webhook-signature") == "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)) && h.Get("Authorization") == ""
	}, nil},
}

// What the *-webhook integrations send is what receivers written for the system
// take: its signature, and a body that says the same when it is read again.
func TestReceiversOfEachSystemAcceptWhatIsSent(t *testing.T) {
	catalog, findings := manifest.Load(integrations.FS())
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	db, err := bolt.Open(filepath.Join(t.TempDir(), "test.db"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	sender, err := send.New(send.Options{EgressAllow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	if err != nil {
		t.Fatal(err)
	}
	defer sender.Close()
	engine, err := hooks.New(t.Context(), hooks.Options{Store: db, Queue: db, Sender: sender, Catalog: catalog, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	done := make(chan error, 1)
	go func() { done <- engine.Run(ctx) }()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()

	var list []*hooks.Event
	for _, name := range schemas.SampleNames() {
		data, _ := schemas.Sample(name)
		event, err := hooks.NewEvent(parse(t, string(data)), hooks.EventOptions{})
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, event)
	}
	endpoints := make([]*hookstest.Receiver, len(receivers))
	for i, r := range receivers {
		endpoints[i] = hookstest.NewReceiver(t)
		s := hooks.Subscription{
			Name: r.integration, Integration: r.integration, On: true,
			Config: parse(t, `{"url":"`+endpoints[i].URL()+`",`+r.config+`}`),
		}
		s.Statements = []policy.Statement{{Effect: "allow", Resources: resourcesOf(r.only), Actions: []string{"*"}}}
		if _, err := engine.CreateSubscription(t.Context(), hooks.Actor{}, s); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := engine.Publish(t.Context(), "api", list...); err != nil {
		t.Fatal(err)
	}
	for i, r := range receivers {
		want := 0
		for _, e := range list {
			if len(r.only) == 0 || slices.Contains(r.only, e.Kind()) {
				want++
			}
		}
		requests, err := endpoints[i].Wait(ctx, want)
		if err != nil {
			t.Fatalf("%s: %v", r.integration, err)
		}
		for _, got := range requests {
			r.accepts(t, got)
		}
	}
}

// accepts checks a request as the system's users do, and reads it as a source.
func (r *receiver) accepts(t *testing.T, got hookstest.Recorded) {
	t.Helper()
	if !r.check(got.Header, got.Body, r.secret) {
		t.Errorf("%s: the signature is not accepted: %v", r.integration, got.Header)
	}
	request := &source.Request{Method: http.MethodPost, Header: got.Header, Query: url.Values{}, Body: got.Body}
	settings := source.Settings{Kind: r.kind, Secrets: []string{r.secret}}
	if err := source.Verify(settings, request); err != nil {
		t.Errorf("%s: %v", r.integration, err)
	}
	for _, e := range events(t, settings, request, memory{}) {
		if e.Kind() == "other" || strings.Contains(accesses(e), "_unknown") {
			t.Errorf("%s: reads as %s: %s", r.integration, accesses(e), got.Body)
		}
	}
}

// resourcesOf names the resources of some kinds; all when there are none.
func resourcesOf(kinds []string) []string {
	if len(kinds) == 0 {
		return []string{"*"}
	}
	known := map[string]string{"project": "proj/*", "environment": "proj/*:env/*", "flag": "proj/*:env/*:flag/*", "segment": "proj/*:env/*:segment/*"}
	var all []string
	for _, k := range kinds {
		all = append(all, known[k])
	}
	return all
}

// What came from a system goes out to its receivers as it came in.
func TestASystemsOwnEventsGoOutAsTheyCameIn(t *testing.T) {
	catalog, _ := manifest.Load(integrations.FS())
	own := map[source.Kind]string{source.Flipt: "flipt-webhook", source.Flagsmith: "flagsmith-webhook", source.Goflagship: "flagship-webhook",
		source.LaunchDarkly: "launchdarkly-webhook"}
	compared := 0
	for _, f := range fixtures(t) {
		integration, ok := catalog.Get(own[f.kind])
		if !ok {
			continue
		}
		for _, c := range f.cases {
			r := f.request(t, c.BodyFile)
			for _, e := range events(t, f.settings, r, memory{}) {
				out, err := integration.Render(e.Rendered(), manifest.RenderInput{Config: parse(t, `{"url": "https://example.com"}`)})
				if err != nil {
					t.Fatal(err)
				}
				want := strings.ReplaceAll(string(r.Body), "envkey0000example", "***")
				if out.Request == nil || !parse(t, string(out.Request.Body)).Equal(parse(t, want)) {
					t.Errorf("%s/%s goes out as %+v", f.kind, c.BodyFile, out)
				}
				compared++
			}
		}
	}
	if compared == 0 {
		t.Error("nothing was compared")
	}
}
