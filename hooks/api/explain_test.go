package api_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// explained is an explanation as clients read it.
type explained struct {
	Items []struct {
		SubscriptionID, Integration, Name, Outcome, Reason, Note, DeliveryID string
		Attempts                                                             int
		Policy                                                               *struct{ Statement, Nearest *int }
	}
	EventID, EventTime, AcceptedAt, Next string
}

func (s *server) explain(path string) explained {
	s.t.Helper()
	var v explained
	if err := json.Unmarshal([]byte(s.do("GET", path, "").want(200).body), &v); err != nil {
		s.t.Fatal(err)
	}
	return v
}

func TestExplain(t *testing.T) {
	s := startListening(t)
	const slack = "/api/v2/integrations/slack"
	subscription := func(name, more string) string {
		return `{"name":"` + name + `","config":{"url":"https://example.com/` + secret + `"}` + more + `}`
	}
	got := s.do("POST", slack, subscription("all", "")).want(201).id()
	s.do("POST", slack, subscription("off", `,"on":false`)).want(201)
	s.do("POST", slack, subscription("filtered", `,"statements":[{"effect":"allow","resources":["proj/web:env/test:flag/*"],"actions":["*"]}]`)).want(201)
	s.do("POST", "/api/v1/events", flagEvent).want(202)
	s.do("POST", slack, subscription("young", "")).want(201)

	const path = "/api/v1/events/e-1/explain"
	all := s.explain(path)
	if all.EventID != "e-1" || all.EventTime == "" || all.AcceptedAt == "" || all.Next != "" || len(all.Items) != 4 {
		t.Fatalf("%+v", all)
	}
	outcomes := map[string]string{}
	for _, x := range all.Items {
		outcomes[x.Name] = x.Outcome
		if x.Integration != "slack" || x.Reason == "" || (x.DeliveryID != "") != (x.SubscriptionID == got) {
			t.Errorf("%+v", x)
		}
		if x.Name == "filtered" && (x.Policy == nil || x.Policy.Statement != nil || x.Policy.Nearest == nil || *x.Policy.Nearest != 0 || !strings.Contains(x.Reason, `the env must be "test"`)) {
			t.Errorf("%+v", x)
		}
		if x.DeliveryID != "" {
			s.do("GET", "/api/v1/deliveries/"+x.DeliveryID, "").want(200)
		}
	}
	want := map[string]string{"all": "pending", "off": "off", "filtered": "filtered", "young": "createdAfter"}
	if diff := cmp.Diff(want, outcomes); diff != "" {
		t.Error(diff)
	}

	var paged, ids []string
	for _, x := range all.Items {
		ids = append(ids, x.SubscriptionID)
	}
	next := ""
	for at := path + "?limit=3"; ; at = path + "?limit=3&cursor=" + next {
		page := s.explain(at)
		for _, x := range page.Items {
			paged = append(paged, x.SubscriptionID)
		}
		if page.Next == "" {
			break
		}
		next = page.Next
	}
	if !slices.IsSorted(ids) || !slices.Equal(ids, paged) {
		t.Errorf("%v by pages, %v at once", paged, ids)
	}

	s.do("POST", "/api/v1/events", `{"id":"e-2","action":"updateOn","resource":"proj/a"}`).want(202)
	for path, attribute := range map[string]string{
		path + "?limit=0": "limit", path + "?limit=1001": "limit", path + "?cursor=AA": "cursor", path + "?cursor=" + next + "A": "cursor",
		"/api/v1/events/e-2/explain?cursor=" + next:                   "cursor", // another event's
		"/api/v1/subscriptions/" + got + "/deliveries?cursor=" + next: "cursor",
	} {
		if v := s.do("GET", path, "").wantRefused(400, "invalid_request"); v.attributes() != attribute {
			t.Errorf("%s: %v", path, v)
		}
	}
	s.do("GET", "/api/v1/events/e-9/explain", "").wantRefused(404, "not_found")
	s.do("GET", "/api/v1/events/e%209/explain", "").wantRefused(404, "not_found")
	s.do("POST", path, "").wantRefused(405, "method_not_allowed")
	s.do("GET", path, "", "Authorization", "").wantRefused(401, "unauthorized")
	if strings.Contains(s.do("GET", path, "").want(200).body, secret) {
		t.Error("an explanation shows a URL's path")
	}
	if err := s.db.Close(); err != nil {
		t.Fatal(err)
	}
	s.do("GET", path, "").wantRefused(503, "service_unavailable")
}

// TestExplainUnderAPrefix: the path is an event's, with ids that hold ':' too.
func TestExplainUnderAPrefix(t *testing.T) {
	s := start(t)
	s.listen(http.StripPrefix("/flags", s.handler))
	s.do("POST", "/flags/api/v1/events", `{"id":"a:b","action":"updateOn","resource":"proj/a"}`).want(202)
	if v := s.explain("/flags/api/v1/events/a%3Ab/explain"); v.EventID != "a:b" || len(v.Items) != 0 || v.AcceptedAt == "" {
		t.Errorf("%+v", v)
	}
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/api/v1/events//explain", nil))
	if w.Code != 404 {
		t.Errorf("status %d", w.Code)
	}
}
