package api_test

import (
	"log/slog"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/hooks/api"
	"github.com/flaghook/flaghook/manifest"
)

const secret = "tok-abcdefgh"

const splunkBody = `{"name": "sub", "on": true, "tags": ["b", "a"],
	"config": {"token": "` + secret + `", "base-url": "https://Splunk.example.com:8088/x?a=1&b=<2>", "skip-ca-verification": true},
	"statements": [
		{"resources": ["proj/b:env/*:flag/*", "proj/a:env/*:flag/*"], "effect": "allow", "actions": ["updateOn", "*"]},
		{"effect": "deny", "notResources": ["proj/*"], "notActions": ["updateTags"]}]}`

const splunkPath = "/api/v2/integrations/splunk"

// TestEcho: values come back byte for byte and in their order.
func TestEcho(t *testing.T) {
	s := startListening(t)
	made := s.do("POST", splunkPath, splunkBody).want(201)
	id := made.id()
	self := splunkPath + "/" + id
	want := `{"_links":{"self":{"href":"` + self + `","type":"application/json"},"parent":{"href":"` + splunkPath + `","type":"application/json"}},` +
		`"_id":"` + id + `","kind":"splunk","name":"sub",` +
		`"config":{"token":"` + manifest.MaskedSecret + `","base-url":"https://Splunk.example.com:8088/x?a=1&b=<2>","skip-ca-verification":true},` +
		`"statements":[{"effect":"allow","resources":["proj/b:env/*:flag/*","proj/a:env/*:flag/*"],"actions":["updateOn","*"]},` +
		`{"effect":"deny","notResources":["proj/*"],"notActions":["updateTags"]}],` +
		`"on":true,"tags":["b","a"],"_access":{"denied":[],"allowed":[]},"_status":{"successCount":0,"errorCount":0,"errors":[]}}` + "\n"
	if made.body != want {
		t.Errorf("got  %s\nwant %s", made.body, want)
	}
	if location := made.header.Get("Location"); location != self {
		t.Errorf("Location %q", location)
	}
	if one := s.do("GET", self, "").want(200); one.body != want {
		t.Errorf("read: %s", one.body)
	}
	list := s.do("GET", splunkPath, "").want(200)
	wantList := `{"_links":{"self":{"href":"` + splunkPath + `","type":"application/json"}},"items":[` + strings.TrimSpace(want) + `],"key":"splunk"}` + "\n"
	if list.body != wantList {
		t.Errorf("list: %s\nwant  %s", list.body, wantList)
	}
	stored, err := s.engine.Subscription(id)
	if err != nil || stored.Config.Get("token").AsString() != secret {
		t.Errorf("stored %+v, %v", stored, err)
	}
}

// TestLeftOut: what a client leaves out, and what it gives that we do not know.
func TestLeftOut(t *testing.T) {
	s := startListening(t)
	for _, body := range []string{
		`{"name": "n", "config": {"url": "https://example.com"}}`,
		`{"name": "n", "config": {"url": "https://example.com"}, "statements": null, "tags": null, "on": null, "future": [1]}`,
		`{"name": "n", "url": "https://example.com"}`,
		`{"name": "n", "url": "https://other.example.com", "config": {"url": "https://example.com"}}`,
	} {
		got := s.do("POST", "/api/v2/integrations/slack", body).want(201).json()
		if _, ok := got["statements"]; ok || got["on"] != true || !reflect.DeepEqual(got["tags"], []any{}) {
			t.Errorf("%s: got %v", body, got)
		}
		if config := got["config"].(map[string]any); config["url"] != "https://example.com" {
			t.Errorf("%s: config %v", body, config)
		}
	}
	got := s.do("POST", "/api/v2/integrations/datadog", `{"name": "n", "config": {}, "apiKey": "k-123456", "statements": []}`).want(201)
	if !strings.Contains(got.body, `"config":{"apiKey":"`+manifest.MaskedSecret+`"},"statements":[],`) {
		t.Errorf("got %s", got.body)
	}
}

func TestRefusedSubscriptions(t *testing.T) {
	s := startListening(t)
	id := s.do("POST", splunkPath, splunkBody).want(201).id()
	for _, test := range []struct {
		name, method, path, body string
		status                   int
		code, attributes, text   string
	}{
		{"no such integration", "POST", "/api/v2/integrations/datadgo", `{}`, 404, "not_found", "", "datadog"},
		{"no such integration, list", "GET", "/api/v2/integrations/slak", ``, 404, "not_found", "", "slack"},
		{"cannot be subscribed", "POST", "/api/v2/integrations/hookless", `{"name":"n","config":{}}`, 404, "not_found", "", "cannot be subscribed"},
		{"no such subscription", "GET", splunkPath + "/0123", ``, 404, "not_found", "", ""},
		{"another integration's", "GET", "/api/v2/integrations/slack/" + id, ``, 404, "not_found", "", ""},
		{"another integration's, patch", "PATCH", "/api/v2/integrations/slack/" + id, `[]`, 404, "not_found", "", ""},
		{"another integration's, delete", "DELETE", "/api/v2/integrations/slack/" + id, ``, 404, "not_found", "", ""},
		{"an id that is none", "GET", splunkPath + "/%00%2F..", ``, 404, "not_found", "", ""},
		{"an escaped slash", "GET", "/api/v2/integrations/splunk%2F" + id, ``, 404, "not_found", "", ""},
		{"no body", "POST", splunkPath, ``, 400, "invalid_request", "", "empty"},
		{"not JSON", "POST", splunkPath, "{\"name\":\n  }", 400, "invalid_request", "", "2"},
		{"trailing data", "POST", splunkPath, `{} {}`, 400, "invalid_request", "", ""},
		{"an array", "POST", splunkPath, `[]`, 400, "invalid_request", "", "object"},
		{"too deep", "POST", splunkPath, strings.Repeat("[", 1000) + strings.Repeat("]", 1000), 400, "invalid_request", "", ""},
		{"wrong types", "POST", splunkPath, `{"name":1,"config":[],"statements":{},"on":"yes","tags":["a",2]}`,
			400, "invalid_request", "name statements on tags[1] config", "a boolean"},
		{"nothing given", "POST", splunkPath, `{}`, 400, "invalid_request", "name config.base-url config.token", ""},
		{"config faults", "POST", splunkPath, `{"name":"n","config":{"base-url":"/relative","token":7,"colour":"red"}}`,
			400, "invalid_request", "", "config.colour"},
		{"not allowed", "POST", "/api/v2/integrations/datadog", `{"name":"n","config":{"apiKey":"k","hostURL":"https://elsewhere.example.com"}}`,
			400, "invalid_request", "config.hostURL", ""},
		{"a bad policy", "POST", splunkPath, `{"name":"","config":{"base-url":"https://x.example.com","token":"t"},"statements":[
			{"effect":"allow","resources":["*"],"actions":["*"]},{"effect":"allow","resources":["proj/*","proj/a:environment/b"],"actions":["*"]}]}`,
			400, "invalid_request", "name statements[1].resources[1]", "column "},
		{"an unknown member in a policy", "POST", splunkPath, `{"name":"n","config":{},"statements":[{"effect":"allow","resource":["*"]}]}`,
			400, "invalid_request", "", "statements[0]"},
		{"a mask in a new one", "POST", splunkPath, `{"name":"n","config":{"base-url":"https://x.example.com","token":"` + manifest.MaskedSecret + `"}}`,
			400, "invalid_request", "config.token", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := s.do(test.method, test.path, test.body)
			got.t = t
			v := got.wantRefused(test.status, test.code)
			if test.attributes != "" && v.attributes() != test.attributes {
				t.Errorf("attributes %q, want %q; body %s", v.attributes(), test.attributes, got.body)
			}
			if !strings.Contains(got.body, test.text) {
				t.Errorf("no %q in %s", test.text, got.body)
			}
		})
	}
	if n := len(s.engine.Subscriptions("")); n != 1 {
		t.Errorf("%d subscriptions, want the one", n)
	}
}

// TestSecrets: no answer ever shows a secret, not the one that refuses it.
func TestSecrets(t *testing.T) {
	s := startListening(t)
	id := s.do("POST", splunkPath, splunkBody).want(201).id()
	self := splunkPath + "/" + id
	for _, body := range []string{
		`[{"op":"replace","path":"/config/token","value":["` + secret + `"]}]`,
		`[{"op":"replace","path":"/config/token","value":{"` + secret + `":1}}]`,
		`[{"op":"test","path":"/config/token","value":"` + secret + `"}]`,
		`[{"op":"add","path":"/config/other-token","value":"` + secret + `"}]`,
		`[{"op":"copy","from":"/config/token","path":"/name"}]`,
		`[{"op":"move","from":"/config/token","path":"/config/base-url"}]`,
		`[{"op":"copy","from":"/config","path":"/tags/-"}]`,
		`[{"op":"add","path":"/config/base-url","value":"` + secret + `"}]`,
		`[{"op":"bad","path":"/config/base-url","value":"` + secret + `"}]`,
		`{"name": "` + secret,
	} {
		s.do("PATCH", self, body)
		s.do("POST", splunkPath, strings.ReplaceAll(splunkBody, `"skip-ca-verification": true`, `"skip-ca-verification": "`+secret+`"`))
	}
	s.do("GET", self, "")
	s.do("GET", splunkPath, "")
	s.do("GET", "/api/v1/catalog/splunk", "")
	s.do("DELETE", self, "")
	if strings.Contains(s.seen.String(), secret) {
		t.Errorf("an answer shows the secret: %s", s.seen.String())
	}
	if strings.Contains(s.log.String(), secret) {
		t.Errorf("the log shows the secret: %s", s.log.String())
	}
}

// TestConcurrentPatches: each patch is wholly there or refused, and none
// overwrites another.
func TestConcurrentPatches(t *testing.T) {
	s := startListening(t)
	id := s.do("POST", splunkPath, splunkBody).want(201).id()
	var mu sync.Mutex
	done := map[int]int{}
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for range 5 {
				r, _ := http.NewRequest("PATCH", s.url+splunkPath+"/"+id, strings.NewReader(`[{"op":"add","path":"/tags/-","value":"x"}]`))
				r.Header.Set("Authorization", token)
				got, err := http.DefaultClient.Do(r)
				if err != nil {
					t.Error(err)
					return
				}
				got.Body.Close()
				mu.Lock()
				done[got.StatusCode]++
				mu.Unlock()
			}
		})
	}
	clients.Wait()
	stored, err := s.engine.Subscription(id)
	if err != nil {
		t.Fatal(err)
	}
	if done[200]+done[409] != 40 || done[200] == 0 {
		t.Errorf("answers by status: %v", done)
	}
	if len(stored.Tags) != 2+done[200] || stored.Version != uint64(1+done[200]) {
		t.Errorf("%d tags, version %d after %d patches", len(stored.Tags), stored.Version, done[200])
	}
}

// TestOrphan: a subscription whose integration has left the catalog can be seen
// and deleted. Nobody knows then which of its settings are secret.
func TestOrphan(t *testing.T) {
	s := start(t)
	s.listen(s.handler)
	id := s.do("POST", splunkPath, splunkBody).want(201).id()
	engine, err := hooks.New(t.Context(), hooks.Options{
		Store: s.db, Queue: s.db, Sender: s.sender, Catalog: manifest.NewCatalog(), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	handler, err := api.New(api.Options{Engine: engine, Token: token, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	s.listen(handler)
	masked := manifest.MaskedSecret
	for _, path := range []string{splunkPath, splunkPath + "/" + id} {
		got := s.do("GET", path, "").want(200)
		if !strings.Contains(got.body, `"config":{"token":"`+masked+`","base-url":"`+masked+`","skip-ca-verification":true}`) {
			t.Errorf("%s: %s", path, got.body)
		}
	}
	s.do("PATCH", splunkPath+"/"+id, `[{"op":"replace","path":"/on","value":false}]`).want(200)
	s.do("PATCH", splunkPath+"/"+id, `[{"op":"replace","path":"/config/token","value":"other"}]`).wantRefused(404, "not_found")
	if got := s.do("GET", splunkPath+"/"+id, "").want(200); !strings.Contains(got.body, `"on":false`) {
		t.Errorf("switched off, it is %s", got.body)
	}
	s.do("DELETE", splunkPath+"/"+id, "").want(204)
	s.do("GET", splunkPath, "").wantRefused(404, "not_found")
}
