package manifest_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flaghook/flaghook/manifest"
)

// URL and header values see the delivery, in any block, and helpers take it as
// any other value.
func TestDeliveryInTemplates(t *testing.T) {
	for _, c := range []struct{ template, want string }{
		{"{{delivery.id}}/{{delivery.attempt}}", "a+b/2"},
		{"{{queryEncode delivery.id}}", "a%2Bb"},
		{"{{#each context.list}}{{delivery.attempt}}{{this}},{{/each}}", "21,22,"},
		{"{{#with context.title}}{{delivery.id}}{{/with}}", "a+b"},
		{"{{#equal delivery.attempt 2}}again{{else}}first{{/equal}}", "again"},
		{"{{json delivery}}", `{"id":"a+b","attempt":2}`},
		{"{{lookup delivery 'id'}}{{@root.delivery.attempt}}", "a+b2"},
	} {
		i := mustLoad(t, files("manifest.json", hookWith(`{"endpoint": {"url": "https://a.example/{{context.key}}", "method": "POST",
			"headers": [{"name": "X-A", "value": "`+strings.ReplaceAll(c.template, `"`, `\"`)+`"}]}, "templates": {"default": "a.txt"}}`, variables), "a.txt", "x{{delivery.id}}"))
		out, err := i.Render(event(t, sampleContext), manifest.RenderInput{Delivery: manifest.Delivery{ID: "a+b", Attempt: 2}})
		if err != nil {
			t.Fatal(err)
		}
		if got := out.Request.Headers[0].Value; got != c.want {
			t.Errorf("%s: %q, want %q", c.template, got, c.want)
		}
		if body := string(out.Request.Body); body != "x" {
			t.Errorf("the body saw the delivery: %q", body)
		}
	}
}

// Without a delivery its members are missing, which strict rendering reports.
func TestNoDelivery(t *testing.T) {
	i := mustLoad(t, files("manifest.json", hookWith(`{"endpoint": {"url": "https://a.example/{{delivery.id}}", "method": "POST"}, "templates": {"default": "a.txt"}}`, ""), "a.txt", "x"))
	if out, err := i.Render(event(t, sampleContext), manifest.RenderInput{}); err != nil || out.Request.URL != "https://a.example/" {
		t.Errorf("%v %v", out, err)
	}
	if _, err := i.Render(event(t, sampleContext), manifest.RenderInput{Strict: true}); err == nil || !strings.Contains(err.Error(), "delivery.id") {
		t.Errorf("%v", err)
	}
}

func TestOmitEmpty(t *testing.T) {
	i := mustLoad(t, files("manifest.json", hookWith(`{"endpoint": {"url": "https://a.example/", "method": "POST", "headers": [
		{"name": "X-Sent", "value": "{{path}}"}, {"name": "X-Omitted", "value": " {{path}} ", "omitEmpty": true},
		{"name": "X-Kept", "value": "{{context.key}}", "omitEmpty": true}, {"name": "Content-Type", "value": "{{path}}", "omitEmpty": true}
	]}, "templates": {"default": "a.txt"}}`, variables), "a.txt", "x"))
	for path, want := range map[string][]manifest.Header{
		"": {{Name: "X-Sent", Value: ""}, {Name: "X-Kept", Value: "checkout"}, {Name: "Content-Type", Value: "text/plain; charset=utf-8"}},
		"p": {{Name: "X-Sent", Value: "p"}, {Name: "X-Omitted", Value: " p "}, {Name: "X-Kept", Value: "checkout"},
			{Name: "Content-Type", Value: "p"}},
	} {
		r := rendered(t, i, `{"path": "`+path+`"}`, "")
		if diff := cmp.Diff(want, r.Headers); diff != "" {
			t.Errorf("path %q: %s", path, diff)
		}
	}
	if got := i.Hook().Endpoint.Headers[1]; got != (manifest.EndpointHeader{Name: "X-Omitted", Value: " {{path}} ", OmitEmpty: true}) {
		t.Errorf("%+v", got)
	}
}
