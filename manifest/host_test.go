package manifest_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/flaghook/flaghook/manifest"
)

// TestFixedHost: error responses may be shown only where no admin can point the
// request at a host of their choice.
func TestFixedHost(t *testing.T) {
	const variables = `"formVariables": [
		{"key": "site", "name": "S", "type": "enum", "description": "S.", "allowedValues": ["https://eu.example", "eu"]},
		{"key": "text", "name": "T", "type": "string", "description": "T."},
		{"key": "url", "name": "U", "type": "uri", "description": "U."}]`
	for url, fixed := range map[string]bool{
		"https://a.example":                                          true,
		"https://a.example/{{text}}":                                 true,
		"https://a.example?q={{text}}":                               true,
		"https://a.example#{{text}}":                                 true,
		"{{site}}/api/{{text}}":                                      true,
		"{{{ site }}}/api":                                           true,
		"https://{{site}}.a.example/{{text}}":                        true,
		"https://{{~#if text~}}{{site}}{{else}}b{{/if}}.c/{{text}}":  true,
		"{{#if text}}https://a.b{{else}}https://c.d{{/if}}/{{text}}": true,
		"https://{{text}}.a.example/":                                false,
		"{{url}}":                                                    false,
		"{{ url }}/in":                                               false,
		"{{{url}}}/in":                                               false,
		"{{&url}}/in":                                                false,
		"{{site}}{{text}}/in":                                        false,
		"{{site}}://{{text}}/in":                                     false,
		"{{site}}//{{text}}/in":                                      false,
		"https://user:{{text}}@a.example/":                           false,
		"https://a.example:{{text}}/":                                false,
		"https://a.example{{#if text}}/a{{/if}}{{text}}":             false,
		"https://{{#if site}}{{site}}{{else}}{{text}}{{/if}}.a/":     false,
		"https://{{#each text}}{{this}}{{/each}}/":                   false,
		"https://{{lower text}}/":                                    false,
		"https://{{oauth.baseURI}}/":                                 false,
		"https://{{!-- }}/ --}}{{text}}/":                            false,
		"https://{{unknown}}/":                                       false,
	} {
		text, err := json.Marshal(url)
		if err != nil {
			t.Fatal(err)
		}
		for _, asked := range []bool{true, false} {
			hook := `{"endpoint": {"url": ` + string(text) + `, "method": "POST"}, "templates": {}`
			if asked {
				hook += `, "includeErrorResponseBody": true`
			}
			i, findings := manifest.LoadFolder(files("manifest.json", hookWith(hook+"}", variables)), "acme")
			if good := fixed || !asked; (i != nil) != good || !good && !strings.Contains(golden(findings), "[response-body]") {
				t.Errorf("%s, asked %v: %v", url, asked, findings)
			}
			if i != nil && i.Hook().IncludeErrorResponseBody != asked {
				t.Errorf("%s: include %v, asked %v", url, i.Hook().IncludeErrorResponseBody, asked)
			}
		}
	}
}
