package api_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Who may not read a secret may not have it sent to a host of their choice.
func TestKeptSecretsStayWithTheirHost(t *testing.T) {
	s := startListening(t)
	writer := as(s.token("writer", ""))
	merge := append([]string{"Content-Type", "", "Content-Type", "application/merge-patch+json"}, writer...)
	const splunk = `{"integration": "splunk", "name": "logs", "config": {"base-url": "https://one.example.com", "token": "the-stored-secret"}}`
	const hook = `{"url": "https://one.example.com/a", "secret": "the-stored-secret", "sign": true, "on": true}`
	for name, c := range map[string]struct {
		create, body string // what is made first, and where
		path         string // where it is changed, "" for where it was made
		patch        string
		header       []string
		refused      string // the attribute, "" when it is taken
	}{
		"own":            {"/api/v1/subscriptions", splunk, "", `[{"op": "replace", "path": "/config/base-url", "value": "https://evil.example.com"}]`, writer, "config.token"},
		"own, by mask":   {"/api/v1/subscriptions", splunk, "", `[{"op": "replace", "path": "/config", "value": {"base-url": "https://evil.example.com", "token": "********"}}]`, writer, "config.token"},
		"scheme":         {"/api/v1/subscriptions", splunk, "", `[{"op": "replace", "path": "/config/base-url", "value": "http://one.example.com"}]`, writer, "config.token"},
		"port":           {"/api/v1/subscriptions", splunk, "", `[{"op": "replace", "path": "/config/base-url", "value": "https://one.example.com:8443"}]`, writer, "config.token"},
		"user":           {"/api/v1/subscriptions", splunk, "", `[{"op": "replace", "path": "/config/base-url", "value": "https://one.example.com@evil.example.com"}]`, writer, "config.token"},
		"merge":          {"/api/v1/subscriptions", splunk, "", `{"config": {"base-url": "https://evil.example.com"}}`, merge, "config.token"},
		"other door":     {"/api/v1/subscriptions", splunk, "/api/v2/integrations/splunk/", `[{"op": "replace", "path": "/config/base-url", "value": "https://evil.example.com"}]`, writer, "config.token"},
		"webhook":        {"/api/v2/webhooks", hook, "", `[{"op": "replace", "path": "/url", "value": "https://evil.example.com/a"}]`, writer, "secret"},
		"webhook, own":   {"/api/v2/webhooks", hook, "/api/v1/subscriptions/", `[{"op": "replace", "path": "/config/url", "value": "https://evil.example.com/a"}]`, writer, "config.secret"},
		"admin":          {"/api/v1/subscriptions", splunk, "", `[{"op": "replace", "path": "/config/base-url", "value": "https://two.example.com"}]`, nil, ""},
		"new secret":     {"/api/v1/subscriptions", splunk, "", `{"config": {"base-url": "https://two.example.com", "token": "another"}}`, merge, ""},
		"same host":      {"/api/v1/subscriptions", splunk, "", `{"config": {"base-url": "https://ONE.example.com/other"}}`, merge, ""},
		"something else": {"/api/v1/subscriptions", splunk, "", `{"on": false}`, merge, ""},
		"webhook's path": {"/api/v2/webhooks", hook, "", `[{"op": "replace", "path": "/url", "value": "https://one.example.com/b"}]`, writer, ""},
		"no secret":      {"/api/v2/webhooks", `{"url": "https://one.example.com", "sign": false, "on": true}`, "", `[{"op": "replace", "path": "/url", "value": "https://two.example.com"}]`, writer, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s.t = t
			path := c.path
			if path == "" {
				path = c.create + "/"
			}
			r := s.do("PATCH", path+s.do("POST", c.create, c.body).want(201).id(), c.patch, c.header...)
			if c.refused == "" {
				r.want(200)
				return
			}
			v := r.wantRefused(400, "invalid_request")
			if v.attributes() != c.refused || !strings.Contains(r.body, "the endpoint's host changes; give the secret itself") {
				t.Errorf("refused with %s, want %s", r.body, c.refused)
			}
		})
	}
}

// Nor may a secret of before sign there.
func TestOldSecretsDoNotSignElsewhere(t *testing.T) {
	s := startListening(t)
	merge := append([]string{"Content-Type", "", "Content-Type", "application/merge-patch+json"}, as(s.token("writer", ""))...)
	const moved = `"config": {"url": "https://two.example.com", "secret": "another"}`
	for name, c := range map[string]struct {
		first, patch string
		status       int
	}{
		"overlapping":         {``, `{"secretOverlap": "1h", ` + moved + `}`, 400},
		"it overlaps already": {`{"secretOverlap": "1h"}`, `{` + moved + `}`, 400},
		"no longer":           {`{"secretOverlap": "1h"}`, `{"secretOverlap": "0s", ` + moved + `}`, 200},
		"just rotated":        {`{"secretOverlap": "1h", "config": {"secret": "second"}}`, `{"secretOverlap": "0s", ` + moved + `}`, 400},
	} {
		path := "/api/v1/subscriptions/" + s.do("POST", "/api/v1/subscriptions", `{"integration": "webhook", "name": "n", "config": {"url": "https://one.example.com", "secret": "first"}}`).want(201).id()
		if c.first != "" {
			s.do("PATCH", path, c.first, merge...).want(200)
		}
		got := s.do("PATCH", path, c.patch, merge...)
		if got.status != c.status {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
		if c.status == 400 && got.wantRefused(400, "invalid_request").attributes() != "secretOverlap" {
			t.Errorf("%s: %s", name, got.body)
		}
	}
}

// The attack itself: change the address, keep the secret, ask for a test request.
func TestNoSecretReachesAWritersHost(t *testing.T) {
	s := startListening(t)
	writer := as(s.token("writer", ""))
	var got strings.Builder
	evil := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got.WriteString(r.URL.String() + r.Header.Get("X-LD-Signature") + string(body))
	}))
	defer evil.Close()
	id := s.do("POST", "/api/v2/webhooks", `{"url": "https://one.example.com", "secret": "the-stored-secret", "sign": true, "on": true}`).want(201).id()
	s.do("PATCH", "/api/v2/webhooks/"+id, `[{"op": "replace", "path": "/url", "value": "`+evil.URL+`"}]`, writer...).want(400)
	s.do("PATCH", "/api/v2/webhooks/"+id, `[{"op": "replace", "path": "/url", "value": "`+evil.URL+`"}, {"op": "replace", "path": "/secret", "value": "mine"}]`, writer...).want(200)
	s.do("POST", "/api/v1/subscriptions/"+id+"/validate", "", writer...).want(200)
	if got.Len() == 0 {
		t.Error("the test request did not arrive")
	}
}
