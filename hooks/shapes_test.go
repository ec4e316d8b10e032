package hooks_test

import (
	"regexp"
	"testing"

	"pgregory.net/rapid"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/render"
	"github.com/flaghook/flaghook/schemas"
)

// sent is the body that an integration without templates sends, "webhook" or
// "standard".
func sent(t testing.TB, integration string, e *manifest.Event) string {
	t.Helper()
	i, _ := testCatalog(t).Get(integration)
	out, err := i.Render(e, manifest.RenderInput{Config: parse(t, `{"url":"https://example.com"}`)})
	if err != nil {
		t.Fatal(err)
	}
	return string(out.Request.Body)
}

// The shapes that are sent agree with the one that the API shows.
func TestShapesAgree(t *testing.T) {
	for _, name := range schemas.SampleNames() {
		sample, _ := schemas.Sample(name)
		e := newEvent(t, string(sample))
		webhook, title := e.Webhook(), e.Doc().Get("title")
		if got, want := sent(t, "webhook", e.Rendered()), string(webhook.AppendJSON(nil)); got != want {
			t.Errorf("%s: the webhook shape that is sent is\n%s, and that of the API\n%s", name, got, want)
		}
		standard := webhook.With("timestamp", e.Doc().Get("timestamp")).
			With("title", title.Get("plainText")).With("markdownTitle", title.Get("markdown"))
		if got, want := sent(t, "standard", e.Rendered()), string(standard.AppendJSON(nil)); got != want {
			t.Errorf("%s: the standard shape is\n%s, want\n%s", name, got, want)
		}
	}
}

// A context that an author previews with may lack anything.
func TestShapesOfAnyContext(t *testing.T) {
	const rest = `{"_links":{},"_accountId":"","accesses":[],"description":"","shortDescription":""`
	for context, want := range map[string]struct{ webhook, standard string }{
		`{}`: {rest + `}`, rest + `}`},
		`{"title":{"markdown":"*m*"},"timestamp":null}`: {rest + `,"title":"*m*"}`, rest + `,"timestamp":null,"markdownTitle":"*m*"}`},
		`{"title":{"plainText":"p"}}`:                   {rest + `}`, rest + `,"title":"p"}`},
		`{"title":{"plainText":null,"markdown":"m"},"target":1}`: {rest + `,"title":"m","target":1}`,
			rest + `,"title":null,"target":1,"markdownTitle":"m"}`},
	} {
		e := hooks.FromContext(parse(t, context))
		if got := sent(t, "webhook", e); got != want.webhook {
			t.Errorf("%s: the webhook shape is\n%s, want\n%s", context, got, want.webhook)
		}
		if got := sent(t, "standard", e); got != want.standard {
			t.Errorf("%s: the standard shape is\n%s, want\n%s", context, got, want.standard)
		}
	}
}

// Events that were stored before keep their digest: sent again, they are known.
func TestDigestsStay(t *testing.T) {
	for posted, want := range map[string]string{
		`{"id":"e1","action":"updateOn","resource":"proj/web:env/production:flag/checkout","member":{"email":"a@example.com"}}`:                    "cac892971dc9fcfa0aabf495b0465e8a",
		`{"resource":"proj/web:flag/x","action":"a","n":[1.50,{},[],null,true,"\u00e9\n"],"id":"x","m":{"b":1,"a":{"d":2,"c":"<>"},"10":1,"9":2}}`: "8aa0db0e30454ebce0944443d1ca5e6f",
	} {
		if got := newEvent(t, posted).Digest(); got != want {
			t.Errorf("%s: %s, want %s", posted, got, want)
		}
	}
}

// An id is what the schema's pattern says.
func TestIDsAreWhatThePatternSays(t *testing.T) {
	pattern := regexp.MustCompile(`^[A-Za-z0-9._:-]{1,128}$`)
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.StringOfN(rapid.OneOf(rapid.RuneFrom([]rune("azAZ09._:-")), rapid.RuneFrom([]rune("/;@[`{ ,\n\x00\u00e9"))), 0, 130, -1).Draw(t, "id")
		if rapid.Bool().Draw(t, "plain") {
			id = rapid.StringMatching(`[A-Za-z0-9._:-]{0,130}`).Draw(t, "plain id")
		}
		posted := render.Object(render.Member{Key: "id", Value: render.String(id)},
			render.Member{Key: "action", Value: render.String("updateOn")},
			render.Member{Key: "resource", Value: render.String("proj/web")})
		if _, err := hooks.NewEvent(posted, options()); (err == nil) != pattern.MatchString(id) {
			t.Fatalf("%q: %v, and the pattern says %v", id, err, pattern.MatchString(id))
		}
	})
}
