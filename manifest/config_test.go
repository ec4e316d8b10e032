package manifest_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/render"
	"github.com/google/go-cmp/cmp"
)

// everyType is an integration with a form variable of each type.
func everyType(t testing.TB) *manifest.Integration {
	t.Helper()
	return mustLoad(t, files("manifest.json", manifestWith(`"otherCapabilities": ["webhooks"], "formVariables": [
    {"key": "token", "name": "T", "type": "string", "description": "Token.", "isSecret": true},
    {"key": "base-url", "name": "U", "type": "uri", "description": "URL."},
    {"key": "site", "name": "S", "type": "enum", "description": "Site.", "allowedValues": ["eu", "us"], "isOptional": true, "defaultValue": "eu"},
    {"key": "quiet", "name": "Q", "type": "boolean", "description": "Quiet.", "isOptional": true, "defaultValue": false},
    {"key": "level", "name": "L", "type": "string", "description": "Level.", "isOptional": true, "defaultValue": "info"},
    {"key": "tags", "name": "M", "type": "multiselect", "description": "Tags.", "multiselectOptions": [{"label": "A", "value": "a"}, {"label": "B", "value": "b"}]},
    {"key": "env", "name": "E", "type": "environmentSelector", "description": "Environment."},
    {"key": "id", "name": "I", "type": "generated", "description": "Id."},
    {"key": "auth", "name": "O", "type": "oauth", "description": "OAuth."},
    {"key": "pem", "name": "P", "type": "publicKey", "description": "Key.", "isOptional": true, "defaultValue": ""},
    {"key": "list", "name": "D", "type": "dynamicEnum", "description": "List.", "isOptional": true, "defaultValue": "",
     "dynamicOptions": {"endpoint": {"url": "x", "method": "GET"}, "parser": {"optionsPath": "/", "optionsItems": {"label": "/l", "value": "/v"}}}}
  ]`)))
}

func parse(t testing.TB, text string) render.Value {
	t.Helper()
	v, err := render.ParseJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestCheckConfig(t *testing.T) {
	i := everyType(t)
	const required = `"token": "s3cret", "base-url": "https://a.example/x?y=z"`
	for _, c := range []struct{ name, config, want string }{
		{"enough", `{` + required + `}`, ""},
		{"all", `{` + required + `, "site": "us", "quiet": true, "level": "warn", "tags": ["a", "b"], "env": "production", "id": "x", "auth": "y", "pem": "-", "list": "z"}`, ""},
		{"null is absent", `{` + required + `, "site": null, "quiet": null}`, ""},
		{"empty where optional", `{` + required + `, "site": "", "level": ""}`, ""},
		{"selectors are lenient", `{` + required + `, "tags": "a", "env": ["a", "b"]}`, ""},
		{"missing", `{}`, "config: token: it is required and missing\nconfig: base-url: it is required and missing"},
		{"null", `{"token": null, "base-url": null}`, "config: token: it is required and missing\nconfig: base-url: it is required and missing"},
		{"empty", `{"token": "", "base-url": ""}`, "config: token: it is required and empty\nconfig: base-url: it is required and empty"},
		{"types", `{"token": 5, "base-url": {}, "quiet": "true", "site": true, "tags": [1], "env": 2}`, "config: token: it must be a string, not a number\n" +
			"config: base-url: it must be a string, not an object\nconfig: site: it must be a string, not a boolean\n" +
			"config: quiet: it must be true or false, not a string\nconfig: tags: it must be a list of strings, not a number\n" +
			"config: env: it must be a list of strings, not a number"},
		{"not allowed", `{` + required + `, "site": "ue", "tags": ["c"]}`,
			"config: site: the value is not allowed; it can be \"eu\" or \"us\"\nconfig: tags: it holds a value that is not among its options; it can be \"a\" or \"b\""},
		{"unknown", `{` + required + `, "tokn": "s3cret"}`, "config: tokn: there is no such form variable; did you mean \"token\"?"},
		{"long URL", `{"token": "x", "base-url": "https://a.example/` + strings.Repeat("s", 8200) + `"}`, "config: base-url: it has 8218 bytes; at most 8192 are allowed"},
		{"long text", `{"base-url": "https://a.example", "token": "` + strings.Repeat("s", 65537) + `"}`, "config: token: it has 65537 bytes; at most 65536 are allowed"},
		{"relative", `{"token": "x", "base-url": "/s3cret"}`, "config: base-url: the URL is not absolute; it must begin with http:// or https://"},
		{"scheme", `{"token": "x", "base-url": "ftp://a.example/s3cret"}`, "config: base-url: the URL is neither http nor https"},
		{"no host", `{"token": "x", "base-url": "https:///s3cret"}`, "config: base-url: the URL has no host behind https://"},
		{"unreadable", `{"token": "x", "base-url": "https://a.example/\u0000s3cret"}`, "config: base-url: the URL cannot be read; it must be an absolute http or https URL, such as https://example.com/hook"},
		{"not an object", `["s3cret"]`, "config: it is not an object; it needs one value for each form variable"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := i.CheckConfig(parse(t, c.config))
			got := ""
			if err != nil {
				got = err.Error()
				var all manifest.ConfigErrors
				if !errors.As(err, &all) {
					t.Errorf("the error is a %T", err)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			if strings.Contains(got, "s3cret") {
				t.Error("the error shows a value")
			}
		})
	}
	if err := i.CheckConfig(render.Value{}); err == nil {
		t.Error("no config at all has everything")
	}
}

func TestMask(t *testing.T) {
	i := everyType(t)
	got := i.Mask(parse(t, `{"base-url": "https://a.example", "token": "s3cret", "quiet": true, "old": "s3cret"}`))
	want := `{"base-url":"https://a.example","token":"` + manifest.MaskedSecret + `","quiet":true,"old":"` + manifest.MaskedSecret + `"}`
	if text := string(got.AppendJSON(nil)); text != want {
		t.Errorf("got %s", text)
	}
	for _, same := range []string{`{"token":""}`, `{"token":null}`, `{}`} {
		if text := string(i.Mask(parse(t, same)).AppendJSON(nil)); text != same {
			t.Errorf("%s became %s", same, text)
		}
	}
}

func TestPlaceholders(t *testing.T) {
	i := everyType(t)
	config, warnings := i.Placeholders(nil)
	want := `{"token":"$TOKEN","base-url":"$BASE_URL","site":"$SITE","quiet":true,"level":"$LEVEL","tags":"$TAGS","env":"$ENV","id":"$ID","auth":"$AUTH","pem":"$PEM","list":"$LIST"}`
	if got := string(config.AppendJSON(nil)); got != want || len(warnings) > 0 {
		t.Errorf("got %s %v", got, warnings)
	}
	config, warnings = i.Placeholders(map[string]string{"token": "t", "base-url": "nowhere", "site": "ue", "quiet": "false", "tags": "a, c", "lvel": "x"})
	want = `{"token":"t","base-url":"nowhere","site":"ue","quiet":false,"level":"$LEVEL","tags":["a","c"],"env":"$ENV","id":"$ID","auth":"$AUTH","pem":"$PEM","list":"$LIST"}`
	if got := string(config.AppendJSON(nil)); got != want {
		t.Errorf("got %s", got)
	}
	wantWarnings := []string{
		"base-url: the URL is not absolute; it must begin with http:// or https://",
		`site: the value is not allowed; it can be "eu" or "us"`,
		`tags: it holds a value that is not among its options; it can be "a" or "b"`,
		`lvel: there is no such form variable; did you mean "level"?`,
	}
	if diff := cmp.Diff(wantWarnings, warnings); diff != "" {
		t.Error(diff)
	}
	config, warnings = i.Placeholders(map[string]string{"quiet": "perhaps", "tags": `["a"]`})
	if got := string(config.Get("quiet").AppendJSON(nil)) + string(config.Get("tags").AppendJSON(nil)); got != `"perhaps"["a"]` || len(warnings) != 1 {
		t.Errorf("got %s %v", got, warnings)
	}
}
