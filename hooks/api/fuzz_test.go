package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/flaghook/flaghook/manifest"
)

// call sends a request past the network. It fails when the server blames
// itself, does not answer in JSON or shows the secret.
func call(t *testing.T, s *server, method, path, body string) *httptest.ResponseRecorder {
	t.Helper()
	r, err := http.NewRequest(method, "http://host/", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.URL.Path, r.RequestURI = path, path
	r.Header.Set("Authorization", token)
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	if w.Code >= 500 {
		t.Fatalf("%s %s with %q: %d %s; log: %s", method, path, body, w.Code, w.Body, s.log)
	}
	if w.Code != http.StatusNoContent && !strings.HasPrefix(w.Body.String(), "{") {
		t.Fatalf("%s %s: no JSON: %q", method, path, w.Body)
	}
	if strings.Contains(w.Body.String(), secret) && !strings.Contains(body, secret) {
		t.Fatalf("%s %s with %q shows the secret: %s", method, path, body, w.Body)
	}
	return w
}

// FuzzPatch: whatever the patch, the answer is the new subscription or a
// refusal, and what is stored can be read and holds no mask.
func FuzzPatch(f *testing.F) {
	for _, seed := range []string{
		`[{"op":"replace","path":"/config","value":null},{"op":"add","path":"/config/a","value":1}]`,
		`[{"op":"add","path":"/statements/0","value":null},{"op":"copy","from":"/statements/0","path":"/statements/-"},{"op":"move","from":"/statements/0","path":"/tags/0"}]`,
		`[{"op":"test","path":"/statements/0/effect","value":null}]`,
		`[{"op":"remove","path":"/config/token"},{"op":"move","from":"/statements/0/actions","path":"/tags"}]`,
		`{"comment":1,"patch":[{"op":"copy","from":"/config","path":"/config/token"}]}`,
		`[{"op":"add","path":"/tags/-","value":{"a":[1e999,-0,"\ud800"]}}]`,
		`[{"op":"replace","path":"/tags/0","value":"` + manifest.MaskedSecret + `"},{"op":"remove","path":"/tags/-"}]`,
		`[{"op":"add","path":"/statements","value":1},{"op":"add","path":"/statements/-","value":1}]`,
		`[{"op":"add","path":"/statements/0/a","value":null},{"op":"remove","path":"/statements/0/a"},{"op":"test","path":"/statements/0/a/0","value":null}]`,
	} {
		f.Add(seed)
	}
	s := start(f)
	made := httptest.NewRecorder()
	r := httptest.NewRequest("POST", splunkPath, strings.NewReader(patchBase))
	r.Header.Set("Authorization", token)
	s.handler.ServeHTTP(made, r)
	if made.Code != 201 {
		f.Fatal(made.Body)
	}
	id := s.engine.Subscriptions("splunk")[0].ID
	f.Fuzz(func(t *testing.T, patch string) {
		call(t, s, "PATCH", splunkPath+"/"+id, patch)
		call(t, s, "GET", splunkPath+"/"+id, "")
		stored, err := s.engine.Subscription(id)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(stored.Config.AppendJSON(nil)), manifest.MaskedSecret) {
			t.Fatalf("the mask was stored: %s", stored.Config.AppendJSON(nil))
		}
	})
}

// FuzzBodies: events and subscriptions.
func FuzzBodies(f *testing.F) {
	for _, seed := range []string{flagEvent, splunkBody, `[]`, `[` + flagEvent + `,{}]`, `{"accesses":[null]}`, `{"config":{"":{}}}`, "\xff", `{"action":"x","resource":"proj/%"}`} {
		f.Add(seed)
	}
	s := start(f)
	f.Fuzz(func(t *testing.T, body string) {
		call(t, s, "POST", "/api/v1/events", body)
		w := call(t, s, "POST", splunkPath, body)
		if w.Code == http.StatusCreated {
			call(t, s, "GET", splunkPath, "")
			for _, sub := range s.engine.Subscriptions("splunk") {
				call(t, s, "DELETE", splunkPath+"/"+sub.ID, "")
			}
		}
	})
}

// FuzzPaths: methods and paths.
func FuzzPaths(f *testing.F) {
	for _, seed := range []string{"/api/v1/events/x", "/api/v2/integrations/splunk/%2e", "/api/v1/deliveries/\x00", "//", "/api/v1/catalog/..", ""} {
		f.Add("GET", seed)
		f.Add("DELETE", seed)
	}
	s := start(f)
	f.Fuzz(func(t *testing.T, method, path string) {
		if _, err := http.NewRequest(method, "http://host/", nil); err != nil {
			t.Skip("a method that no server hands on")
		}
		call(t, s, method, path, "")
	})
}

// FuzzMergePatch: as FuzzPatch, for merge patches and webhooks.
func FuzzMergePatch(f *testing.F) {
	for _, seed := range []string{
		`{"config":{"token":null,"a":{"b":null}}}`, `{"statements":null,"maxRetries":0,"maxElapsed":"1h"}`, `{"name":"********","config":{"base-url":"********"}}`,
		`{"config":{"token":"********"},"tags":["\ud800"]}`, `[{"op":"copy","from":"/secret","path":"/url"}]`, `{"timeoutSeconds":1e999,"secretOverlap":-0}`,
	} {
		f.Add(seed)
	}
	s := start(f)
	made := func(path, body string) string {
		r := httptest.NewRequest("POST", path, strings.NewReader(body))
		r.Header.Set("Authorization", token)
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		if w.Code != 201 {
			f.Fatal(w.Body)
		}
		return w.Header().Get("Location")
	}
	own := strings.Replace(made(splunkPath, patchBase), splunkPath, subscriptionsPath, 1)
	hook := made(webhooksPath, `{"url":"https://x.example.com","secret":"s"}`)
	f.Fuzz(func(t *testing.T, patch string) {
		r := httptest.NewRequest("PATCH", own, strings.NewReader(patch))
		r.Header.Set("Authorization", token)
		r.Header.Set("Content-Type", "application/merge-patch+json")
		w := httptest.NewRecorder()
		s.handler.ServeHTTP(w, r)
		if w.Code >= 500 || strings.Contains(w.Body.String(), secret) && !strings.Contains(patch, secret) {
			t.Fatalf("%q: %d %s", patch, w.Code, w.Body)
		}
		call(t, s, "PATCH", hook, patch)
		for _, sub := range s.engine.Subscriptions("") {
			if strings.Contains(string(sub.Config.AppendJSON(nil)), manifest.MaskedSecret) {
				t.Fatalf("the mask was stored: %s", sub.Config.AppendJSON(nil))
			}
		}
	})
}
