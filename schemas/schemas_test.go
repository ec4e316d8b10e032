package schemas_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/flaghook/flaghook/schemas"
)

// walk visits every schema in a schema, keywords that hold data aside.
func walk(at string, schema any, visit func(at string, schema map[string]any)) {
	object, isObject := schema.(map[string]any)
	if !isObject {
		return
	}
	visit(at, object)
	for _, keyword := range []string{"properties", "definitions"} {
		members, _ := object[keyword].(map[string]any)
		for name, member := range members {
			walk(at+"/"+keyword+"/"+name, member, visit)
		}
	}
	for _, keyword := range []string{"items", "additionalProperties", "propertyNames"} {
		walk(at+"/"+keyword, object[keyword], visit)
	}
	alternatives, _ := object["anyOf"].([]any)
	for _, a := range alternatives {
		walk(at+"/anyOf", a, visit)
	}
}

func decode(t *testing.T, data []byte) map[string]any {
	t.Helper()
	var tree map[string]any
	if err := json.Unmarshal(data, &tree); err != nil {
		t.Fatal(err)
	}
	return tree
}

// Compiling a schema whose $ref leaves the file fetches it, and one that leads
// in a circle never ends.
func TestReferencesStayInside(t *testing.T) {
	for name, data := range map[string][]byte{"manifest": schemas.Manifest(), "event": schemas.Event()} {
		tree := decode(t, data)
		definitions, _ := tree["definitions"].(map[string]any)
		uses := map[string][]string{}
		walk(name, tree, func(at string, schema map[string]any) {
			if _, has := schema["$id"]; has {
				t.Errorf("%s: a $id changes what a $ref means", at)
			}
			ref, has := schema["$ref"].(string)
			if !has {
				return
			}
			target, local := strings.CutPrefix(ref, "#/definitions/")
			if definitions[target] == nil || !local || len(schema) > 1 {
				t.Errorf("%s: $ref %q leads nowhere, leaves the file or has neighbours, which it hides", at, ref)
			}
			if from, inside := strings.CutPrefix(at, name+"/definitions/"); inside {
				from, _, _ = strings.Cut(from, "/")
				uses[from] = append(uses[from], target)
			}
		})
		for definition := range definitions {
			if slices.Contains(reachable(uses, definition), definition) {
				t.Errorf("%s: the definition %s leads to itself", name, definition)
			}
		}
	}
}

func reachable(uses map[string][]string, from string) []string {
	var all []string
	for todo := slices.Clone(uses[from]); len(todo) > 0; todo = todo[1:] {
		if !slices.Contains(all, todo[0]) {
			all = append(all, todo[0])
			todo = append(todo, uses[todo[0]]...)
		}
	}
	return all
}

// Findings show descriptions as remedies, and editors show them as help.
func TestEverythingIsDescribed(t *testing.T) {
	for name, data := range map[string][]byte{"manifest": schemas.Manifest(), "event": schemas.Event()} {
		walk(name, decode(t, data), func(at string, schema map[string]any) {
			part := at[:strings.LastIndex(at, "/")+1]
			if !strings.HasSuffix(part, "/properties/") || strings.Contains(at, "/anyOf") || schema["$ref"] != nil {
				return
			}
			if text, _ := schema["description"].(string); !strings.HasSuffix(text, ".") {
				t.Errorf("%s has no description, or one that is no sentence: %q", at, text)
			}
		})
	}
}

func TestBytesAreTheCallers(t *testing.T) {
	for name, get := range map[string]func() []byte{"manifest": schemas.Manifest, "event": schemas.Event} {
		get()[0] = 'x'
		if get()[0] != '{' {
			t.Errorf("%s: a caller changed the embedded bytes", name)
		}
	}
}

func TestSamples(t *testing.T) {
	names := schemas.SampleNames()
	if len(names) == 0 {
		t.Fatal("there are no samples")
	}
	for _, name := range names {
		data, found := schemas.Sample(name)
		if !found || !json.Valid(data) {
			t.Errorf("the sample %s is missing or not JSON", name)
		}
	}
	firstOther := slices.IndexFunc(names, func(n string) bool { return !strings.HasPrefix(n, "flag") })
	if firstOther >= 0 && !slices.IsSorted(names[:firstOther]) || slices.ContainsFunc(names[max(firstOther, 0):], func(n string) bool { return firstOther >= 0 && strings.HasPrefix(n, "flag") }) {
		t.Errorf("flags do not come first: %v", names)
	}
	for _, name := range []string{"", "none", "../manifest.schema", "flag-on.json", "a/b", `a\b`} {
		if _, found := schemas.Sample(name); found {
			t.Errorf("there is a sample %q", name)
		}
	}
}
