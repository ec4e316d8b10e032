package api_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

const auditPath = "/api/v2/auditlog"

// entries is a page of the audit log.
type entries struct {
	Links map[string]struct{ Href string } `json:"_links"`
	Items []struct {
		ID        string  `json:"_id"`
		AccountID *string `json:"_accountId"`
		Date      int64
		Kind      string
		Name      string
		Title     string
		Comment   string
		Token     struct{ Name string }
		Accesses  []struct{ Action, Resource string }

		Description, ShortDescription *string
		PreviousVersion               any
	}
}

func (s *server) entries(path string, body ...string) entries {
	s.t.Helper()
	method := "GET"
	if len(body) > 0 {
		method = "POST"
	}
	var page entries
	if err := json.Unmarshal([]byte(s.do(method, path, strings.Join(body, "")).want(200).body), &page); err != nil {
		s.t.Fatal(err)
	}
	return page
}

func (e entries) ids() string {
	var ids []string
	for _, item := range e.Items {
		ids = append(ids, item.ID)
	}
	return strings.Join(ids, " ")
}

func TestAuditLog(t *testing.T) {
	s := startListening(t)
	for i, resource := range []string{"proj/web:env/production:flag/checkout", "proj/web:env/test:flag/checkout", "proj/mobile:env/production:flag/login"} {
		s.do("POST", "/api/v1/events", fmt.Sprintf(`{"id": "e%d", "action": "updateOn", "resource": %q, "before": {"on": false}, "after": {"on": true}, "comment": "Why Not %d"}`, i, resource, i)).want(202)
	}
	all := s.entries(auditPath)
	if all.ids() != "e2 e1 e0" || all.Links["self"].Href != auditPath || all.Links["next"].Href != "" {
		t.Fatalf("all: %+v", all)
	}
	e := all.Items[0]
	if e.AccountID == nil || e.Date < time.Now().Add(-time.Minute).UnixMilli() || e.Kind != "flag" || e.Name != "login" || e.Title == "" ||
		e.Description == nil || e.ShortDescription == nil || len(e.Accesses) != 1 || e.PreviousVersion != nil {
		t.Errorf("an entry: %+v", e)
	}
	one := s.do("GET", auditPath+"/e2", "").want(200).json()
	if fmt.Sprint(one["previousVersion"]) != "map[on:false]" || fmt.Sprint(one["currentVersion"]) != "map[on:true]" {
		t.Errorf("one: %v", one)
	}
	s.do("GET", auditPath+"/nobody", "").wantRefused(404, "not_found")

	production := `[{"effect": "allow", "resources": ["proj/*:env/production:flag/*"], "actions": ["*"]}]`
	for _, test := range []struct{ query, body, want string }{
		{"?q=checkout", "", "e1 e0"},
		{"?q=WHY+not+1", "", "e1"},
		{"?q=nowhere", "", ""},
		{"?spec=proj/*:env/production:flag/*", "", "e2 e0"},
		{"?spec=proj/web", "", ""},
		{"?limit=2", "", "e2 e1"},
		{fmt.Sprintf("?after=%d", time.Now().Add(time.Hour).UnixMilli()), "", ""},
		{fmt.Sprintf("?before=%d", time.Now().Add(-time.Hour).UnixMilli()), "", ""},
		{"", production, "e2 e0"},
		{"?q=checkout", production, "e0"},
		{"", "[]", "e2 e1 e0"},
		{"", "null", "e2 e1 e0"},
	} {
		body := []string{}
		if test.body != "" {
			body = append(body, test.body)
		}
		if got := s.entries(auditPath+test.query, body...).ids(); got != test.want {
			t.Errorf("%s %s: %q, want %q", test.query, test.body, got, test.want)
		}
	}
	for query, attribute := range map[string]string{
		"?limit=21": "limit", "?limit=0": "limit", "?before=x": "before", "?after=-1": "after", "?cursor=x": "cursor", "?spec=proj/": "spec",
	} {
		if v := s.do("GET", auditPath+query, "").wantRefused(400, "invalid_request"); v.attributes() != attribute {
			t.Errorf("%s: %v", query, v)
		}
	}
	s.do("POST", auditPath, `[{"effect": "allow"}]`).wantRefused(400, "invalid_request")
	s.do("POST", auditPath, `{}`).wantRefused(400, "invalid_request")
}

// TestAuditLogPages: each page's next leads to the rest, filters included, and
// not with other filters.
func TestAuditLogPages(t *testing.T) {
	s := startListening(t)
	for i := range 9 {
		s.do("POST", "/api/v1/events", fmt.Sprintf(`{"id": "e%d", "action": "updateOn", "resource": "proj/p%d"}`, i, i%2)).want(202)
	}
	var pages []string
	next := auditPath + "?limit=2&spec=proj/p0"
	for next != "" {
		page := s.entries(next)
		pages = append(pages, page.ids())
		next = page.Links["next"].Href
		if len(pages) > 9 {
			t.Fatal("it does not end")
		}
	}
	if got := strings.Fields(strings.Join(pages, " ")); strings.Join(got, " ") != "e8 e6 e4 e2 e0" {
		t.Errorf("pages %q", pages)
	}
	other := strings.Replace(s.entries(auditPath + "?limit=2&spec=proj/p0").Links["next"].Href, "p0", "p1", 1)
	s.do("GET", other, "").wantRefused(400, "invalid_request")
}

// TestAuditLogSearchesFarBack: a page has what there is, however much lies in
// front of it, and its next one goes on right behind it.
func TestAuditLogSearchesFarBack(t *testing.T) {
	s := startListening(t)
	post := func(from, n int, resource string) {
		t.Helper()
		events := make([]string, n)
		for i := range events {
			events[i] = fmt.Sprintf(`{"id": "e%d", "action": "updateOn", "resource": %q}`, from+i, resource)
		}
		s.do("POST", "/api/v1/events", "["+strings.Join(events, ",")+"]").want(202)
	}
	post(0, 5, "proj/rare")
	for i := range 4 {
		post(1000*(i+1), 1000, "proj/common")
	}
	for _, body := range [][]string{nil, {`[{"effect": "allow", "resources": ["proj/rare"], "actions": ["*"]}]`}} {
		query := "?limit=2&spec=proj/rare"
		if body != nil {
			query = "?limit=2"
		}
		var got []string
		for path := auditPath + query; path != ""; {
			page := s.entries(path, body...)
			got = append(got, page.ids())
			path = page.Links["next"].Href
		}
		if pages := strings.Join(got, "|"); pages != "e4 e3|e2 e1|e0" {
			t.Errorf("%v: pages %s", body, pages)
		}
	}
}

func TestAuditLogCounts(t *testing.T) {
	s := startListening(t)
	for i := range 6 {
		s.do("POST", "/api/v1/events", fmt.Sprintf(`{"action": "updateOn", "resource": "proj/p%d"}`, i%2)).want(202)
	}
	since, until := time.Now().Add(-time.Hour).UnixMilli(), time.Now().Add(time.Hour).UnixMilli()
	count := func(query, body string) (total, buckets, inBuckets int) {
		t.Helper()
		var counts struct {
			Buckets []struct {
				Timestamp int64
				Count     int
			}
			TotalCount       int
			BucketIntervalMs int64
		}
		if err := json.Unmarshal([]byte(s.do("POST", auditPath+"/counts"+query, body).want(200).body), &counts); err != nil {
			t.Fatal(err)
		}
		for i, b := range counts.Buckets {
			inBuckets += b.Count
			if i > 0 && b.Timestamp-counts.Buckets[i-1].Timestamp != counts.BucketIntervalMs {
				t.Errorf("buckets %d and %d are not %d ms apart", i-1, i, counts.BucketIntervalMs)
			}
		}
		return counts.TotalCount, len(counts.Buckets), inBuckets
	}
	if total, n, in := count(fmt.Sprintf("?after=%d&before=%d&buckets=4", since, until), ""); total != 6 || n != 4 || in != 6 {
		t.Errorf("%d in %d buckets, %d", total, n, in)
	}
	if total, n, _ := count(fmt.Sprintf("?after=%d", since), `[{"effect": "allow", "resources": ["proj/p1"], "actions": ["*"]}]`); total != 3 || n != 50 {
		t.Errorf("%d in %d buckets", total, n)
	}
	for query, attribute := range map[string]string{
		"": "after", fmt.Sprintf("?after=%d", until): "after", fmt.Sprintf("?after=%d&buckets=501", since): "buckets", "?after=x": "after",
	} {
		if v := s.do("POST", auditPath+"/counts"+query, "").wantRefused(400, "invalid_request"); v.attributes() != attribute {
			t.Errorf("%q: %v", query, v)
		}
	}
}

// TestChangesAreRecorded: who changed what through the API stands in the audit
// log, without secrets.
func TestChangesAreRecorded(t *testing.T) {
	s := startListening(t)
	writer := s.token("writer", "")
	id := s.do("POST", splunkPath, splunkBody, as(writer)...).want(201).id()
	s.do("PATCH", splunkPath+"/"+id, `[{"op": "replace", "path": "/on", "value": false}, {"op": "replace", "path": "/config/token", "value": "another-`+secret+`"}]`).want(200)
	hook := s.do("POST", webhooksPath, `{"url": "https://x.example.com", "secret": "`+secret+`"}`).want(201).id()
	s.do("PATCH", webhooksPath+"/"+hook, `{"comment": "they have moved", "patch": [{"op": "replace", "path": "/url", "value": "https://x.example.com/y"}]}`, as(writer)...).want(200)
	s.do("PATCH", webhooksPath+"/"+hook, `{"comment": "`+strings.Repeat("x", 2000)+`", "patch": []}`).wantRefused(400, "invalid_request")
	s.do("DELETE", webhooksPath+"/"+hook, "").want(204)
	var got []string
	for _, e := range s.entries(auditPath + "?limit=20").Items {
		for _, a := range e.Accesses {
			who := e.Token.Name
			if e.Comment != "" {
				who += " (" + e.Comment + ")"
			}
			got = append(got, who+": "+a.Action+" "+strings.ReplaceAll(a.Resource, hook, "HOOK"))
		}
	}
	want := []string{
		"admin token: deleteWebhook webhook/HOOK", "the writer (they have moved): updateUrl webhook/HOOK", "admin token: createWebhook webhook/HOOK",
		"admin token: updateOn integration/splunk;b,a", "admin token: updateConfiguration integration/splunk;b,a",
		"the writer: createIntegration integration/splunk;b,a", "admin token (role writer): createAccessToken service-token/the writer",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, path := range []string{auditPath, "/api/v1/events?limit=100"} {
		if body := s.do("GET", path, "").want(200).body; strings.Contains(body, secret) || strings.Contains(body, writer) {
			t.Errorf("%s shows a secret: %s", path, body)
		}
	}
}

// TestAuditLogStopsAfterMuchWork: a long policy ends pages early, and what they
// did not look at is on the next ones; counts, which have no pages, are refused.
func TestAuditLogStopsAfterMuchWork(t *testing.T) {
	s := startListening(t)
	s.do("POST", "/api/v1/events", `{"id": "rare", "action": "updateOn", "resource": "proj/rare"}`).want(202)
	const events = 4000
	for range events / 1000 {
		s.do("POST", "/api/v1/events", "["+strings.Repeat(`{"action": "updateOn", "resource": "proj/common"},`, 999)+
			`{"action": "updateOn", "resource": "proj/common"}]`).want(202)
	}
	actions := strings.TrimSuffix(strings.Repeat(`"x",`, 500), ",")
	statement := `{"effect": "allow", "resources": ["*"], "actions": [` + actions + `]},`
	const statements = 120
	body := "[" + strings.Repeat(statement, statements) + `{"effect": "allow", "resources": ["proj/rare"], "actions": ["*"]}]`

	pages := 0
	var got []string
	for path := auditPath; path != ""; pages++ {
		page := s.entries(path, body)
		got = append(got, page.ids())
		path = page.Links["next"].Href
	}
	// Each page but the last does all the work that it may.
	if most := 2 + events*statements*500/100_000_000; pages < 2 || pages > most || got[0] != "" || strings.Join(got, "") != "rare" {
		t.Errorf("pages %q, want rare on the last of 2 to %d", got, most)
	}
	s.do("POST", auditPath+"/counts?after=1", body).wantRefused(400, "invalid_request")
}
