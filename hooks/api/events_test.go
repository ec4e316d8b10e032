package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/flaghook/flaghook/hooks/api"
)

const flagEvent = `{"_id": "e-1", "accesses": [{"action": "updateOn", "resource": "proj/web:env/production:flag/checkout"}]}`

func TestPostEvents(t *testing.T) {
	s := startListening(t)
	s.do("POST", "/api/v2/integrations/slack", `{"name":"n","config":{"url":"https://example.com"},"statements":[{"effect":"allow","resources":["proj/web:env/*:flag/*"],"actions":["*"]}]}`).want(201)
	s.do("POST", "/api/v2/integrations/slack", `{"name":"off","on":false,"config":{"url":"https://example.com"}}`).want(201)

	post := func(body, want string) {
		t.Helper()
		if got := s.do("POST", "/api/v1/events", body).want(202); got.body != want+"\n" {
			t.Errorf("got %s, want %s", got.body, want)
		}
	}
	post(flagEvent, `{"items":[{"id":"e-1","matched":1}]}`)
	post(flagEvent, `{"items":[{"id":"e-1","matched":1,"duplicate":true}]}`)
	post(`[{"id":"e-2","action":"updateOn","resource":"proj/web:env/test:flag/a"},{"id":"e-3","action":"createProject","resource":"proj/web"}]`,
		`{"items":[{"id":"e-2","matched":1},{"id":"e-3","matched":0}]}`)

	got := s.do("GET", "/api/v1/events/e-1", "").want(200).json()
	if got["kind"] != "flag" || got["key"] != "checkout" || got["_id"] != "e-1" || got["accesses"] == nil {
		t.Errorf("event %v", got)
	}
	s.do("GET", "/api/v1/events/e-9", "").wantRefused(404, "not_found")

	fresh := s.do("POST", "/api/v1/events", `{"action":"updateOn","resource":"proj/web:env/test:flag/a"}`).want(202)
	var accepted struct{ Items []struct{ ID string } }
	if err := json.Unmarshal([]byte(fresh.body), &accepted); err != nil || len(accepted.Items) != 1 || accepted.Items[0].ID == "" {
		t.Fatalf("%v in %s", err, fresh.body)
	}
	s.do("GET", "/api/v1/events/"+accepted.Items[0].ID, "").want(200)
}

func TestRefusedEvents(t *testing.T) {
	s := startListening(t)
	s.do("POST", "/api/v1/events", flagEvent).want(202)
	good := `{"id":"good","action":"updateOn","resource":"proj/web:env/test:flag/a"}`
	for _, test := range []struct {
		name, body string
		status     int
		code       string
		attributes string
		text       string
	}{
		{"malformed", "{\n  \"kind\": }", 400, "invalid_request", "", "line 2, column 11"},
		{"cut off", `[{"kind":`, 400, "invalid_request", "", ""},
		{"empty", ``, 400, "invalid_request", "", "empty"},
		{"no events", `[]`, 400, "invalid_request", "", "empty"},
		{"no object", `"x"`, 400, "invalid_request", "", "object"},
		{"no accesses", `{}`, 400, "invalid_request", "", "accesses"},
		{"bad resource", `{"action":"x","resource":"proj"}`, 400, "invalid_request", "/resource", "column"},
		{"in an array", `[` + good + `,{"accesses":[{"action":"x","resource":"proj/a"},{"action":"x","resource":"nonsense"}],"kind":1}]`,
			400, "invalid_request", "/1/kind /1/accesses/1/resource", ""},
		{"an id that is none", `{"id":"a b","action":"x","resource":"proj/a"}`, 400, "invalid_request", "/id", ""},
		{"too many", `[` + strings.Repeat(good+`,`, api.MaxEvents) + good + `]`, 400, "invalid_request", "", "1000"},
		{"too large", `[` + strings.Repeat(good+`,`, 20000) + good + `]`, 413, "request_too_large", "", ""},
		{"another event of the same id", `{"_id":"e-1","action":"x","resource":"proj/a"}`, 409, "conflict", "", "e-1"},
		{"another one in an array", `[` + good + `,{"_id":"e-1","action":"x","resource":"proj/a"}]`, 409, "conflict", "", "e-1"},
		{"two of an id in one array", `[` + good + `,{"id":"good","action":"x","resource":"proj/a"}]`, 409, "conflict", "", "good"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := s.do("POST", "/api/v1/events", test.body)
			got.t = t
			v := got.wantRefused(test.status, test.code)
			if test.attributes != "" && v.attributes() != test.attributes {
				t.Errorf("attributes %q, want %q", v.attributes(), test.attributes)
			}
			if !strings.Contains(got.body, test.text) {
				t.Errorf("no %q in %s", test.text, got.body)
			}
		})
	}
	s.do("GET", "/api/v1/events/good", "").wantRefused(404, "not_found")

	// However many faults there are, the answer stays readable.
	v := s.do("POST", "/api/v1/events", `[`+strings.Repeat(`{},`, 500)+`{}]`).wantRefused(400, "invalid_request")
	if len(v.Errors) != 101 || len(v.Message) > 1000 {
		t.Errorf("%d errors, message of %d bytes", len(v.Errors), len(v.Message))
	}
}

func TestDeliveries(t *testing.T) {
	arrived := make(chan string, 100)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		arrived <- r.Header.Get("webhook-id")
	}))
	defer receiver.Close()
	s := startListening(t)
	run, stop := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		_ = s.engine.Run(run)
	}()
	defer func() { stop(); <-stopped }()

	const n = 5
	id := s.do("POST", "/api/v2/integrations/webhook", `{"name":"n","config":{"url":"`+receiver.URL+`","secret":"`+secret+`"}}`).want(201).id()
	for i := range n {
		s.do("POST", "/api/v1/events", fmt.Sprintf(`{"id":"e-%d","action":"updateOn","resource":"proj/web:env/test:flag/a"}`, i)).want(202)
	}
	for range n {
		select {
		case <-arrived:
		case <-time.After(20 * time.Second):
			t.Fatal("nothing arrived")
		}
	}
	stop() // ends when all outcomes are recorded
	<-stopped

	type page struct {
		Items []struct {
			ID       string `json:"_id"`
			EventID  string
			State    string
			Attempts []struct {
				StatusCode int
				DurationMs float64
			}
		}
		Next string
	}
	read := func(path string) page {
		t.Helper()
		var p page
		if err := json.Unmarshal([]byte(s.do("GET", path, "").want(200).body), &p); err != nil {
			t.Fatal(err)
		}
		return p
	}
	base := "/api/v1/subscriptions/" + id + "/deliveries"
	all := read(base)
	if len(all.Items) != n || all.Next != "" {
		t.Fatalf("got %+v", all)
	}
	for i, d := range all.Items {
		if d.EventID != fmt.Sprintf("e-%d", n-1-i) || d.State != "delivered" || len(d.Attempts) != 1 ||
			d.Attempts[0].StatusCode != 200 || d.Attempts[0].DurationMs <= 0 {
			t.Errorf("delivery %d: %+v", i, d)
		}
	}
	var paged []string
	for path := base + "?limit=2"; ; {
		p := read(path)
		for _, d := range p.Items {
			paged = append(paged, d.EventID)
		}
		if p.Next == "" {
			break
		}
		path = "/api/v1/deliveries?subscription=" + id + "&limit=2&cursor=" + p.Next
	}
	if got := strings.Join(paged, " "); got != "e-4 e-3 e-2 e-1 e-0" {
		t.Errorf("by pages: %s", got)
	}
	one := s.do("GET", "/api/v1/deliveries/"+all.Items[0].ID, "").want(200).json()
	if one["eventId"] != "e-4" || one["subscriptionId"] != id {
		t.Errorf("one: %v", one)
	}
	status := s.do("GET", "/api/v2/integrations/webhook/"+id, "").want(200).json()["_status"].(map[string]any)
	if status["successCount"] != float64(n) || status["lastSuccess"].(float64) < 1.7e12 {
		t.Errorf("_status %v", status)
	}

	for path, attribute := range map[string]string{
		base + "?limit=0": "limit", base + "?limit=1001": "limit", base + "?limit=x": "limit", base + "?cursor=*": "cursor",
		base + "?status=lost": "status", base + "?since=yesterday": "since", base + "?until=-1": "until",
	} {
		if v := s.do("GET", path, "").wantRefused(400, "invalid_request"); v.attributes() != attribute {
			t.Errorf("%s: %v", path, v)
		}
	}
	next := read(base + "?limit=2").Next
	other := s.do("POST", "/api/v2/integrations/webhook", `{"name":"other","config":{"url":"https://example.com"}}`).want(201).id()
	for _, path := range []string{
		base + "?cursor=AA", base + "?cursor=" + strings.Repeat("A", 400), base + "?cursor=" + next[1:], base + "?cursor=" + next + "AA",
		"/api/v1/subscriptions/" + other + "/deliveries?cursor=" + next,
	} {
		if v := s.do("GET", path, "").wantRefused(400, "invalid_request"); v.attributes() != "cursor" {
			t.Errorf("%s: %v", path, v)
		}
	}
	s.do("GET", "/api/v1/subscriptions/0123/deliveries", "").wantRefused(404, "not_found")
	s.do("GET", "/api/v1/deliveries?subscription=0123", "").wantRefused(404, "not_found")
	s.do("GET", "/api/v1/deliveries/0123", "").wantRefused(404, "not_found")
}

// TestFailureInStatus: a connection that is refused shows in _status, with what
// went wrong, since there is no answer to show.
func TestFailureInStatus(t *testing.T) {
	receiver := httptest.NewServer(http.NotFoundHandler())
	receiver.Close()
	s := startListening(t)
	id := s.do("POST", "/api/v2/integrations/webhook", `{"name":"n","config":{"url":"`+strings.Replace(receiver.URL, "127.0.0.1", "10.1.2.3", 1)+`"}}`).want(201).id()
	s.do("POST", "/api/v1/events", flagEvent).want(202)
	run, stop := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		_ = s.engine.Run(run)
	}()
	defer func() { stop(); <-stopped }()
	path := "/api/v2/integrations/webhook/" + id
	deadline := time.Now().Add(20 * time.Second)
	for {
		status := s.do("GET", path, "").want(200).json()["_status"].(map[string]any)
		if status["errorCount"] == float64(0) {
			if time.Now().After(deadline) {
				t.Fatal("no failure was recorded")
			}
			continue
		}
		first := status["errors"].([]any)[0].(map[string]any)
		if first["statusCode"] != float64(0) || first["responseBody"] == "" || first["timestamp"].(float64) < 1.7e12 {
			t.Errorf("_status %v", status)
		}
		return
	}
}

func TestCatalog(t *testing.T) {
	s := startListening(t)
	var list struct {
		Items []struct {
			Key, Name, Version, Reason string
			Subscribable               bool
			Manifest                   any
			FormVariables              []map[string]any
			Links                      map[string]string
		}
	}
	got := s.do("GET", "/api/v1/catalog", "").want(200)
	if err := json.Unmarshal([]byte(got.body), &list); err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, i := range list.Items {
		keys = append(keys, i.Key)
		if i.Manifest != nil || i.Links["site"] != "https://example.com" || i.Version != "1.0.0" {
			t.Errorf("%+v", i)
		}
		if i.Subscribable != (i.Key != "hookless") || i.Subscribable != (i.Reason == "") {
			t.Errorf("%s: subscribable %v, reason %q", i.Key, i.Subscribable, i.Reason)
		}
		if i.Key == "datadog" {
			v := i.FormVariables[1]
			if v["key"] != "hostURL" || v["isSecret"] != false || v["isOptional"] != true || v["defaultValue"] != "https://api.datadoghq.com" || len(v["allowedValues"].([]any)) != 2 {
				t.Errorf("form variable %v", v)
			}
		}
	}
	if strings.Join(keys, " ") != "datadog hookless slack splunk webhook" {
		t.Errorf("keys %v", keys)
	}
	one := s.do("GET", "/api/v1/catalog/slack", "").want(200).json()
	if m, ok := one["manifest"].(map[string]any); !ok || m["name"] != "SLACK" || m["capabilities"] == nil {
		t.Errorf("manifest %v", one["manifest"])
	}
	if v := s.do("GET", "/api/v1/catalog/slak", "").wantRefused(404, "not_found"); !strings.Contains(v.Message, "slack") {
		t.Errorf("it should name the nearest: %s", v.Message)
	}
}
