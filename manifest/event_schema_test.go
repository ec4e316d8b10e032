package manifest_test

import (
	"testing"

	"github.com/flaghook/flaghook/schemas"
	"github.com/xeipuuv/gojsonschema"
)

// The schema of posted events stands here with its only compiler.
func TestEventSchema(t *testing.T) {
	schema, err := gojsonschema.NewSchema(gojsonschema.NewBytesLoader(schemas.Event()))
	if err != nil {
		t.Fatal(err)
	}
	check := func(name, text string, want bool) {
		t.Helper()
		result, err := schema.Validate(gojsonschema.NewStringLoader(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if result.Valid() != want {
			t.Errorf("%s: valid %v, want %v: %v", name, result.Valid(), want, result.Errors())
		}
	}
	for _, name := range schemas.SampleNames() {
		data, _ := schemas.Sample(name)
		check(name, string(data), true)
	}
	const act = `"action": "updateOn", "resource": "proj/web:env/production:flag/checkout"`
	const accesses = `"accesses": [{` + act + `}]`
	for text, want := range map[string]bool{
		`{` + act + `}`:                        true,
		`{` + accesses + `}`:                   true,
		`{` + accesses + `, ` + act + `}`:      true,
		`{` + act + `, "accesses": null}`:      true,
		`{}`:                                   false,
		`[]`:                                   false,
		`{"action": "updateOn"}`:               false,
		`{"action": "", "resource": "flag/a"}`: false,
		`{"action": null, "resource": null}`:   false,
		`{"accesses": []}`:                     false,
		`{"accesses": null}`:                   false,
		`{"accesses": [{"action": "a"}]}`:      false,
		`{"accesses": [{"action": "a", "resource": 1}]}`:     false,
		`{` + act + `, "timestamp": 1580777685229}`:          true,
		`{` + act + `, "timestamp": -1}`:                     false,
		`{` + act + `, "timestamp": "2026-01-31T12:00:00Z"}`: true,
		`{` + act + `, "timestamp": "now"}`:                  false,
		`{` + act + `, "timestamp": {"milliseconds": 1, "seconds": 0, "rfc3339": "1970-01-01T00:00:00Z", "simple": "1970-01-01 00:00:00"}}`: true,
		`{` + act + `, "timestamp": {"milliseconds": "1"}}`:                                   false,
		`{` + act + `, "timestamp": true}`:                                                    false,
		`{` + act + `, "id": "a.B_c:9-"}`:                                                     true,
		`{` + act + `, "_id": "a b"}`:                                                         false,
		`{` + act + `, "id": ""}`:                                                             false,
		`{` + act + `, "title": "x", "details": {"markdown": "*x*"}}`:                         true,
		`{` + act + `, "title": {"plainText": 1}}`:                                            false,
		`{` + act + `, "tags": ["a", 1]}`:                                                     false,
		`{` + act + `, "project": {"environment": {"tags": "a"}}}`:                            false,
		`{` + act + `, "member": {"email": "a@b.example", "role": "admin"}, "anything": [1]}`: true,
		`{` + act + `, "member": "Ada"}`:                                                      false,
		`{` + act + `, "before": 1, "after": [null]}`:                                         true,
		`{` + act + `, "comment": null, "project": null}`:                                     true,
	} {
		check(text, text, want)
	}
}
