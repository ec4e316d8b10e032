package integrations_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aymerick/raymond"

	"github.com/flaghook/flaghook/integrations"
	"github.com/flaghook/flaghook/render"
	"github.com/flaghook/flaghook/schemas"
)

// raymondDiffers are the renderings that raymond's own Exec does otherwise, by
// integration/template/sample, each with the reason. There is none at present.
var raymondDiffers = map[string]string{}

// TestRaymondAgrees keeps the choice of an evaluator of our own honest: every
// template renders every sample to the same JSON under raymond's Exec, with the
// same table of helpers. What differs stands in raymondDiffers.
func TestRaymondAgrees(t *testing.T) {
	differ := maps.Clone(raymondDiffers)
	for _, i := range load(t).All() {
		settings := config(t, i)
		for _, key := range slices.Sorted(maps.Keys(i.Hook().Templates)) {
			file := i.Hook().Templates[key]
			source, err := fs.ReadFile(integrations.FS(), i.Key+"/"+file)
			if err != nil {
				t.Fatal(err)
			}
			ours, err := render.Compile(string(source), render.Options{Name: file, Escape: render.EscapeFor(file)})
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range schemas.SampleNames() {
				id := i.Key + "/" + key + "/" + name
				root := sample(t, name).With("formVariables", settings)
				text, err := ours.Render(root)
				if err != nil {
					t.Fatalf("%s: %v", id, err)
				}
				problem := compare(t, string(source), root, text)
				_, listed := differ[id]
				delete(differ, id)
				if (problem != "") != listed {
					t.Errorf("%s: listed as different: %v; %s", id, listed, problem)
				}
			}
		}
	}
	for id := range differ {
		t.Errorf("%s is listed as different, and there is no such rendering", id)
	}
}

// compare says how raymond's rendering differs from ours, "" for not at all.
func compare(t *testing.T, source string, root render.Value, ours string) string {
	t.Helper()
	template, err := raymond.Parse(source)
	if err != nil {
		return "raymond cannot parse it: " + err.Error()
	}
	render.RegisterHelpers(func(name string, helper any) { template.RegisterHelper(name, helper) })
	var context any
	if err := json.Unmarshal(root.AppendJSON(nil), &context); err != nil {
		t.Fatal(err)
	}
	theirs, err := template.Exec(hide(context))
	if err != nil {
		return "raymond cannot render it: " + err.Error()
	}
	theirs = reveal(theirs)
	var want, got any
	if err := json.Unmarshal([]byte(ours), &want); err != nil {
		t.Fatalf("our own rendering is no JSON: %v", err)
	}
	if err := json.Unmarshal([]byte(theirs), &got); err != nil {
		return fmt.Sprintf("raymond's rendering is no JSON: %v\n%s", err, theirs)
	}
	if !reflect.DeepEqual(want, got) {
		return fmt.Sprintf("raymond renders\n%s\nand we\n%s", theirs, ours)
	}
	return ""
}

// raymond knows nothing of JSON. What has to be escaped there goes through it
// as characters for private use, which stand for the others one by one, and is
// escaped in what comes out.
const private = 0xe000

func isSpecial(r rune) bool { return r < ' ' || r == '"' || r == '\\' }

// hide replaces what is special in all texts of a value.
func hide(v any) any {
	switch v := v.(type) {
	case string:
		return strings.Map(func(r rune) rune {
			if isSpecial(r) {
				return private + r
			}
			return r
		}, v)
	case []any:
		for i := range v {
			v[i] = hide(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = hide(v[key])
		}
	}
	return v
}

// reveal writes what hide has replaced as JSON does.
func reveal(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r >= private && isSpecial(r-private) {
			fmt.Fprintf(&b, "\\u%04x", r-private)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}
