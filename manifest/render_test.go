package manifest_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/render"
	"github.com/google/go-cmp/cmp"
)

const sampleContext = `{"kind": "flag", "key": "checkout", "name": "Check \"out\" & <pay>", "title": {"plainText": "Ada turned on it"}, "list": [1, 2]}`

// event is a flag event; the standard shapes tell themselves apart.
func event(t testing.TB, context string) *manifest.Event {
	t.Helper()
	v := parse(t, context)
	shape := func(name string) func(render.Value) []byte {
		return func(render.Value) []byte { return []byte(`{"shape":"` + name + ` <&>"}`) }
	}
	return manifest.NewEvent(v, shape("webhook"), shape("standard"))
}

// text writes a request as HTTP would, with the signature's spec.
func text(out *manifest.Rendered) string {
	if out.Request == nil {
		return "skipped: " + out.Skipped
	}
	var b strings.Builder
	r := out.Request
	fmt.Fprintf(&b, "%s %s\n", r.Method, r.URL)
	for _, h := range r.Headers {
		fmt.Fprintf(&b, "%s: %s\n", h.Name, h.Value)
	}
	for _, s := range r.Signatures {
		fmt.Fprintf(&b, "[%s by %s]\n", s.Header, strings.Join(s.Secrets, " and "))
	}
	fmt.Fprintf(&b, "\n%s", r.Body)
	return b.String()
}

const endpoint = `"endpoint": {"url": "https://acme.example/{{path}}?k={{context.key}}&t={{{oauth.accessToken}}}", "method": "PUT",
  "headers": [{"name": "X-Name", "value": "{{context.name}}"}, {"name": "X-Empty", "value": "{{none}}"}],
  "hmacSignature": {"headerName": "X-Sig", "hmacSecretFormVariableKey": "secret"}}`

const variables = `"formVariables": [
  {"key": "path", "name": "P", "type": "string", "description": "Path.", "isOptional": true, "defaultValue": "in"},
  {"key": "secret", "name": "S", "type": "string", "description": "Secret.", "isSecret": true, "isOptional": true, "defaultValue": ""}]`

func TestRender(t *testing.T) {
	const bodies = `"templates": {"flag": "flag.json.hbs", "default": "default.txt.hbs", "validation": "validation.html.hbs", "empty": "empty.hbs"}`
	const head = "PUT https://acme.example/in?k=checkout&t=\nX-Name: Check \"out\" & <pay>\nX-Empty: \n"
	for _, c := range []struct {
		name, hook string
		context    string
		in         manifest.RenderInput
		want       string
		template   string
	}{
		{name: "kind", hook: bodies, want: head + "Content-Type: application/json\n\n" + `{"name": "Check \"out\" & <pay>", "path": "in"}`, template: "flag"},
		{name: "default", hook: bodies, context: `{"kind": "segment", "key": "a b", "name": ""}`,
			want: "PUT https://acme.example/in?k=a b&t=\nX-Name: \nX-Empty: \nContent-Type: text/plain; charset=utf-8\n\nsegment a b", template: "default"},
		{name: "validation", hook: bodies, in: manifest.RenderInput{Validation: true},
			want: head + "Content-Type: text/html; charset=utf-8\n\n<b>Check &quot;out&quot; &amp; &lt;pay&gt;</b>", template: "validation"},
		{name: "validation without a template", hook: `"templates": {"flag": "flag.json.hbs"}`, in: manifest.RenderInput{Validation: true},
			want: head + "Content-Type: application/json\n\n" + `{"name": "Check \"out\" & <pay>", "path": "in"}`, template: "flag"},
		{name: "an event called validation", hook: bodies, context: `{"kind": "validation", "key": "x", "name": "x"}`,
			want: "PUT https://acme.example/in?k=x&t=\nX-Name: x\nX-Empty: \nContent-Type: text/plain; charset=utf-8\n\nvalidation x", template: "default"},
		{name: "forced", hook: bodies, in: manifest.RenderInput{Template: "default"}, want: head + "Content-Type: text/plain; charset=utf-8\n\nflag checkout", template: "default"},
		{name: "forced on standard", hook: `"templates": {}`, in: manifest.RenderInput{Template: "flag"}, want: head + "Content-Type: application/json\n\n" + `{"shape":"standard <&>"}`},
		{name: "none fits", hook: `"templates": {"project": "flag.json.hbs"}`, want: `skipped: no template for events of the kind "flag" and no default template`},
		{name: "white space only", hook: bodies, in: manifest.RenderInput{Template: "empty"}, want: "skipped: the body is empty", template: "empty"},
		{name: "standard", hook: `"templates": {}`, want: head + "Content-Type: application/json\n\n" + `{"shape":"standard <&>"}`},
		{name: "webhook", hook: `"templates": {}, "useStandardWebhookPayload": true`, want: head + "Content-Type: application/json\n\n" + `{"shape":"webhook <&>"}`},
		{name: "webhook, validation", hook: `"templates": {}, "useStandardWebhookPayload": true`, in: manifest.RenderInput{Validation: true},
			want: head + "Content-Type: application/json\n\n" + `{"shape":"webhook <&>"}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := mustLoad(t, files("manifest.json", hookWith("{"+endpoint+", "+c.hook+"}", variables),
				"flag.json.hbs", `{"name": "{{{name}}}", "path": "{{formVariables.path}}"}`, "default.txt.hbs", `{{kind}} {{key}}`,
				"validation.html.hbs", `<b>{{name}}</b>`, "empty.hbs", " \n{{none}}\t"))
			if c.context == "" {
				c.context = sampleContext
			}
			out, err := i.Render(event(t, c.context), c.in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, text(out)); diff != "" {
				t.Error(diff)
			}
			if out.Template != c.template {
				t.Errorf("template %q", out.Template)
			}
		})
	}
}

func TestRenderConfig(t *testing.T) {
	i := mustLoad(t, files("manifest.json", hookWith("{"+endpoint+`, "templates": {"default": "a.txt"}}`, variables),
		"a.txt", "{{#each formVariables}}{{@key}}={{this}};{{/each}}"))
	render1 := func(config string) string {
		out, err := i.Render(event(t, sampleContext), manifest.RenderInput{Config: parse(t, config),
			OAuth: parse(t, `{"accessToken": "t&t"}`)})
		if err != nil {
			t.Fatal(err)
		}
		return text(out)
	}
	const rest = "X-Name: Check \"out\" & <pay>\nX-Empty: \nContent-Type: text/plain; charset=utf-8\n"
	for config, want := range map[string]string{
		`{}`:                            "PUT https://acme.example/in?k=checkout&t=t&t\n" + rest + "\npath=in;secret=;",
		`{"secret": "s", "path": null}`: "PUT https://acme.example/in?k=checkout&t=t&t\n" + rest + "[X-Sig by s]\n\npath=in;secret=s;",
		`{"old": "o", "secret": "", "path": "a&b"}`: "PUT https://acme.example/a&b?k=checkout&t=t&t\n" + rest + "\npath=a&amp;b;secret=;old=o;",
	} {
		if diff := cmp.Diff(want, render1(config)); diff != "" {
			t.Errorf("%s: %s", config, diff)
		}
	}
}

func TestContentType(t *testing.T) {
	for file, want := range map[string]string{
		"a.json": "application/json", "a.JSON.hbs": "application/json", "a.html": "text/html; charset=utf-8",
		"a.html.hbs": "text/html; charset=utf-8", "a.hbs": "text/plain; charset=utf-8", "json": "text/plain; charset=utf-8",
	} {
		i := mustLoad(t, files("manifest.json", hookWith(`{"endpoint": {"url": "https://a.example", "method": "POST"}, "templates": {"default": "`+file+`"}}`, ""), file, "x"))
		out, err := i.Render(event(t, sampleContext), manifest.RenderInput{})
		if err != nil {
			t.Fatal(err)
		}
		if got := out.Request.Headers; len(got) != 1 || got[0] != (manifest.Header{Name: "Content-Type", Value: want}) {
			t.Errorf("%s: %v", file, got)
		}
	}
	i := mustLoad(t, files("manifest.json", hookWith(`{"endpoint": {"url": "https://a.example", "method": "POST",
		"headers": [{"name": "content-type", "value": "application/cloudevents+json"}]}, "templates": {"default": "a.json"}}`, ""), "a.json", "1"))
	out, err := i.Render(event(t, sampleContext), manifest.RenderInput{})
	if err != nil || len(out.Request.Headers) != 1 {
		t.Errorf("%v %v", out, err)
	}
}

func TestRenderWithoutEndpoint(t *testing.T) {
	i := mustLoad(t, files("manifest.json", hookWith(`{"deliveryMethod": "custom", "templates": {"default": "a.json"}}`, ""), "a.json", `{{{key}}}`))
	out, err := i.Render(event(t, sampleContext), manifest.RenderInput{})
	if err != nil {
		t.Fatal(err)
	}
	if got := text(out); got != " \nContent-Type: application/json\n\ncheckout" {
		t.Errorf("%q", got)
	}
	if i.Subscribable() == nil {
		t.Error("it can be subscribed")
	}
	i = mustLoad(t, files("manifest.json", manifestWith(`"otherCapabilities": ["webhooks"]`)))
	if _, err := i.Render(event(t, sampleContext), manifest.RenderInput{}); err == nil || i.Subscribable() == nil || i.DefaultStatements() != nil {
		t.Error("it has no hook")
	}
}

func TestRenderErrors(t *testing.T) {
	i := mustLoad(t, files("manifest.json", hookWith(`{"endpoint": {"url": "https://a.example/{{path}}", "method": "POST", "headers": [{"name": "X-A", "value": "{{nothing}}"}]},
		"templates": {"flag": "templates/a.json", "default": "templates/a.json"}}`, variables), "templates/a.json", "{\n{{ missing }}\n}"))
	_, err := i.Render(event(t, sampleContext), manifest.RenderInput{Template: "flagg"})
	if err == nil || err.Error() != `acme has no template "flagg"; it has "default" and "flag"` {
		t.Error(err)
	}
	_, err = i.Render(event(t, sampleContext), manifest.RenderInput{Strict: true})
	var at *render.Error
	if !errors.As(err, &at) || at.Name != "templates/a.json" || at.Line != 2 {
		t.Errorf("%v", err)
	}
	var missing []string
	out, err := i.Render(event(t, sampleContext), manifest.RenderInput{OnMissing: func(file string, m render.Missing) {
		missing = append(missing, fmt.Sprintf("%s:%d %s", file, m.Line, m.Name))
	}})
	if err != nil || out.Request == nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"templates/a.json:2 missing", "manifest.json (header X-A):1 nothing"}, missing); diff != "" {
		t.Error(diff)
	}
}

// TestShared renders one event for two subscriptions. What a subscription can
// change must not be shared, whichever way a template gets at it.
func TestShared(t *testing.T) {
	for template, shared := range map[string]bool{
		`{{key}} {{title.plainText}}`:                                                           true,
		`{{#each list}}{{this}}{{/each}}`:                                                       true,
		`{{formVariables.path}}`:                                                                false,
		`{{#each list}}{{formVariables.path}}{{/each}}`:                                         false,
		`{{oauth.accessToken}}`:                                                                 false,
		`{{json this}}`:                                                                         false,
		`{{json @root}}`:                                                                        false,
		`{{#each this}}{{@key}}{{json this}}{{/each}}`:                                          false,
		`{{#each @root}}{{json this}}{{/each}}`:                                                 false,
		`{{lookup (lookup this "formVariables") "path"}}`:                                       false,
		`{{#with this}}{{#with formVariables}}{{path}}{{/with}}{{/with}}`:                       false,
		`{{#each list}}{{#with ../this}}{{json this}}{{/with}}{{/each}}`:                        false,
		`{{#if formVariables.path}}{{formVariables.path}}{{/if}}`:                               false,
		`{{#each list as |x|}}{{#with @root as |r|}}{{r.formVariables.path}}{{/with}}{{/each}}`: false,
	} {
		i := mustLoad(t, files("manifest.json", hookWith(`{"endpoint": {"url": "https://a.example/{{path}}", "method": "POST"}, "templates": {"default": "a.txt"}}`, variables), "a.txt", template))
		e := event(t, sampleContext)
		var bodies []string
		var arrays []*byte
		for _, path := range []string{"one", "two"} {
			out, err := i.Render(e, manifest.RenderInput{Config: parse(t, `{"path": "`+path+`"}`), OAuth: parse(t, `{"accessToken": "`+path+`"}`)})
			if err != nil {
				t.Fatalf("%s: %v", template, err)
			}
			if want := "https://a.example/" + path; out.Request.URL != want {
				t.Errorf("%s: URL %s", template, out.Request.URL)
			}
			bodies = append(bodies, string(out.Request.Body))
			arrays = append(arrays, &out.Request.Body[0])
		}
		if (bodies[0] == bodies[1]) != shared {
			t.Errorf("%s: %q and %q", template, bodies[0], bodies[1])
		}
		if shared != (arrays[0] == arrays[1]) {
			t.Errorf("%s: rendered once: %v, want %v", template, arrays[0] == arrays[1], shared)
		}
	}
}

func TestConcurrentRender(t *testing.T) {
	i := mustLoad(t, files("manifest.json", hookWith(`{"endpoint": {"url": "https://a.example/{{path}}", "method": "POST"}, "templates": {"flag": "a.txt", "default": "b.txt"}}`, variables),
		"a.txt", "{{key}}", "b.txt", "{{key}} {{formVariables.path}}"))
	plain := mustLoad(t, files("manifest.json", hookWith(`{"endpoint": {"url": "https://a.example", "method": "POST"}, "templates": {}}`, "")))
	var asked atomic.Int32
	e := manifest.NewEvent(parse(t, sampleContext), nil, func(render.Value) []byte {
		asked.Add(1)
		return []byte("{}")
	})
	var wg sync.WaitGroup
	for n := range 50 {
		wg.Go(func() {
			path := fmt.Sprint(n)
			for template, want := range map[string]string{"flag": "checkout", "default": "checkout " + path} {
				out, err := i.Render(e, manifest.RenderInput{Template: template, Config: parse(t, `{"path": "`+path+`"}`)})
				if err != nil || string(out.Request.Body) != want || out.Request.URL != "https://a.example/"+path {
					t.Error(out, err)
				}
			}
			if out, err := plain.Render(e, manifest.RenderInput{}); err != nil || string(out.Request.Body) != "{}" {
				t.Error(out, err)
			}
		})
	}
	wg.Wait()
	if n := asked.Load(); n != 1 {
		t.Errorf("the standard shape was made %d times", n)
	}
}

func BenchmarkRenderShared(b *testing.B) {
	i := mustLoad(b, files("manifest.json", hookWith("{"+endpoint+`, "templates": {"default": "a.json"}}`, variables), "a.json", `{"text": "{{{title.plainText}}}"}`))
	e := event(b, sampleContext)
	in := manifest.RenderInput{Config: parse(b, `{"secret": "s"}`)}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := i.Render(e, in); err != nil {
			b.Fatal(err)
		}
	}
}
