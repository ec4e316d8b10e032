package api_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/flaghook/flaghook/schemas"
)

func TestCatalogItem(t *testing.T) {
	s := startListening(t)
	one := s.do("GET", "/api/v1/catalog/splunk", "").want(200).json()
	if one["readme"] != "# splunk\n" || one["manifest"] == nil || len(one["samples"].([]any)) != len(schemas.SampleNames()) || len(one["formVariables"].([]any)) != 4 {
		t.Errorf("one: %v", one)
	}
	icon := s.do("GET", "/api/v1/catalog/splunk/icons/square", "").want(200)
	if !strings.HasPrefix(icon.body, "<svg") || icon.header.Get("Content-Type") != "image/svg+xml" || !strings.Contains(icon.header.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("icon: %v %s", icon.header, icon.body)
	}
	s.do("GET", "/api/v1/catalog/splunk/icons/round", "").wantRefused(404, "not_found")
	s.do("GET", "/api/v1/catalog/splank/icons/square", "").wantRefused(404, "not_found")
	if v := s.do("GET", "/api/v1/catalog/splank", "").wantRefused(404, "not_found"); !strings.Contains(v.Message, "splunk") {
		t.Errorf("it should name what is near: %s", v.Message)
	}
}

// Who asks for an integration that there is not is told which come nearest, at
// both doors.
func TestUnknownIntegrationsNameTheNearest(t *testing.T) {
	s := startListening(t)
	for key, want := range map[string]string{"splank": "did you mean splunk?", "cloudtrail": "the nearest in the catalog are ", "web-sink": "the nearest in the catalog are webhook, "} {
		for _, path := range []string{"/api/v1/catalog/" + key, "/api/v1/subscriptions?integration=" + key, "/api/v2/integrations/" + key} {
			if v := s.do("GET", path, "").wantRefused(404, "not_found"); !strings.Contains(v.Message, want) {
				t.Errorf("%s: %s", path, v.Message)
			}
		}
		if v := s.do("POST", "/api/v2/integrations/"+key, `{}`).wantRefused(404, "not_found"); !strings.Contains(v.Message, want) {
			t.Errorf("POST of %s: %s", key, v.Message)
		}
		v := s.do("POST", "/api/v1/subscriptions", `{"integration": "`+key+`", "name": "n", "config": {}}`).wantRefused(400, "invalid_request")
		if v.attributes() != "integration" || !strings.Contains(v.Message, want) {
			t.Errorf("a subscription to %s: %+v", key, v)
		}
	}
}

func TestCatalogPages(t *testing.T) {
	s := startListening(t)
	read := func(query string) (keys []string, next string) {
		t.Helper()
		var page struct {
			Items []struct{ Key string }
			Next  string
		}
		if err := json.Unmarshal([]byte(s.do("GET", "/api/v1/catalog"+query, "").want(200).body), &page); err != nil {
			t.Fatal(err)
		}
		for _, i := range page.Items {
			keys = append(keys, i.Key)
		}
		return keys, page.Next
	}
	all, next := read("")
	if len(all) != len(folders) || next != "" {
		t.Fatalf("without a limit: %v, next %q", all, next)
	}
	var paged []string
	for query := "?limit=2"; query != ""; {
		keys, next := read(query)
		if len(keys) > 2 {
			t.Fatalf("a page of %v", keys)
		}
		paged = append(paged, keys...)
		if query = ""; next != "" {
			query = "?limit=2&cursor=" + next
		}
	}
	if !slices.Equal(paged, all) {
		t.Errorf("page by page %v, at once %v", paged, all)
	}
	for query, attribute := range map[string]string{"?limit=0": "limit", "?limit=x": "limit", "?limit=1001": "limit", "?limit=2&cursor=x": "cursor"} {
		if v := s.do("GET", "/api/v1/catalog"+query, "").wantRefused(400, "invalid_request"); v.attributes() != attribute {
			t.Errorf("%s: %v", query, v)
		}
	}
}

func TestPreview(t *testing.T) {
	s := startListening(t)
	ask := func(key, body string) reply { return s.do("POST", "/api/v1/catalog/"+key+"/preview", body) }
	type shown struct {
		Integration string
		Template    *string
		Event       map[string]any
		Request     *struct {
			Method, URL *string
			Headers     []struct{ Name, Value string }
			Body        string
		}
		Policy   *struct{ Allowed bool }
		Warnings []string
	}
	read := func(key, body string) shown {
		t.Helper()
		var p shown
		if err := json.Unmarshal([]byte(ask(key, body).want(200).body), &p); err != nil {
			t.Fatal(err)
		}
		return p
	}
	p := read("slack", "")
	if p.Integration != "slack" || *p.Request.Method != "POST" || *p.Request.URL != "$URL" || p.Policy == nil || !p.Policy.Allowed || len(p.Warnings) == 0 || p.Event["kind"] != "flag" {
		t.Errorf("of nothing: %+v", p)
	}
	p = read("slack", `{"config": {"url": "https://x.example.com/a"}, "sample": "hostile-text"}`)
	if *p.Request.URL != "https://x.example.com/a" || len(p.Warnings) != 0 || !json.Valid([]byte(p.Request.Body)) {
		t.Errorf("of a sample: %+v", p)
	}
	p = read("slack", `{"event": {"action": "updateOn", "resource": "proj/web:env/test:flag/a"}, "config": {"url": "https://x.example.com/a"}}`)
	if p.Event["name"] != "a" || !strings.Contains(p.Request.Body, "updateOn") {
		t.Errorf("of an event: %+v", p)
	}
	p = read("slack", `{"context": {"kind": "flag", "name": "A"}, "config": {"url": "https://x.example.com/a", "nobody": "x"}}`)
	if p.Policy != nil || p.Event["name"] != "A" || len(p.Warnings) != 1 || !strings.Contains(p.Warnings[0], "nobody") {
		t.Errorf("of a context: %+v", p)
	}
	p = read("datadog", `{"config": {"hideMemberDetails": true, "hostURL": ["x"]}}`)
	if len(p.Warnings) == 0 || !strings.Contains(strings.Join(p.Warnings, "\n"), "hostURL") {
		t.Errorf("of a wrong config: %+v", p.Warnings)
	}
	for body, attributes := range map[string]string{
		`{"sample": "nobody"}`: "sample", `{"event": {}}`: "/event", `{"event": [], "strict": "x"}`: "event strict", `{"sample": "flag-on", "event": {}}`: "",
		`{"context": {}, "event": {}}`: "", `{"colour": 1}`: "colour", `{"strict": true}`: "",
	} {
		if v := ask("slack", body).wantRefused(400, "invalid_request"); strings.TrimSpace(v.attributes()) != attributes {
			t.Errorf("%s: attributes %q, want %q", body, v.attributes(), attributes)
		}
	}
	for body, attribute := range map[string]string{
		`{"strict": true, "config": {"hostURL": "https://x.example.com", "apiKey": "k"}}`:              "config.hostURL",
		`{"strict": true, "config": {"hostURL": ["https://api.datadoghq.com", "x"], "apiKey": "k"}}`:   "config.hostURL",
		`{"strict": true, "config": {"hostURL": "https://api.datadoghq.com", "site": "x"}}`:            "config.site",
		`{"strict": true, "config": {"hostURL": "https://api.datadoghq.com", "hideMemberDetails": 1}}`: "config.hideMemberDetails",
	} {
		v := ask("datadog", body).wantRefused(400, "invalid_request")
		if !strings.HasPrefix(v.attributes(), attribute) || strings.Contains(v.Errors[0].Reason, "https://x") {
			t.Errorf("%s: %+v", body, v.Errors)
		}
	}
	ask("slak", "").wantRefused(404, "not_found")
	if got := ask("hookless", "").want(200); !strings.Contains(got.body, `"url":null`) {
		t.Errorf("without an endpoint: %s", got.body)
	}
	if n := len(s.entries(auditPath).Items); n != 0 {
		t.Errorf("%d events were stored by previews", n)
	}
}
