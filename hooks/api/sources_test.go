package api_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flaghook/flaghook/hooks/source"
)

// createSource makes a source and returns what is answered.
func (s *server) createSource(body string) map[string]any {
	s.t.Helper()
	return s.do("POST", "/api/v1/sources", body).want(http.StatusCreated).json()
}

func at(v map[string]any, key string) string { text, _ := v[key].(string); return text }

const archived = `{"id":%ID,"type":"feature-archived","createdBy":"a@example.com","createdAt":"2026-03-04T12:22:00.000Z","data":null,"preData":null,"tags":[],"featureName":"f","project":"p","environment":null}`

func unleashBody(id string) string { return strings.ReplaceAll(archived, "%ID", id) }

func TestSourceFromCreationToDeletion(t *testing.T) {
	s := startListening(t)
	made := s.createSource(`{"name": "Toggles", "kind": "unleash", "secret": "hush-hush", "environments": ["dev", "production"]}`)
	id, path := at(made, "_id"), at(made, "path")
	if !strings.HasPrefix(path, "/in/unleash/") || at(made, "url") != s.url+path || !strings.Contains(at(made, "snippet"), at(made, "url")) {
		t.Errorf("created: %v", made)
	}
	if at(made, "secret") != "********" || made["on"] != true {
		t.Errorf("created: %v", made)
	}
	send := func(body string, header ...string) reply {
		return s.do("POST", path, body, append([]string{"Authorization", ""}, header...)...)
	}

	got := send(unleashBody("1"), "Authorization", "hush-hush").want(http.StatusOK)
	var answer struct {
		Status, Reason string
		Events         []string
	}
	if err := json.Unmarshal([]byte(got.body), &answer); err != nil || answer.Status != "accepted" || len(answer.Events) != 1 || got.header.Get("Content-Type") != "application/json" {
		t.Fatalf("%v: %s", err, got.body)
	}
	if want := `{"status":"accepted","events":["` + answer.Events[0] + `"]}` + "\n"; got.body != want {
		t.Errorf("answer %q, want %q", got.body, want)
	}
	if event := s.do("GET", "/api/v1/events/"+answer.Events[0], "").want(http.StatusOK).json(); at(event, "titleVerb") != "archived the flag" {
		t.Errorf("event %v", event)
	}
	if again := send(unleashBody("1"), "Authorization", "hush-hush").want(http.StatusOK).json(); at(again, "status") != "duplicate" || again["events"].([]any)[0] != answer.Events[0] {
		t.Errorf("again: %v", again)
	}
	if r := send(`{"custom":true}`, "Authorization", "hush-hush").want(http.StatusOK).json(); at(r, "status") != "suppressed" || at(r, "reason") == "" || len(r["events"].([]any)) != 0 {
		t.Errorf("templated: %v", r)
	}
	send(unleashBody("2"), "Authorization", "wrong").wantRefused(http.StatusUnauthorized, "unauthorized")
	send("{", "Authorization", "hush-hush").wantRefused(http.StatusBadRequest, "invalid_request")
	send(strings.Repeat(" ", 1<<20+1), "Authorization", "hush-hush").wantRefused(http.StatusRequestEntityTooLarge, "request_too_large")
	send("{}", "Authorization", "hush-hush", "Content-Encoding", "gzip").wantRefused(http.StatusUnsupportedMediaType, "unsupported_media_type")
	s.do("GET", path, "").wantRefused(http.StatusMethodNotAllowed, "method_not_allowed")
	for _, nowhere := range []string{"/in/unleash/" + id, "/in/flipt/" + path[len("/in/unleash/"):], "/in/unleash/x", path + "/"} {
		s.do("POST", nowhere, "{}").wantRefused(http.StatusNotFound, "not_found")
	}

	read := s.do("GET", "/api/v1/sources/"+id, "").want(http.StatusOK).json()
	status := read["status"].(map[string]any)
	refusals := status["refusals"].([]any)
	if status["accepted"] != 1.0 || status["duplicates"] != 1.0 || status["suppressed"] != 1.0 || status["refused"] != 5.0 || len(refusals) != 5 || status["lastEventAt"] == nil {
		t.Errorf("status %v", status)
	}
	if first := refusals[4].(map[string]any); first["status"] != 401.0 || !strings.Contains(at(first, "reason"), "Authorization") {
		t.Errorf("the first refusal: %v", first)
	}

	// A new secret beside the old one, then alone.
	merge := []string{"Content-Type", "application/merge-patch+json"}
	s.do("PATCH", "/api/v1/sources/"+id, `{"secrets": ["second", "********"]}`, merge...).want(http.StatusOK)
	send(unleashBody("3"), "Authorization", "hush-hush").want(http.StatusOK)
	send(unleashBody("4"), "Authorization", "second").want(http.StatusOK)
	s.do("PATCH", "/api/v1/sources/"+id, `[{"op": "remove", "path": "/secrets/1"}, {"op": "replace", "path": "/name", "value": "Renamed"}]`).want(http.StatusOK)
	send(unleashBody("5"), "Authorization", "hush-hush").want(http.StatusUnauthorized)
	send(unleashBody("6"), "Authorization", "second").want(http.StatusOK)
	s.do("PATCH", "/api/v1/sources/"+id, `[{"op": "copy", "from": "/secrets/0", "path": "/name"}]`).wantRefused(http.StatusBadRequest, "invalid_request")

	s.do("PATCH", "/api/v1/sources/"+id, `{"on": false}`, merge...).want(http.StatusOK)
	send(unleashBody("7"), "Authorization", "second").wantRefused(http.StatusForbidden, "forbidden")
	if list := s.do("GET", "/api/v1/sources", "").want(http.StatusOK).json()["items"].([]any); len(list) != 1 || at(list[0].(map[string]any), "name") != "Renamed" {
		t.Errorf("list %v", list)
	}
	s.do("DELETE", "/api/v1/sources/"+id, "").want(http.StatusNoContent)
	s.do("GET", "/api/v1/sources/"+id, "").wantRefused(http.StatusNotFound, "not_found")
	send(unleashBody("8"), "Authorization", "second").wantRefused(http.StatusNotFound, "not_found")
	for _, secret := range []string{"hush-hush", `"second"`} {
		if strings.Contains(s.seen.String(), secret) {
			t.Errorf("an answer shows the secret %s", secret)
		}
	}
}

func TestBadSourcesAreRefused(t *testing.T) {
	s := startListening(t)
	for body, attribute := range map[string]string{
		`{"kind": "flipt"}`:                                            "name",
		`{"name": "x"}`:                                                "kind",
		`{"name": "x", "kind": "toggle"}`:                              "kind",
		`{"name": "x", "kind": "flipt", "colour": 1}`:                  "colour",
		`{"name": "x", "kind": "flipt", "secret": 1}`:                  "secret",
		`{"name": "x", "kind": "flipt", "secret": "********"}`:         "secrets",
		`{"name": "x", "kind": "flipt", "secret":"a","secrets":["b"]}`: "secret",
		`{"name": "x", "kind": "flipt", "secret":"a","unsigned":true}`: "unsigned",
		`{"name": "x", "kind": "flipt", "environments": ["~"]}`:        "environments",
		`{"name": "x", "kind": "flipt", "overrides": {"flags": {}}}`:   "overrides.flags",
		`{"name": "x", "kind": "flipt", "base_url": "nowhere"}`:        "base_url",
	} {
		if got := s.do("POST", "/api/v1/sources", body).wantRefused(http.StatusBadRequest, "invalid_request").attributes(); got != attribute {
			t.Errorf("%s: %s, want %s", body, got, attribute)
		}
	}
	// Some systems make the secret once they have the address.
	made := s.createSource(`{"name": "x", "kind": "growthbook"}`)
	s.do("POST", at(made, "path"), `{}`).wantRefused(http.StatusUnauthorized, "unauthorized")
	s.do("PATCH", "/api/v1/sources/"+at(made, "_id"), `{"secret": "ewhk_1"}`).want(http.StatusOK)
}

func TestReadersDoNotLearnWhereToSend(t *testing.T) {
	s := startListening(t)
	made := s.createSource(`{"name": "x", "kind": "flipt", "unsigned": true}`)
	reader := at(s.do("POST", "/api/v1/tokens", `{"name": "r", "role": "reader"}`).want(http.StatusCreated).json(), "token")
	read := s.do("GET", "/api/v1/sources/"+at(made, "_id"), "", "Authorization", "", "Authorization", reader).want(http.StatusOK)
	if read.json()["path"] != nil || strings.Contains(read.body, at(made, "path")) {
		t.Errorf("a reader sees %s", read.body)
	}
	s.do("POST", "/api/v1/sources", `{"name": "y", "kind": "flipt"}`, "Authorization", "", "Authorization", reader).wantRefused(http.StatusForbidden, "forbidden")
}

func TestSendersOfCloudEventsMayAsk(t *testing.T) {
	s := startListening(t)
	made := s.createSource(`{"name": "x", "kind": "cloudevents", "secret": "abc"}`)
	r := s.do("OPTIONS", at(made, "path"), "", "WebHook-Request-Origin", "events.example.com", "WebHook-Request-Rate", "10").want(http.StatusOK)
	if r.header.Get("WebHook-Allowed-Origin") != "events.example.com" || r.header.Get("WebHook-Allowed-Rate") == "" || r.header.Get("Allow") != "POST" {
		t.Errorf("headers %v", r.header)
	}
	event := `{"specversion":"1.0","id":"1","source":"/s","type":"x.flag.updated.v1","subject":"proj/p:env/e:flag/f","data":{"after":{"on":true}}}`
	structured := []string{"Content-Type", "", "Content-Type", "application/cloudevents+json", "Authorization", ""}
	s.do("POST", at(made, "path")+"?access_token=abc", event, structured...).want(http.StatusOK)
	s.do("POST", at(made, "path")+"?access_token=abd", event, structured...).wantRefused(http.StatusUnauthorized, "unauthorized")
	s.do("POST", at(made, "path")+"?access_token=abc", event, "Authorization", "").wantRefused(http.StatusUnsupportedMediaType, "unsupported_media_type")
	s.do("OPTIONS", "/in/cloudevents/nobody", "").wantRefused(http.StatusNotFound, "not_found")
}

// Every body of the fixtures goes in by its address and comes out as an event.
func TestFixturesGoInByTheirAddress(t *testing.T) {
	s := startListening(t)
	fixtures := filepath.Join("..", "source", "testdata")
	for _, kind := range source.Kinds() {
		var signatures []struct {
			BodyFile     string            `json:"body_file"`
			Secret       string            `json:"secret"`
			Header       string            `json:"header"`
			Value        string            `json:"value"`
			ExtraHeaders map[string]string `json:"extra_headers"`
		}
		data, err := os.ReadFile(filepath.Join(fixtures, string(kind), "signatures.json"))
		if err == nil {
			err = json.Unmarshal(data, &signatures)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range signatures {
			if f.Header == "X-Sentry-Signature" {
				continue // what Flagsmith sends elsewhere
			}
			secret, _ := json.Marshal(f.Secret)
			body := `{"name": "x", "kind": "` + string(kind) + `", "secret": ` + string(secret)
			if kind == source.Unleash {
				body += `, "header": "` + f.Header + `"`
			}
			made := s.createSource(body + "}")
			wire, err := os.ReadFile(filepath.Join(fixtures, string(kind), f.BodyFile))
			if err != nil {
				t.Fatal(err)
			}
			header := []string{"Authorization", "", f.Header, f.Value, "Content-Type", ""}
			contentType := "application/json"
			if kind == source.CloudEvents && strings.HasPrefix(f.BodyFile, "batch") {
				contentType = "application/cloudevents-batch+json"
			} else if kind == source.CloudEvents && strings.HasPrefix(f.BodyFile, "structured") {
				contentType = "application/cloudevents+json; charset=UTF-8"
			} else if kind == source.CloudEvents {
				header = append(header, "ce-specversion", "1.0", "ce-id", "b2f0-0002", "ce-source", "https://flags.example.com", "ce-type", "com.example.flags.flag.created.v1")
			}
			header = append(header, "Content-Type", contentType)
			for name, value := range f.ExtraHeaders {
				header = append(header, name, value)
			}
			got := s.do("POST", at(made, "path"), string(wire), header...)
			if got.status != http.StatusOK {
				t.Errorf("%s/%s: %d %s", kind, f.BodyFile, got.status, got.body)
				continue
			}
			for _, id := range got.json()["events"].([]any) {
				s.do("GET", "/api/v1/events/"+id.(string), "").want(http.StatusOK)
			}
			s.do("POST", at(made, "path"), string(wire)+" ", append(header, f.Header, "")...).want(http.StatusUnauthorized)
		}
	}
}

func TestAddressesOfSourcesAreNotLogged(t *testing.T) {
	s := startListening(t)
	made := s.createSource(`{"name": "x", "kind": "flipt", "unsigned": true}`)
	path := at(made, "path")
	if err := s.db.Close(); err != nil {
		t.Fatal(err)
	}
	got := s.do("POST", path, `{}`)
	if got.wantRefused(http.StatusServiceUnavailable, "service_unavailable"); got.header.Get("Retry-After") == "" {
		t.Error("there is no Retry-After")
	}
	if strings.Contains(s.log.String(), path[len("/in/flipt/"):]) || !strings.Contains(s.log.String(), "/in/flipt/") {
		t.Errorf("the log: %s", s.log)
	}
}

// What is not there is said once.
func TestUnknownSource(t *testing.T) {
	s := startListening(t)
	for _, method := range []string{"GET", "DELETE"} {
		if v := s.do(method, "/api/v1/sources/nope", "").wantRefused(404, "not_found"); v.Message != "source nope: not found" {
			t.Errorf("%s: %s", method, v.Message)
		}
	}
}

// TestSDKWebhooksByAnyMethod: GrowthBook's SDK webhooks come by the method that
// their receiver wants, caches' PURGE among them; other kinds take POST alone.
func TestSDKWebhooksByAnyMethod(t *testing.T) {
	s := startListening(t)
	growthBook := at(s.createSource(`{"name": "g", "kind": "growthbook", "unsigned": true}`), "path")
	unleash := at(s.createSource(`{"name": "u", "kind": "unleash", "unsigned": true}`), "path")
	for _, method := range []string{"PUT", "PATCH", "GET", "DELETE", "PURGE"} {
		if got := s.do(method, growthBook, "").want(200); !strings.Contains(got.body, `"suppressed"`) {
			t.Errorf("%s: %s", method, got.body)
		}
		s.do(method, unleash, "").wantRefused(405, "method_not_allowed")
	}
	s.do("PURGE", "/api/v1/events", "").wantRefused(405, "method_not_allowed")
	s.do("BREW", growthBook, "").wantRefused(405, "method_not_allowed")
}
