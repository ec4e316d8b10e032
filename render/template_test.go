package render_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/flaghook/flaghook/render"
)

func TestSyntaxErrors(t *testing.T) {
	for template, want := range map[string]string{
		"{{foo}":                           `1:1: the tag "{{foo}" is not closed`,
		"a\n{{#if x}}\n":                   `2:1: the block {{#if is not closed (add {{/if}})`,
		"a\n é{{#if x}}{{/unless}}":        `2:12: {{/unless}} closes the block {{#if of 2:3`,
		"{{/if}}":                          `1:1: the closing tag "{{/if}}" closes no block`,
		"x{{else}}":                        `1:2: "{{else}}" outside of a block`,
		"{{#if a}}{{else}}{{else}}{{/if}}": `1:18: "{{else}}" after the block's {{else}}`,
		"{{a":                              `1:1: the tag "{{a" is not closed`,
		"{{}}":                             `1:3: found "}}" where a name is expected`,
		"{{a b=}}":                         `1:7: found "}}" where a name is expected`,
		"{{a.}}":                           `there is no`,
		"{{a ../b.this}}":                  `1:5: "this" must stand at the beginning of a path`,
		"{{{a}}":                           `1:5: found "}}" where "}}}" must close the tag that "{{{" opens`,
		"{{! x":                            `1:1: the comment is not closed`,
		"{{!-- x }}":                       `1:1: the comment is not closed`,
		"{{{{raw}}}} x":                    `1:1: the raw block is not closed`,
		"{{a \"x}}":                        `1:5: unexpected '"' in a tag`,
		"{{(a b)}}":                        `1:3: found "(" where a name is expected`,
		"{{lower (a}}":                     `where ")" is expected`,
		"{{lower a=1 b}}":                  `an argument after name=value pairs`,
		"{{#each a as ||}}{{/each}}":       `block parameters`,
		"a\x00b":                           `1:2: the template has a NUL character`,
		"ab\xff":                           `1:3: the template is not valid UTF-8`,
		"{{^a}}{{else if b}}{{/a}}":        `{{else if b}}`,
	} {
		_, err := render.Compile(template, render.Options{Name: "t"})
		var e *render.Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), want) {
			if template == "{{a.}}" && err != nil {
				continue
			}
			t.Errorf("%q\n got %v\nwant %s", template, err, want)
		}
	}
}

// slowdown is how much longer than in production things may take.
var slowdown = 1

// TestHostile goes through templates made to crash, hang or leak. Each gives an error or the right text at once.
func TestHostile(t *testing.T) {
	ten := `{"l":[0,1,2,3,4,5,6,7,8,9],"secret":"LEAK"}`
	nest := func(n int, open, inner, end string) string {
		return strings.Repeat(open, n) + inner + strings.Repeat(end, n)
	}
	for name, c := range map[string]struct{ template, context, want, err string }{
		"inline if":       {"{{#if a}}{{if a}}{{/if}}", `{"a":1}`, "", "needs a block"},
		"partial":         {"{{> self}}", `{}`, "", "partials are not supported"},
		"megabyte":        {strings.Repeat("x", 1<<20), `{}`, "", "at most 65536"},
		"null item":       {"{{#each l}}{{this}}{{/each}}", `{"l":[null],"secret":"LEAK"}`, "", ""},
		"null item in if": {"{{#each l}}[{{secret}}{{this.secret}}{{this}}]{{/each}}", `{"l":[null,null]}`, "[][]", ""},
		"eight loops":     {nest(8, "{{#each @root.l}}", "x", "{{/each}}"), ten, "", "too many steps"},
		"empty loops":     {nest(90, "{{#each @root.l}}", "", "{{/each}}"), ten, "", "too many steps"},
		"output":          {nest(5, "{{#each @root.l}}", strings.Repeat("y", 100), "{{/each}}"), ten, "", "longer than 1048576"},
		"nested blocks":   {nest(101, "{{#if l}}", "", "{{/if}}"), ten, "", "nested more than 100 deep"},
		"deep blocks":     {nest(100, "{{#if l}}", "ok", "{{/if}}"), ten, "ok", ""},
		"nested subs":     {"{{lower " + nest(5000, "(lower ", "l", ")") + "}}", ten, "", ""},
		"else chain":      {"{{#if q}}" + strings.Repeat("{{else if q}}", 2000) + "{{/if}}", ten, "", "nested more than 100 deep"},
		"base64":          {"{{basicAuthHeaderValue " + nest(40, "(basicAuthHeaderValue secret ", "secret", ")") + " l}}", ten, "", ""},
		"doubling":        {"{{#with l}}" + nest(30, "{{#with (join @root.l (join @root.l ", "@root.secret", "))}}") + "x", ten, "", ""},
		"blank comment":   {"{{!" + strings.Repeat(" ", 16<<10) + "}}", `{}`, "", "blanks in a row"},
		"long comment":    {"{{!" + strings.Repeat("a b ", 10<<10) + "}}ok", `{}`, "ok", ""},
		"dashes":          {"{{!--" + strings.Repeat("-- ", 15<<10) + "--}}ok", `{}`, "ok", ""},
		"long path":       {"{{a" + strings.Repeat(".a", 600) + "}}", `{}`, "", "the path is longer than 1024 bytes"},
		"longest path":    {"{{" + strings.Repeat("a", 60000) + "}}", `{}`, "", "the tag is longer"},
		"long tag":        {"{{lower" + strings.Repeat(" a", 3000) + "}}", `{}`, "", "the tag is longer than 4096 bytes"},
		"braces":          {strings.Repeat("{", 60000), `{}`, "", "is not closed"},
		"backslashes":     {strings.Repeat(`\`, 60000) + "{{a}}", `{}`, strings.Repeat(`\`, 59999), ""},
		"escaped":         {strings.Repeat(`\{{`, 20000), `{}`, strings.Repeat("{{", 20000), ""},
		"quotes":          {"{{lower '" + strings.Repeat(`\'`, 1000) + "'}}", `{}`, strings.Repeat("&#x27;", 1000), ""},
		"raw blocks":      {strings.Repeat("{{{{a}}}}", 7000), `{}`, "", "nested more than"},
		"many blocks":     {strings.Repeat("{{#if a}}{{/if}}", 4000), `{}`, "", ""},
		"prototype":       {"[{{constructor}}{{__proto__}}{{toString}}{{a.constructor.name}}{{l.map}}]", ten, "[]", ""},
		"own proto":       {"{{__proto__.x}}{{constructor}}", `{"__proto__":{"x":1},"constructor":2}`, "12", ""},
		"huge number":     {"{{lookup l " + strings.Repeat("9", 1000) + "}}", ten, "", ""},
		"long string len": {nest(5, "{{#each @root.l}}", "{{#if @root.s.length}}{{/if}}", "{{/each}}"), `{"l":[0,1,2,3,4,5,6,7,8,9],"s":"` + strings.Repeat("é", 100000) + `"}`, "", "too many steps"},
		"big values":      {nest(5, "{{#each @root.l}}", "{{#if (json @root)}}{{/if}}", "{{/each}}"), `{"l":[0,1,2,3,4,5,6,7,8,9],"s":"` + strings.Repeat("é", 100000) + `"}`, "", "too many steps"},
	} {
		t.Run(name, func(t *testing.T) {
			context := parse(t, c.context)
			start := time.Now()
			got, err := renderText(c.template, context, render.EscapeHTML, render.RenderOptions{})
			if d := time.Since(start); d > time.Duration(slowdown)*time.Second {
				t.Errorf("took %v", d)
			}
			switch {
			case strings.Contains(got, "LEAK"):
				t.Errorf("leaked %.80q", got)
			case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
				t.Errorf("got %.80q, %v; want an error: %s", got, err, c.err)
			case c.err != "" && c.err != "at most 65536" && !strings.HasPrefix(err.Error(), "t.hbs:1:"):
				t.Errorf("the error has no place: %v", err)
			case c.err == "" && c.want != "" && (err != nil || got != c.want):
				t.Errorf("got %.80q, %v; want %.80q", got, err, c.want)
			}
		})
	}
}

func TestReservedRoots(t *testing.T) {
	context := parse(t, `{"formVariables":{"k":"root"},"oauth":{"accessToken":"tok"},"context":{"key":"ctx"},"x":"rootx",
		"l":[1,null,{"formVariables":{"k":"own"}},{"q":1}],"w":{"oauth":null}}`)
	for template, want := range map[string]string{
		"{{#each l}}{{formVariables.k}},{{/each}}":                                           "root,root,own,root,",
		"{{#each l}}{{this.formVariables.k}},{{/each}}":                                      ",,own,,",
		"{{#with w}}[{{oauth.accessToken}}]{{context.key}}{{x}}{{/with}}":                    "[]ctx",
		"{{#each l}}{{#if @last}}{{oauth.accessToken}}{{/if}}{{/each}}":                      "tok",
		"{{#each l}}{{#if @first}}{{#formVariables}}{{k}}{{/formVariables}}{{/if}}{{/each}}": "root",
	} {
		got, err := renderText(template, context, render.EscapeNone, render.RenderOptions{})
		if err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", template, got, err, want)
		}
		if _, err := renderText("{{#each l}}{{formVariables.k}}{{/each}}", context, render.EscapeNone, render.RenderOptions{Strict: true}); err != nil {
			t.Error(err)
		}
	}
}

func TestMissing(t *testing.T) {
	template := "{{a.b}} {{a.nul}}\n{{#each l}}{{é.q}}{{this}}{{../gone}}{{/each}}{{#if nope}}{{/if}}{{lower nope}}{{@nope}}{{{s.x.y}}}{{s.length}}{{#nope}}{{/nope}}"
	context := parse(t, `{"a":{"nul":null},"l":[1,2],"s":"str"}`)
	tpl, err := render.Compile(template, render.Options{Name: "m"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	out, err := tpl.RenderWith(context, render.RenderOptions{OnMissing: func(m render.Missing) {
		got = append(got, fmt.Sprintf("%s@%d:%d", m.Name, m.Line, m.Column))
	}})
	if err != nil || out != " \n123" {
		t.Errorf("got %q, %v", out, err)
	}
	if want := "a.b@1:3 é.q@2:14 ../gone@2:29 @nope@2:82 s.x.y@2:92"; strings.Join(got, " ") != want {
		t.Errorf("missing\n got %s\nwant %s", strings.Join(got, " "), want)
	}
	if _, err := tpl.RenderWith(context, render.RenderOptions{Strict: true}); err == nil || err.Error() != `m:1:3: "a.b" is not defined` {
		t.Errorf("strict: %v", err)
	}
}

func TestReaches(t *testing.T) {
	for template, want := range map[string]string{ // f: formVariables, o: oauth
		"{{title.plainText}}{{#each tags}}{{this}}{{@key}}{{../key}}{{/each}}": "",
		"{{formVariables.k}}": "f",
		"{{this.formVariables.k}}{{#if a}}{{#unless b}}{{./oauth.x}}{{/unless}}{{/if}}": "fo",
		"{{#each l}}{{formVariables.k}}{{/each}}":                                       "f",
		"{{#each l}}{{this.formVariables.k}}{{this.oauth}}{{/each}}":                    "",
		"{{#each l}}{{@root.oauth.t}}{{/each}}":                                         "o",
		"{{#each l}}{{#each m}}{{../../oauth.t}}{{/each}}{{/each}}":                     "o",
		"{{json this}}": "fo", "{{json .}}": "fo", "{{#each @root}}{{/each}}": "fo", "{{lookup this x}}": "fo",
		"{{lookup @root 'key'}}": "fo", "{{#with this}}{{key}}{{/with}}": "fo", "{{#each this}}{{/each}}": "fo",
		"{{#each l}}{{lookup .. 'x'}}{{/each}}":                                              "fo",
		"{{#each l}}{{json this}}{{lookup this 'x'}}{{#with this}}{{key}}{{/with}}{{/each}}": "",
		"{{#each l}}{{else}}{{json this}}{{/each}}":                                          "fo",
		"{{#if (lookup formVariables x)}}{{/if}}":                                            "f",
		"{{#if a includeZero=oauth.x}}{{/if}}":                                               "o",
		"{{#a}}{{json this}}{{/a}}":                                                          "fo",
		"{{#with a as |formVariables|}}{{formVariables.x}}{{/with}}":                         "",
		"{{#with @root as |r|}}{{r.x}}{{/with}}":                                             "fo",
		"{{default x (upper (join oauth.y))}}":                                               "o",
		"{{{{raw}}}}{{formVariables}}{{{{/raw}}}}":                                           "",
		"{{! {{formVariables}} }}":                                                           "",
		"{{[]}}":                                                                             "fo",
		"{{@_parent.root}}":                                                                  "fo",
		"{{#this}}{{/this}}":                                                                 "fo",
	} {
		tpl, err := render.Compile(template, render.Options{})
		if err != nil {
			t.Errorf("%s: %v", template, err)
			continue
		}
		got := ""
		if tpl.Reaches("formVariables") {
			got += "f"
		}
		if tpl.Reaches("oauth") {
			got += "o"
		}
		if got != want {
			t.Errorf("%s reaches %q, want %q", template, got, want)
		}
	}
}

// TestConcurrent renders one template from many goroutines, for the race detector and for the pool of runs.
func TestConcurrent(t *testing.T) {
	tpl, err := render.Compile(datadogTemplate, render.Options{Escape: render.EscapeJSON})
	if err != nil {
		t.Fatal(err)
	}
	context := parse(t, datadogContext)
	want, err := tpl.Render(context)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if got, err := tpl.Render(context); err != nil || got != want {
					t.Errorf("got %q, %v", got, err)
				}
			}
		})
	}
	wg.Wait()
	if v, err := render.ParseJSON([]byte(want)); err != nil || v.Get("tags").Len() != 7 {
		t.Errorf("%v in %s", err, want)
	}
}
