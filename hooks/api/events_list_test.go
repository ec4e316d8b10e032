package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// sentIDs are the ids that a request was answered with.
func (r reply) sentIDs() (ids []string) {
	r.t.Helper()
	var sent struct{ Items []struct{ ID string } }
	if err := json.Unmarshal([]byte(r.body), &sent); err != nil {
		r.t.Fatal(err)
	}
	for _, item := range sent.Items {
		ids = append(ids, item.ID)
	}
	return ids
}

func TestEventLines(t *testing.T) {
	s := startListening(t)
	lines := []string{"Content-Type", "", "Content-Type", "application/x-ndjson; charset=utf-8"}
	event := func(id string) string { return `{"id": "` + id + `", "action": "updateOn", "resource": "proj/a"}` }
	got := s.do("POST", "/api/v1/events", "\n"+event("a")+"\r\n  \n"+event("b")+"\n"+event("c"), lines...).want(202)
	if ids := strings.Join(got.sentIDs(), " "); ids != "a b c" {
		t.Errorf("ids %s", ids)
	}
	if v := s.do("POST", "/api/v1/events", event("d")+"\n"+`{"action": 1}`, lines...).wantRefused(400, "invalid_request"); !strings.HasPrefix(v.attributes(), "/1") {
		t.Errorf("places %q", v.attributes())
	}
	for body, text := range map[string]string{
		event("e") + "\n{":                    "line 2",
		"\n\n":                                "no event",
		event("f") + event("g"):               "line 1",
		strings.Repeat(event("h")+"\n", 1001): "1000",
		"[" + event("i") + "]\n" + event("j") + "\n": "an array",
	} {
		if v := s.do("POST", "/api/v1/events", body, lines...).wantRefused(400, "invalid_request"); !strings.Contains(v.Message, text) {
			t.Errorf("%.80s: %q does not tell of %s", body, v.Message, text)
		}
	}
	if page := s.do("GET", "/api/v1/events", "").want(200).json(); len(page["items"].([]any)) != 3 {
		t.Errorf("stored: %v", page)
	}
}

// TestIdempotencyKey: a request can be sent again, and not with other content.
func TestIdempotencyKey(t *testing.T) {
	s := startListening(t)
	send := func(token, key, body string) reply {
		return s.do("POST", "/api/v1/events", body, append(as(token), "Idempotency-Key", key)...)
	}
	two := `[{"action": "updateOn", "resource": "proj/a"}, {"id": "own", "action": "updateOn", "resource": "proj/b"}]`
	first := send(token, "k1", two).want(202).sentIDs()
	again := send(token, "k1", two).want(202)
	if ids := again.sentIDs(); ids[0] != first[0] || ids[1] != "own" || strings.Count(again.body, `"duplicate":true`) != 2 {
		t.Errorf("again: %s, first %v", again.body, first)
	}
	send(token, "k1", `{"action": "updateOff", "resource": "proj/a"}`).wantRefused(409, "conflict")
	if ids := send(token, "k2", two).want(202).sentIDs(); ids[0] == first[0] {
		t.Error("another key gave the same id")
	}
	if ids := send(s.token("sender", ""), "k1", `{"action": "updateOn", "resource": "proj/a"}`).want(202).sentIDs(); ids[0] == first[0] {
		t.Error("another token gave the same id")
	}
	if v := send(token, strings.Repeat("k", 256), two).wantRefused(400, "invalid_request"); v.attributes() != "Idempotency-Key" {
		t.Errorf("%v", v)
	}
}

func TestListEvents(t *testing.T) {
	s := startListening(t)
	s.do("POST", subscriptionsPath, `{"integration": "webhook", "name": "n", "config": {"url": "https://x.example.com"}, "statements": [{"effect": "allow", "resources": ["proj/p2"], "actions": ["*"]}]}`).want(201)
	for i := range 5 {
		s.do("POST", "/api/v1/events", fmt.Sprintf(`{"id": "e%d", "action": "updateOn", "resource": "proj/p%d"}`, i, i)).want(202)
	}
	type page struct {
		Items []struct {
			Event struct {
				ID       string `json:"_id"`
				Accesses []any
				Kind     string
			}
			AcceptedAt string
			Matched    int
		}
		Next string
	}
	var ids []string
	for cursor := ""; ; {
		var p page
		if err := json.Unmarshal([]byte(s.do("GET", "/api/v1/events?limit=2&since=2020-01-01T00:00:00Z&cursor="+cursor, "").want(200).body), &p); err != nil {
			t.Fatal(err)
		}
		for _, item := range p.Items {
			if item.Event.Kind == "project" {
				ids = append(ids, item.Event.ID)
			}
			if want := map[bool]int{true: 1}[item.Event.ID == "e2"]; item.Matched != want || item.AcceptedAt == "" || len(item.Event.Accesses) != 1 {
				t.Errorf("%+v", item)
			}
		}
		if cursor = p.Next; cursor == "" {
			break
		}
	}
	if got := strings.Join(ids, " "); got != "e4 e3 e2 e1 e0" {
		t.Errorf("by pages: %s", got)
	}
	next := s.do("GET", "/api/v1/events?limit=2", "").want(200).json()["next"].(string)
	for query, attribute := range map[string]string{
		"since=x": "since", "until=1e99": "until", "limit=x": "limit", "since=2020-01-01T00:00:00Z&cursor=" + next: "cursor",
	} {
		if v := s.do("GET", "/api/v1/events?"+query, "").wantRefused(400, "invalid_request"); v.attributes() != attribute {
			t.Errorf("%s: %v", query, v)
		}
	}
}
