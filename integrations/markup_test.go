package integrations_test

import (
	"encoding/json"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/render"
	"github.com/flaghook/flaghook/schemas"
)

// markup says which members of a tool's body are read for markup, and lists what markup a text holds that the tool
// would act on.
// A member "$.x" is that of the whole message alone.
type markup struct {
	members []string // of a form, its values
	tokens  func(text string) string
}

// markups are those of the tools that have any. Where a tool reads none of what people type, as in the rich text of
// Slack and Teams, its tokens are all that its markup could be made of.
var markups = map[string]markup{
	"slack":       {[]string{"mrkdwn", "$.text"}, slackTokens},
	"msteams":     {[]string{"TextBlock"}, all},
	"mattermost":  {[]string{"text", "value"}, markdownTokens},
	"discord":     {[]string{"title", "description", "value"}, markdownTokens},
	"google-chat": {[]string{"text"}, htmlTokens},
	"rocketchat":  {[]string{"text", "value"}, codeTokens},
	"telegram":    {[]string{"text"}, telegramTokens},
	"zulip":       {[]string{"content"}, markdownTokens},
	"matrix":      {[]string{"formatted_body"}, htmlTokens},
	"squadcast":   {[]string{"description"}, markdownTokens},

	"datadog":        {[]string{"text"}, datadogTokens},
	"incident-io":    {[]string{"description"}, markdownTokens},
	"grafana-oncall": {[]string{"message"}, markdownTokens},
	"linear":         {[]string{"description"}, markdownTokens},
	"clickup":        {[]string{"markdown_content"}, markdownTokens},
	"trello":         {[]string{"desc"}, markdownTokens},
	"uptrace":        {[]string{"description"}, markdownTokens},
	"grafana":        {[]string{"text"}, htmlTokens},
	"azure-devops":   {[]string{"/fields/System.Description", "/fields/System.History"}, htmlTokens},
	"servicenow":     {[]string{"work_notes"}, serviceNowTokens},
}

func all(text string) string { return text }

var (
	slackPlain = regexp.MustCompile("\u200b[*_~`]\u200b|&(?:amp|lt|gt);|:(?:[\u200b/\\s\\pZ]|$)")
	slackMark  = regexp.MustCompile("[*_~`<>:]")
	slackQuote = regexp.MustCompile("(?m)^[ \t\u00a0]*&gt;")
)

// slackTokens are all of the time, which is written as a mention, and of other mrkdwn what nothing has made plain.
func slackTokens(text string) string {
	if strings.HasPrefix(text, "<!date^") {
		return all(text)
	}
	marks := slackMark.FindAllString(slackPlain.ReplaceAllString(text, "x"), -1)
	return strings.Join(append(slackQuote.FindAllString(text, -1), marks...), " ")
}

var (
	escaped      = regexp.MustCompile(`\\[!-/:-@\[-` + "`" + `{-~]|&(?:#[0-9]+|[a-z]+);|@\x{200b}|[\pL\pN]@`)
	markdownMark = regexp.MustCompile(`(?m)[*_` + "`" + `~\[\]|<>@]|^[ \t]*(?:[-+=#]|[0-9]{1,9}[.)][ \t])`)
	destination  = regexp.MustCompile(`\]\([^()<>\s]*\)`)
	reference    = regexp.MustCompile(`href="[^"<>]*"`)
	tag          = regexp.MustCompile(`<[^>]*>?|>`)
	preformatted = regexp.MustCompile(`(?s)<pre>.*</pre>`)
)

// markdownTokens are the characters that no backslash, entity or zero-width space has made plain.
func markdownTokens(text string) string {
	text = destination.ReplaceAllString(text, "]") // where a link leads is read for no markup
	return strings.Join(markdownMark.FindAllString(escaped.ReplaceAllString(text, "x"), -1), " ")
}

// datadogTokens are those of Markdown, each %%%, which ends it, and each @ that has nothing behind it.
func datadogTokens(text string) string {
	return markdownTokens(text) + strings.Repeat("%%%", strings.Count(text, "%%%")) +
		strings.Repeat("@", strings.Count(strings.ReplaceAll(destination.ReplaceAllString(text, "]"), "@\u200b", ""), "@"))
}

// serviceNowTokens are the tags within which a journal's text is read as HTML.
func serviceNowTokens(text string) string {
	return strings.Join(regexp.MustCompile(`(?i)\[/?code\]`).FindAllString(text, -1), " ")
}

// htmlTokens are tags, but for the line breaks that people typed.
func htmlTokens(text string) string {
	text = strings.ReplaceAll(text, "<br>", "")
	return strings.Join(tag.FindAllString(reference.ReplaceAllString(text, ""), -1), " ")
}

// telegramTokens are tags, and an @ outside of preformatted text that has nothing behind it.
func telegramTokens(text string) string {
	outside := preformatted.ReplaceAllString(reference.ReplaceAllString(text, ""), "")
	outside = strings.ReplaceAll(outside, "@&#8203;", "")
	return htmlTokens(text) + strings.Repeat("@", strings.Count(outside, "@"))
}

// codeTokens are backticks: nothing else is read in a code block, which they end.
func codeTokens(text string) string {
	if strings.HasPrefix(text, "```\n") && strings.HasSuffix(text, "\n```") {
		return strings.Repeat("`", strings.Count(text, "`"))
	}
	return text
}

// read lists the markup of a whole body. In Slack's and Teams' bodies an element's type says what its text is.
func (m markup) read(t *testing.T, body []byte) []string {
	t.Helper()
	var found []string
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		form, err := url.ParseQuery(string(body))
		if err != nil {
			t.Fatalf("neither JSON nor a form: %v", err)
		}
		for _, name := range m.members {
			found = append(found, m.tokens(form.Get(name)))
		}
		return found
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, item := range v {
				walk(item)
			}
		case map[string]any:
			for _, name := range m.members {
				if text, isText := v[name].(string); isText {
					found = append(found, m.tokens(text))
				}
				if v["type"] == name {
					found = append(found, m.tokens(v["text"].(string)))
				}
				if v["path"] == name { // of a JSON Patch
					found = append(found, m.tokens(v["value"].(string)))
				}
			}
			for _, name := range slices.Sorted(maps.Keys(v)) {
				walk(v[name])
			}
		}
	}
	if message, isObject := v.(map[string]any); isObject {
		for _, name := range m.members {
			if top, isTop := strings.CutPrefix(name, "$."); isTop {
				text, _ := message[top].(string)
				found = append(found, m.tokens(text))
			}
		}
	}
	walk(v)
	return found
}

// Whatever people type makes no markup: a message has the same bold words, links and code as with plain texts, and
// mentions nobody.
func TestTextsMakeNoMarkup(t *testing.T) {
	catalog := load(t)
	names := schemas.SampleNames()
	inputs := map[string]render.Value{}
	for key := range markups {
		i, found := catalog.Get(key)
		if !found {
			t.Fatalf("there is no integration %s", key)
		}
		inputs[key] = config(t, i)
	}
	rapid.Check(t, func(rt *rapid.T) {
		doc := sample(t, rapid.SampledFrom(names).Draw(rt, "sample"))
		plain := linked(typed(doc, func() string { return "x" }), "https://flags.example.com/x")
		hostile := linked(typed(doc, func() string { return anyText.Draw(rt, "text") }), "https://flags.example.com/"+anyText.Draw(rt, "link"))
		for key, m := range markups {
			i, _ := catalog.Get(key)
			in := manifest.RenderInput{Config: inputs[key]}
			want := strings.Join(m.read(t, renderOne(rt, i, plain, in).Body), "\n")
			got := strings.Join(m.read(t, renderOne(rt, i, hostile, in).Body), "\n")
			if got != want {
				rt.Errorf("%s: what people typed is markup:\n%s\nwith plain texts it is\n%s", key, got, want)
			}
		}
	})
}

// linked gives an event a link to its page.
func linked(doc render.Value, href string) render.Value {
	links := doc.Get("_links")
	return doc.With("_links", links.With("site", links.Get("site").With("href", render.String(href))))
}

// The tokens of each markup are found, so that the property above can fail.
func TestMarkupIsFound(t *testing.T) {
	for _, c := range []struct {
		tokens     func(string) string
		text, want string
	}{
		{markdownTokens, "*b* [x](y_z) \\*c\\* &lt; a@b @\u200ball", "* * [ ]"},
		{markdownTokens, "[x](y @all) [x](y(_z)", "[ ] @ [ ] _"},
		{markdownTokens, "@all\n- l\n1. l\n# h", "@ - 1.  #"},
		{slackTokens, "a \u200b*\u200bb\u200b*\u200b &lt;c&gt; d:\u200be: https://f", ""},
		{slackTokens, "&gt; a\n *b* <c> :d: x", "&gt; * * < > :"},
		{slackTokens, "<!date^1^{time}|x>", "<!date^1^{time}|x>"},
		{datadogTokens, "%%% a@\u200bb @\u200bc *d*\n[e](https://f@g)\n %%%", "* * [ ]%%%%%%"},
		{datadogTokens, "a@b @c %%%", "@%%%@@"},
		{serviceNowTokens, "[ code] [code]<b>[/CODE]", "[code] [/CODE]"},
		{htmlTokens, "a<br>b <i>c</i>", "<i> </i>"},
		{htmlTokens, "a <b>c</b> &lt;i>", "<b> </b> >"},
		{telegramTokens, "@x @&#8203;y <pre>@z</pre>", "<pre> </pre>@"},
		{codeTokens, "```\na `b` c\n```", "````````"},
		{codeTokens, "*b*", "*b*"},
	} {
		if got := c.tokens(c.text); got != c.want {
			t.Errorf("%q: got %q, want %q", c.text, got, c.want)
		}
	}
}

// Teams and Slack can mention by members of their own, and Discord must be told not to.
func TestNoMessageMentions(t *testing.T) {
	catalog := load(t)
	for key, must := range map[string]string{"discord": `"allowed_mentions": { "parse": [] }`, "matrix": `"m.mentions": {}`} {
		i, _ := catalog.Get(key)
		for template := range i.Hook().Templates {
			r := renderOne(t, i, sample(t, "hostile-text"), manifest.RenderInput{Config: config(t, i), Template: template})
			if !strings.Contains(string(r.Body), must) {
				t.Errorf("%s, template %s: the body lacks %s", key, template, must)
			}
		}
	}
	for key, never := range map[string]string{"slack": `"user_id"`, "msteams": `"entities"`} {
		i, _ := catalog.Get(key)
		if r := renderOne(t, i, sample(t, "hostile-text"), manifest.RenderInput{Config: config(t, i)}); strings.Contains(string(r.Body), never) {
			t.Errorf("%s: the body has %s", key, never)
		}
	}
}
