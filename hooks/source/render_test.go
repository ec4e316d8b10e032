package source_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/flaghook/flaghook/hooks/source"
	"github.com/flaghook/flaghook/integrations"
	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/render"
)

// Whatever a flag system sends, each tool of the catalog can be told of it: the
// request is whole, and JSON where that of a sample is.
func TestFixturesRenderThroughEveryIntegration(t *testing.T) {
	catalog, findings := manifest.Load(integrations.FS())
	if len(findings) > 0 {
		t.Fatal(findings)
	}
	rendered := 0
	for _, i := range catalog.All() {
		data, err := os.ReadFile(filepath.Join("..", "..", "integrations", i.Key, "testdata", "flag-on.json"))
		if err != nil {
			t.Fatal(err)
		}
		golden, err := manifest.ParseGolden(data)
		if err != nil {
			t.Fatal(err)
		}
		if golden.Outcome == nil || golden.Outcome.Request == nil {
			t.Errorf("%s has no request for the sample flag-on", i.Key)
			continue
		}
		_, err = render.ParseJSON(golden.Outcome.Request.Body)
		isJSON := err == nil
		for _, f := range fixtures(t) {
			for _, c := range f.cases {
				r := f.request(t, c.BodyFile)
				if _, err := source.Parse(f.settings, r, source.NoStates{}); err != nil {
					continue // told by TestFixturesBecomeEvents
				}
				for _, e := range events(t, f.settings, r, memory{}) {
					out, err := i.Render(e.Rendered(), manifest.RenderInput{Config: golden.FormVariables})
					if err != nil {
						t.Errorf("%s/%s through %s: %v", f.kind, c.BodyFile, i.Key, err)
						continue
					}
					if out.Request == nil {
						continue // skipped, with a reason
					}
					rendered++
					if _, err := render.ParseJSON(out.Request.Body); err != nil && isJSON {
						t.Errorf("%s/%s through %s: the body is not JSON: %v", f.kind, c.BodyFile, i.Key, err)
					}
				}
			}
		}
	}
	if rendered == 0 {
		t.Error("nothing was rendered")
	}
}
