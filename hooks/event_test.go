package hooks_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/render"
	"github.com/flaghook/flaghook/schemas"
)

var testNow = time.Date(2026, 3, 4, 5, 6, 7, 890e6, time.UTC)

func options() hooks.EventOptions {
	return hooks.EventOptions{Now: testNow, NewID: func() string { return "made" }}
}

func parse(t testing.TB, text string) render.Value {
	t.Helper()
	v, err := render.ParseJSON([]byte(text))
	if err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

func newEvent(t testing.TB, text string) *hooks.Event {
	t.Helper()
	e, err := hooks.NewEvent(parse(t, text), options())
	if err != nil {
		t.Fatalf("NewEvent(%s): %v", text, err)
	}
	return e
}

// plain gives a value as encoding/json would, for comparing.
func plain(t testing.TB, v render.Value) any {
	t.Helper()
	var x any
	if err := json.Unmarshal(v.AppendJSON(nil), &x); err != nil {
		t.Fatal(err)
	}
	return x
}

func TestShortestEventIsFilledIn(t *testing.T) {
	e := newEvent(t, `{"action": "updateOn", "resource": "proj/web;ops:env/production;{critical:true}:flag/checkout;payments",
		"member": {"email": "ann@example.com", "firstName": "Ann", "lastName": "Lee"}, "after": {"on": true}}`)
	want := plain(t, parse(t, `{
		"_id": "made",
		"timestamp": {"milliseconds": 1772600767890, "seconds": 1772600767, "rfc3339": "2026-03-04T05:06:07Z", "simple": "2026-03-04 05:06:07"},
		"kind": "flag", "name": "checkout", "key": "checkout",
		"accesses": [{"action": "updateOn", "resource": "proj/web;ops:env/production;{critical:true}:flag/checkout;payments"}],
		"details": {"plainText": "Turned on", "markdown": "* Turned on\n", "html": "<ul><li>Turned on</li></ul>"},
		"project": {"name": "web", "key": "web", "tags": ["ops"], "environment": {"name": "production", "key": "production", "tags": []}},
		"tags": ["payments"],
		"member": {"email": "ann@example.com", "firstName": "Ann", "lastName": "Lee", "emailLocalPart": "ann", "displayName": "Ann Lee"},
		"titleVerb": "turned on the flag", "verbKind": "updateOn",
		"title": {
			"plainText": "Ann Lee turned on the flag checkout in 'production'",
			"markdown": "[Ann Lee](mailto:ann@example.com) turned on the flag checkout in `+"`production`"+`",
			"html": "<a href=\"mailto:ann@example.com\">Ann Lee</a> turned on the flag checkout in <code>production</code>"},
		"target": {"name": "checkout", "resources": ["proj/web;ops:env/production;{critical:true}:flag/checkout;payments"]},
		"after": {"on": true}
	}`))
	if diff := cmp.Diff(want, plain(t, e.Doc())); diff != "" {
		t.Errorf("document (-want +got):\n%s", diff)
	}
	if e.ID() != "made" || e.Kind() != "flag" || !e.Time().Equal(testNow) || len(e.Accesses()) != 1 {
		t.Errorf("id %q kind %q time %v accesses %v", e.ID(), e.Kind(), e.Time(), e.Accesses())
	}
}

func TestDerivedMembers(t *testing.T) {
	tests := []struct{ name, event, path, want string }{
		{"project kind", `{"action":"createProject","resource":"proj/web","name":"Web shop"}`, "kind", "project"},
		{"project name", `{"action":"createProject","resource":"proj/web","name":"Web shop"}`, "project/name", "Web shop"},
		{"project has no environment", `{"action":"createProject","resource":"proj/web"}`, "project/environment/key", ""},
		{"project verb", `{"action":"createProject","resource":"proj/web"}`, "titleVerb", "created the project"},
		{"environment kind", `{"action":"updateColor","resource":"proj/web:env/test","name":"Testing"}`, "kind", "environment"},
		{"environment name", `{"action":"updateColor","resource":"proj/web:env/test","name":"Testing"}`, "project/environment/name", "Testing"},
		{"environment title", `{"action":"updateColor","resource":"proj/web:env/test","name":"Testing"}`, "title/plainText", "Someone updated the environment Testing"},
		{"member outside projects", `{"action":"updateRole","resource":"member/5ab"}`, "project/key", ""},
		{"token as actor", `{"action":"deleteFlag","resource":"proj/p:env/e:flag/f","token":{"name":"CI"}}`, "title/plainText", "CI deleted the flag f in 'e'"},
		{"application as actor", `{"action":"deleteFlag","resource":"proj/p:env/e:flag/f","app":{"name":"Bot"}}`, "title/plainText", "Bot deleted the flag f in 'e'"},
		{"a kind of its own", `{"action":"createRelease-pipeline","resource":"proj/p:release-pipeline/x"}`, "titleVerb", "created the release pipeline"},
		{"percent-encoded key", `{"action":"deleteFlag","resource":"proj/p:env/e:flag/a%3Ab"}`, "key", "a:b"},
		{"several environments", `{"accesses":[{"action":"deleteFlag","resource":"proj/p:env/a:flag/f"},{"action":"deleteFlag","resource":"proj/p:env/b:flag/f"}]}`, "project/environment/key", "~"},
		{"several environments in words", `{"accesses":[{"action":"deleteFlag","resource":"proj/p:env/a:flag/f"},{"action":"deleteFlag","resource":"proj/p:env/b:flag/f"}]}`, "title/plainText", "Someone deleted the flag f"},
		{"all environments by a wildcard", `{"action":"deleteFlag","resource":"proj/p:env/*:flag/f"}`, "project/environment/key", "~"},
		{"a given environment beside several", `{"project":{"environment":{"key":"a"}},"accesses":[{"action":"deleteFlag","resource":"proj/p:env/a:flag/f"},{"action":"deleteFlag","resource":"proj/p:env/b:flag/f"}]}`, "project/environment/name", "a"},
		{"a project first", `{"accesses":[{"action":"deleteProject","resource":"proj/p"},{"action":"deleteFlag","resource":"proj/p:env/b:flag/f"}]}`, "project/environment/key", ""},
		{"environments of several projects", `{"accesses":[{"action":"deleteFlag","resource":"proj/p:env/a:flag/f"},{"action":"deleteFlag","resource":"proj/q:env/b:flag/f"}]}`, "project/environment/key", "a"},
		{"forms that disagree", `{"timestamp":{"milliseconds":1580777319650,"rfc3339":"1999-01-01T00:00:00Z","simple":7},"action":"deleteFlag","resource":"proj/p:env/e:flag/f"}`, "timestamp/rfc3339", "2020-02-04T00:48:39Z"},
		{"a script for a link", `{"_links":{"site":{"href":"javascript:alert(1)"}},"action":"deleteFlag","resource":"proj/p:env/e:flag/f"}`, "title/html", "Someone deleted the flag f in <code>e</code>"},
		{"turned off", `{"action":"updateOn","resource":"proj/p:env/e:flag/f","after":{"on":false}}`, "titleVerb", "turned off the flag"},
		{"on or off unknown", `{"action":"updateOn","resource":"proj/p:env/e:flag/f"}`, "titleVerb", "updated the flag"},
		{"archived", `{"action":"updateGlobalArchived","resource":"proj/p:env/e:flag/f"}`, "titleVerb", "archived the flag"},
		{"restored", `{"action":"updateGlobalArchived","resource":"proj/p:env/e:flag/f","after":{"archived":false}}`, "titleVerb", "restored the flag"},
		{"approval", `{"action":"createApprovalRequest","resource":"proj/p:env/e:flag/f"}`, "titleVerb", "requested approval for changes to the flag"},
		{"own id", `{"id":"a:b-1.2_C","action":"deleteFlag","resource":"proj/p:env/e:flag/f"}`, "_id", "a:b-1.2_C"},
		{"RFC 3339 time with an offset", `{"timestamp":"2026-01-01T01:00:00.5+01:00","action":"deleteFlag","resource":"proj/p:env/e:flag/f"}`, "timestamp/rfc3339", "2026-01-01T00:00:00Z"},
		{"milliseconds", `{"timestamp":1580777319650,"action":"deleteFlag","resource":"proj/p:env/e:flag/f"}`, "timestamp/simple", "2020-02-04 00:48:39"},
		{"given project name", `{"project":{"name":"Big"},"action":"deleteFlag","resource":"proj/p:env/e:flag/f"}`, "project/name", "Big"},
		{"given environment name", `{"project":{"environment":{"name":"Prod"}},"action":"deleteFlag","resource":"proj/p:env/e:flag/f"}`, "title/plainText", "Someone deleted the flag f in 'Prod'"},
		{"given display name", `{"member":{"displayName":"Al"},"action":"deleteFlag","resource":"proj/p:env/e:flag/f"}`, "title/plainText", "Al deleted the flag f in 'e'"},
		{"unknown members stay", `{"ticket":"OPS-1","action":"deleteFlag","resource":"proj/p:env/e:flag/f"}`, "ticket", "OPS-1"},
		{"title as text", `{"title":"<b>","action":"deleteFlag","resource":"proj/p:env/e:flag/f"}`, "title/html", "&lt;b&gt;"},
		{"markdown is escaped", `{"name":"*x* [y](z)","action":"deleteFlag","resource":"proj/p:env/e:flag/f"}`, "title/markdown", "Someone deleted the flag \\*x\\* \\[y\\](z) in `e`"},
		{"html is escaped", `{"name":"<script>","action":"deleteFlag","resource":"proj/p:env/e:flag/f"}`, "title/html", "Someone deleted the flag &lt;script&gt; in <code>e</code>"},
		{"backticks in a name", "{\"project\":{\"environment\":{\"name\":\"a``b\"}},\"action\":\"deleteFlag\",\"resource\":\"proj/p:env/e:flag/f\"}", "title/markdown", "Someone deleted the flag f in ``` a``b ```"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := newEvent(t, tt.event).Doc().Path(strings.Split(tt.path, "/")...)
			if got.AsString() != tt.want || got.Kind() != render.KindString {
				t.Errorf("%s = %s, want %q", tt.path, got.AppendJSON(nil), tt.want)
			}
		})
	}
}

func TestBadEventsAreRefused(t *testing.T) {
	const rest = `"action":"deleteFlag","resource":"proj/p:env/e:flag/f"`
	tests := []struct{ event, pointer, message string }{
		{`[]`, "", "an event is an object"},
		{`{}`, "", "accesses, or action and resource"},
		{`{"action":"x"}`, "", "accesses, or action and resource"},
		{`{"accesses":[]}`, "/accesses", "empty"},
		{`{"accesses":{}}`, "/accesses", "must be an array"},
		{`{"accesses":[{"action":"x"}]}`, "/accesses/0", "an action and a resource"},
		{`{"accesses":[{"action":"x","resource":"proj/a"},7]}`, "/accesses/1", "an action and a resource"},
		{`{"action":"x","resource":"proj"}`, "/resource", ""},
		{`{"action":1,"resource":"proj/a"}`, "/action", "must be a string"},
		{`{"id":"a b",` + rest + `}`, "/id", "1 to 128"},
		{`{"id":"",` + rest + `}`, "/id", "1 to 128"},
		{`{"id":"` + strings.Repeat("x", 129) + `",` + rest + `}`, "/id", "1 to 128"},
		{`{"id":"a","_id":"b",` + rest + `}`, "/id", "differs"},
		{`{"timestamp":"yesterday",` + rest + `}`, "/timestamp", "RFC 3339"},
		{`{"timestamp":-1,` + rest + `}`, "/timestamp", "1970"},
		{`{"timestamp":1e300,` + rest + `}`, "/timestamp", "1970"},
		{`{"timestamp":{},` + rest + `}`, "/timestamp", "needs milliseconds"},
		{`{"timestamp":true,` + rest + `}`, "/timestamp", "must be"},
		{`{"kind":7,` + rest + `}`, "/kind", "must be a string"},
		{`{"tags":["a",7],` + rest + `}`, "/tags/1", "a tag is a string"},
		{`{"project":"p",` + rest + `}`, "/project", "must be an object"},
		{`{"project":{"environment":[]},` + rest + `}`, "/project/environment", "must be an object"},
		{`{"member":{"email":{}},` + rest + `}`, "/member/email", "must be a string"},
		{`{"title":[],` + rest + `}`, "/title", "must be a string or an object"},
	}
	for _, tt := range tests {
		t.Run(tt.event[:min(len(tt.event), 40)], func(t *testing.T) {
			_, err := hooks.NewEvent(parse(t, tt.event), options())
			var all hooks.EventErrors
			if !errors.As(err, &all) {
				t.Fatalf("error is %v, want EventErrors", err)
			}
			if all[0].Pointer != tt.pointer || !strings.Contains(all[0].Message, tt.message) {
				t.Errorf("got %q: %q, want %q: ...%s...", all[0].Pointer, all[0].Message, tt.pointer, tt.message)
			}
		})
	}
}

func TestAllErrorsAreToldAtOnce(t *testing.T) {
	_, err := hooks.NewEvent(parse(t, `{"kind":1,"id":"a b","timestamp":[]}`), options())
	var all hooks.EventErrors
	if !errors.As(err, &all) || len(all) < 4 {
		t.Errorf("got %v, want kind, id, timestamp and the missing accesses", err)
	}
}

func TestErrorsOfOneEventAreBounded(t *testing.T) {
	_, err := hooks.NewEvent(parse(t, `{"action":"x","resource":"proj/a","tags":[`+strings.Repeat("1,", 10_000)+`1]}`), options())
	var all hooks.EventErrors
	if !errors.As(err, &all) || len(all) != 100 {
		t.Errorf("%d errors", len(all))
	}
}

func TestSamplesAreCompleteEvents(t *testing.T) {
	for _, name := range schemas.SampleNames() {
		t.Run(name, func(t *testing.T) {
			data, _ := schemas.Sample(name)
			doc := parse(t, string(data))
			e, err := hooks.NewEvent(doc, options())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(plain(t, doc), plain(t, e.Doc())); diff != "" {
				t.Errorf("normalising the sample changes it (-sample +normalised):\n%s", diff)
			}
		})
	}
}

func TestEventSurvivesStorage(t *testing.T) {
	for _, name := range schemas.SampleNames() {
		data, _ := schemas.Sample(name)
		e := newEvent(t, string(data))
		stored, err := e.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var back hooks.Event
		if err := back.UnmarshalBinary(stored); err != nil {
			t.Fatal(err)
		}
		if string(back.Doc().AppendJSON(nil)) != string(e.Doc().AppendJSON(nil)) || back.Digest() != e.Digest() || back.ID() != e.ID() {
			t.Errorf("%s came back different", name)
		}
	}
}

func TestSameContentHasTheSameDigest(t *testing.T) {
	const body = `{"id":"x","action":"deleteFlag","resource":"proj/p:env/e:flag/f"}`
	later := options()
	later.Now = testNow.Add(time.Hour)
	again, err := hooks.NewEvent(parse(t, " "+body), later)
	if err != nil {
		t.Fatal(err)
	}
	reordered := newEvent(t, `{"resource":"proj/p:env/e:flag/f","action":"deleteFlag","id":"x"}`)
	if reordered.Digest() != again.Digest() {
		t.Error("the order of members changes the digest")
	}
	other := newEvent(t, strings.Replace(body, "deleteFlag", "createFlag", 1))
	if first := newEvent(t, body); first.Digest() != again.Digest() || first.Digest() == other.Digest() {
		t.Errorf("digests: first %s, sent again %s, other content %s", first.Digest(), again.Digest(), other.Digest())
	}
}

func TestNewIDsSortByTime(t *testing.T) {
	a, b := hooks.NewID(), hooks.NewID()
	if len(a) != 32 || a == b || a[:11] > b[:11] {
		t.Errorf("ids %s, %s", a, b)
	}
}
