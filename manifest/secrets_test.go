package manifest_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flaghook/flaghook/manifest"
)

func TestSecretValues(t *testing.T) {
	i := mustLoad(t, files("manifest.json", hookWith(`{"endpoint": {"url": "{{url}}", "method": "POST", "headers": [{"name": "X-A", "value": "{{token}}{{team}}"}]}, "templates": {"default": "a.txt"}}`,
		`"formVariables": [
			{"key": "url", "name": "N", "type": "uri", "description": "D."},
			{"key": "token", "name": "N", "type": "string", "description": "D.", "isSecret": true},
			{"key": "team", "name": "N", "type": "string", "description": "D."}]`), "a.txt", "x"))
	for config, want := range map[string][]string{
		`{}`:                                    nil,
		`{"team": "not a secret", "token": ""}`: nil,
		`{"token": "t", "team": "not a secret", "was-secret": "older", "list": ["a", "b", 1]}`: {"t", "older", "a", "b"},
		`{"url": "https://hooks.example/services/T0000/B11111111/abcdefghijkl"}`: {
			"services/T0000/B11111111/abcdefghijkl", "abcdefghijkl", "B11111111"},
		`{"url": "https://us:pass%20word@a.example:8080/somewhere%20in?key=a%2Bbcdefgh&x=1"}`: {
			"pass word", "somewhere%20in?key=a%2Bbcdefgh&x=1", "somewhere%20in", "somewhere in", "a%2Bbcdefgh", "a+bcdefgh"},
		`{"url": "https://a.example/hook"}`: nil,
		`{"url": "https://a.example"}`:      nil,
		`{"url": ":not a url"}`:             {":not a url"},
	} {
		got := i.SecretValues(parse(t, config))
		if diff := cmp.Diff(slices.Sorted(slices.Values(want)), slices.Sorted(slices.Values(got))); diff != "" {
			t.Errorf("%s: %s", config, diff)
		}
	}
}

func TestPlainHTTP(t *testing.T) {
	of := func(url string) *manifest.Integration {
		return mustLoad(t, files("manifest.json", hookWith(`{"endpoint": {"url": "`+url+`", "method": "POST"}, "templates": {"default": "a.txt"}}`, variables), "a.txt", "x"))
	}
	for _, c := range []struct {
		url, path string
		want      bool
	}{
		{"{{path}}", "http://a.example/", true}, {"{{path}}", "HTTP://a.example/", true}, {"{{path}}", "https://a.example/", false},
		{"http://{{path}}", "a", true}, {"https://{{path}}", "http://", false}, {"{{context.scheme}}://a.example", "", false},
		{"{{#if path}}http{{else}}https{{/if}}://a.example", "on", true}, {"{{#if path}}http{{else}}https{{/if}}://a.example", "", false},
	} {
		if got := of(c.url).PlainHTTP(parse(t, `{"path": "`+c.path+`"}`)); got != c.want {
			t.Errorf("%s with %s: %v", c.url, c.path, got)
		}
	}
	if mustLoad(t, files("manifest.json", manifestWith(`"otherCapabilities": ["webhooks"]`))).PlainHTTP(parse(t, `{}`)) {
		t.Error("nothing is sent over http")
	}
}

func TestOrigin(t *testing.T) {
	for _, c := range []struct{ url, path, want string }{
		{"{{path}}", "https://A.example:8443/secret?x=y", "https://a.example:8443"}, {"{{path}}", "HTTP://a.example", "http://a.example"},
		{" {{{path}}} ", "https://a.example@b.example/", "https://b.example"}, {"https://{{path}}.example/x", "a", "https://a.example"},
		{"{{path}}/{{context._id}}", "https://a.example", "https://a.example"}, {"{{context.url}}/{{path}}", "a", ""},
		{"{{path}}", "/nowhere", ""}, {"{{path}}", `https://a.example\\@b.example`, ""}, {"{{path}}", "", ""},
	} {
		i := mustLoad(t, files("manifest.json", hookWith(`{"endpoint": {"url": "`+c.url+`", "method": "POST"}, "templates": {"default": "a.txt"}}`, variables), "a.txt", "x"))
		if got := i.Origin(parse(t, `{"path": "`+c.path+`"}`)); got != c.want {
			t.Errorf("%s with %s: %q, want %q", c.url, c.path, got, c.want)
		}
	}
	if got := mustLoad(t, files("manifest.json", manifestWith(`"otherCapabilities": ["webhooks"]`))).Origin(parse(t, `{}`)); got != "" {
		t.Errorf("without an endpoint: %q", got)
	}
}
