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
)

// TestManualWork: retry and cancel of one delivery, and what their states allow.
func TestManualWork(t *testing.T) {
	s := startListening(t)
	id := s.do("POST", subscriptionsPath, `{"integration": "webhook", "name": "n", "config": {"url": "https://x.example.com"}}`).want(201).id()
	for i := range 3 {
		s.do("POST", "/api/v1/events", fmt.Sprintf(`{"id": "e%d", "action": "updateOn", "resource": "proj/a"}`, i)).want(202)
	}
	list := func(query string) (ids, events []string) {
		t.Helper()
		var page struct {
			Items []struct {
				ID      string `json:"_id"`
				EventID string
			}
		}
		if err := json.Unmarshal([]byte(s.do("GET", "/api/v1/deliveries?"+query, "").want(200).body), &page); err != nil {
			t.Fatal(err)
		}
		for _, d := range page.Items {
			ids, events = append(ids, d.ID), append(events, d.EventID)
		}
		return ids, events
	}
	ids, _ := list("event=e1")
	if len(ids) != 1 {
		t.Fatalf("of one event: %v", ids)
	}
	one := "/api/v1/deliveries/" + ids[0]
	s.do("POST", one+"/retry", "").wantRefused(409, "conflict")
	if got := s.do("POST", one+"/cancel", "").want(200).json(); got["state"] != "cancelled" || got["reason"] == nil {
		t.Errorf("cancelled: %v", got)
	}
	s.do("POST", one+"/cancel", "").wantRefused(409, "conflict")
	for query, want := range map[string]string{
		"": "e2 e1 e0", "status=pending": "e2 e0", "status=cancelled": "e1", "status=pending,cancelled,pending": "e2 e1 e0", "status=dead": "",
		"subscription=" + id + "&status=cancelled": "e1", "subscription=" + id + "&event=e2": "e2", "since=2020-01-01T00:00:00Z": "e2 e1 e0",
		"until=2020-01-01T00:00:00Z": "", fmt.Sprintf("since=%d", time.Now().Add(time.Hour).UnixMilli()): "",
	} {
		if _, events := list(query); strings.Join(events, " ") != want {
			t.Errorf("%q: %v, want %s", query, events, want)
		}
	}
	if got := s.do("POST", one+"/retry", "").want(200).json(); got["state"] != "pending" {
		t.Errorf("retried: %v", got)
	}
	for _, path := range []string{"/api/v1/deliveries/nobody/retry", "/api/v1/deliveries/nobody/cancel"} {
		s.do("POST", path, "").wantRefused(404, "not_found")
	}
	s.do("GET", "/api/v1/deliveries?event=nobody", "").wantRefused(404, "not_found")
	s.do("GET", "/api/v1/deliveries?event=%00", "").wantRefused(404, "not_found")
}

// job waits for a job's end.
func (s *server) job(path string) map[string]any {
	s.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		if job := s.do("GET", path, "").want(200).json(); job["state"] != "running" {
			return job
		}
	}
	s.t.Fatal("the job does not end")
	return nil
}

// TestJobs: bulk work by API, with its progress.
func TestJobs(t *testing.T) {
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer receiver.Close()
	s := startListening(t)
	id := s.do("POST", subscriptionsPath, `{"integration": "webhook", "name": "n", "config": {"url": "`+receiver.URL+`"}}`).want(201).id()
	self := subscriptionsPath + "/" + id
	for i := range 4 {
		s.do("POST", "/api/v1/events", fmt.Sprintf(`{"id": "e%d", "action": "updateOn", "resource": "proj/a"}`, i)).want(202)
	}
	s.do("PATCH", self, `[{"op": "replace", "path": "/on", "value": false}]`).want(200) // nothing is sent meanwhile
	run, stop := context.WithCancel(context.Background())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		_ = s.engine.Run(run)
	}()
	defer func() { stop(); <-stopped }()

	begun := s.do("POST", self+"/cancel", `{"since": "2020-01-01T00:00:00Z"}`).want(202)
	at := begun.header.Get("Location")
	if at != "/api/v1/jobs/"+begun.id() {
		t.Fatalf("Location %q", at)
	}
	if job := s.job(at); job["state"] != "done" || job["done"] != 4.0 || job["left"] != 0.0 || job["kind"] != "cancel" || job["cursor"] != nil {
		t.Errorf("cancel: %v", job)
	}
	if job := s.job(s.do("POST", self+"/retry", "").want(202).header.Get("Location")); job["state"] != "done" || job["done"] != 0.0 {
		t.Errorf("retry of what is not dead: %v", job)
	}
	if job := s.job(s.do("POST", self+"/replay", `{"until": `+fmt.Sprint(time.Now().UnixMilli())+`}`).want(202).header.Get("Location")); job["state"] != "done" || job["done"] != 4.0 {
		t.Errorf("replay: %v", job)
	}
	if got := s.do("GET", self+"/deliveries?status=pending", "").want(200); strings.Count(got.body, `"replay"`) != 4 {
		t.Errorf("replayed: %s", got.body)
	}
	s.do("POST", at+"/cancel", "").want(200)
	jobs := s.do("GET", "/api/v1/jobs?limit=2", "").want(200).json()
	if len(jobs["items"].([]any)) != 2 || jobs["next"] == nil {
		t.Errorf("jobs: %v", jobs)
	}
	rest := s.do("GET", "/api/v1/jobs?limit=2&cursor="+jobs["next"].(string), "").want(200).json()
	if len(rest["items"].([]any)) != 1 || rest["next"] != nil {
		t.Errorf("the rest: %v", rest)
	}
	for body, attribute := range map[string]string{
		`{"since": "soon"}`: "since", `{"until": -5}`: "until", `{"since": {}}`: "since", `{"from": 1}`: "from",
		fmt.Sprintf(`{"since": %d}`, time.Now().Add(time.Hour).UnixMilli()): "since",
	} {
		if v := s.do("POST", self+"/replay", body).wantRefused(400, "invalid_request"); v.attributes() != attribute {
			t.Errorf("%s: %v", body, v)
		}
	}
	s.do("POST", subscriptionsPath+"/nobody/replay", "").wantRefused(404, "not_found")
	s.do("GET", "/api/v1/jobs/nobody", "").wantRefused(404, "not_found")
	s.do("POST", "/api/v1/jobs/nobody/cancel", "").wantRefused(404, "not_found")
}

func TestReplayEvent(t *testing.T) {
	s := startListening(t)
	wants := s.do("POST", subscriptionsPath, `{"integration": "webhook", "name": "wants", "config": {"url": "https://x.example.com"}}`).want(201).id()
	other := s.do("POST", subscriptionsPath, `{"integration": "webhook", "name": "other", "config": {"url": "https://x.example.com"}, "statements": []}`).want(201).id()
	s.do("POST", "/api/v1/events", `{"id": "e", "action": "updateOn", "resource": "proj/a"}`).want(202)
	replay := func(body string, n float64) {
		t.Helper()
		if got := s.do("POST", "/api/v1/events/e/replay", body).want(202).json(); got["deliveries"] != n || got["replay"] == "" {
			t.Errorf("%s: %v", body, got)
		}
	}
	replay("", 1)
	replay("{}", 1)
	replay(`{"subscriptions": ["`+wants+`", "`+other+`", "`+wants+`"]}`, 2)
	if got := s.do("GET", "/api/v1/deliveries?event=e", "").want(200); strings.Count(got.body, `"eventId":"e"`) != 5 {
		t.Errorf("deliveries: %s", got.body)
	}
	s.do("POST", "/api/v1/events/nobody/replay", "").wantRefused(404, "not_found")
	s.do("POST", "/api/v1/events/e/replay", `{"subscriptions": ["nobody"]}`).wantRefused(404, "not_found")
	s.do("POST", "/api/v1/events/e/replay", `{"subscriptions": []}`).wantRefused(400, "invalid_request")
	s.do("POST", "/api/v1/events/e/replay", `{"subscriptions": [1]}`).wantRefused(400, "invalid_request")
	s.do("POST", "/api/v1/events/e/replay", `{"all": true}`).wantRefused(400, "invalid_request")
}

// TestValidate: what was sent is shown without secrets, whatever their form.
func TestValidate(t *testing.T) {
	var got *http.Request
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		w.WriteHeader(418)
	}))
	defer receiver.Close()
	s := startListening(t)
	id := s.do("POST", subscriptionsPath, `{"integration": "webhook", "name": "n", "on": false, "config": {"url": "`+receiver.URL+`/in/`+secret+`?key=`+secret+`", "secret": "`+secret+`"}}`).want(201).id()
	reply := s.do("POST", subscriptionsPath+"/"+id+"/validate", "").want(200)
	if got == nil || got.URL.Path != "/in/"+secret {
		t.Fatalf("arrived: %v", got)
	}
	if strings.Contains(reply.body, secret) {
		t.Errorf("it shows a secret: %s", reply.body)
	}
	var shown struct {
		Template *string
		Request  struct{ Method, URL, Body string }
		Response struct {
			StatusCode int
			ErrorClass string
			DurationMs float64
		}
	}
	if err := json.Unmarshal([]byte(reply.body), &shown); err != nil {
		t.Fatal(err)
	}
	if shown.Template != nil || shown.Request.Method != "POST" || shown.Request.URL != receiver.URL+"/********" || !strings.Contains(shown.Request.Body, "test message") {
		t.Errorf("request: %s", reply.body)
	}
	s.do("POST", subscriptionsPath+"/nobody/validate", "").wantRefused(404, "not_found")
	s.do("POST", subscriptionsPath+"/"+id+"/validate", `{"x": 1}`).wantRefused(400, "invalid_request")
}
