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
		checkPlaces(t, findings, "manifest.json", string(data))
		_, findings = manifest.LintFolder(files("manifest.json", string(data), "body.json.hbs", `{"a": "{{{key}}}"}`), "acme", manifest.LintOptions{Portable: true})
		checkPlaces(t, findings, "manifest.json", string(data))
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

func checkPlaces(t *testing.T, findings []manifest.Finding, file, text string) {
	t.Helper()
	lines := 1 + strings.Count(text, "\n")
	for _, found := range findings {
		if found.Line < 1 || found.Column < 1 || found.Rule == "" || found.Message == "" ||
			found.Path == file && (found.Line > lines || found.Column > len(text)+1) {
			t.Errorf("finding without a place, a rule or a message: %+v", found)
		}
	}
}

// FuzzLintTemplate looks for templates that make the lint panic or hang, and
// for findings without a place in them.
func FuzzLintTemplate(f *testing.F) {
	names, err := filepath.Glob("testdata/folders/*lint*.txtar")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range archive.Files[1:] {
			f.Add(string(file.Data), strings.Contains(file.Name, ".json"))
		}
	}
	f.Fuzz(func(t *testing.T, source string, isJSON bool) {
		name := "body.hbs"
		if isJSON {
			name = "body.json.hbs"
		}
		folder := files("manifest.json", hookWith(`{"endpoint": {"url": "https://acme.example", "method": "POST"},
			"templates": {"default": "`+name+`"}}`, `"formVariables": [{"key": "level", "name": "L", "type": "string", "description": "L."}]`), name, source)
		i, findings := manifest.LintFolder(folder, "acme", manifest.LintOptions{Portable: true})
		checkPlaces(t, findings, name, source)
		if (i == nil) != manifest.HasErrors(findings) {
			t.Errorf("integration %v with findings %v", i, findings)
		}
	})
}
