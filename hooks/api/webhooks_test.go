package api_test

import (
	"strings"
	"testing"

	"github.com/flaghook/flaghook/manifest"
)

const webhooksPath = "/api/v2/webhooks"

// TestWebhooks: one store seen through three doors.
func TestWebhooks(t *testing.T) {
	s := startListening(t)
	made := s.do("POST", webhooksPath, `{"name": "hook", "url": "https://x.example.com/a?b=c", "sign": true, "on": true, "secret": "`+secret+`",
		"tags": ["b", "a"], "statements": [{"effect": "allow", "resources": ["proj/*"], "actions": ["*"]}]}`).want(201)
	id := made.id()
	if at := made.header.Get("Location"); at != webhooksPath+"/"+id {
		t.Errorf("Location %q", at)
	}
	for _, part := range []string{`"url":"https://x.example.com/a?b=c"`, `"secret":"` + secret + `"`, `"tags":["b","a"]`, `"on":true`, `"_links":{"self":`} {
		if !strings.Contains(made.body, part) {
			t.Errorf("no %s in %s", part, made.body)
		}
	}
	other := s.do("GET", "/api/v2/integrations/webhook/"+id, "").want(200)
	if !strings.Contains(other.body, `"secret":"`+manifest.MaskedSecret+`"`) || strings.Contains(other.body, secret) {
		t.Errorf("as a subscription: %s", other.body)
	}
	s.do("GET", "/api/v1/subscriptions/"+id, "").want(200)
	if list := s.do("GET", webhooksPath, "").want(200); !strings.Contains(list.body, id) {
		t.Errorf("list: %s", list.body)
	}
	splunk := s.do("POST", splunkPath, splunkBody).want(201).id()
	s.do("GET", webhooksPath+"/"+splunk, "").wantRefused(404, "not_found")
	s.do("PATCH", webhooksPath+"/"+splunk, `[]`).wantRefused(404, "not_found")
	s.do("DELETE", webhooksPath+"/"+splunk, "").wantRefused(404, "not_found")
	s.do("DELETE", webhooksPath+"/"+id, "").want(204)
	s.do("GET", "/api/v1/subscriptions/"+id, "").wantRefused(404, "not_found")
}

// TestWebhookSecrets: what sign and secret mean.
func TestWebhookSecrets(t *testing.T) {
	s := startListening(t)
	stored := func(id string) string {
		t.Helper()
		sub, err := s.engine.Subscription(id)
		if err != nil {
			t.Fatal(err)
		}
		return sub.Config.Get("secret").AsString()
	}
	make := func(more string) string {
		t.Helper()
		return s.do("POST", webhooksPath, `{"url": "https://x.example.com"`+more+`}`).want(201).id()
	}
	if got := stored(make(`, "sign": true`)); len(got) != 64 {
		t.Errorf("a made secret: %q", got)
	}
	if got := stored(make(`, "sign": false, "secret": "s"`)); got != "" {
		t.Errorf("unsigned, with a secret: %q", got)
	}
	if got := stored(make(`, "sign": false, "secret": ""`)); got != "" {
		t.Errorf("unsigned: %q", got)
	}
	id := make(`, "secret": "first"`)
	patch := func(patch string) reply { t.Helper(); return s.do("PATCH", webhooksPath+"/"+id, patch) }
	for _, step := range []struct{ patch, want string }{
		{`[{"op": "replace", "path": "/url", "value": "https://y.example.com"}]`, "first"},
		{`[{"op": "replace", "path": "/secret", "value": "` + manifest.MaskedSecret + `"}]`, "first"},
		{`[{"op": "replace", "path": "/secret", "value": "second"}]`, "second"},
		{`[{"op": "replace", "path": "/secret", "value": ""}]`, ""},
		{`[{"op": "remove", "path": "/secret"}]`, ""},
		{`[{"op": "add", "path": "/secret", "value": "third"}]`, "third"},
		{`[{"op": "replace", "path": "/secret", "value": null}]`, ""},
	} {
		patch(step.patch).want(200)
		if got := stored(id); got != step.want {
			t.Errorf("%s: %q, want %q", step.patch, got, step.want)
		}
	}
	patch(`[{"op": "replace", "path": "/secret", "value": "` + secret + `"}]`).want(200)
	for refused, attribute := range map[string]string{
		`[{"op": "copy", "from": "/secret", "path": "/name"}]`:                                    "patch[0].from",
		`[{"op": "move", "from": "/secret", "path": "/tags/0"}]`:                                  "patch[0].from",
		`[{"op": "replace", "path": "/url", "value": "https://x/` + manifest.MaskedSecret + `"}]`: "url",
		`[{"op": "replace", "path": "/name", "value": "` + manifest.MaskedSecret + `"}]`:          "name",
		`[{"op": "add", "path": "/config", "value": {}}]`:                                         "patch[0].path",
		`[{"op": "remove", "path": "/url"}]`:                                                      "url",
		`[{"op": "replace", "path": "/url", "value": "ftp://x"}]`:                                 "url",
	} {
		if v := patch(refused).wantRefused(400, "invalid_request"); v.attributes() != attribute {
			t.Errorf("%s: attributes %q, want %q", refused, v.attributes(), attribute)
		}
	}
	patch(`[{"op": "test", "path": "/secret", "value": "`+secret+`"}]`).wantRefused(409, "optimistic_locking_error")
	if got := stored(id); got != secret {
		t.Errorf("after refusals: %q", got)
	}
}

func TestWebhooksRefused(t *testing.T) {
	s := startListening(t)
	for body, attributes := range map[string]string{
		`{}`:                                    "url",
		`{"url": "nowhere"}`:                    "url",
		`{"url": 1, "sign": "yes", "on": "no"}`: "on url sign",
		`{"url": "https://x", "secret": "` + manifest.MaskedSecret + `"}`:                                 "secret",
		`{"url": "https://x", "statements": [{"effect": "maybe", "resources": ["*"], "actions": ["*"]}]}`: "statements[0].effect",
		`[]`: "",
	} {
		if v := s.do("POST", webhooksPath, body).wantRefused(400, "invalid_request"); v.attributes() != attributes {
			t.Errorf("%s: attributes %q, want %q; %s", body, v.attributes(), attributes, v.Message)
		}
	}
	if got := s.do("GET", webhooksPath, "").want(200); !strings.Contains(got.body, `"items":[]`) {
		t.Errorf("something was made: %s", got.body)
	}
}
