package api_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/flaghook/flaghook/hooks/api"
)

// TestCrossOrigin: a page of any origin may ask what it may send, send it with
// its token, and read the answer, but never with the browser's credentials.
func TestCrossOrigin(t *testing.T) {
	s := startListening(t)
	origin := []string{"Origin", "https://console.example.com"}
	ask := func(path string, header ...string) reply {
		return s.do("OPTIONS", path, "", append(append([]string{"Authorization", ""}, origin...), header...)...)
	}
	for path, methods := range map[string]string{
		"/api/v1/events":              "GET, POST, HEAD",
		"/api/v1/subscriptions/x":     "DELETE, GET, PATCH, HEAD",
		"/api/v2/integrations/slack":  "GET, POST, HEAD",
		"/api/v1/openapi.json":        "GET, HEAD",
		"/api/v1/deliveries/x/retry":  "POST",
		"/api/v2/webhooks/no%2Fwhere": "DELETE, GET, PATCH, HEAD",
	} {
		h := ask(path, "Access-Control-Request-Method", "PATCH", "Access-Control-Request-Headers", "authorization").want(http.StatusNoContent).header
		if h.Get("Access-Control-Allow-Origin") != "*" || h.Get("Access-Control-Allow-Methods") != methods || h.Get("Access-Control-Max-Age") == "" {
			t.Errorf("%s: %v", path, h)
		}
		for _, name := range []string{"Authorization", "LD-API-Version", "If-Match", "Idempotency-Key", "Content-Type"} {
			if !strings.Contains(h.Get("Access-Control-Allow-Headers"), name) {
				t.Errorf("%s: %s is not allowed: %v", path, name, h)
			}
		}
	}
	refused := ask("/api/v1/nowhere", "Access-Control-Request-Method", "GET")
	refused.wantRefused(404, "not_found")
	ask("/api/v1/events").wantRefused(401, "unauthorized") // not a browser's question

	answers := []reply{
		s.do("GET", "/api/v1/catalog", "", origin...).want(200),
		s.do("GET", "/api/v1/catalog", "", append([]string{"Authorization", ""}, origin...)...).want(401),
		s.do("GET", "/api/v1/subscriptions/none", "", origin...).want(404),
		refused,
	}
	for _, got := range answers {
		if got.header.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(got.header.Get("Access-Control-Expose-Headers"), "ETag") {
			t.Errorf("status %d: %v", got.status, got.header)
		}
	}

	source := at(s.createSource(`{"name": "s", "kind": "cloudevents", "unsigned": true}`), "path")
	for path, want := range map[string]int{source: 200, "/healthz": 405} {
		got := ask(path, "Access-Control-Request-Method", "POST", "WebHook-Request-Origin", "events.example.com").want(want)
		for name := range got.header {
			if strings.HasPrefix(name, "Access-Control-") {
				t.Errorf("%s answers with %s", path, name)
			}
		}
		answers = append(answers, got)
	}
	for _, got := range answers {
		if _, found := got.header["Access-Control-Allow-Credentials"]; found {
			t.Errorf("status %d allows credentials", got.status)
		}
	}
}

// TestDeclaredLength: a body that says that it is too large is not read at all.
func TestDeclaredLength(t *testing.T) {
	s := startListening(t, func(o *api.Options) { o.MaxBody = 1000 })
	source := at(s.createSource(`{"name": "s", "kind": "unleash", "unsigned": true}`), "path")
	for _, path := range []string{"/api/v1/events", "/api/v2/webhooks", source} {
		read := &countingReader{}
		r, err := http.NewRequest("POST", s.url+path, read)
		if err != nil {
			t.Fatal(err)
		}
		r.ContentLength = 1 << 30
		r.Header.Set("Authorization", token)
		r.Header.Set("Expect", "100-continue") // a client that waits to be asked for the body
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusRequestEntityTooLarge || !response.Close {
			t.Errorf("%s: status %d, closed %t", path, response.StatusCode, response.Close)
		}
		if read.n > 0 {
			t.Errorf("%s: %d bytes of the body were asked for", path, read.n)
		}
	}
	s.do("POST", "/api/v1/events", `{"action": "updateOn", "resource": "proj/a", "comment": "`+strings.Repeat("x", 900)+`"}`).want(202)
}

// countingReader never ends.
type countingReader struct{ n int }

func (c *countingReader) Read(p []byte) (int, error) {
	c.n += len(p)
	return len(p), nil
}
