package manifest_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/flaghook/flaghook/manifest"
)

// BenchmarkLoad and BenchmarkLint read the catalog of this repository, six folders.
func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		manifest.Load(os.DirFS("../integrations"))
	}
}

func BenchmarkLint(b *testing.B) {
	for b.Loop() {
		manifest.Lint(os.DirFS("../integrations"), manifest.LintOptions{})
	}
}

// BenchmarkRender measures a delivery whose body is made already, for the first
// subscription: what remains is the address, its headers and how to sign.
func BenchmarkRender(b *testing.B) {
	const hook = `"templates": {"flag": "flag.json.hbs"}`
	const benchVariables = `"formVariables": [{"key": "url", "name": "U", "type": "uri", "description": "Where to."},
		{"key": "secret", "name": "S", "type": "string", "description": "Secret.", "isSecret": true}]`
	for _, c := range []struct{ name, endpoint string }{
		{"variables", `"endpoint": {"url": "{{url}}", "method": "POST", "headers": [{"name": "Authorization", "value": "Bearer {{secret}}"}],
			"hmacSignature": {"headerName": "X-Sig", "hmacSecretFormVariableKey": "secret"}}`},
		{"event", `"endpoint": {"url": "{{url}}/{{context.key}}", "method": "POST", "headers": [{"name": "Authorization", "value": "Bearer {{secret}}"},
			{"name": "X-Delivery", "value": "{{delivery.id}}"}], "hmacSignature": {"headerName": "X-Sig", "hmacSecretFormVariableKey": "secret"}}`},
	} {
		b.Run(c.name, func(b *testing.B) {
			i := mustLoad(b, files("manifest.json", hookWith("{"+c.endpoint+", "+hook+"}", benchVariables), "flag.json.hbs", `{"key": "{{{key}}}"}`))
			e := event(b, sampleContext)
			in := manifest.RenderInput{Delivery: manifest.Delivery{ID: "d1", Attempt: 1},
				Prepared: i.Prepare(parse(b, `{"url": "https://acme.example/in", "secret": "s"}`))}
			b.ReportAllocs()
			for b.Loop() {
				out, err := i.Render(e, in)
				if err != nil || out.Request == nil {
					b.Fatal(out, err)
				}
			}
		})
	}
}

// BenchmarkSign measures the signatures of one attempt, over a body of 1 KiB.
func BenchmarkSign(b *testing.B) {
	for name, hook := range map[string]string{
		"hmac":     `"hmacSignature": {"headerName": "X-Sum", "hmacSecretFormVariableKey": "secret"}`,
		"standard": `"standardWebhooks": {"secretFormVariableKey": "secret"}`,
	} {
		b.Run(name, func(b *testing.B) {
			i := mustLoad(b, files("manifest.json", hookWith(`{"endpoint": {"url": "https://acme.example/in", "method": "POST", `+hook+`}, "templates": {"default": "body.txt"}}`,
				signingVariables), "body.txt", strings.Repeat("x", 1<<10)))
			in := manifest.RenderInput{Prepared: i.Prepare(parse(b, `{"secret": "whsec_MDEyMzQ1Njc4OWFiY2RlZg=="}`))}
			out, err := i.Render(event(b, sampleContext), in)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := out.Request.Check(); err != nil {
					b.Fatal(err)
				}
				out.Request.Sign("d1", time.Unix(1580777685, 0))
			}
		})
	}
}
