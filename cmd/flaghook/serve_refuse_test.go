//go:build unix

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/flaghook/flaghook/hooks/hookstest"
)

// An address inside the network is refused, by its number and with the flag
// that would open it.
func TestServeRefusesEgress(t *testing.T) {
	receiver := hookstest.NewReceiver(t)
	c := startServer(t, dataDir(t), "--egress-allow", "127.9.9.9")
	sub := c.subscribe(receiver.URL() + "/" + pathSecret)
	c.publish("e1")
	c.logged("msg=delivery", "class=blocked", "--egress-allow 127.0.0.1/32")
	all := c.deliveries(sub)
	if len(all) != 1 || len(all[0].Attempts) != 1 {
		t.Fatalf("delivery log: %+v", all)
	}
	try := all[0].Attempts[0]
	if try.ErrorClass != "blocked" || !strings.Contains(try.Error, "127.0.0.1 ") || !strings.Contains(try.Error, "--egress-allow 127.0.0.1/32") {
		t.Errorf("attempt: %+v", try)
	}
	if n := len(receiver.Requests()); n > 0 {
		t.Errorf("%d requests arrived all the same", n)
	}
}

func TestServeRefusesEvents(t *testing.T) {
	receiver := hookstest.NewReceiver(t)
	c := startServer(t, dataDir(t), loopback...)
	sub := c.subscribe(receiver.URL())
	good := testEvent("good")
	tests := []struct {
		name, body string
		status     int
		says       string
	}{
		{"nothing", "", 400, "empty"},
		{"no JSON", `{"action": `, 400, "line 1, column 12"},
		{"no object", `7`, 400, ""},
		{"trailing data", good + good, 400, "line 1"},
		{"deep", strings.Repeat("[", 10_000), 400, ""},
		{"no access", `{"id": "x"}`, 400, "accesses"},
		{"a bad resource", `{"action": "updateOn", "resource": "proj"}`, 400, "resource"},
		{"a bad id", `{"id": "a b", "action": "updateOn", "resource": "proj/web:env/production:flag/f"}`, 400, "id"},
		{"an empty array", `[]`, 400, "empty"},
		{"one bad of three", "[" + good + "," + `{"action": 7, "resource": "proj/web"}` + "," + testEvent("good2") + "]", 400, "/1"},
		{"too many", "[" + strings.Repeat("{},", 1000) + "{}]", 400, "1000"},
		{"too large", strings.Replace(good, "{", `{"comment": "`+strings.Repeat("x", 1<<20)+`",`, 1), 413, "1048576"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			status, answer := c.call("POST", "/api/v1/events", test.body)
			var refusal struct{ Code, Message string }
			if err := json.Unmarshal(answer, &refusal); err != nil || refusal.Code == "" || refusal.Message == "" {
				t.Errorf("not an error in JSON: %v in %s", err, answer)
			}
			if status != test.status || !strings.Contains(refusal.Message, test.says) {
				t.Errorf("%d %s, want %d and %q in it", status, answer, test.status, test.says)
			}
		})
	}
	// Nothing of them was taken.
	if status, _ := c.call("GET", "/api/v1/events/good", nil); status != http.StatusNotFound {
		t.Errorf("an event of a refused array: %d, want 404", status)
	}
	if all := c.deliveries(sub); len(all) > 0 {
		t.Errorf("deliveries of refused events: %+v", all)
	}
	c.publish("fine") // and the server is none the worse for it
	wait(t, receiver, 1)
}

// Failures of every sort are logged and shown without a secret: start looks
// for them in the log.
func TestServeKeepsSecrets(t *testing.T) {
	receiver := hookstest.NewReceiver(t)
	receiver.Respond(hookstest.Sequence(
		hookstest.Redirect("http://127.0.0.1/"+pathSecret),
		hookstest.Reply{Status: 400, Body: testSecret + pathSecret},
		hookstest.Reply{Reset: true},
		hookstest.Reply{Raw: testSecret + "\r\n\r\n"},
	))
	c := startServer(t, dataDir(t), loopback...)
	sub := c.subscribe(receiver.URL() + "/" + pathSecret + "?key=" + pathSecret)
	for i := range 4 {
		c.publish(fmt.Sprintf("e%d", i))
		c.logged("msg=delivery", fmt.Sprintf("event=e%d", i), "level=WARN")
	}
	refused := c.subscribe("http://127.0.0.1:1/" + pathSecret) // nobody listens on port 1
	if status, answer := c.call("POST", "/api/v1/events", testEvent("refused")); status != http.StatusAccepted {
		t.Fatalf("publish: %d %s", status, answer)
	}
	c.logged("msg=delivery", "event=refused", "class=connect", "127.0.0.1:1")

	// What is wrong with a config is told by its field, not by its value.
	for _, config := range []string{
		`{"url": "` + pathSecret + `", "secret": "` + testSecret + `"}`,
		`{"url": "https://example.com", "secret": ["` + testSecret + `"]}`,
		`{"url": "https://example.com", "secrets": "` + testSecret + `"}`,
	} {
		status, answer := c.call("POST", "/api/v2/integrations/webhook", `{"name": "x", "config": `+config+`}`)
		if status != http.StatusBadRequest || bytes.Contains(answer, []byte(testSecret)) || bytes.Contains(answer, []byte(pathSecret)) {
			t.Errorf("a bad config: %d %s", status, answer)
		}
	}
	for _, path := range []string{"/api/v2/integrations/webhook", "/api/v2/integrations/webhook/" + sub, "/api/v1/subscriptions/" + sub + "/deliveries", "/api/v1/subscriptions/" + refused + "/deliveries"} {
		status, answer := c.call("GET", path, nil)
		if status != http.StatusOK || bytes.Contains(answer, []byte(testSecret)) {
			t.Errorf("GET %s: %d %s", path, status, answer)
		}
		if strings.HasSuffix(path, "deliveries") && bytes.Contains(answer, []byte(pathSecret)) {
			t.Errorf("GET %s shows the path of the endpoint: %s", path, answer)
		}
	}
	c.stop()
}
