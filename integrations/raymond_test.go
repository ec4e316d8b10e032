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
// template renders every sample to the same JSON (for other bodies, the same text)
// under raymond's Exec, with the same table of helpers. What differs stands in
// raymondDiffers.
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
				problem := compare(t, string(source), root, text, render.EscapeFor(file) == render.EscapeJSON)
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
func compare(t *testing.T, source string, root render.Value, ours string, isJSON bool) string {
	t.Helper()
	template, err := raymond.Parse(source)
	if err != nil {
		return "raymond cannot parse it: " + err.Error()
	}
	render.RegisterHelpers(func(name string, helper any) { template.RegisterHelper(name, unhidden(helper)) })
	var context any
	if err := json.Unmarshal(root.AppendJSON(nil), &context); err != nil {
		t.Fatal(err)
	}
	theirs, err := template.Exec(hide(context))
	if err != nil {
		return "raymond cannot render it: " + err.Error()
	}
	if !isJSON {
		if theirs = strings.Map(show, strings.ReplaceAll(theirs, "&apos;", "&#x27;")); theirs != ours {
			return fmt.Sprintf("raymond renders\n%s\nand we\n%s", theirs, ours)
		}
		return ""
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
// escaped in what comes out. Helpers see the true characters.
const private = 0xe000

func isSpecial(r rune) bool { return r < ' ' || r == '"' || r == '\\' }

func cover(r rune) rune {
	if isSpecial(r) {
		return private + r
	}
	return r
}

func show(r rune) rune {
	if r >= private && isSpecial(r-private) {
		return r - private
	}
	return r
}

// hide replaces what is special in all texts of a value.
func hide(v any) any { return mapTexts(v, cover) }

// mapTexts replaces the characters of all texts of a value.
func mapTexts(v any, by func(rune) rune) any {
	switch v := v.(type) {
	case string:
		return strings.Map(by, v)
	case []any:
		changed := make([]any, len(v))
		for i := range v {
			changed[i] = mapTexts(v[i], by)
		}
		return changed
	case map[string]any:
		changed := make(map[string]any, len(v))
		for key := range v {
			changed[key] = mapTexts(v[key], by)
		}
		return changed
	}
	return v
}

// unhidden makes a helper that gets and gives hidden texts of one that does
// not. What is JSON already (a SafeString) and blocks stay as they are.
func unhidden(helper any) any {
	switch f := helper.(type) {
	case func(any) any:
		return func(a any) any { return mapTexts(f(mapTexts(a, show)), cover) }
	case func(a, b any) any:
		return func(a, b any) any { return mapTexts(f(mapTexts(a, show), mapTexts(b, show)), cover) }
	case func(a, b, c any) any:
		return func(a, b, c any) any {
			return mapTexts(f(mapTexts(a, show), mapTexts(b, show), mapTexts(c, show)), cover)
		}
	}
	return helper
}

// reveal writes what hide has replaced as JSON does.
func reveal(text string) string {
	var b strings.Builder
	for _, r := range text {
		if shown := show(r); shown != r {
			fmt.Fprintf(&b, "\\u%04x", shown)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}
