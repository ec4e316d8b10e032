package manifest_test

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/flaghook/flaghook/manifest"
	"github.com/rogpeppe/go-internal/txtar"
)

// FuzzLoadFolder looks for manifests that make loading panic or hang, for
// findings without a place, and for text that loads and is not JSON.
func FuzzLoadFolder(f *testing.F) {
	names, err := filepath.Glob("testdata/folders/*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(archive.Files[0].Data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		i, findings := manifest.LoadFolder(files("manifest.json", string(data), "body.json.hbs", `{"a": "{{{key}}}"}`), "acme")
		if (i == nil) != manifest.HasErrors(findings) {
			t.Errorf("integration %v with findings %v", i, findings)
		}
		if i != nil && !json.Valid(data) {
			t.Error("it is not JSON")
		}
		lines := 1 + strings.Count(string(data), "\n")
		for _, found := range findings {
			if found.Line < 1 || found.Column < 1 || found.Rule == "" || found.Message == "" ||
				found.Path == "manifest.json" && (found.Line > lines || found.Column > len(data)+1) {
				t.Errorf("finding without a place, a rule or a message: %+v", found)
			}
		}
		if i == nil {
			return
		}
		config, _ := i.Placeholders(nil)
		if i.Hook() != nil {
			if out, err := i.Render(event(t, sampleContext), manifest.RenderInput{Config: config}); err == nil && out.Request == nil && out.Skipped == "" {
				t.Error("nothing is sent, for no reason")
			}
		}
	})
}
