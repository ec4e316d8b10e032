package render_test

import (
	"html"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"

	"github.com/flaghook/flaghook/render"
)

const helperContext = `{"s":"Hé\"llo <b>\n","n":5,"z":0,"t":true,"nul":null,"e":"","ms":1580777685229,"a":["x",2,null,["y"]],
"o":{"k":"v"},"ts":{"milliseconds":1580777685229,"seconds":1580777685},"iso":"2020-02-04T02:54:45.229+02:00",
"flags":"🇩🇪👩‍🚀👍🏽e\u0301x"}`

func TestHelpers(t *testing.T) {
	for _, c := range []struct{ template, html, json string }{
		{`{{json o}}`, `{"k":"v"}`, `{"k":"v"}`},
		{`{{json s}}`, `"Hé\"llo <b>\n"`, `"Hé\"llo <b>\n"`},
		{`{{json missing}} {{json nul}} {{json a}}`, `null null ["x",2,null,["y"]]`, `null null ["x",2,null,["y"]]`},
		{`{{{lower (json s)}}}`, "\"hé\\\"llo <b>\\n\"", `\"hé\\\"llo <b>\\n\"`},
		{`{{s}}`, "Hé&quot;llo &lt;b&gt;\n", `Hé\&quot;llo &lt;b&gt;\n`},
		{`{{{s}}}`, "Hé\"llo <b>\n", `Hé\"llo <b>\n`},
		{`{{{upper s}}}`, "HÉ\"LLO <B>\n", `HÉ\"LLO <B>\n`},
		{`{{truncate "abcdef" 4}}|{{truncate "abc" 3}}|{{truncate "abcdef" 4 "."}}|{{truncate "abcdef" 4 ""}}`, "abc…|abc|abc.|abcd", "abc…|abc|abc.|abcd"},
		{`{{truncate "abcdef" 0}}|{{truncate "abcdef" 2 "..."}}|{{truncate missing 3}}|{{truncate n 3}}`, "|ab||5", "|ab||5"},
		{`{{truncate flags 3 ""}}|{{truncate flags 4 ""}}|{{truncate flags 6 ""}}|{{truncate flags 8 ""}}`, "🇩🇪|🇩🇪|🇩🇪👩‍🚀|🇩🇪👩‍🚀👍🏽", ""},
		{`{{default missing "d"}}{{default nul "d"}}{{default e "d"}}{{default z "d"}}{{default t "d"}}{{default s}}`, "ddd0trueHé&quot;llo &lt;b&gt;\n", ""},
		{`{{join a}}|{{join a "-"}}|{{join n}}|{{join missing}}|{{join a ""}}`, "x, 2, , y|x-2--y|5||x2y", ""},
		{`{{lower "ÀB"}}{{upper "àß"}}{{lower missing}}{{upper}}`, "àbÀß", ""},
		{`{{pathEncode "a b/ü?x=[1]#f%"}}`, "a%20b/%C3%BC?x&#x3D;%5B1%5D#f%25", "a%20b/%C3%BC?x&#x3D;%5B1%5D#f%25"},
		{`{{{queryEncode "a b/ü?&'(1)*~!"}}}`, "a%20b%2F%C3%BC%3F%26'(1)*~!", ""},
		{`{{queryEncode missing}}{{queryEncode nul}}{{queryEncode t}}{{queryEncode a}}`, "undefinednulltruex%2C2%2C%2Cy", ""},
		{`{{{basicAuthHeaderValue "user" "pässword"}}}`, "Basic dXNlcjpww6Rzc3dvcmQ=", ""},
		{`{{{basicAuthHeaderValue "u"}}}`, "Basic dTpbb2JqZWN0IE9iamVjdF0=", ""},
		{`{{formatWithOffset ms 3600 "rfc3339"}}|{{formatWithOffset ms "-3600" "simple"}}`, "2020-02-04T01:54:45Z|2020-02-03 23:54:45", ""},
		{`{{formatWithOffset 1500 0 "seconds"}}|{{formatWithOffset ms 0 "?"}}|{{formatWithOffset "x" 0 "seconds"}}|{{formatWithOffset}}`, "2|1580777685229|NaN|NaN", ""},
		{`{{formatTime ms "%Y-%m-%d %H:%M:%S.%L %z"}}`, "2020-02-04 00:54:45.229 +0000", ""},
		{`{{formatTime ts "rfc3339" "+05:30"}}|{{formatTime iso "iso"}}|{{formatTime iso "rfc3339" 3600}}`, "2020-02-04T06:24:45+05:30|2020-02-04T00:54:45.229Z|2020-02-04T01:54:45+01:00", ""},
		{`{{formatTime "1580777685229" "%a %A %b %B %-d %e %j %y %-m %I %-I %-H %p %s %Q %F %T %R %D %:z 100%%"}}`, "Tue Tuesday Feb February 4  4 035 20 2 12 12 0 AM 1580777685 1580777685229 2020-02-04 00:54:45 00:54 02/04/20 +00:00 100%", ""},
		{`{{formatTime ms "date"}}|{{formatTime ms "time"}}|{{formatTime ms "long" "-0100"}}|{{formatTime ms "rfc1123"}}`, "2020-02-04|00:54:45|February 3, 2020 at 23:54|Tue, 04 Feb 2020 00:54:45 +0000", ""},
		{`[{{formatTime missing "date"}}{{formatTime nul "date"}}{{formatTime e "date"}}]`, "[]", "[]"},
		{`{{#equal n "5"}}y{{else}}n{{/equal}}{{#equalWithElse missing ""}}y{{/equalWithElse}}{{#equal a "x,2,,y"}}y{{/equal}}{{#equal s n}}{{else}}n{{/equal}}`, "yyyn", ""},
		{`{{lookup a 1}}{{lookup o "k"}}{{lookup a.[3] 0}}{{lookup s 0}}{{lookup a "length"}}{{lookup o "constructor"}}`, "2vyH4", ""},
		{`{{log s}}{{log}}{{log a b c}}`, "", ""},
		{`{{#lower "X<"}}never{{/lower}}`, "x<", "x<"},
		{`{{startsWith "turned on" "turned"}}|{{startsWith s "h"}}|{{startsWith missing ""}}|{{startsWith n "5"}}|{{#if (startsWith e "x")}}y{{else}}n{{/if}}`, "true|false|true|true|n", ""},
		{`{{replace "a-b-c" "-" "--"}}|{{replace n 5 6}}|{{replace "ab" "" "x"}}|{{replace missing "a" "b"}}|{{replace "ab" "b"}}`, "a--b--c|6|ab||a", ""},
		{`{{firstItems a 2}}|{{firstItems a 9}}|{{firstItems a 0}}|{{firstItems n 2}}|{{firstItems missing 2}}`, "x,2|x,2,,y||5|", ""},
		{`{{join (nonBlankItems a)}}|{{join (nonBlankItems missing)}}|{{nonBlankItems n}}|{{#if (nonBlankItems a.[9])}}y{{else}}n{{/if}}`, "x, 2, y||5|n", ""},
		{`{{trimSuffix "http://x/" "/"}}|{{trimSuffix "http://x" "/"}}|{{trimSuffix "x//" "/"}}|{{trimSuffix missing "/"}}|{{trimSuffix n ""}}`, "http://x|http://x|x/||5", ""},
		{`{{within "été" 3}}|{{within "été" 2}}|{{within missing 0}}|{{within n "1"}}`, "été|||5", ""},
		{`{{a}}|{{{o}}}|{{@root.a.length}}`, "x,2,,y|[object Object]|4", ""},
	} {
		if c.json == "" {
			c.json = strings.ReplaceAll(strings.ReplaceAll(c.html, "\n", `\n`), "&quot;", `\&quot;`)
		}
		for escape, want := range map[render.Escape]string{render.EscapeHTML: c.html, render.EscapeJSON: c.json} {
			got, err := renderText(c.template, parse(t, helperContext), escape, render.RenderOptions{})
			if err != nil || got != want {
				t.Errorf("%s\n got %q, %v\nwant %q", c.template, got, err, want)
			}
		}
	}
}

func TestEscapeNone(t *testing.T) {
	got, err := renderText(`{{s}}{{{s}}}&{{json o}}`, parse(t, helperContext), render.EscapeNone, render.RenderOptions{})
	if want := "Hé\"llo <b>\nHé\"llo <b>\n&{\"k\":\"v\"}"; err != nil || got != want {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestEscapeFor(t *testing.T) {
	for name, want := range map[string]render.Escape{
		"a.json": render.EscapeJSON, "x/a.json.hbs": render.EscapeJSON, "a.hbs": render.EscapeHTML,
		"a.json.txt": render.EscapeHTML, "json": render.EscapeHTML, "a.html.hbs": render.EscapeHTML,
	} {
		if got := render.EscapeFor(name); got != want {
			t.Errorf("%s: got %d", name, got)
		}
	}
}

func TestHelperErrors(t *testing.T) {
	for template, want := range map[string]string{
		`{{truncate s}}`:                      "t.hbs:1:3: truncate: the second value must be",
		"\n {{formatTime \"x\" \"date\"}}":    "t.hbs:2:4: formatTime: the first value must be a time",
		`{{firstItems a "few"}}`:              "t.hbs:1:3: firstItems: the second value must be",
		`{{within s "few"}}`:                  "t.hbs:1:3: within: the second value must be a number",
		`{{formatTime ms "%k"}}`:              `t.hbs:1:3: formatTime: unknown directive "%k" in the layout`,
		`{{formatTime ms "50%"}}`:             "the layout ends with a single %",
		`{{formatTime ms "date" "Mars"}}`:     "the offset must be like",
		`{{formatWithOffset "x" 0 "simple"}}`: "formatWithOffset: the first two values",
		`{{#each}}{{/each}}`:                  "t.hbs:1:4: each takes 1 value, not 0",
		`{{#if s n}}{{/if}}`:                  "if takes 1 value, not 2",
		`{{#equal s}}{{/equal}}`:              "equal takes 2 values, not 1",
		`{{lookup a}}`:                        "lookup: takes 2 values, not 1",
		`{{if s}}`:                            "t.hbs:1:3: the helper if needs a block (write {{#if ...}} ... {{/if}})",
		`{{#if (equal a b)}}{{/if}}`:          "t.hbs:1:8: the helper equal needs a block",
		`{{jsom s}}`:                          `there is no helper "jsom" (did you mean json?)`,
		`{{#eachh a}}{{/eachh}}`:              `there is no helper "eachh" (did you mean each?)`,
		`{{queryEncode (a.b c)}}`:             `t.hbs:1:16: there is no helper "a.b"`,
		`{{> self}}`:                          "t.hbs:1:1: partials are not supported",
		`{{* deco}}`:                          "decorators",
		`{{#*inline "x"}}{{/inline}}`:         "decorators",
		`{{#each a as |x|}}{{else}}{{x}}{{/each}}{{#if t as |y|}}{{y}}{{/if}}`: "this block sets no block parameter",
	} {
		got, err := renderText(template, parse(t, helperContext), render.EscapeHTML, render.RenderOptions{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\n got %q, %v\nwant %s", template, got, err, want)
		}
	}
}

// What stands for a text in each markup. The zero-width space is shown as ^, the blank that does not break as _.
func TestMarkupHelpers(t *testing.T) {
	for _, c := range []struct{ helper, text, want string }{
		{"htmlEscape", `<b a='1' c="2">&amp;`, "&lt;b a='1' c=&quot;2&quot;&gt;&amp;amp;"},
		{"htmlEscape", "*a* _b_\n  c\x00\x07", "*a* _b_\n  c"},

		{"htmlLines", "a<br>\nb\r\nc\rd\x00", "a&lt;br&gt;<br>b<br>c<br>d"},

		{"markdownEscape", "*b* _i_ ~~s~~ `c` [x](y) ![x](y) a|b #1 \\", "\\*b\\* \\_i\\_ \\~\\~s\\~\\~ \\`c\\` \\[x\\](y) !\\[x\\](y) a\\|b \\#1 \\\\"},
		{"markdownEscape", "<b>&lt;</b>", "&lt;b&gt;&amp;lt;&lt;/b&gt;"},
		{"markdownEscape", "@all ping @here, a.@x or x@example.com, \u00e9@y", "@^all ping @^here, a.@^x or x@example.com, \u00e9@y"},
		{"markdownEscape", "- a\n+ b\r1. c\n 2) d\n12a. e\n===\na - b + c = d 1. e", "\\- a  \n\\+ b  \r1\\. c  \n_2\\) d  \n12a. e  \n&#61;==  \na - b + c = d 1. e"},
		{"markdownEscape", "    code\n\tcode\n  and so on", "____code  \n__code  \n__and so on"},

		{"slackEscape", "<!channel> & <@U1|x>", "&lt;!channel&gt; &amp; &lt;@U1|x&gt;"},
		{"slackEscape", "*b* a_b ~s~ `c`", "^*^b^*^ a^_^b ^~^s^~^ ^`^c^`^"},
		{"slackEscape", "> quoted\na > b\n > c", "^&gt; quoted\na &gt; b\n_^&gt; c"},
		{"slackEscape", ":fire: https://x at 10: end:", ":^fire: https://x at 10: end:"},

		{"discordEscape", "*b* __u__ ~~s~~ ||x|| `c` [x](y) <@1> <t:1:R>", "\\*b\\* \\_\\_u\\_\\_ \\~\\~s\\~\\~ \\|\\|x\\|\\| \\`c\\` \\[x\\](y) \\<@^1\\> \\<t\\:1\\:R\\>"},
		{"discordEscape", "@everyone x@here", "@^everyone x@^here"},
		{"discordEscape", "# a\n-# b\n- c\n1. d\n> e: https://f", "\\# a\n\\-\\# b\n\\- c\n1\\. d\n\\> e: https\\://f"},

		{"zulipEscape", "**b** `c` @**all** #**x** [a](b) <time:1> $$x$$ :+1: &", "&#42;&#42;b&#42;&#42; &#96;c&#96; &#64;&#42;&#42;all&#42;&#42; &#35;&#42;&#42;x&#42;&#42; &#91;a&#93;(b) &#60;time&#58;1&#62; &#36;&#36;x&#36;&#36; &#58;+1&#58; &#38;"},
		{"zulipEscape", "- a\n2. b\n|c|~d\\", "&#45; a\n2&#46; b\n&#124;c&#124;&#126;d&#92;"},

		{"datadogEscape", "50% %%%%\n @all x@y", "50% %^%^%^%  \n_@^all x@^y"},
		{"datadogEscape", "a@\n@\n%%\nb", "a@^  \n@^  \n%^%  \nb"},
		{"datadogEscape", "*b* <i> & [x](y)\n- l", "\\*b\\* &lt;i&gt; &amp; \\[x\\](y)  \n\\- l"},

		{"safeLink", "https://example.com/" + strings.Repeat("a", 1980), "https://example.com/" + strings.Repeat("a", 1980)},
		{"safeLink", "https://example.com/" + strings.Repeat("a", 1981), ""},
		{"safeLink", "https://example.com/" + strings.Repeat("é", 400), ""},
		{"safeLink", "https://example.com/a_b?c=d&e=%20f#g", "https://example.com/a_b?c=d&e=%20f#g"},
		{"safeLink", "HTTP://[::1]:80/x", "http://[::1]:80/x"},
		{"safeLink", "https://example.com/a (b) <c>|d\"e\\f\n@all\u00e9 100% %4 %zz", "https://example.com/a%20%28b%29%20%3Cc%3E%7Cd%22e%5Cf%0A@all%C3%A9%20100%25%20%254%20%25zz"},
		{"safeLink", "javascript:alert(1)//://x", ""},
		{"safeLink", "/flags/x", ""},
		{"safeLink", "https://", ""},
		{"safeLink", "https://\\evil.example/", ""},
		{"safeLink", "https://a) [x](https://b", ""},
		{"safeLink", "https://a[b]/", ""},
		{"safeLink", "https://a%41/", ""},
		{"safeLink", "https:///x", ""},
		{"safeLink", "httpx://example.com", ""},
		{"safeLink", "", ""},
	} {
		context := render.Object(render.Member{Key: "text", Value: render.String(c.text)})
		got, err := renderText("{{{"+c.helper+" text}}}", context, render.EscapeHTML, render.RenderOptions{})
		shown := strings.NewReplacer("\u200b", "^", "\u00a0", "_").Replace(got)
		if err != nil || shown != c.want {
			t.Errorf("%s of %q\n got %q, %v\nwant %q", c.helper, c.text, shown, err, c.want)
		}
	}
}

// unescape undoes what each helper does, but for invisible characters.
var unescape = map[string]func(string) string{
	"htmlEscape":     html.UnescapeString,
	"markdownEscape": func(s string) string { return html.UnescapeString(dropBackslashes(s)) },
	"slackEscape":    html.UnescapeString,
	"discordEscape":  dropBackslashes,
	"zulipEscape":    html.UnescapeString,
	"datadogEscape":  func(s string) string { return html.UnescapeString(dropBackslashes(s)) },
}

var lineEnd = regexp.MustCompile(` *([\n\r])`)

func dropBackslashes(s string) string {
	return regexp.MustCompile(`\\([!-/:-@\[-`+"`"+`{-~])`).ReplaceAllString(s, "$1")
}

// Whatever the text, a reader sees that text: the markup that a helper writes stands for it, no more and no less.
func TestMarkupHelpersKeepTheText(t *testing.T) {
	blanks := strings.NewReplacer("\u200b", "", "\u00a0", " ", "\t", "  ")
	printable := func(s string) string {
		return strings.Map(func(r rune) rune {
			if unicode.IsControl(r) && !strings.ContainsRune("\t\n\r", r) {
				return -1
			}
			return r
		}, s)
	}
	rapid.Check(t, func(t *rapid.T) {
		text := strings.Join(rapid.SliceOf(rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
			"*", "_", "`", "&lt;", "<@U1>", "@everyone", "\n", "\t", " ", "1.", "- ", "\\", "&#42;", "%%%", "a", "://",
		}))).Draw(t, "text"), "")
		text = strings.ToValidUTF8(text, "\ufffd")
		context := render.Object(render.Member{Key: "text", Value: render.String(text)})
		for name, undo := range unescape {
			got, err := renderText("{{{"+name+" text}}}", context, render.EscapeHTML, render.RenderOptions{})
			if err != nil {
				t.Fatal(err)
			}
			want, seen := blanks.Replace(printable(text)), blanks.Replace(undo(got))
			if name == "markdownEscape" || name == "datadogEscape" { // they end lines with blanks
				want, seen = lineEnd.ReplaceAllString(want, "$1"), lineEnd.ReplaceAllString(seen, "$1")
			}
			if name == "htmlEscape" { // it leaves blanks alone
				want, seen = printable(text), undo(got)
			}
			if seen != want {
				t.Fatalf("%s of %q is %q, which shows %q", name, text, got, seen)
			}
		}
	})
}
