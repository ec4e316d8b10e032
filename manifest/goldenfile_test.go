package manifest_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/render"
)

// What a golden is written as is read back to the byte, whatever the body is.
func TestGoldenKeepsEveryByte(t *testing.T) {
	body := rapid.OneOf(
		rapid.String(),
		rapid.SampledFrom([]string{
			"", "{}", "{}\n", " {}", "[1,\t2]\r\n \n", "{\"a\" : 1e5,\n\"a\":\"\\u0041\u2028\"}", "{} {}", "[", "null", `"text"`, "a=1&b=%20\n", "{\"a\":1}\n\x00",
			`{"body":{"bodyEnd":"x"}}`, "  ",
		}),
	)
	rapid.Check(t, func(rt *rapid.T) {
		text := rapid.StringMatching(`[ -~é\n]{0,20}`)
		want := &manifest.Golden{
			Sample:        "flag-on",
			Template:      text.Draw(rt, "template"),
			FormVariables: render.Object(render.Member{Key: "k", Value: render.String(text.Draw(rt, "value"))}),
			Outcome: &manifest.Outcome{Request: &manifest.Request{
				Method: "POST", URL: "https://example.com/" + text.Draw(rt, "path"), Body: []byte(body.Draw(rt, "body")),
				Headers: []manifest.Header{{Name: "X-A", Value: text.Draw(rt, "header")}, {Name: "X-B"}},
			}},
		}
		data, err := want.Format()
		if err != nil {
			rt.Fatal(err)
		}
		got, err := manifest.ParseGolden(data)
		if err != nil {
			rt.Fatalf("%v\n%s", err, data)
		}
		if !got.Outcome.Equal(want.Outcome) || got.Template != want.Template || !got.FormVariables.Equal(want.FormVariables) {
			rt.Fatalf("read back as %s", cmp.Diff(want.Outcome, got.Outcome))
		}
		again, err := got.Format()
		if err != nil || string(again) != string(data) {
			rt.Fatalf("written again (%v) it differs: %s", err, cmp.Diff(string(data), string(again)))
		}
		if text := got.Outcome.Text(); !utf8.ValidString(text) || !strings.Contains(text, string(want.Outcome.Request.Body)) {
			rt.Fatalf("shown as %q", text)
		}
	})
}

func TestGoldenFormat(t *testing.T) {
	g := &manifest.Golden{
		Event:         render.Object(render.Member{Key: "action", Value: render.String("a")}),
		FormVariables: render.Value{},
		OAuth:         render.Object(),
		Outcome:       &manifest.Outcome{Reason: "the body is empty"},
	}
	data, err := g.Format()
	if err != nil {
		t.Fatal(err)
	}
	want := `{
  "event": {
    "action": "a"
  },
  "formVariables": {},
  "oauth": {},
  "request": null,
  "reason": "the body is empty"
}
`
	if diff := cmp.Diff(want, string(data)); diff != "" {
		t.Error(diff)
	}
	read, err := manifest.ParseGolden(data)
	if err != nil || !read.Outcome.Equal(g.Outcome) || read.Outcome.Text() != "nothing is sent: the body is empty\n" {
		t.Errorf("read back as %v (%v)", read, err)
	}
	g.Outcome = &manifest.Outcome{Request: &manifest.Request{Body: []byte("\xff")}}
	if _, err := g.Format(); err == nil {
		t.Error("a body that is not UTF-8 is written")
	}
}

// A golden holds the signatures, and those that depend on the time are always of
// the same one.
func TestGoldenIsSigned(t *testing.T) {
	g := &manifest.Golden{Sample: "flag-on", FormVariables: parse(t, `{"secret": "Jefe", "standard": "whsec_bmV3"}`)}
	out, err := g.Run(signing(t), event(t, sampleContext))
	if err != nil {
		t.Fatal(err)
	}
	want := `POST https://acme.example/in
Content-Type: text/plain; charset=utf-8
X-Sum: sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843
webhook-id: 00000000000000000000000000000000
webhook-timestamp: 1769860800
`
	if text := out.Text(); !strings.HasPrefix(text, want+"webhook-signature: v1,") {
		t.Error(cmp.Diff(want, text))
	}
	if again, err := g.Run(signing(t), event(t, sampleContext)); err != nil || !again.Equal(out) || out.Request.Signatures != nil {
		t.Errorf("%v %v", again, err)
	}
}

func TestParseGoldenRefuses(t *testing.T) {
	for text, want := range map[string]string{
		`{`:                                     "line 1, column 2",
		`{"sample": "flag-on", "formvars": {}}`: `unknown field "formvars"`,
		`{}`:                                    `either "sample", a name, or "event", an object`,
		`{"sample": "flag-on", "event": {}}`:    `either "sample", a name, or "event", an object`,
		`{"sample": "flag-on", "request": {"body": 7}}`:             "a JSON object, a JSON list or a string",
		`{"sample": "flag-on", "request": {"body": "", "verb": 1}}`: `request: json: unknown field "verb"`,
		`{"sample": "flag-on", "request": {}}`:                      "a JSON object, a JSON list or a string",
	} {
		if _, err := manifest.ParseGolden([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %s", text, err, want)
		}
	}
	g, err := manifest.ParseGolden([]byte(`{"sample": "flag-onn"}`))
	if err != nil || g.Outcome != nil {
		t.Fatalf("a golden that is not recorded: %v (%v)", g, err)
	}
	if _, err := g.Document(); err == nil || !strings.Contains(err.Error(), `did you mean "flag-on"`) {
		t.Errorf("a sample that is none: %v", err)
	}
	if g.Outcome.Equal(nil) || g.Outcome.Text() != "" {
		t.Error("an outcome that is not recorded equals something")
	}
}

// Example makes a config that could be saved, for every type of variable.
func TestExampleIsAConfig(t *testing.T) {
	i, findings := manifest.LoadFolder(files("manifest.json", manifestWith(`"formVariables": [
		{"key": "base-url", "name": "N", "type": "string", "description": "D."},
		{"key": "u", "name": "N", "type": "uri", "description": "D."},
		{"key": "e", "name": "N", "type": "enum", "description": "D.", "allowedValues": ["first", "second"]},
		{"key": "b", "name": "N", "type": "boolean", "description": "D."},
		{"key": "m", "name": "N", "type": "multiselect", "description": "D.", "multiselectOptions": [{"label": "L", "value": "v"}]},
		{"key": "o", "name": "N", "type": "string", "description": "D.", "isOptional": true, "defaultValue": ""}
	], "capabilities": {"auditLogEventsHook": {"endpoint": {"url": "{{ base-url }}/in?{{u}}{{e}}{{b}}{{m}}{{o}}", "method": "POST"}, "templates": {}}}`)), "acme")
	if i == nil {
		t.Fatal(findings)
	}
	example := i.Example()
	if err := i.CheckConfig(example); err != nil {
		t.Errorf("%s: %v", example.AppendJSON(nil), err)
	}
	want := `{"base-url":"https://example.com","u":"https://example.com/hook","e":"first","b":true,"m":["v"]}`
	if diff := cmp.Diff(want, string(example.AppendJSON(nil))); diff != "" {
		t.Error(diff)
	}
}
