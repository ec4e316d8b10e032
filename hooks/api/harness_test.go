package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"go.uber.org/goleak"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/api"
	"github.com/flaghook/flaghook/hooks/bolt"
	"github.com/flaghook/flaghook/hooks/send"
	"github.com/flaghook/flaghook/manifest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const token = "admin-token-of-the-tests"

// hook is a capability that posts the webhook shape to a URL.
func hook(url string) string {
	return `{"auditLogEventsHook": {"endpoint": {"url": "` + url + `", "method": "POST"}, "templates": {}, "useStandardWebhookPayload": true}}`
}

// folders are the catalog of these tests: what the recorded requests need.
var folders = map[string]struct{ formVariables, capabilities string }{
	"slack": {`[{"key": "url", "name": "URL", "type": "uri", "description": "Where to post"}]`, hook("{{{url}}}")},
	"datadog": {`[
		{"key": "apiKey", "name": "API key", "type": "string", "description": "The key", "isSecret": true},
		{"key": "hostURL", "name": "Site", "type": "enum", "description": "The site", "isOptional": true,
		 "allowedValues": ["https://api.datadoghq.com", "https://api.datadoghq.eu"], "defaultValue": "https://api.datadoghq.com"},
		{"key": "hideMemberDetails", "name": "Hide", "type": "boolean", "description": "Hide members", "isOptional": true, "defaultValue": false}
	]`, hook("{{{hostURL}}}/api/v1/events")},
	"splunk": {`[
		{"key": "base-url", "name": "URL", "type": "uri", "description": "The collector"},
		{"key": "token", "name": "Token", "type": "string", "description": "The token", "isSecret": true},
		{"key": "other-token", "name": "Other", "type": "string", "description": "Another", "isSecret": true, "isOptional": true, "defaultValue": ""},
		{"key": "skip-ca-verification", "name": "Skip", "type": "boolean", "description": "Accept any certificate", "isOptional": true, "defaultValue": false}
	]`, hook("{{{base-url}}}/services/collector")},
	"webhook": {`[
		{"key": "url", "name": "URL", "type": "uri", "description": "Where to post"},
		{"key": "secret", "name": "Secret", "type": "string", "description": "Signs", "isSecret": true, "isOptional": true, "defaultValue": ""}
	]`, hook("{{{url}}}")},
	"hookless": {`[]`, `{"auditLogEventsHook": {"deliveryMethod": "custom", "templates": {}, "useStandardWebhookPayload": true}}`},
}

func testCatalog(t testing.TB) *manifest.Catalog {
	t.Helper()
	fsys := fstest.MapFS{}
	for key, f := range folders {
		fsys[key+"/manifest.json"] = &fstest.MapFile{Data: []byte(fmt.Sprintf(`{
			"name": %q, "version": "1.0.0", "overview": "An integration of the tests", "description": "It exists for the tests of the API and is subscribed by nobody else.", "author": "Tests",
			"supportEmail": "tests@example.com", "categories": ["messaging"],
			"links": {"site": "https://example.com", "privacyPolicy": "https://example.com/privacy"},
			"icons": {"square": "square.svg", "horizontal": "horizontal.svg"},
			"formVariables": %s, "capabilities": %s}`, strings.ToUpper(key), f.formVariables, f.capabilities))}
		for _, icon := range []string{"square.svg", "horizontal.svg"} {
			fsys[key+"/"+icon] = &fstest.MapFile{Data: []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>`)}
		}
		fsys[key+"/README.md"] = &fstest.MapFile{Data: []byte("# " + key + "\n")}
	}
	catalog, findings := manifest.Load(fsys)
	for _, f := range findings {
		if f.Severity == manifest.SeverityError {
			t.Errorf("the catalog of the tests: %s", f)
		}
	}
	return catalog
}

// A server is an API on a store of its own, with a client that has the token.
type server struct {
	t       testing.TB
	url     string
	db      *bolt.DB
	sender  *send.Sender
	engine  *hooks.Engine
	handler *api.API
	log     *bytes.Buffer
	seen    strings.Builder // all answers, to look for secrets in
}

// start makes a server; change may alter the API's options.
func start(t testing.TB, change ...func(*api.Options)) *server {
	t.Helper()
	s := &server{t: t, log: &bytes.Buffer{}}
	var err error
	s.db, err = bolt.Open(filepath.Join(t.TempDir(), "test.db"), bolt.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.db.Close() })
	s.sender, err = send.New(send.Options{EgressAllow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.sender.Close)
	logger := slog.New(slog.NewTextHandler(s.log, nil))
	s.engine, err = hooks.New(context.Background(), hooks.Options{
		Store: s.db, Queue: s.db, Sender: s.sender, Catalog: testCatalog(t), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	o := api.Options{Engine: s.engine, Token: token, Logger: logger}
	for _, f := range change {
		f(&o)
	}
	s.handler, err = api.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// listen puts the API behind a real HTTP server.
func (s *server) listen(h http.Handler) *server {
	s.t.Helper()
	web := httptest.NewServer(h)
	s.t.Cleanup(web.Close)
	s.url = web.URL
	return s
}

// listenAgain is listen with another engine on the same store; change may be nil.
func (s *server) listenAgain(change func(*hooks.Options)) *server {
	s.t.Helper()
	o := hooks.Options{Store: s.db, Queue: s.db, Sender: s.sender, Catalog: s.engine.Catalog()}
	if change != nil {
		change(&o)
	}
	engine, err := hooks.New(context.Background(), o)
	if err != nil {
		s.t.Fatal(err)
	}
	handler, err := api.New(api.Options{Engine: engine, Token: token})
	if err != nil {
		s.t.Fatal(err)
	}
	return s.listen(handler)
}

func startListening(t testing.TB, change ...func(*api.Options)) *server {
	s := start(t, change...)
	return s.listen(s.handler)
}

// A reply is an answer as a test looks at it.
type reply struct {
	t      testing.TB
	status int
	header http.Header
	body   string
}

// do sends a request with the token; header are more headers, in pairs.
func (s *server) do(method, path, body string, header ...string) reply {
	s.t.Helper()
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
	}
	r, err := http.NewRequest(method, s.url+path, content)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", token)
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(header); i += 2 {
		if header[i+1] == "" {
			r.Header.Del(header[i])
		} else {
			r.Header.Add(header[i], header[i+1])
		}
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	s.seen.Write(data)
	return reply{t: s.t, status: response.StatusCode, header: response.Header, body: string(data)}
}

func (r reply) want(status int) reply {
	r.t.Helper()
	if r.status != status {
		r.t.Fatalf("status %d, want %d; body: %s", r.status, status, r.body)
	}
	return r
}

// json decodes the body as encoding/json does.
func (r reply) json() map[string]any {
	r.t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(r.body), &v); err != nil {
		r.t.Fatalf("%v in %s", err, r.body)
	}
	return v
}

// id is the _id of the body.
func (r reply) id() string {
	r.t.Helper()
	id, _ := r.json()["_id"].(string)
	if id == "" {
		r.t.Fatalf("no _id in %s", r.body)
	}
	return id
}

// refusal is the JSON of an error.
type refusal struct {
	Code, Message string
	Errors        []struct{ Attribute, Reason string }
}

// wantRefused checks that the answer is a whole error: status, code, JSON.
func (r reply) wantRefused(status int, code string) refusal {
	r.t.Helper()
	r.want(status)
	if ct := r.header.Get("Content-Type"); ct != "application/json" {
		r.t.Errorf("Content-Type %q", ct)
	}
	var v refusal
	if err := json.Unmarshal([]byte(r.body), &v); err != nil {
		r.t.Fatalf("%v in %s", err, r.body)
	}
	if v.Code != code || v.Message == "" {
		r.t.Errorf("got code %q, want %q; body: %s", v.Code, code, r.body)
	}
	return v
}

// attributes lists the places of a refusal.
func (v refusal) attributes() string {
	var all []string
	for _, e := range v.Errors {
		all = append(all, e.Attribute)
	}
	return strings.Join(all, " ")
}

// token makes a token of a role, with statements unless they are empty.
func (s *server) token(role, statements string) string {
	s.t.Helper()
	body := `{"name": "the ` + role + `", "role": "` + role + `"}`
	if statements != "" {
		body = strings.TrimSuffix(body, "}") + `, "statements": ` + statements + `}`
	}
	text, _ := s.do("POST", "/api/v1/tokens", body).want(201).json()["token"].(string)
	if text == "" {
		s.t.Fatal("no token")
	}
	return text
}

// as is a request's header for another token.
func as(token string) []string { return []string{"Authorization", "", "Authorization", token} }
