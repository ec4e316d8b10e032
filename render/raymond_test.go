package render_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aymerick/raymond"
	"github.com/flaghook/flaghook/render"
	"pgregory.net/rapid"
)

// The templates below keep to what raymond's own evaluator does as Handlebars.js does. Left out, each because raymond
// differs: tags alone on a line and ~ (white space), numbers that are no integers, arrays and objects printed whole,
// {} and [] as conditions, {{#field}}, ../ inside if, objects with several members in each, block parameters, = and `
// in what is escaped, null, .length, and names that hide one another.
var (
	raymondNames = rapid.SampledFrom([]string{"a", "b", "c", "o.p", "o.q", "missing", "this.a", "@root.b", "l.[0]"})
	raymondTexts = rapid.SampledFrom([]string{"", "x", " y ", "é\n-", "<&>", "{ }", `"`})
	raymondData  = rapid.SampledFrom([]string{"", "s", "<b>&", `q"'`, "é😀", "1"})
)

func raymondTemplate(t *rapid.T, depth int) string {
	var b strings.Builder
	for range rapid.IntRange(1, 4).Draw(t, "statements") {
		b.WriteString(raymondTexts.Draw(t, "text"))
		name := func() string { return raymondNames.Draw(t, "name") }
		kind := rapid.IntRange(0, 9).Draw(t, "kind")
		if depth == 0 {
			kind %= 5
		}
		inner := func() string { return "_" + raymondTemplate(t, depth-1) + "_" }
		switch kind {
		case 0, 1:
			fmt.Fprintf(&b, "{{%s}}", name())
		case 2:
			fmt.Fprintf(&b, "{{{%s}}}", name())
		case 3:
			fmt.Fprintf(&b, "{{! %s }}{{default %s 'd'}}", name(), name())
		case 4:
			fmt.Fprintf(&b, `{{upper (truncate %s 2 )}}{{queryEncode "a/%s"}}`, name(), "b")
		case 5, 6:
			fmt.Fprintf(&b, "{{#if %s}}%s{{else}}%s{{/if}}", name(), inner(), inner())
		case 7:
			fmt.Fprintf(&b, "{{#unless %s}}%s{{/unless}}", name(), inner())
		case 8:
			fmt.Fprintf(&b, "{{#each l}}{{this}}{{@index}}%s{{#if @last}}.{{/if}}{{/each}}", "_")
		case 9:
			fmt.Fprintf(&b, "{{#equal %s 's'}}%s{{else}}%s{{/equal}}", name(), inner(), inner())
		}
	}
	return b.String()
}

// TestAgreesWithRaymond holds the evaluator against raymond's Exec, with the same table of helpers.
func TestAgreesWithRaymond(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		source := raymondTemplate(t, 2)
		context := map[string]any{
			"a": raymondData.Draw(t, "a"), "b": raymondData.Draw(t, "b"), "c": rapid.Bool().Draw(t, "c"),
			"o": map[string]any{"p": raymondData.Draw(t, "p"), "q": rapid.IntRange(1, 99).Draw(t, "q")},
			"l": []any{raymondData.Draw(t, "l0"), raymondData.Draw(t, "l1")},
		}
		data, err := json.Marshal(context)
		if err != nil {
			t.Fatal(err)
		}
		value, err := render.ParseJSON(data)
		if err != nil {
			t.Fatal(err)
		}
		got, err := renderText(source, value, render.EscapeHTML, render.RenderOptions{})
		if err != nil {
			t.Fatalf("%q: %v", source, err)
		}
		tpl, err := raymond.Parse(source)
		if err != nil {
			t.Fatalf("%q: raymond: %v", source, err)
		}
		render.RegisterHelpers(func(name string, fn any) { tpl.RegisterHelper(name, fn) })
		want, err := tpl.Exec(context)
		if err != nil {
			t.Fatalf("%q: raymond: %v", source, err)
		}
		// raymond writes ' in its own way.
		if want = strings.ReplaceAll(want, "&apos;", "&#x27;"); got != want {
			t.Fatalf("%q with %s\n    got %q\nraymond %q", source, data, got, want)
		}
	})
}
