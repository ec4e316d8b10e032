package hooks_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/render"
)

// drawPosted draws values whose objects have the members of events, and others.
func drawPosted(t *rapid.T, depth int) render.Value {
	kinds := []string{"null", "bool", "number", "string"}
	if depth > 0 {
		kinds = append(kinds, "array", "object", "object")
	}
	switch rapid.SampledFrom(kinds).Draw(t, "kind") {
	case "null":
		return render.Null
	case "bool":
		return render.Bool(rapid.Bool().Draw(t, "bool"))
	case "number":
		return render.Number(rapid.SampledFrom([]float64{0, 1, -1.5, 1e300}).Draw(t, "number"))
	case "array":
		items := make([]render.Value, rapid.IntRange(0, 2).Draw(t, "items"))
		for i := range items {
			items[i] = drawPosted(t, depth-1)
		}
		return render.Array(items...)
	case "object":
		return drawObject(t, depth-1)
	}
	return render.String(rapid.SampledFrom([]string{"", "x", "a\"\\\n\u2028é{[,", "~", "https://example.com"}).Draw(t, "string"))
}

func drawObject(t *rapid.T, depth int) render.Value {
	names := []string{
		"name", "key", "tags", "email", "displayName", "emailLocalPart", "resources", "plainText", "markdown", "html", "environment",
		"id", "action", "source", "milliseconds", "title", "details", "project", "member", "target", "token", "comment", "_links", "after", "on", "kind", "10", "\"q\\", "",
	}
	var members []render.Member
	for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(names), 0, 4, rapid.ID).Draw(t, "members") {
		members = append(members, render.Member{Key: name, Value: drawPosted(t, depth)})
	}
	return render.Object(members...)
}

// A document is written as its value would be, each member once, so that it is the
// same whether it is read as it stands or parsed.
func TestDocumentsReadAsTheyWereWritten(t *testing.T) {
	accepted := 0
	rapid.Check(t, func(t *rapid.T) {
		posted := drawObject(t, 3).WithAll(
			render.Member{Key: "action", Value: render.String("updateOn")},
			render.Member{Key: "resource", Value: render.String("proj/web;a:env/production:flag/check\"out")})
		e, err := hooks.NewEvent(posted, options())
		if err != nil {
			return
		}
		accepted++
		text := e.Doc().AppendJSON(nil)
		parsed, err := render.ParseJSON(text)
		if err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		if again := parsed.AppendJSON(nil); !bytes.Equal(again, text) {
			t.Fatalf("written as\n%s\nand, once parsed, as\n%s", text, again)
		}
		for _, name := range []string{"id", "action", "resource"} {
			if parsed.Has(name) {
				t.Fatalf("it has %s: %s", name, text)
			}
		}
		if !parsed.Equal(e.Doc()) {
			t.Fatalf("not what was parsed: %s", text)
		}
	})
	if accepted == 0 {
		t.Error("no event was accepted")
	}
}

// What an event costs to normalise grows with its length and no faster, whatever
// there is much of.
func TestLongEvents(t *testing.T) {
	many := func(format string) string {
		parts := make([]string, 100_000)
		for i := range parts {
			parts[i] = fmt.Sprintf(format, i)
		}
		return strings.Join(parts, ",")
	}
	done := make(chan bool)
	go func() {
		defer close(done)
		for _, member := range []string{
			many(`"m%d":0`), `"project":{` + many(`"m%d":0`) + `}`, `"project":{"environment":{` + many(`"m%d":0`) + `}}`,
			`"member":{` + many(`"m%d":0`) + `}`, `"target":{` + many(`"m%d":0`) + `}`, `"tags":[` + many(`"%d"`) + `]`,
			`"baseURL":"https://example.com","_links":{` + many(`"m%d":{"href":"/"}`) + `}`,
			`"before":{` + many(`"m%d":0`) + `},"after":{` + many(`"m%d":1`) + `}`,
			"\"project\":{\"environment\":{\"name\":\"" + strings.Repeat("`", 1_000_000) + "\"}}",
			"\"details\":{\"markdown\":\"" + strings.Repeat("`", 200_000) + "\"}", `"title":"` + strings.Repeat("_", 1_000_000) + `"`,
			`"details":{"markdown":"` + strings.Repeat("[*", 500_000) + `"}`, `"details":{"markdown":"` + strings.Repeat("[](*", 250_000) + `"}`,
		} {
			e := newEvent(t, `{"action":"updateOn","resource":"proj/web:flag/x",`+member+`}`)
			if read := new(hooks.Event); read.UnmarshalBinary(stored(t, e)) != nil || !read.Doc().Equal(e.Doc()) {
				t.Errorf("%.40s is another once it was stored", member)
			}
		}
	}()
	select {
	case <-done:
	case <-time.After(3 * patience): // a few times what it takes; the square of that is hours
		t.Error("it takes too long")
	}
}

// Members with odd names are kept where they are.
func TestOddNamesAreKept(t *testing.T) {
	const odd = `{"":false,"\"":1,"\u0000":2}`
	e := newEvent(t, `{"action":"updateOn","resource":"proj/web:env/e:flag/x","project":{"environment":`+odd+`,"":0},"":3,"member":{"":4},"target":{"":5}}`)
	for path, want := range map[string]float64{"project": 0, "member": 4, "target": 5} {
		if v := e.Doc().Path(path, ""); v.Kind() != render.KindNumber || v.AsNumber() != want {
			t.Errorf("%s has %s", path, v.JSON())
		}
	}
	environment := e.Doc().Path("project", "environment")
	for key, v := range parse(t, odd).Members() {
		if !environment.Get(key).Equal(v) {
			t.Errorf("%q: %s", key, environment.JSON())
		}
	}
	if e.Doc().Get("").AsNumber() != 3 {
		t.Error(e.Doc().JSON())
	}
}

func stored(t *testing.T, e *hooks.Event) []byte {
	t.Helper()
	form, err := e.MarshalBinary()
	if err != nil {
		t.Error(err)
	}
	return form
}
