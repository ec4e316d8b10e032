package api_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/flaghook/flaghook/hooks/api"
)

func TestOptions(t *testing.T) {
	for _, test := range []struct {
		o    api.Options
		want string
	}{
		{api.Options{Token: "x"}, "Engine"},
		{api.Options{Engine: start(t).engine}, "Token"},
		{api.Options{Engine: start(t).engine, Token: "x", MaxBody: -1}, "MaxBody"},
	} {
		if _, err := api.New(test.o); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %v, want it to name %s", err, test.want)
		}
	}
}

func TestAuth(t *testing.T) {
	s := startListening(t)
	for _, test := range []struct {
		header string
		status int
	}{
		{token, 200},
		{"Bearer " + token, 200},
		{"bearer  " + token + " ", 200},
		{"", 401},
		{"Bearer", 401},
		{"Bearer ", 401},
		{"Basic " + token, 401},
		{token + "x", 401},
		{token[1:], 401},
		{strings.ToUpper(token), 401},
	} {
		got := s.do("GET", "/api/v1/catalog", "", "Authorization", "", "Authorization", test.header)
		if got.status != test.status {
			t.Errorf("%q: status %d, want %d", test.header, got.status, test.status)
		}
		if test.status != 401 {
			continue
		}
		got.wantRefused(401, "unauthorized")
		if got.header.Get("WWW-Authenticate") == "" {
			t.Errorf("%q: no WWW-Authenticate", test.header)
		}
	}
	for _, call := range []string{
		"GET /api/v1/catalog", "GET /api/v1/catalog/slack", "POST /api/v1/events", "GET /api/v1/events/x", "GET /api/v1/deliveries",
		"GET /api/v1/deliveries/x", "GET /api/v1/subscriptions/x/deliveries", "GET /api/v2/integrations/slack",
		"POST /api/v2/integrations/slack", "GET /api/v2/integrations/slack/x", "PATCH /api/v2/integrations/slack/x",
		"DELETE /api/v2/integrations/slack/x", "PUT /api/v2/integrations/slack/x",
	} {
		method, path, _ := strings.Cut(call, " ")
		s.do(method, path, "", "Authorization", "").wantRefused(401, "unauthorized")
	}
}

// TestErrorsAreJSON: also those that no handler makes.
func TestErrorsAreJSON(t *testing.T) {
	s := startListening(t)
	for _, path := range []string{
		"/", "/api", "/api/v1", "/api/v2/integrations", "/api/v2/integrations/", "/api/v2/integrations/slack/", "/api/v3/x",
		"/api/v1//events", "/api/v1/../v1/events", "/api/v2/integrations/slack/a/b", "/%2e%2e/etc", "/healthz/",
	} {
		s.do("GET", path, "").wantRefused(404, "not_found")
	}
	for call, allow := range map[string]string{
		"PUT /api/v2/integrations/slack":     "GET, POST, HEAD",
		"POST /api/v2/integrations/slack/12": "DELETE, GET, PATCH, HEAD",
		"DELETE /api/v1/events":              "GET, POST, HEAD",
		"GET /api/v1/catalog/reload":         "POST",
		"DELETE /api/v1/catalog":             "GET, HEAD",
		"POST /healthz":                      "GET, HEAD",
		"TRACE /api/v1/catalog":              "GET, HEAD",
	} {
		method, path, _ := strings.Cut(call, " ")
		got := s.do(method, path, "")
		got.wantRefused(405, "method_not_allowed")
		if got.header.Get("Allow") != allow {
			t.Errorf("%s: Allow %q, want %q", call, got.header.Get("Allow"), allow)
		}
	}
	if got := s.do("HEAD", "/api/v1/catalog", ""); got.status != 200 || got.body != "" {
		t.Errorf("HEAD: %d %q", got.status, got.body)
	}
}

func TestHeaders(t *testing.T) {
	s := startListening(t)
	for _, path := range []string{"/healthz", "/api/v1/catalog", "/nowhere", "/api/v1/events"} {
		got := s.do("GET", path, "")
		if got.header.Get("X-Content-Type-Options") != "nosniff" || got.header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", path, got.header)
		}
	}
}

func TestHealth(t *testing.T) {
	var notReady error
	s := startListening(t, func(o *api.Options) { o.Ready = func() error { return notReady } })
	ask := func(path string) reply { return s.do("GET", path, "", "Authorization", "") }
	for _, path := range []string{"/healthz", "/readyz"} {
		if got := ask(path).want(200); got.body != `{"status":"ok"}`+"\n" {
			t.Errorf("%s: %s", path, got.body)
		}
	}
	notReady = errors.New("the disk sdz9 is on fire")
	ask("/healthz").want(200)
	got := ask("/readyz")
	got.wantRefused(503, "service_unavailable")
	if strings.Contains(got.body, "sdz9") || !strings.Contains(s.log.String(), "sdz9") {
		t.Errorf("the reason belongs in the log and not in %s", got.body)
	}
}

func TestPanic(t *testing.T) {
	s := startListening(t, func(o *api.Options) { o.Ready = func() error { panic("a bug, " + secret) } })
	got := s.do("GET", "/readyz", "")
	got.wantRefused(500, "internal_error")
	if strings.Contains(got.body, "bug") || !strings.Contains(s.log.String(), "a bug") {
		t.Errorf("the reason belongs in the log and not in %s", got.body)
	}
}

// TestMounted: under a prefix of somebody else's mux, links carry the prefix.
func TestMounted(t *testing.T) {
	s := start(t)
	outer := http.NewServeMux()
	outer.Handle("/of/flags/", http.StripPrefix("/of/flags", s.handler))
	s.listen(outer)
	made := s.do("POST", "/of/flags"+splunkPath+"?x=/of", splunkBody).want(201)
	self := "/of/flags" + splunkPath + "/" + made.id()
	if !strings.Contains(made.body, `{"href":"`+self+`",`) || !strings.Contains(made.body, `{"href":"/of/flags`+splunkPath+`",`) {
		t.Errorf("links: %s", made.body)
	}
	if location := made.header.Get("Location"); location != self {
		t.Errorf("Location %q", location)
	}
	if again := s.do("GET", self, "").want(200); again.body != made.body {
		t.Errorf("read: %s", again.body)
	}
	s.do("GET", "/of/flags/healthz", "").want(200)
	s.do("GET", "/of/flags//healthz", "") // the outer mux cleans it
	s.do("GET", "/of/flags/nowhere", "").wantRefused(404, "not_found")
}

func TestTunnel(t *testing.T) {
	s := startListening(t)
	self := splunkPath + "/" + s.do("POST", splunkPath, splunkBody).want(201).id()
	s.do("POST", self, `[{"op":"replace","path":"/on","value":false}]`, "X-HTTP-Method-Override", "patch").want(200)
	s.do("POST", self, ``, "X-HTTP-Method-Override", "GET").wantRefused(400, "invalid_request")
	s.do("GET", self, ``, "X-HTTP-Method-Override", "DELETE").want(200) // only a POST is a tunnel
	s.do("POST", self, ``, "X-HTTP-Method-Override", "DELETE").want(204)
	s.do("GET", self, ``).wantRefused(404, "not_found")
}

func TestBodies(t *testing.T) {
	s := startListening(t, func(o *api.Options) { o.MaxBody = 2000 })
	big := `{"name": "` + strings.Repeat("x", 2000) + `"}`
	for _, call := range []string{"POST /api/v1/events", "POST " + splunkPath} {
		method, path, _ := strings.Cut(call, " ")
		if v := s.do(method, path, big).wantRefused(413, "request_too_large"); !strings.Contains(v.Message, "2000") {
			t.Errorf("it should tell the limit: %s", v.Message)
		}
		s.do(method, path, `{}`, "Content-Encoding", "gzip").wantRefused(415, "unsupported_media_type")
	}
	// Whatever it is called, it is read as JSON.
	for _, contentType := range []string{"", "text/plain", "application/json; charset=utf-8", "application/merge-patch+json"} {
		s.do("POST", splunkPath, splunkBody, "Content-Type", "", "Content-Type", contentType).want(201)
	}
	s.do("POST", splunkPath, splunkBody, "LD-API-Version", "20240415", "LD-API-Version", "beta").want(201)
}

// TestUnavailable: when the store is gone nothing is promised.
func TestUnavailable(t *testing.T) {
	s := startListening(t)
	id := s.do("POST", splunkPath, splunkBody).want(201).id()
	if err := s.db.Close(); err != nil {
		t.Fatal(err)
	}
	for _, call := range []struct{ method, path, body string }{
		{"POST", "/api/v1/events", flagEvent},
		{"POST", splunkPath, splunkBody},
		{"PATCH", splunkPath + "/" + id, `[{"op":"replace","path":"/on","value":false}]`},
		{"DELETE", splunkPath + "/" + id, ""},
		{"GET", splunkPath + "/" + id, ""},
		{"GET", "/api/v1/events/x", ""},
		{"GET", "/api/v1/subscriptions/" + id + "/deliveries", ""},
	} {
		got := s.do(call.method, call.path, call.body)
		got.wantRefused(503, "service_unavailable")
		if got.header.Get("Retry-After") == "" {
			t.Errorf("%s %s: no Retry-After", call.method, call.path)
		}
	}
}
