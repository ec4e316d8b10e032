package render_test

import (
	"encoding/json"
	"strings"
	"testing"
	"text/template"

	"github.com/aymerick/raymond"
	"github.com/flaghook/flaghook/render"
)

const datadogTemplate = `{
  "title": "{{{title.plainText}}}",
  "text": "%%% \n {{{title.markdown}}}{{#if details.markdown}}\n\n{{{details.markdown}}}{{/if}}{{#if comment}}\n> {{{comment}}}{{/if}} \n %%%",
  "date_happened": {{timestamp.seconds}},
  "source_type_name": "flaghook",
  "tags": [
    "project:{{{project.key}}}",
    {{#if project.environment}}"environment:{{{project.environment.key}}}",{{/if}}
    {{#each tags}}
    "tag:{{{this}}}",
    {{/each}}
    {{#each customProperties}}
    "{{{@key}}}:{{#each value}}{{{this}}}{{#unless @last}},{{/unless}}{{/each}}",
    {{/each}}
    "kind:{{kind}}"
  ]
}
`

const datadogContext = `{"_id":"5e1","kind":"flag","name":"Checkout \"v2\"","key":"checkout-v2","verbKind":"updateOn",
"timestamp":{"milliseconds":1580777685229,"seconds":1580777685,"rfc3339":"2020-02-04T00:54:45Z","simple":"2020-02-04 00:54:45"},
"title":{"plainText":"Ada Lovelace turned on the flag Checkout \"v2\" in 'Production'",
"markdown":"[Ada Lovelace](mailto:ada@example.com) turned on the flag [Checkout \"v2\"](https://example.com/web/production/features/checkout-v2) in 'Production'"},
"details":{"plainText":"Turned targeting on\nUpdated the default rule","markdown":"* Turned targeting on\n* Updated the ` + "`default`" + ` rule\n"},
"comment":"As agreed <today>\nsee OPS-1","titleVerb":"turned on the flag",
"project":{"key":"web","name":"Web","tags":["shop"],"environment":{"key":"production","name":"Production","tags":["critical"]}},
"tags":["payments","q3"],"customProperties":{"jira":{"name":"Jira","value":["OPS-1","OPS-2"]},"owner":{"name":"Owner","value":["team-a"]}},
"member":{"email":"ada@example.com","firstName":"Ada"},"formVariables":{"apiKey":"k"}}`

const datadogGoTemplate = `{
  "title": "{{js .title.plainText}}",
  "text": "%%% \n {{js .title.markdown}}{{if .details.markdown}}\n\n{{js .details.markdown}}{{end}}{{if .comment}}\n> {{js .comment}}{{end}} \n %%%",
  "date_happened": {{printf "%.0f" .timestamp.seconds}},
  "source_type_name": "flaghook",
  "tags": [
    "project:{{js .project.key}}",
    {{if .project.environment}}"environment:{{js .project.environment.key}}",{{end}}
    {{range .tags}}
    "tag:{{js .}}",
    {{end}}
    {{range $key, $value := .customProperties}}
    "{{$key}}:{{range $i, $v := $value.value}}{{if $i}},{{end}}{{js $v}}{{end}}",
    {{end}}
    "kind:{{js .kind}}"
  ]
}
`

// BenchmarkDatadog renders a body like that of a Datadog event with this package, with raymond's own evaluator and
// with text/template. raymond has the easier task: it does not escape for JSON.
func BenchmarkDatadog(b *testing.B) {
	b.Run("flaghook", func(b *testing.B) {
		tpl, err := render.Compile(datadogTemplate, render.Options{Escape: render.EscapeJSON})
		if err != nil {
			b.Fatal(err)
		}
		context := parse(b, datadogContext)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := tpl.Render(context); err != nil {
				b.Fatal(err)
			}
		}
	})
	var context map[string]any
	if err := json.Unmarshal([]byte(datadogContext), &context); err != nil {
		b.Fatal(err)
	}
	b.Run("raymond", func(b *testing.B) {
		tpl := raymond.MustParse(datadogTemplate)
		b.ReportAllocs()
		for b.Loop() {
			if _, err := tpl.Exec(context); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("text-template", func(b *testing.B) {
		tpl := template.Must(template.New("").Parse(datadogGoTemplate))
		b.ReportAllocs()
		for b.Loop() {
			var out strings.Builder
			if err := tpl.Execute(&out, context); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkCompile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := render.Compile(datadogTemplate, render.Options{Escape: render.EscapeJSON}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParseJSON(b *testing.B) {
	b.SetBytes(int64(len(datadogContext)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := render.ParseJSON([]byte(datadogContext)); err != nil {
			b.Fatal(err)
		}
	}
}
