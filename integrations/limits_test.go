package integrations_test

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/flaghook/flaghook/hooks/hookstest"
	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/render"
	"github.com/flaghook/flaghook/schemas"
)

// failer is what a check reports to: a test, or a property's run.
type failer interface {
	Helper()
	Errorf(format string, args ...any)
}

// accepted holds a request against the published rules of its tool, as the tool that hookstest plays does; each
// folder's README links to them.
func accepted(t failer, key string, r *manifest.Request) {
	t.Helper()
	req := httptest.NewRequest(r.Method, r.URL, bytes.NewReader(r.Body))
	for _, h := range r.Headers {
		req.Header.Set(h.Name, h.Value)
	}
	tool, _ := hookstest.ToolFor(key)
	answer := httptest.NewRecorder()
	tool.ServeHTTP(answer, req)
	if answer.Code >= http.StatusBadRequest {
		t.Errorf("%s answers %d: %s", key, answer.Code, answer.Body)
	}
}

// typed replaces every text of a sample that people type by one of make's.
func typed(doc render.Value, make func() string) render.Value {
	str := func(v render.Value, keys ...string) render.Value {
		for _, k := range keys {
			if v.Has(k) {
				v = v.With(k, render.String(make()))
			}
		}
		return v
	}
	three := func(key string) { doc = doc.With(key, str(doc.Get(key), "plainText", "markdown", "html")) }
	tags := func() render.Value {
		return render.Array(render.String(make()), render.String(make()), render.String(make()))
	}
	doc = str(doc, "name", "comment", "titleVerb").With("tags", tags())
	three("title")
	three("details")
	for _, actor := range []string{"member", "token", "app"} {
		if doc.Has(actor) {
			doc = doc.With(actor, str(doc.Get(actor), "name", "displayName", "firstName", "lastName", "email"))
		}
	}
	project := str(doc.Get("project"), "name").With("tags", tags())
	project = project.With("environment", str(project.Get("environment"), "name"))
	return doc.With("project", project).With("customProperties", render.Object(
		render.Member{Key: "datadog", Value: render.Object(
			render.Member{Key: "name", Value: render.String(make())},
			render.Member{Key: "values", Value: tags()})}))
}

// Texts as long as an event may hold stay within every tool's limits,
// whatever they are made of: letters, characters of four bytes, characters
// that JSON writes in six.
func TestLongTextsStayWithinLimits(t *testing.T) {
	for _, i := range load(t).All() {
		c := config(t, i)
		for _, unit := range []string{"x", "\U0001F525", "\x01", `"`, "\\", "&lt;", "a\n", "*", "@", "\t", "<"} {
			long := strings.Repeat(unit, 6000)
			for _, name := range []string{"flag-on", "member-update"} { // with all members, and with few
				doc := typed(sample(t, name), func() string { return long })
				accepted(t, i.Key, renderOne(t, i, doc, manifest.RenderInput{Config: c}))
			}
		}
	}
}

// Many tags and a long link stay within the limits as well, and nothing else is lost for them.
func TestManyTagsStayWithinLimits(t *testing.T) {
	for _, i := range load(t).All() {
		c := config(t, i)
		for _, unit := range []string{"x", "\U0001F525", "\x01", "é"} {
			tags := make([]render.Value, 150)
			for n := range tags {
				tags[n] = render.String(strings.Repeat(unit, 250))
			}
			doc := typed(sample(t, "flag-on"), func() string { return strings.Repeat(unit, 6000) }).With("tags", render.Array(tags...))
			for _, length := range []int{10, 300, 900, 1900, 3000} {
				link := "https://flags.example.com/" + strings.Repeat("x", length)
				accepted(t, i.Key, renderOne(t, i, linked(doc, link), manifest.RenderInput{Config: c}))
			}
		}
	}
}

// Whatever people type, the request is one that the tool takes.
func TestAnyTextIsAccepted(t *testing.T) {
	catalog := load(t)
	names := schemas.SampleNames()
	inputs := map[string]render.Value{}
	for _, i := range catalog.All() {
		inputs[i.Key] = config(t, i)
	}
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.SampledFrom(names).Draw(rt, "sample")
		doc := typed(sample(t, name), func() string { return anyText.Draw(rt, "text") })
		for _, i := range catalog.All() {
			accepted(rt, i.Key, renderOne(rt, i, doc, manifest.RenderInput{Config: inputs[i.Key]}))
		}
	})
}

// anyText is what people type at its worst; it ends with a letter, so that no tool sees it as blank.
var anyText = rapid.Map(rapid.SliceOfN(rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
	"<!channel>", "<@U012AB3CD>", "@everyone", "@here", "@**all**", "<users/all>", "%%%", "[code]", "{{name}}", "}}}", `"`, `\`, `\u0041`, "&amp;", "&#42;",
	"</script>", "</b>", "<a href=x>", "[x](y)", "![x](y)", "*b*", "**b**", "_i_", "~~s~~", "`c`", "```", "\n```\n", "||x||", "> q", "\n> q", "- l", "\n1. l",
	"\n# h", "\n===", "#**c**", "<time:1>", "$$x$$", ":x:", "\u202e", "\n", "\r", "\t", "\x00", " ",
})), 1, 6), func(words []string) string { return strings.Join(words, " ") + "x" })
