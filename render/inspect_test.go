package render_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/flaghook/flaghook/render"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// inspected is what the tests below inspect with: a, an object; l, a list of objects; s, a list of texts; t, a text; n,
// a number; b, a boolean; any, anything; formVariables and oauth.
var inspected = render.ObjectShape(map[string]*render.Shape{
	"a":             render.ObjectShape(map[string]*render.Shape{"x": render.TextShape, "y": render.PlainShape}),
	"l":             render.ArrayShape(render.ObjectShape(map[string]*render.Shape{"k": render.TextShape})),
	"s":             render.ArrayShape(render.TextShape),
	"t":             render.TextShape,
	"n":             render.NumberShape,
	"b":             render.BoolShape,
	"any":           render.AnyShape,
	"formVariables": render.ObjectShape(map[string]*render.Shape{"v": render.TextShape}),
})

func inspect(t testing.TB, source string, shape *render.Shape) render.Inspection {
	t.Helper()
	template, err := render.Compile(source, render.Options{Name: "t"})
	if err != nil {
		t.Fatalf("%s: %v", source, err)
	}
	return template.Inspect(shape)
}

// TestInspectNames shows names as path, ? for what is tested and > for what is opened, and ! with what cannot be there.
func TestInspectNames(t *testing.T) {
	for template, want := range map[string]string{
		"{{t}} {{{a.x}}} {{a.[y]}} {{a/x}}":                       "1:3 t|1:10 a.x|1:19 a.y|1:29 a.x",
		"{{q}}\né{{~ a.q.r ~}}":                                   "1:3 q!q|2:6 a.q.r!q in a",
		"{{#if q}}{{/if}}{{#unless a.q}}{{else if t}}{{/unless}}": "1:7 q?!q|1:27 a.q?!q in a|1:42 t?",
		"{{^q}}{{/q}}{{#q}}{{x.y}}{{/q}}":                         "1:4 q?!q|1:16 q>!q|1:21 -",
		"{{#each l}}{{k}} {{this.k}} {{j}} {{../t}} {{@root.t}} {{@index}} {{@key}}{{/each}}": "1:9 l>|1:14 l.*.k|1:20 l.*.k|" +
			"1:31 l.*.j!j in l.*|1:37 t|1:46 t|1:58 -|1:69 -",
		"{{#each a as |value key|}}{{value}} {{key}} {{value.length}} {{value.z}}{{/each}}": "1:9 a>|1:29 a.*|1:39 -|1:47 a.*.length|1:64 a.*.z!z in value",
		"{{#with a}}{{x}} {{t}} {{../t}} {{formVariables.v}} {{formVariables.w}}{{/with}}": "1:9 a>|1:14 a.x|1:20 a.t!t in a|1:26 t|" +
			"1:35 formVariables.v|1:55 formVariables.w!w in formVariables",
		"{{#a}}{{x}}{{../t}}{{/a}}{{#b}}{{t}}{{/b}}{{#l}}{{k}}{{@index}}{{/l}}": "1:4 a>|1:9 a.x|1:14 t|1:29 b>|1:34 t|1:46 l>|1:51 l.*.k|1:56 -",
		"{{#any}}{{x.y.z}} {{@index}}{{/any}} {{any.x.[0].y}}":                  "1:4 any>|1:11 -|1:21 -|1:40 any.x.0.y",
		"{{lower q}} {{truncate (default t a.q) n}}":                            "1:9 q!q|1:33 t|1:35 a.q!q in a|1:40 n",
		`{{lookup a "x"}} {{lookup a "q"}} {{lookup s n}}`:                      `1:10 a>|1:12 a.x|1:27 a>|1:29 a.q!q in a|1:44 s>|1:46 n>|1:46 s.*`,
		`{{#equal t "x"}}{{q}}{{/equal}} {{json this}} {{json formVariables}}`:  "1:10 t>|1:19 q!q|1:40 |1:54 formVariables",
		"{{#with this}}{{../t}}{{t}}{{/with}}":                                  "1:9 >|1:17 !../t|1:25 t",
		"{{@index}} {{@nonsense}} {{#each s}}{{@../index}}{{/each}}":            "1:3 -!@index|1:14 -!@nonsense|1:34 s>|1:39 -!@../index",
		"{{t.length}} {{t.first}} {{s.length}} {{s.[1]}} {{n.x}}":               "1:3 t.length|1:16 t.first!first in t|1:28 s.length|1:41 s.1|1:51 n.x!x in n",
	} {
		var got []string
		for _, n := range inspect(t, template, inspected).Names {
			path := strings.Join(n.Path, ".")
			if n.Path == nil {
				path = "-"
			}
			if strings.HasPrefix(n.Name, "..") && n.Unknown != "" {
				path = ""
			}
			text := fmt.Sprintf("%d:%d %s%s", n.Line, n.Column, path, map[render.Use]string{render.UseTested: "?", render.UseOpened: ">"}[n.Use])
			if n.Unknown != "" {
				text += "!" + n.Unknown
			}
			if n.In != "" {
				text += " in " + n.In
			}
			got = append(got, text)
		}
		if diff := cmp.Diff(strings.Split(want, "|"), got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", template, diff)
		}
	}
}

// TestInspectPrints shows what is written: " in a string, ' outside, and what the text can hold.
func TestInspectPrints(t *testing.T) {
	for template, want := range map[string]string{
		`{"x": "{{t}}", "y": {{{n}}}, "{{a.y}}": 1}`:                       `{{t}}"<q|{{{n}}}'|{{a.y}}"`,
		`"\"{{t}}\\" {{n}}`:                                                `{{t}}"<q|{{n}}'`,
		`{{#if b}}"a{{else}}"b{{/if}}{{t}}" {{t}}`:                         `{{t}}"<q|{{t}}'<q`,
		`{{#if b}}"{{/if}}{{t}}`:                                           `{{t}}<q`,
		`{{#each s}}"{{this}}"{{#unless @last}},{{/unless}}{{/each}}{{n}}`: `{{this}}"<q|{{n}}'`,
		`{{#each s}}"{{/each}}{{n}}`:                                       `{{n}}`,
		`{{formatTime n "iso"}}{{formatTime n "<\"%Y"}}`:                   `{{formatTime …}}'|{{formatTime …}}'<q`,
		`{{json t}}{{lower a.y}}{{queryEncode t}}{{truncate a.y 3 "&"}}`:   `{{json …}}'safe|{{lower …}}'|{{queryEncode …}}'<|{{truncate …}}'<`,
		`{{default a.y "="}}{{join s}}{{join s "'"}}{{s}}{{&t}}`:           `{{default …}}'<|{{join …}}'<q|{{join …}}'<q|{{s}}'<q|{{{t}}}'<q`,
		`{{formatWithOffset n 1 "rfc3339"}}{{b}}{{any}}{{q}}`:              `{{formatWithOffset …}}'|{{b}}'|{{any}}'<q|{{q}}'nothing`,
	} {
		var got []string
		for _, p := range inspect(t, template, inspected).Prints {
			text := p.Source
			for _, part := range []struct {
				yes  bool
				text string
			}{
				{p.Quoted, `"`}, {p.Bare, "'"}, {p.Safe, "safe"}, {p.Value == nil, "nothing"},
				{!p.Safe && p.Chars&render.CharsMarkup != 0, "<"}, {!p.Safe && p.Chars&render.CharsQuote != 0, "q"},
			} {
				if part.yes {
					text += part.text
				}
			}
			got = append(got, text)
		}
		if diff := cmp.Diff(strings.Split(want, "|"), got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", template, diff)
		}
	}
}

func TestInspectCalls(t *testing.T) {
	var got []string
	for _, c := range inspect(t, "{{#if}}{{else}}{{/if}}\n{{truncate (lower t) 1 2 3}}{{#equal t n}}{{/equal}}{{log}}", inspected).Calls {
		got = append(got, fmt.Sprintf("%d:%d %s %d of %d-%d else %v extra %v", c.Line, c.Column, c.Helper, c.Args, c.Min, c.Max, c.Else, c.Extra))
	}
	want := []string{
		"1:4 if 0 of 1-1 else true extra false", "2:3 truncate 4 of 2-3 else false extra true", "2:13 lower 1 of 1-1 else false extra true",
		"2:32 equal 2 of 2-2 else false extra false", "2:55 log 0 of 0-16 else false extra false",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestInspectAgreesWithRendering holds Inspect against evaluation: with the shape of a context, what is missing when the
// template is rendered is exactly what Inspect says cannot be there, where it is reached; and no text has characters
// that Inspect rules out.
func TestInspectAgreesWithRendering(t *testing.T) {
	context := parse(t, `{"a": "<x>", "b": "y\"", "o": {"p": 1}, "l": ["", "q"]}`)
	rapid.Check(t, func(t *rapid.T) {
		source := raymondTemplate(t, 2)
		template, err := render.Compile(source, render.Options{})
		if err != nil {
			t.Fatal(err)
		}
		unknown, known := map[[2]int]bool{}, map[[2]int]bool{}
		for _, n := range template.Inspect(render.ShapeOf(context)).Names {
			at := [2]int{n.Line, n.Column}
			unknown[at] = unknown[at] || n.Unknown != ""
			known[at] = known[at] || n.Unknown == ""
		}
		_, err = template.RenderWith(context, render.RenderOptions{OnMissing: func(m render.Missing) {
			if at := [2]int{m.Line, m.Column}; !unknown[at] {
				t.Errorf("%s: %v is missing, and Inspect knows nothing of it", source, m)
			}
		}})
		if err != nil {
			t.Fatalf("%s: %v", source, err)
		}
		for at := range unknown {
			if unknown[at] && known[at] {
				t.Errorf("%s: the name at %v both can and cannot be there", source, at)
			}
		}
	})
}

func TestOrigins(t *testing.T) {
	template, err := render.Compile("é{{#if b}}\n  x {{{t}}}!\n{{/if}}\nlast {{q}}{{n}}\\{{raw}}", render.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var o render.Origins
	context := parse(t, `{"b": true, "t": "TEXT", "n": 7}`)
	for range 2 { // Origins can be used again
		out, err := template.RenderWith(context, render.RenderOptions{Origins: &o})
		if err != nil {
			t.Fatal(err)
		}
		for part, want := range map[string]string{
			"é": "1:1", "x": "2:3", "TEXT": "2:8", "EXT": "2:8", "!": "2:12", "last": "4:1", "ast": "4:2", "7": "4:13", "{{raw": "4:17",
		} {
			line, column := o.At(strings.Index(out, part))
			if got := fmt.Sprintf("%d:%d", line, column); got != want {
				t.Errorf("%q of %q comes from %s, want %s", part, out, got, want)
			}
		}
	}
	var none render.Origins
	if line, column := none.At(5); line != 1 || column != 1 {
		t.Errorf("no output comes from %d:%d", line, column)
	}
}
