package manifest_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flaghook/flaghook/manifest"
)

// A prepared config gives the requests and the errors that the config itself
// does, whatever URL and headers are made of.
func TestPrepared(t *testing.T) {
	for _, template := range []string{
		"{{path}}", "fixed", "{{none}}", "{{context.key}}", "{{#each context.list}}{{path}}{{this}}{{/each}}", "{{oauth.accessToken}}",
		"{{delivery.id}}", "{{json @root.context.list}}", "{{#with this}}{{path}}{{/with}}", "{{#each this}}{{@key}} {{/each}}",
		"{{lookup this 'context'}}", "{{formatTime path 'date'}}", "{{#if path}}{{secret}}{{/if}}",
	} {
		hook := `{"endpoint": {"url": "https://a.example/{{path}}", "method": "POST", "headers": [
			{"name": "X-A", "value": "` + strings.ReplaceAll(template, `"`, `\"`) + `"}, {"name": "X-B", "value": " {{path}}", "omitEmpty": true}],
			"hmacSignature": {"headerName": "X-Sig", "hmacSecretFormVariableKey": "secret"}}, "templates": {"default": "a.txt"}}`
		i := mustLoad(t, files("manifest.json", hookWith(hook, variables), "a.txt", "{{formVariables.path}}"))
		for _, config := range []string{`{}`, `{"path": "", "secret": "s"}`, `{"path": "a b", "secret": "s", "context": 1, "old": {}}`} {
			for _, in := range []manifest.RenderInput{
				{}, {OAuth: parse(t, `{"accessToken": "t"}`), Delivery: manifest.Delivery{ID: "d", Attempt: 2}}, {Strict: true},
				{PreviousConfig: parse(t, `{"secret": "before"}`)},
			} {
				plain, prepared := in, in
				plain.Config, prepared.Prepared = parse(t, config), i.Prepare(parse(t, config))
				if diff := cmp.Diff(outcome(t, i, plain), outcome(t, i, prepared)); diff != "" {
					t.Errorf("%s with %s (-plain +prepared):\n%s", template, config, diff)
				}
			}
		}
	}
}

// outcome is what becomes of an event, twice: the second time must not differ.
func outcome(t *testing.T, i *manifest.Integration, in manifest.RenderInput) string {
	t.Helper()
	var texts [2]string
	for n := range texts {
		if out, err := i.Render(event(t, sampleContext), in); err != nil {
			texts[n] = fmt.Sprint("error: ", err)
		} else {
			texts[n] = text(out)
		}
	}
	if texts[0] != texts[1] {
		t.Errorf("first %s, then %s", texts[0], texts[1])
	}
	return texts[0]
}

// What a fixed template gives is not rendered anew for each event, but names
// that it lacks are still told.
func TestPreparedTellsMissingNames(t *testing.T) {
	i := mustLoad(t, files("manifest.json", hookWith(`{"endpoint": {"url": "https://a.example/{{none}}", "method": "POST"}, "templates": {"default": "a.txt"}}`, ""), "a.txt", "x"))
	in := manifest.RenderInput{Prepared: i.Prepare(parse(t, `{}`))}
	if out, err := i.Render(event(t, sampleContext), in); err != nil || out.Request.URL != "https://a.example/" {
		t.Error(out, err)
	}
	in.Strict = true
	if _, err := i.Render(event(t, sampleContext), in); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("strict: %v", err)
	}
}
