package integrations_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/render"
)

// passOn are the integrations that send an event on in the form of another system, links and all, for programs.
var passOn = map[string]bool{"webhook": true, "launchdarkly-webhook": true, "chronosphere": true, "kosli": true}

// Where an event leads to is what a program posted: an address that no browser should open, or that ends a link of
// Markdown early and begins another. Neither stands in what is sent, nor does the markup that came with the event.
func TestLinksAreSafe(t *testing.T) {
	for _, i := range load(t).All() {
		c := config(t, i)
		for _, link := range []string{"javascript:alert(1)", "JavaScript://example.com/%0aalert(1)", "data:text/html,x", "https://a) [x](https://b", "https://a/b) [x](https://c"} {
			for _, name := range []string{"flag-on", "segment-update", "member-update", "project-create"} {
				doc := linked(sample(t, name), link)
				for _, key := range []string{"title", "details"} {
					doc = doc.With(key, doc.Get(key).
						With("markdown", render.String("[typed]("+link+")")).
						With("html", render.String(`<a href="`+link+`">typed</a>`)))
				}
				r := renderOne(t, i, doc, manifest.RenderInput{Config: c})
				accepted(t, i.Key, r)
				if sends(r, link) != passOn[i.Key] {
					t.Errorf("%s, %s: the link %q is sent: %v; want %v", i.Key, name, link, !passOn[i.Key], passOn[i.Key])
				}
			}
		}
	}
}

// It does not matter whether the address that an admin gives ends with a slash.
func TestBaseURLsMayEndWithASlash(t *testing.T) {
	for _, i := range load(t).All() {
		c := config(t, i)
		want := renderOne(t, i, sample(t, "flag-on"), manifest.RenderInput{Config: c}).URL
		for key, value := range c.Members() {
			base := value.AsString()
			if !strings.HasPrefix(base, "https://") || base == want || len(i.Variable(key).Options()) > 0 {
				continue // no base of a URL, or one that is chosen
			}
			got := renderOne(t, i, sample(t, "flag-on"), manifest.RenderInput{Config: c.With(key, render.String(base+"/"))}).URL
			if got != want {
				t.Errorf("%s: with %s=%s/ it goes to %s; want %s", i.Key, key, base, got, want)
			}
		}
	}
}

// sends reports whether a body, of JSON or a form, holds a text.
func sends(r *manifest.Request, text string) bool {
	body := string(r.Body)
	if values, err := url.ParseQuery(body); err == nil && !json.Valid(r.Body) {
		for _, v := range values {
			body += "\n" + strings.Join(v, "\n")
		}
	}
	return strings.Contains(body, text)
}
