package client_test

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flaghook/flaghook/hooks/api/client"
)

var (
	since = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	until = time.Date(2026, 2, 1, 12, 0, 0, 500_000_000, time.FixedZone("", 3600))
)

// Each method makes one call: what goes out, and what becomes of the answer.
var calls = []struct {
	name   string
	do     func(context.Context, *client.Client) (any, error)
	target string // method and target
	body   string
	header string // one that must be there, "Name: value"
	answer string // "" for 204
	want   string // of the result, as JSON where it is no text; "" to leave it
}{
	{
		name: "publish one",
		do: func(ctx context.Context, c *client.Client) (any, error) {
			r, err := c.Publish(ctx, client.PublishOptions{}, client.NewEvent{Action: "updateOn", Resource: "proj/a:env/b:flag/c<&>", Timestamp: since})
			return r.Items, err
		},
		target: "POST /api/v1/events", header: "Content-Type: application/json",
		body:   `{"timestamp":"2026-01-31T12:00:00Z","action":"updateOn","resource":"proj/a:env/b:flag/c<&>"}`,
		answer: `{"items":[{"id":"e1","matched":2,"duplicate":true}]}`, want: `[{"id":"e1","matched":2,"duplicate":true}]`,
	},
	{
		name: "publish many",
		do: func(ctx context.Context, c *client.Client) (any, error) {
			return c.Publish(ctx, client.PublishOptions{IdempotencyKey: "k1"}, json.RawMessage(`{"a":1}`), map[string]any{"b": 2})
		},
		target: "POST /api/v1/events", header: "Idempotency-Key: k1", body: `[{"a":1},{"b":2}]`, answer: `{"items":[{"id":"x"},{"id":"y"}]}`,
	},
	{
		name: "events",
		do: func(ctx context.Context, c *client.Client) (any, error) {
			p, err := c.Events(ctx, client.EventQuery{Paging: client.Paging{Limit: 5, Cursor: "a/b"}, Since: since, Until: until})
			return []any{p.Items[0].Event.Title.PlainText, string(p.Items[0].Event.JSON()), p.Items[0].Event.Timestamp.Time(), p.Items[0].Matched, p.Next}, err
		},
		target: "GET /api/v1/events?cursor=a%2Fb&limit=5&since=2026-01-31T12%3A00%3A00Z&until=2026-02-01T11%3A00%3A00.5Z",
		answer: `{"items":[{"event":{"_id":"e1","title":{"plainText":"Ann did it"},"timestamp":{"milliseconds":1769860800000},"x":1.50},"acceptedAt":"2026-01-31T12:00:00Z","matched":3}],"next":"n"}`,
		want:   `["Ann did it","{\"_id\":\"e1\",\"title\":{\"plainText\":\"Ann did it\"},\"timestamp\":{\"milliseconds\":1769860800000},\"x\":1.50}","2026-01-31T12:00:00Z",3,"n"]`,
	},
	{
		name:   "event",
		do:     func(ctx context.Context, c *client.Client) (any, error) { return c.Event(ctx, "a b/c") },
		target: "GET /api/v1/events/a%20b%2Fc", answer: `{"_id":"a b/c"}`,
	},
	{
		name: "explain",
		do: func(ctx context.Context, c *client.Client) (any, error) {
			p, err := c.Explain(ctx, "e1", client.Paging{Limit: 2})
			return p.Items[0].Outcome, err
		},
		target: "GET /api/v1/events/e1/explain?limit=2", answer: `{"eventId":"e1","items":[{"outcome":"filtered"}]}`, want: `filtered`,
	},
	{
		name:   "replay an event",
		do:     func(ctx context.Context, c *client.Client) (any, error) { return c.ReplayEvent(ctx, "e1") },
		target: "POST /api/v1/events/e1/replay", body: `{}`, answer: `{"replay":"r","deliveries":4}`, want: `{"replay":"r","deliveries":4}`,
	},
	{
		name:   "replay an event to some",
		do:     func(ctx context.Context, c *client.Client) (any, error) { return c.ReplayEvent(ctx, "e1", "s1", "s2") },
		target: "POST /api/v1/events/e1/replay", body: `{"subscriptions":["s1","s2"]}`, answer: `{"replay":"r","deliveries":2}`,
	},
	{
		name: "subscriptions",
		do: func(ctx context.Context, c *client.Client) (any, error) {
			p, err := c.Subscriptions(ctx, client.SubscriptionQuery{Integration: "slack"})
			s := p.Items[0]
			return []any{s.ID, time.Duration(s.MaxElapsed).String(), *s.MaxRetries, s.Statements == nil, s.Version, string(s.JSON())}, err
		},
		target: "GET /api/v1/subscriptions?integration=slack",
		answer: `{"items":[{"_id":"s1", "maxElapsed":"24h0m0s","maxRetries":0,"_version":7}]}`,
		want:   `["s1","24h0m0s",0,true,7,"{\"_id\":\"s1\", \"maxElapsed\":\"24h0m0s\",\"maxRetries\":0,\"_version\":7}"]`,
	},
	{
		name: "subscribe",
		do: func(ctx context.Context, c *client.Client) (any, error) {
			none := 0
			return c.Subscribe(ctx, client.NewSubscription{
				Integration: "webhook", Name: "n", Statements: []client.Statement{},
				DeliverySettings: client.DeliverySettings{MaxRetries: &none, SecretOverlap: client.Duration(time.Hour)},
			})
		},
		target: "POST /api/v1/subscriptions",
		body:   `{"maxRetries":0,"secretOverlap":"1h0m0s","integration":"webhook","name":"n","config":{},"statements":[]}`,
		answer: `{"_id":"s1"}`,
	},
	{
		name:   "subscription",
		do:     func(ctx context.Context, c *client.Client) (any, error) { return c.Subscription(ctx, "s1") },
		target: "GET /api/v1/subscriptions/s1", answer: `{"_id":"s1"}`, header: "Authorization: Bearer " + token,
	},
	{
		name: "update a subscription",
		do: func(ctx context.Context, c *client.Client) (any, error) {
			return c.UpdateSubscription(ctx, "s1", 3, map[string]any{"on": false, "statements": nil})
		},
		target: "PATCH /api/v1/subscriptions/s1", body: `{"on":false,"statements":null}`, header: `If-Match: "3"`, answer: `{"_id":"s1"}`,
	},
	{
		name: "update a subscription of any version",
		do: func(ctx context.Context, c *client.Client) (any, error) {
			return c.UpdateSubscription(ctx, "s1", 0, map[string]any{"on": true})
		},
		target: "PATCH /api/v1/subscriptions/s1", body: `{"on":true}`, header: "Content-Type: application/merge-patch+json", answer: `{"_id":"s1"}`,
	},
	{
		name: "patch a subscription",
		do: func(ctx context.Context, c *client.Client) (any, error) {
			return c.PatchSubscription(ctx, "s1", 2, client.PatchOperation{Op: "replace", Path: "/on", Value: json.RawMessage("false")})
		},
		target: "PATCH /api/v1/subscriptions/s1", body: `[{"op":"replace","path":"/on","value":false}]`, header: `If-Match: "2"`, answer: `{"_id":"s1"}`,
	},
	{
		name: "delete a subscription",
		do: func(ctx context.Context, c *client.Client) (any, error) {
			return nil, c.DeleteSubscription(ctx, "s1", 9)
		},
		target: "DELETE /api/v1/subscriptions/s1", header: `If-Match: "9"`,
	},
	{
		name: "validate a subscription",
		do: func(ctx context.Context, c *client.Client) (any, error) {
			v, err := c.ValidateSubscription(ctx, "s1")
			return []any{v.Template, v.Request.Headers[0].Name, v.Response.StatusCode, v.Delivery.State}, err
		},
		target: "POST /api/v1/subscriptions/s1/validate",
		answer: `{"delivery":{"_id":"d","state":"dead"},"template":"validation","request":{"method":"POST","headers":[{"name":"A","value":"b"}]},"response":{"statusCode":404,"durationMs":1.5}}`,
		want:   `["validation","A",404,"dead"]`,
	},
	{
		name: "deliveries",
		do: func(ctx context.Context, c *client.Client) (any, error) {
			p, err := c.Deliveries(ctx, client.DeliveryQuery{
				SubscriptionID: "s1", EventID: "e1", TokenID: "t1", States: []client.State{client.StateDead, client.StatePending}, Since: since, Paging: client.Paging{Limit: 1},
			})
			d := p.Items[0]
			return []any{d.State, d.Attempts[0].DurationMs, d.NextAttemptAt.IsZero()}, err
		},
		target: "GET /api/v1/deliveries?event=e1&limit=1&since=2026-01-31T12%3A00%3A00Z&status=dead%2Cpending&subscription=s1&token=t1",
		answer: `{"items":[{"_id":"d","state":"dead","attempts":[{"durationMs":0.25}]}]}`, want: `["dead",0.25,true]`,
	},
	{
		name:   "delivery",
		do:     func(ctx context.Context, c *client.Client) (any, error) { return c.Delivery(ctx, "d") },
		target: "GET /api/v1/deliveries/d", answer: `{"_id":"d"}`,
	},
	{
		name:   "retry a delivery",
		do:     func(ctx context.Context, c *client.Client) (any, error) { return c.RetryDelivery(ctx, "d") },
		target: "POST /api/v1/deliveries/d/retry", answer: `{"_id":"d"}`,
	},
	{
		name:   "cancel a delivery",
		do:     func(ctx context.Context, c *client.Client) (any, error) { return c.CancelDelivery(ctx, "d") },
		target: "POST /api/v1/deliveries/d/cancel", answer: `{"_id":"d"}`,
	},
	{
		name: "start a replay",
		do: func(ctx context.Context, c *client.Client) (any, error) {
			return c.StartJob(ctx, client.JobReplay, "s1", since, until)
		},
		target: "POST /api/v1/subscriptions/s1/replay", body: `{"since":"2026-01-31T12:00:00Z","until":"2026-02-01T12:00:00.5+01:00"}`,
		answer: `{"_id":"j","kind":"replay","state":"running"}`,
	},
	{
		name: "start a retry",
		do: func(ctx context.Context, c *client.Client) (any, error) {
			return c.StartJob(ctx, client.JobRetry, "s1", time.Time{}, time.Time{})
		},
		target: "POST /api/v1/subscriptions/s1/retry", body: `{}`, answer: `{"_id":"j"}`,
	},
	{
		name:   "jobs",
		do:     func(ctx context.Context, c *client.Client) (any, error) { return c.Jobs(ctx, client.Paging{}) },
		target: "GET /api/v1/jobs", answer: `{"items":[]}`,
	},
	{
		name:   "cancel a job",
		do:     func(ctx context.Context, c *client.Client) (any, error) { return c.CancelJob(ctx, "j") },
		target: "POST /api/v1/jobs/j/cancel", answer: `{"_id":"j"}`,
	},
	{
		name: "create a token",
		do: func(ctx context.Context, c *client.Client) (any, error) {
			t, err := c.CreateToken(ctx, client.NewToken{Name: "ci", Role: client.RoleSender, Statements: []client.Statement{{Effect: "allow", Resources: []string{"*"}, Actions: []string{"*"}}}})
			return t.Secret, err
		},
		target: "POST /api/v1/tokens",
		body:   `{"name":"ci","role":"sender","statements":[{"effect":"allow","resources":["*"],"actions":["*"]}]}`,
		answer: `{"_id":"t","token":"fh_new"}`, want: "fh_new",
	},
	{
		name: "tokens",
		do: func(ctx context.Context, c *client.Client) (any, error) {
			p, err := c.Tokens(ctx, client.Paging{Limit: 3})
			return p.Items[0].LastUsedAt.IsZero(), err
		},
		target: "GET /api/v1/tokens?limit=3", answer: `{"items":[{"_id":"t"}]}`, want: "true",
	},
	{
		name:   "token",
		do:     func(ctx context.Context, c *client.Client) (any, error) { return c.Token(ctx, "t") },
		target: "GET /api/v1/tokens/t", answer: `{"_id":"t"}`,
	},
	{
		name:   "revoke a token",
		do:     func(ctx context.Context, c *client.Client) (any, error) { return nil, c.RevokeToken(ctx, "t") },
		target: "DELETE /api/v1/tokens/t",
	},
	{
		name: "catalog",
		do: func(ctx context.Context, c *client.Client) (any, error) {
			p, err := c.Catalog(ctx, client.Paging{})
			return p.Items[0].FormVariables[0].DefaultValue, err
		},
		target: "GET /api/v1/catalog", answer: `{"items":[{"key":"slack","formVariables":[{"key":"a","defaultValue":[1]}]}]}`, want: "[1]",
	},
	{
		name:   "integration",
		do:     func(ctx context.Context, c *client.Client) (any, error) { return c.Integration(ctx, "slack") },
		target: "GET /api/v1/catalog/slack", answer: `{"key":"slack"}`,
	},
	{
		name: "icon",
		do: func(ctx context.Context, c *client.Client) (any, error) {
			icon, err := c.Icon(ctx, "slack", "square")
			return string(icon), err
		},
		target: "GET /api/v1/catalog/slack/icons/square", answer: `<svg/>`, want: "<svg/>",
	},
	{
		name:   "reload",
		do:     func(ctx context.Context, c *client.Client) (any, error) { return c.ReloadCatalog(ctx) },
		target: "POST /api/v1/catalog/reload", answer: `{"loaded":6,"findings":["a"]}`, want: `{"loaded":6,"findings":["a"]}`,
	},
	{
		name: "preview",
		do: func(ctx context.Context, c *client.Client) (any, error) {
			p, err := c.Preview(ctx, "slack", client.PreviewRequest{Sample: "flag-on", Config: map[string]any{"url": "https://x"}})
			return []any{p.Request.Body, p.Template}, err
		},
		target: "POST /api/v1/catalog/slack/preview", body: `{"config":{"url":"https://x"},"sample":"flag-on"}`,
		answer: `{"integration":"slack","template":null,"request":{"method":"POST","body":"{}"}}`, want: `["{}",""]`,
	},
	{
		name: "create a source",
		do: func(ctx context.Context, c *client.Client) (any, error) {
			return c.CreateSource(ctx, client.NewSource{Name: "flags", Kind: "flipt", Secret: "s", Environments: []string{"production"}})
		},
		target: "POST /api/v1/sources", body: `{"name":"flags","kind":"flipt","secret":"s","environments":["production"]}`,
		answer: `{"_id":"s","url":"https://x/in/y"}`,
	},
	{
		name: "sources",
		do: func(ctx context.Context, c *client.Client) (any, error) {
			p, err := c.Sources(ctx, client.Paging{Limit: 3})
			return []any{p.Items[0].Status.Refusals[0].Reason, p.Items[0].Status.Events, p.Next}, err
		},
		target: "GET /api/v1/sources?limit=3",
		answer: `{"items":[{"_id":"s","status":{"events":3,"refusals":[{"status":401,"reason":"no signature"}]}}],"next":"n"}`,
		want:   `["no signature",3,"n"]`,
	},
	{
		name:   "source",
		do:     func(ctx context.Context, c *client.Client) (any, error) { return c.Source(ctx, "s") },
		target: "GET /api/v1/sources/s", answer: `{"_id":"s"}`,
	},
	{
		name: "patch a source",
		do: func(ctx context.Context, c *client.Client) (any, error) {
			return c.PatchSource(ctx, "s", map[string]any{"on": false})
		},
		target: "PATCH /api/v1/sources/s", header: "Content-Type: application/merge-patch+json", body: `{"on":false}`, answer: `{"_id":"s"}`,
	},
	{
		name:   "delete a source",
		do:     func(ctx context.Context, c *client.Client) (any, error) { return nil, c.DeleteSource(ctx, "s") },
		target: "DELETE /api/v1/sources/s",
	},
	{
		name: "openapi",
		do: func(ctx context.Context, c *client.Client) (any, error) {
			d, err := c.OpenAPI(ctx)
			return string(d), err
		},
		target: "GET /api/v1/openapi.json", answer: `{"openapi": "3.1.0"}`, want: `{"openapi": "3.1.0"}`,
	},
	{
		name:   "health",
		do:     func(ctx context.Context, c *client.Client) (any, error) { return nil, c.Health(ctx) },
		target: "GET /readyz", answer: `{"status":"ok"}`,
	},
}

func TestCalls(t *testing.T) {
	for _, test := range calls {
		t.Run(test.name, func(t *testing.T) {
			status := http.StatusOK
			if test.answer == "" {
				status = http.StatusNoContent
			}
			s := serve(t, answers(status, test.answer))
			got, err := test.do(t.Context(), dial(t, s.URL+"/"))
			if err != nil {
				t.Fatal(err)
			}
			sent := s.requests()
			if len(sent) != 1 {
				t.Fatalf("%d requests were sent", len(sent))
			}
			if diff := cmp.Diff([]string{test.target, test.body}, []string{sent[0].method + " " + sent[0].target, sent[0].body}); diff != "" {
				t.Errorf("what was sent (-want +got):\n%s", diff)
			}
			if name, value, ok := strings.Cut(test.header, ": "); ok && sent[0].header.Get(name) != value {
				t.Errorf("header %s is %q", test.header, sent[0].header.Get(name))
			}
			if d, ok := got.(interface{ JSON() json.RawMessage }); ok && string(d.JSON()) != test.answer {
				t.Errorf("JSON is %s; want %s", d.JSON(), test.answer)
			}
			if text := resultText(t, got); test.want != "" && text != test.want {
				t.Errorf("the result is %s; want %s", text, test.want)
			}
		})
	}
}

func resultText(t *testing.T, v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Every exported method is in the table, but for those that have tests of their
// own.
func TestCallsAreAll(t *testing.T) {
	other := map[string]bool{"URL": true, "Backup": true, "WaitJob": true, "Job": true}
	source := callsSource(t)
	for m := range reflect.TypeFor[*client.Client]().Methods() {
		if !other[m.Name] && !strings.HasPrefix(m.Name, "All") && !strings.Contains(source, "c."+m.Name+"(") {
			t.Errorf("no test calls Client.%s", m.Name)
		}
	}
}

// A server under a prefix is found there.
func TestPrefix(t *testing.T) {
	s := serve(t, answers(http.StatusOK, `{"_id":"s"}`))
	if _, err := dial(t, s.URL+"/flags/").Subscription(t.Context(), "s"); err != nil {
		t.Fatal(err)
	}
	if got := s.requests()[0].target; got != "/flags/api/v1/subscriptions/s" {
		t.Errorf("asked for %s", got)
	}
}

// An id that is none must not make another call of it.
func TestNoID(t *testing.T) {
	c := dial(t, "http://127.0.0.1:1")
	for _, id := range []string{"", ".", ".."} {
		if err := c.DeleteSubscription(t.Context(), id, 0); err == nil || !strings.Contains(err.Error(), "is no id") {
			t.Errorf("DeleteSubscription(%q): %v", id, err)
		}
	}
	if _, err := c.Publish(t.Context(), client.PublishOptions{}); err == nil {
		t.Error("nothing was published, without an error")
	}
}
