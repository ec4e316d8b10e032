package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

const tokensPath = "/api/v1/tokens"

func TestTokens(t *testing.T) {
	s := startListening(t)
	made := s.do("POST", tokensPath, `{"name": "CI", "role": "writer"}`).want(201)
	doc, id := made.json(), made.id()
	text, _ := doc["token"].(string)
	if !strings.HasPrefix(text, "fh_"+id+"_") || len(text) < 70 || doc["name"] != "CI" || doc["role"] != "writer" {
		t.Errorf("made: %s", made.body)
	}
	if at := made.header.Get("Location"); at != tokensPath+"/"+id {
		t.Errorf("Location %q", at)
	}
	one := s.do("GET", tokensPath+"/"+id, "").want(200)
	if doc := one.json(); doc["token"] != nil || doc["hash"] != nil || doc["lastUsedAt"] != nil {
		t.Errorf("read: %s", one.body)
	}

	s.do("GET", "/api/v1/catalog", "", as(text)...).want(200)
	s.do("GET", "/api/v1/catalog", "", as("Bearer "+text)...).want(200)
	if doc := s.do("GET", tokensPath+"/"+id, "").want(200).json(); doc["lastUsedAt"] == nil {
		t.Error("its use was not noted")
	}
	for _, wrong := range []string{text[:len(text)-1], text + "A", text[:len(text)-1] + "!", "fh_" + id + "_", "fh_" + id, strings.ToUpper(text)} {
		s.do("GET", "/api/v1/catalog", "", as(wrong)...).wantRefused(401, "unauthorized")
	}

	s.do("DELETE", tokensPath+"/"+id, "").want(204)
	s.do("GET", "/api/v1/catalog", "", as(text)...).wantRefused(401, "unauthorized")
	s.do("GET", tokensPath+"/"+id, "").wantRefused(404, "not_found")
	s.do("DELETE", tokensPath+"/"+id, "").wantRefused(404, "not_found")
}

// TestTokensAreKept: by another engine on the same store, without their text.
func TestTokensAreKept(t *testing.T) {
	s := startListening(t)
	kept, revoked := s.token("reader", ""), s.token("reader", "")
	s.do("DELETE", tokensPath+"/"+revoked[len("fh_"):len("fh_")+32], "").want(204)

	s.listenAgain(nil)
	s.do("GET", "/api/v1/catalog", "", as(kept)...).want(200)
	s.do("GET", "/api/v1/catalog", "", as(revoked)...).wantRefused(401, "unauthorized")
	records, err := s.db.Records(context.Background(), "token", "", 10)
	if err != nil || len(records) != 1 {
		t.Fatalf("%d records (%v)", len(records), err)
	}
	if _, text, _ := strings.Cut(strings.TrimPrefix(kept, "fh_"), "_"); strings.Contains(string(records[0].Data), text) {
		t.Error("the token itself is stored")
	}
}

func TestTokensRefused(t *testing.T) {
	s := startListening(t)
	statements := `[{"effect": "allow", "resources": ["proj/a"], "actions": ["*"]}]`
	for body, attributes := range map[string]string{
		``:                                      "name role",
		`{}`:                                    "name role",
		`{"name": " ", "role": "god"}`:          "name role",
		`{"name": "x\u0000", "role": "reader"}`: "name",
		`{"name": "` + strings.Repeat("x", 300) + `", "role": "reader"}`:       "name",
		`{"name": 1, "role": ["reader"]}`:                                      "name role",
		`{"name": "x", "role": "reader", "statements": ` + statements + `}`:    "statements",
		`{"name": "x", "role": "sender", "statements": [{"effect": "allow"}]}`: "statements[0].resources statements[0].actions",
		`{"name": "x", "role": "sender", "rolle": 1, "_id": "x"}`:              "rolle _id",
	} {
		if v := s.do("POST", tokensPath, body).wantRefused(400, "invalid_request"); v.attributes() != attributes {
			t.Errorf("%s: attributes %q, want %q", body, v.attributes(), attributes)
		}
	}
	if n := len(s.engine.Tokens().List("", 10)); n != 0 {
		t.Errorf("%d tokens were made", n)
	}
}

// TestTokenPages: a cursor, and no token twice.
func TestTokenPages(t *testing.T) {
	s := startListening(t)
	for i := range 5 {
		s.do("POST", tokensPath, fmt.Sprintf(`{"name": "t%d", "role": "reader"}`, i)).want(201)
	}
	var names []string
	for cursor := ""; ; {
		var page struct {
			Items []struct{ Name string }
			Next  string
		}
		if err := json.Unmarshal([]byte(s.do("GET", tokensPath+"?limit=2&cursor="+cursor, "").want(200).body), &page); err != nil {
			t.Fatal(err)
		}
		for _, item := range page.Items {
			names = append(names, item.Name)
		}
		if cursor = page.Next; cursor == "" {
			break
		}
	}
	slices.Sort(names) // those of one millisecond come in any order
	if got := strings.Join(names, " "); got != "t0 t1 t2 t3 t4" {
		t.Errorf("by pages: %s", got)
	}
}

// TestSender: a token that may only send, and only what its policy allows.
func TestSender(t *testing.T) {
	s := startListening(t)
	any, bounded := s.token("sender", ""), s.token("sender", `[
		{"effect": "allow", "resources": ["proj/web:env/*:flag/*"], "actions": ["*"]},
		{"effect": "deny", "resources": ["proj/web:env/production:flag/*"], "actions": ["deleteFlag"]}]`)
	event := func(id, action, resource string) string {
		return fmt.Sprintf(`{"id": %q, "action": %q, "resource": %q}`, id, action, resource)
	}
	inside := event("in", "updateOn", "proj/web:env/production:flag/a")
	outside := event("out", "updateOn", "proj/mobile:env/production:flag/a")
	denied := event("no", "deleteFlag", "proj/web:env/production:flag/a")
	mixed := `{"id": "mixed", "accesses": [{"action": "updateOn", "resource": "proj/web:env/test:flag/a"}, {"action": "updateOn", "resource": "proj/secret:env/test:flag/b"}]}`

	s.do("POST", "/api/v1/events", "["+inside+","+outside+"]", as(any)...).want(202)
	s.do("POST", "/api/v1/events", inside, as(bounded)...).want(202)
	for body, names := range map[string]string{
		outside: "/0", denied: "/0", mixed: "/0",
		"[" + inside + "," + outside + "," + inside + "," + mixed + "]": "/1 /3",
	} {
		v := s.do("POST", "/api/v1/events", body, as(bounded)...).wantRefused(403, "forbidden")
		if v.attributes() != names {
			t.Errorf("%s: attributes %q, want %q", body, v.attributes(), names)
		}
	}
	if v := s.do("POST", "/api/v1/events", mixed, as(bounded)...).wantRefused(403, "forbidden"); !strings.Contains(v.Message, "mixed") || !strings.Contains(v.Message, "proj/secret:env/test:flag/b") {
		t.Errorf("it should name the event and the resource: %s", v.Message)
	}
	if _, err := s.engine.Event(context.Background(), "mixed"); err == nil {
		t.Error("a refused event is stored")
	}
	for _, path := range []string{"/api/v1/events", "/api/v1/events/in", "/api/v1/catalog", "/api/v1/deliveries", "/api/v2/auditlog", "/api/v2/webhooks"} {
		s.do("GET", path, "", as(any)...).wantRefused(403, "forbidden")
	}
	if doc := s.do("GET", "/api/v2/caller-identity", "", as(any)...).want(200).json(); doc["tokenName"] != "the sender" {
		t.Errorf("caller: %v", doc)
	}
}

// TestScopes: the ids that two tokens give to events are of two worlds.
func TestScopes(t *testing.T) {
	s := startListening(t)
	a, b := s.token("sender", ""), s.token("sender", "")
	body := func(comment string) string {
		return `{"id": "same", "action": "updateOn", "resource": "proj/a", "comment": "` + comment + `"}`
	}
	s.do("POST", "/api/v1/events", body("of a"), as(a)...).want(202)
	s.do("POST", "/api/v1/events", body("of b"), as(b)...).want(202)
	s.do("POST", "/api/v1/events", body("of admin")).want(202)
	s.do("POST", "/api/v1/events", body("of b"), as(a)...).wantRefused(409, "conflict")
	if got := s.do("POST", "/api/v1/events", body("of a"), as(a)...).want(202); !strings.Contains(got.body, `"duplicate":true`) {
		t.Errorf("again: %s", got.body)
	}
}

// TestEventsOfSeveralTokens: where several have sent an event of one id, token
// says whose is meant.
func TestEventsOfSeveralTokens(t *testing.T) {
	s := startListening(t)
	s.do("POST", "/api/v1/subscriptions", `{"integration": "webhook", "name": "h", "on": true, "config": {"url": "https://x.example.com"}}`).want(201)
	senders := map[string]string{} // id by comment
	for _, name := range []string{"one", "two", "three"} {
		made := s.do("POST", tokensPath, `{"name": "`+name+`", "role": "sender"}`).want(201)
		senders[name] = made.id()
		text, _ := made.json()["token"].(string)
		s.do("POST", "/api/v1/events", `{"id": "x1", "action": "updateOn", "resource": "proj/a", "comment": "`+name+`"}`, as(text)...).want(202)
	}
	for name, query := range map[string]string{"one": "token=" + senders["one"], "two": "token=" + senders["two"], "three": "x=y"} {
		if got := s.do("GET", "/api/v1/events/x1?"+query, "").want(200).json()["comment"]; got != name {
			t.Errorf("%s is the event of %v, want %s", query, got, name)
		}
		explained := s.do("GET", "/api/v1/events/x1/explain?limit=1&"+query, "").want(200).json()
		item, _ := explained["items"].([]any)[0].(map[string]any)
		listed := s.do("GET", "/api/v1/deliveries?event=x1&"+query, "").want(200).json()["items"].([]any)
		if explained["eventId"] != "x1" || len(listed) != 1 || listed[0].(map[string]any)["_id"] != item["deliveryId"] {
			t.Errorf("%s: explained %v, listed %v", query, explained, listed)
		}
		s.do("POST", "/api/v1/events/x1/replay?"+query, "").want(202)
		if listed := s.do("GET", "/api/v1/deliveries?event=x1&"+query, "").want(200).json()["items"].([]any); len(listed) != 2 {
			t.Errorf("%s: %d deliveries after a replay", query, len(listed))
		}
	}
	s.do("GET", "/api/v1/events/x1?token=nobody", "").wantRefused(404, "not_found")
	for _, path := range []string{"/api/v1/events/x1?token=a%2Fb", "/api/v1/deliveries?event=x1&token=a%20b", "/api/v1/deliveries?token=" + senders["one"]} {
		if v := s.do("GET", path, "").wantRefused(400, "invalid_request"); v.attributes() != "token" {
			t.Errorf("%s: %v", path, v)
		}
	}
}

// TestRoles: a reader changes nothing, a writer reaches no secret and no token.
func TestRoles(t *testing.T) {
	s := startListening(t)
	hook := s.do("POST", webhooksPath, `{"name": "h", "url": "https://x.example.com", "sign": true, "on": true, "secret": "`+secret+`"}`).want(201).id()
	writer, reader := s.token("writer", ""), s.token("reader", "")

	if got := s.do("GET", webhooksPath+"/"+hook, "").want(200); !strings.Contains(got.body, secret) {
		t.Errorf("an admin should see the secret: %s", got.body)
	}
	if v := s.do("GET", tokensPath, "", as(writer)...).wantRefused(403, "forbidden"); !strings.HasSuffix(v.Message, "this takes an admin token") {
		t.Errorf("refused with %s", v.Message)
	}
	for _, token := range []string{writer, reader} {
		for _, path := range []string{webhooksPath, webhooksPath + "/" + hook, "/api/v1/subscriptions", "/api/v1/subscriptions/" + hook, "/api/v2/integrations/webhook"} {
			if got := s.do("GET", path, "", as(token)...).want(200); strings.Contains(got.body, secret) {
				t.Errorf("%s shows the secret: %s", path, got.body)
			}
		}
		s.do("GET", tokensPath, "", as(token)...).wantRefused(403, "forbidden")
		s.do("POST", tokensPath, `{"name": "x", "role": "admin"}`, as(token)...).wantRefused(403, "forbidden")
		s.do("GET", "/api/v1/backup", "", as(token)...).wantRefused(403, "forbidden")
	}
	if got := s.do("PATCH", webhooksPath+"/"+hook, `[{"op": "replace", "path": "/name", "value": "n"}]`, as(writer)...).want(200); strings.Contains(got.body, secret) {
		t.Errorf("a patch shows the secret: %s", got.body)
	}
	s.do("POST", "/api/v1/catalog/webhook/preview", `{}`, as(reader)...).want(200)
	s.do("POST", "/api/v2/auditlog", ``, as(reader)...).want(200)
	v := s.do("DELETE", webhooksPath+"/"+hook, "", as(reader)...).wantRefused(403, "forbidden")
	if !strings.Contains(v.Message, "the reader") || !strings.Contains(v.Message, "writer or admin") {
		t.Errorf("it should name the token and who may: %s", v.Message)
	}
}
