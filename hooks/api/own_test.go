package api_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/flaghook/flaghook/manifest"
)

const subscriptionsPath = "/api/v1/subscriptions"

// ownBody is a subscription with everything that can be set.
const ownBody = `{"integration": "splunk", "name": "all", "description": "why", "on": false, "ordered": true, "tags": ["b", "a"],
	"config": {"token": "` + secret + `", "base-url": "http://splunk.example.com"},
	"statements": [{"effect": "allow", "resources": ["proj/*"], "actions": ["*"]}],
	"timeoutSeconds": 5, "maxRetries": 0, "maxElapsed": "2h", "retryOn": "non2xx", "secretOverlap": 60}`

func TestOwnSubscriptions(t *testing.T) {
	s := startListening(t)
	made := s.do("POST", subscriptionsPath, ownBody).want(201)
	id := made.id()
	if at := made.header.Get("Location"); at != subscriptionsPath+"/"+id {
		t.Errorf("Location %q", at)
	}
	for _, part := range []string{
		`"integration":"splunk"`, `"description":"why"`, `"on":false`, `"ordered":true`, `"tags":["b","a"]`,
		`"config":{"token":"` + manifest.MaskedSecret + `","base-url":"http://splunk.example.com"}`,
		`"timeoutSeconds":5`, `"maxRetries":0`, `"maxElapsed":"2h0m0s"`, `"retryOn":"non2xx"`, `"secretOverlap":"1m0s"`, `"_version":1`,
		`"statements":[{"effect":"allow","resources":["proj/*"],"actions":["*"]}]`, `reached over http://`,
	} {
		if !strings.Contains(made.body, part) {
			t.Errorf("no %s in %s", part, made.body)
		}
	}
	got := s.do("GET", subscriptionsPath+"/"+id, "").want(200)
	if got.body != made.body || got.header.Get("ETag") != `"1"` {
		t.Errorf("read: ETag %s, %s", got.header.Get("ETag"), got.body)
	}
	// What is not set is shown as it works, and stays unset.
	bare := s.do("POST", subscriptionsPath, `{"integration": "slack", "name": "bare", "config": {"url": "https://x.example.com"}}`).want(201)
	for _, part := range []string{`"timeoutSeconds":15`, `"maxRetries":11`, `"maxElapsed":"0s"`, `"retryOn":"transient"`, `"secretOverlap":"0s"`, `"on":true`, `"ordered":false`, `"warnings":[]`} {
		if !strings.Contains(bare.body, part) {
			t.Errorf("no %s in %s", part, bare.body)
		}
	}
	s.do("PATCH", subscriptionsPath+"/"+bare.id(), `{"name": "renamed"}`, "Content-Type", "", "Content-Type", "application/merge-patch+json").want(200)
	stored, err := s.engine.Subscription(bare.id())
	if err != nil || stored.Name != "renamed" || stored.Delivery.TimeoutSeconds != 0 || stored.Delivery.MaxRetries != nil || stored.Statements != nil {
		t.Errorf("stored: %+v (%v)", stored, err)
	}
	s.do("DELETE", subscriptionsPath+"/"+id, "").want(204)
	s.do("GET", subscriptionsPath+"/"+id, "").wantRefused(404, "not_found")
}

func TestOwnSubscriptionsRefused(t *testing.T) {
	s := startListening(t)
	base := strings.TrimSuffix(ownBody, "}")
	for body, attributes := range map[string]string{
		`{}`: "integration",
		`{"integration": "slac", "name": "x", "config": {}}`:           "integration",
		`{"integration": "hookless", "name": "x", "config": {}}`:       "integration",
		`{"integration": "slack"}`:                                     "name config.url",
		base + `, "colour": "red", "_id": "x", "_version": 3}`:         "colour _id _version",
		base + `, "timeoutSeconds": 0}`:                                "timeoutSeconds",
		base + `, "timeoutSeconds": 31}`:                               "timeoutSeconds",
		base + `, "timeoutSeconds": 1.5, "maxRetries": -1}`:            "maxRetries timeoutSeconds",
		base + `, "maxRetries": 101, "retryOn": "never"}`:              "maxRetries retryOn",
		base + `, "maxElapsed": "8 days", "secretOverlap": -1}`:        "maxElapsed secretOverlap",
		base + `, "maxElapsed": "200h", "secretOverlap": "1000h"}`:     "maxElapsed secretOverlap",
		base + `, "ordered": "yes", "description": 1}`:                 "description ordered",
		base + `, "description": "` + strings.Repeat("x", 5000) + `"}`: "description",
		base + `, "name": "` + manifest.MaskedSecret + `"}`:            "name",
		`[]`: "",
	} {
		if v := s.do("POST", subscriptionsPath, body).wantRefused(400, "invalid_request"); v.attributes() != attributes {
			t.Errorf("%.200s: attributes %q, want %q", body, v.attributes(), attributes)
		}
	}
	if v := s.do("POST", subscriptionsPath, `{"integration": "slac", "name": "x", "config": {}}`).wantRefused(400, "invalid_request"); !strings.Contains(v.Message, "slack") {
		t.Errorf("it should name what is near: %s", v.Message)
	}
	if n := len(s.engine.Subscriptions("")); n != 0 {
		t.Errorf("%d were made", n)
	}
}

// TestOwnPatches: both kinds of patch work on the masked document.
func TestOwnPatches(t *testing.T) {
	s := startListening(t)
	merge := []string{"Content-Type", "", "Content-Type", "application/merge-patch+json; charset=utf-8"}
	for _, test := range []struct{ patch, want string }{
		{`{"timeoutSeconds": null, "maxRetries": null}`, `"timeoutSeconds":15,"maxRetries":11`},
		{`{"config": {"skip-ca-verification": true}}`, `"config":{"token":"` + manifest.MaskedSecret + `","base-url":"http://splunk.example.com","skip-ca-verification":true}`},
		{`{"config": {"token": "` + manifest.MaskedSecret + `", "base-url": "https://y.example.com"}}`, `"base-url":"https://y.example.com"`},
		{`{"statements": null, "tags": null}`, `"tags":[]`},
		{`{"on": true, "maxElapsed": 90}`, `"maxElapsed":"1m30s"`},
		{`[{"op": "remove", "path": "/timeoutSeconds"}, {"op": "replace", "path": "/description", "value": "because"}]`, `"description":"because"`},
		{`{"comment": "c", "patch": [{"op": "test", "path": "/maxElapsed", "value": "2h0m0s"}, {"op": "replace", "path": "/ordered", "value": false}]}`, `"ordered":false`},
	} {
		id := s.do("POST", subscriptionsPath, ownBody).want(201).id()
		header := merge
		if strings.Contains(test.patch, `"op"`) {
			header = nil
		}
		if got := s.do("PATCH", subscriptionsPath+"/"+id, test.patch, header...).want(200); !strings.Contains(got.body, test.want) || got.header.Get("ETag") != `"2"` {
			t.Errorf("%s: no %s in %s", test.patch, test.want, got.body)
		}
		stored, err := s.engine.Subscription(id)
		if err != nil || stored.Config.Get("token").AsString() != secret {
			t.Errorf("%s: the secret is %s (%v)", test.patch, stored.Config.Get("token").AsString(), err)
		}
	}
	id := s.do("POST", subscriptionsPath, ownBody).want(201).id()
	for patch, attributes := range map[string]string{
		`{"on": null}`: "on", `{"name": null}`: "name", `{"colour": 1}`: "colour", `{"integration": "slack"}`: "integration",
		`{"config": {"base-url": "` + manifest.MaskedSecret + `"}}`: "config.base-url", `{"config": null}`: "config.base-url config.token",
		`[]`: "", `"x"`: "",
	} {
		if v := s.do("PATCH", subscriptionsPath+"/"+id, patch, merge...).wantRefused(400, "invalid_request"); v.attributes() != attributes {
			t.Errorf("%s: attributes %q, want %q", patch, v.attributes(), attributes)
		}
	}
	s.do("PATCH", subscriptionsPath+"/"+id, `[{"op": "replace", "path": "/_version", "value": 7}]`).wantRefused(400, "invalid_request")
	s.do("PATCH", subscriptionsPath+"/"+id, `[{"op": "copy", "from": "/config/token", "path": "/description"}]`).wantRefused(400, "invalid_request")
	s.do("PATCH", subscriptionsPath+"/"+id, `[{"op": "copy", "from": "/config", "path": "/description"}]`).wantRefused(400, "invalid_request")
	if got := s.do("GET", subscriptionsPath+"/"+id, "").want(200); got.header.Get("ETag") != `"1"` {
		t.Errorf("a refused patch has changed it: %s", got.body)
	}
}

func TestIfMatch(t *testing.T) {
	s := startListening(t)
	self := subscriptionsPath + "/" + s.do("POST", subscriptionsPath, ownBody).want(201).id()
	off := `[{"op": "replace", "path": "/description", "value": "x"}]`
	s.do("PATCH", self, off, "If-Match", `"2"`).wantRefused(412, "precondition_failed")
	s.do("PATCH", self, off, "If-Match", `1`).wantRefused(412, "precondition_failed")
	s.do("PATCH", self, off, "If-Match", `W/"1"`).wantRefused(412, "precondition_failed")
	s.do("PATCH", self, off, "If-Match", `"0", "1"`).want(200)
	s.do("PATCH", self, off, "If-Match", `*`).want(200)
	s.do("DELETE", self, "", "If-Match", `"1"`).wantRefused(412, "precondition_failed")
	s.do("DELETE", self, "", "If-Match", `"0"`, "If-Match", `"3"`).want(204)
}

func TestOwnSubscriptionPages(t *testing.T) {
	s := startListening(t)
	for i := range 7 {
		integration := []string{"webhook", "slack"}[i%2]
		s.do("POST", subscriptionsPath, fmt.Sprintf(`{"integration": %q, "name": "s%d", "config": {"url": "https://x.example.com"}}`, integration, i)).want(201)
	}
	read := func(query string) string {
		t.Helper()
		var names []string
		for cursor := ""; ; {
			var page struct {
				Items []struct{ Name string }
				Next  string
			}
			if err := json.Unmarshal([]byte(s.do("GET", subscriptionsPath+"?limit=3&cursor="+cursor+query, "").want(200).body), &page); err != nil {
				t.Fatal(err)
			}
			for _, item := range page.Items {
				names = append(names, item.Name)
			}
			if cursor = page.Next; cursor == "" {
				slices.Sort(names) // those of one millisecond come in any order
				return strings.Join(names, " ")
			}
		}
	}
	for query, want := range map[string]string{"": "s0 s1 s2 s3 s4 s5 s6", "&integration=slack": "s1 s3 s5", "&integration=splunk": ""} {
		if got := read(query); got != want {
			t.Errorf("%q: %s, want %s", query, got, want)
		}
	}
	s.do("GET", subscriptionsPath+"?integration=slac", "").wantRefused(404, "not_found")
	s.do("GET", subscriptionsPath+"?limit=0&cursor=x", "").wantRefused(400, "invalid_request")
}

// TestPatchesThroughTwoDoors: of changes at once each is made wholly on what another
// left, or refused.
func TestPatchesThroughTwoDoors(t *testing.T) {
	s := startListening(t)
	id := s.do("POST", subscriptionsPath, ownBody).want(201).id()
	const n = 40
	statuses := make(chan int, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			path, header := subscriptionsPath+"/"+id, http.Header{"Authorization": {token}}
			if i%2 == 0 {
				path = splunkPath + "/" + id
			} else {
				header.Set("If-Match", "*")
			}
			w := httptest.NewRecorder()
			r := httptest.NewRequest("PATCH", path, strings.NewReader(`[{"op": "add", "path": "/tags/-", "value": "more"}]`))
			r.Header = header
			s.handler.ServeHTTP(w, r)
			statuses <- w.Code
		})
	}
	all.Wait()
	close(statuses)
	made := 0
	for status := range statuses {
		switch status {
		case 200:
			made++
		case 409, 412:
		default:
			t.Errorf("status %d", status)
		}
	}
	stored, err := s.engine.Subscription(id)
	if err != nil || made == 0 || stored.Version != uint64(1+made) || len(stored.Tags) != 2+made {
		t.Errorf("%d were made; version %d, %d tags (%v)", made, stored.Version, len(stored.Tags), err)
	}
}
