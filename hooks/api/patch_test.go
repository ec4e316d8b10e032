package api_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flaghook/flaghook/manifest"
)

// patchBase is what each patch of the tests begins with.
const patchBase = `{"name": "sub", "tags": ["a", "b"], "config": {"base-url": "https://x.example.com", "token": "` + secret + `"},
	"statements": [{"effect": "allow", "resources": ["proj/*"], "actions": ["*"]}]}`

func TestPatch(t *testing.T) {
	masked := manifest.MaskedSecret
	config := `{"base-url":"https://x.example.com","token":"` + masked + `"}`
	statements := `[{"effect":"allow","resources":["proj/*"],"actions":["*"]}]`
	for _, test := range []struct {
		name, patch string
		// what differs from the base in the answer, as JSON
		wantName, wantConfig, wantStatements, wantOn, wantTags string
		token                                                  string // stored
	}{
		{name: "nothing", patch: `[]`},
		{name: "with a comment", patch: `{"comment": "why", "patch": [{"op":"replace","path":"/on","value":false}]}`, wantOn: "false"},
		{name: "replace", patch: `[{"op":"replace","path":"/name","value":"new <&> name"}]`, wantName: `"new <&> name"`},
		{name: "replace what is absent", patch: `[{"op":"replace","path":"/config/skip-ca-verification","value":true}]`,
			wantConfig: `{"base-url":"https://x.example.com","token":"` + masked + `","skip-ca-verification":true}`},
		{name: "remove what is absent", patch: `[{"op":"remove","path":"/config/skip-ca-verification"},{"op":"remove","path":"/tags/9"},{"op":"remove","path":"/statements/4/actions/1"}]`},
		{name: "remove statements, twice", patch: `[{"op":"remove","path":"/statements"},{"op":"remove","path":"/statements"}]`, wantStatements: "none"},
		{name: "statements null", patch: `[{"op":"replace","path":"/statements","value":null}]`, wantStatements: "none"},
		{name: "replace absent statements", patch: `[{"op":"remove","path":"/statements"},{"op":"replace","path":"/statements","value":[]}]`, wantStatements: "[]"},
		{name: "remove tags", patch: `[{"op":"remove","path":"/tags"}]`, wantTags: "[]"},
		{name: "items", patch: `[{"op":"add","path":"/tags/-","value":"z"},{"op":"add","path":"/tags/0","value":"y"},{"op":"replace","path":"/tags/1","value":"x"},{"op":"remove","path":"/tags/2"}]`,
			wantTags: `["y","x","z"]`},
		{name: "move and copy", patch: `[{"op":"move","from":"/tags/0","path":"/tags/1"},{"op":"copy","from":"/tags/0","path":"/tags/-"}]`, wantTags: `["b","a","b"]`},
		{name: "test", patch: `[{"op":"test","path":"/name","value":"sub"},{"op":"test","path":"/tags/1","value":"b"},{"op":"replace","path":"/on","value":false}]`, wantOn: "false"},
		{name: "in a statement", patch: `[{"op":"add","path":"/statements/0/actions/-","value":"updateOn"},{"op":"replace","path":"/statements/0/effect","value":"deny"}]`,
			wantStatements: `[{"effect":"deny","resources":["proj/*"],"actions":["*","updateOn"]}]`},
		{name: "swap a member for its opposite", patch: `[{"op":"remove","path":"/statements/0/actions"},{"op":"replace","path":"/statements/0/notActions","value":["updateOn"]}]`,
			wantStatements: `[{"effect":"allow","resources":["proj/*"],"notActions":["updateOn"]}]`},
		{name: "a new secret", patch: `[{"op":"replace","path":"/config/token","value":"new-secret"}]`, token: "new-secret"},
		{name: "the mask at its place", patch: `[{"op":"replace","path":"/config","value":{"token":"` + masked + `","base-url":"https://y.example.com"}}]`,
			wantConfig: `{"token":"` + masked + `","base-url":"https://y.example.com"}`},
		{name: "the mask at its place, alone", patch: `[{"op":"replace","path":"/config/token","value":"` + masked + `"}]`},
		{name: "members that an operation does not have", patch: `[{"op":"replace","path":"/on","value":false,"from":"/nowhere","x":1}]`, wantOn: "false"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := startListening(t)
			made := s.do("POST", splunkPath, patchBase).want(201)
			got := s.do("PATCH", splunkPath+"/"+made.id(), test.patch).want(200)
			or := func(want, base string) string {
				if want == "" {
					return base
				}
				return want
			}
			wantStatements := `"statements":` + or(test.wantStatements, statements) + `,`
			if test.wantStatements == "none" {
				wantStatements = ""
			}
			want := fmt.Sprintf(`"name":%s,"config":%s,%s"on":%s,"tags":%s,"_access"`,
				or(test.wantName, `"sub"`), or(test.wantConfig, config), wantStatements, or(test.wantOn, "true"), or(test.wantTags, `["a","b"]`))
			_, have, _ := strings.Cut(got.body, `"kind":"splunk",`)
			have = have[:strings.Index(have, `"_access"`)+len(`"_access"`)]
			if diff := cmp.Diff(want, have); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if again := s.do("GET", splunkPath+"/"+made.id(), ""); again.body != got.body {
				t.Errorf("read again: %s", again.body)
			}
			stored, err := s.engine.Subscription(made.id())
			if err != nil {
				t.Fatal(err)
			}
			if token := stored.Config.Get("token").AsString(); token != or(test.token, secret) {
				t.Errorf("the stored token is %q", token)
			}
		})
	}
}

func TestRefusedPatches(t *testing.T) {
	s := startListening(t)
	made := s.do("POST", splunkPath, patchBase).want(201)
	self := splunkPath + "/" + made.id()
	masked := manifest.MaskedSecret
	many := "[" + strings.Repeat(`{"op":"test","path":"/on","value":true},`, 100) + `{"op":"test","path":"/on","value":true}]`
	doubling := "[" + strings.TrimSuffix(strings.Repeat(`{"op":"copy","from":"/statements","path":"/statements/-"},`, 40), ",") + "]"
	for _, test := range []struct {
		name, patch string
		status      int
		attributes  string
	}{
		{"no patch", `{"name": "x"}`, 400, ""},
		{"a semantic patch", `{"instructions": [{"kind": "turnOn"}]}`, 400, ""},
		{"no array", `"x"`, 400, ""},
		{"too many operations", many, 400, ""},
		{"growing without end", doubling, 413, ""},
		{"no objects", `[1, null, []]`, 400, "patch[0] patch[1] patch[2]"},
		{"unknown operation", `[{"op":"merge","path":"/on"}]`, 400, "patch[0].op"},
		{"no path", `[{"op":"remove"}]`, 400, "patch[0].path"},
		{"no value", `[{"op":"add","path":"/name"},{"op":"test","path":"/name"}]`, 400, "patch[0].value patch[1].value"},
		{"no from", `[{"op":"copy","path":"/name"}]`, 400, "patch[0].from"},
		{"everything", `[{"op":"replace","path":"","value":{}}]`, 400, "patch[0].path"},
		{"read-only members", `[{"op":"replace","path":"/_id","value":"x"},{"op":"replace","path":"/kind","value":"slack"},{"op":"remove","path":"/_links/self"},{"op":"add","path":"/_status","value":{}},{"op":"test","path":"/_access","value":{}}]`,
			400, "patch[0].path patch[1].path patch[2].path patch[3].path patch[4].path"},
		{"unknown members", `[{"op":"add","path":"/colour","value":1},{"op":"add","path":"/version","value":1},{"op":"add","path":"name","value":1}]`,
			400, "patch[0].path patch[1].path patch[2].path"},
		{"bad pointers", `[{"op":"add","path":"/config/a~2b","value":1},{"op":"add","path":"/tags/01","value":"x"},{"op":"add","path":"/tags/-1","value":"x"},{"op":"add","path":"/config/a/b","value":"x"}]`,
			400, "patch[0].path patch[1].path patch[2].path patch[3].path"},
		{"no such index", `[{"op":"replace","path":"/on","value":false},{"op":"replace","path":"/tags/7","value":"x"}]`, 400, "patch[1]"},
		{"index far away", `[{"op":"add","path":"/tags/999999999","value":"x"}]`, 400, "patch[0]"},
		{"no such statement", `[{"op":"add","path":"/statements/3/effect","value":"deny"}]`, 400, "patch[0]"},
		{"nothing to copy", `[{"op":"copy","from":"/config/skip-ca-verification","path":"/on"}]`, 400, "patch[0]"},
		{"a failed test", `[{"op":"replace","path":"/on","value":false},{"op":"test","path":"/name","value":"other"}]`, 409, ""},
		{"on removed", `[{"op":"remove","path":"/on"}]`, 400, "on"},
		{"name removed", `[{"op":"remove","path":"/name"}]`, 400, "name"},
		{"config removed", `[{"op":"remove","path":"/config"}]`, 400, "config.base-url config.token"},
		{"wrong type", `[{"op":"replace","path":"/on","value":"false"}]`, 400, "on"},
		{"a bad policy", `[{"op":"replace","path":"/statements/0/resources/0","value":"proj"}]`, 400, "statements[0].resources[0]"},
		{"a secret copied", `[{"op":"copy","from":"/config/token","path":"/config/other-token"}]`, 400, "patch[0].from"},
		{"a secret moved", `[{"op":"move","from":"/config/token","path":"/name"}]`, 400, "patch[0].from"},
		{"a mask for a secret that is not there", `[{"op":"add","path":"/config/other-token","value":"` + masked + `"}]`, 400, "config.other-token"},
		{"a mask elsewhere", `[{"op":"replace","path":"/config/base-url","value":"https://x.example.com/` + masked + `"}]`, 400, "config.base-url"},
		{"a mask in the name", `[{"op":"replace","path":"/name","value":"` + masked + `"},{"op":"add","path":"/tags/0","value":"` + masked + `"}]`, 400, "name tags[0]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := s.do("PATCH", self, test.patch)
			got.t = t
			code := map[int]string{400: "invalid_request", 409: "optimistic_locking_error", 413: "request_too_large"}[test.status]
			if v := got.wantRefused(test.status, code); v.attributes() != test.attributes && test.attributes != "" {
				t.Errorf("attributes %q, want %q; body %s", v.attributes(), test.attributes, got.body)
			}
			if again := s.do("GET", self, ""); again.body != made.body {
				t.Errorf("it changed something: %s", again.body)
			}
		})
	}
}

// TestLenientPatches: LaunchDarkly's door lets members pass that there are not;
// the other says so.
func TestLenientPatches(t *testing.T) {
	s := startListening(t)
	splunk := s.do("POST", splunkPath, patchBase).want(201).id()
	hook := s.do("POST", webhooksPath, `{"url": "https://x.example.com", "sign": false, "on": true}`).want(201).id()
	const lenient = `[{"op":"remove","path":"/colour"},{"op":"replace","path":"/maintainerId","value":"x"},{"op":"replace","path":"/on","value":false}]`
	for _, path := range []string{splunkPath + "/" + splunk, webhooksPath + "/" + hook} {
		before := s.do("GET", path, "").want(200).body
		after := s.do("PATCH", path, lenient).want(200).body
		if want := strings.Replace(before, `"on":true`, `"on":false`, 1); after != want {
			t.Errorf("got  %s\nwant %s", after, want)
		}
		for _, patch := range []string{
			`[{"op":"add","path":"/colour","value":1}]`, `[{"op":"test","path":"/colour","value":1}]`, `[{"op":"remove","path":"/_id"}]`,
			`[{"op":"replace","path":"/kind","value":"x"}]`, `[{"op":"remove","path":"/colour/red"}]`, `[{"op":"remove","path":""}]`,
		} {
			if v := s.do("PATCH", path, patch).wantRefused(400, "invalid_request"); v.attributes() != "patch[0].path" {
				t.Errorf("%s: refused at %q", patch, v.attributes())
			}
		}
		s.do("PATCH", path, `[{"op":"replace","path":"/colour"}]`).wantRefused(400, "invalid_request")
	}
	s.do("PATCH", "/api/v1/subscriptions/"+splunk, lenient).wantRefused(400, "invalid_request")
}

// TestLegacyPatch: the settings that once stood beside the config.
func TestLegacyPatch(t *testing.T) {
	s := startListening(t)
	id := s.do("POST", "/api/v2/integrations/slack", `{"name":"n","config":{"url":"https://a.example.com"}}`).want(201).id()
	got := s.do("PATCH", "/api/v2/integrations/slack/"+id, `[{"op":"replace","path":"/url","value":"https://b.example.com"}]`).want(200)
	if !strings.Contains(got.body, `"config":{"url":"https://b.example.com"}`) {
		t.Errorf("got %s", got.body)
	}
}
