package hooks_test

import (
	"bytes"
	"testing"

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
		"milliseconds", "title", "details", "project", "member", "target", "token", "comment", "_links", "after", "on", "kind", "10", "\"q\\", "",
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
		if !parsed.Equal(e.Doc()) {
			t.Fatalf("not what was parsed: %s", text)
		}
	})
	if accepted == 0 {
		t.Error("no event was accepted")
	}
}
