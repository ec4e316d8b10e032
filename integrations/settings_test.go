package integrations_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/render"
)

// A credential that an admin leaves out is not sent as an empty header, which some tools and proxies refuse.
func TestNoHeaderIsEmpty(t *testing.T) {
	for _, i := range load(t).All() {
		c := config(t, i)
		for n := range i.Manifest.FormVariables {
			if v := &i.Manifest.FormVariables[n]; v.IsOptional && len(v.Options()) == 0 && v.Type == manifest.TypeString {
				c = c.With(v.Key, render.String(""))
			}
		}
		for _, h := range renderOne(t, i, sample(t, "flag-on"), manifest.RenderInput{Config: c, Delivery: manifest.Delivery{ID: "d", Attempt: 1}}).Headers {
			if value := strings.TrimSpace(h.Value); value == "" || slices.Contains([]string{"Bearer", "Basic", "Splunk", "Token"}, value) {
				t.Errorf("%s: the header %s is sent as %q", i.Key, h.Name, h.Value)
			}
		}
	}
}

// A blank value of a flag's custom property, as of a form's empty line, counts for nothing.
func TestBlankPropertyValuesAreNotSent(t *testing.T) {
	property := func(key string, values ...render.Value) render.Value {
		return render.Object(render.Member{Key: key, Value: render.Object(
			render.Member{Key: "name", Value: render.String(key)}, render.Member{Key: "values", Value: render.Array(values...)})})
	}
	for _, i := range load(t).All() {
		if passesProperties[i.Key] {
			continue
		}
		c := config(t, i)
		for _, v := range i.Manifest.FormVariables {
			if v.Key == "tag" {
				c = c.With("tag", render.String("x")) // what goes out has to have a tag
			}
		}
		for _, kept := range [][]render.Value{{}, {render.String("team:a")}} {
			filled := append(append([]render.Value{render.String(""), render.String(" ")}, kept...), render.Null)
			body := func(values []render.Value) string {
				doc := sample(t, "flag-on").With("customProperties", property(i.Key, values...))
				return string(renderOne(t, i, doc, manifest.RenderInput{Config: c}).Body)
			}
			if got, want := body(filled), body(kept); got != want {
				t.Errorf("%s: with blank values it sends\n%s\nwithout them\n%s", i.Key, got, want)
			}
		}
	}
}

// passesProperties are the integrations that send all custom properties on, as they are.
var passesProperties = map[string]bool{"splunk": true, "elastic": true, "kafka-rest": true}
