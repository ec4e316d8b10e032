package manifest_test

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/render"
)

// compatDir is a checkout of LaunchDarkly's public integration framework.
func compatDir(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("FLAGHOOK_COMPAT_DIR")
	if dir == "" {
		t.Skip("set FLAGHOOK_COMPAT_DIR to a checkout of github.com/launchdarkly/integration-framework to run this test")
	}
	return dir
}

// contexts reads the sample contexts of the public framework.
func contexts(t *testing.T, dir string) map[string]render.Value {
	t.Helper()
	found := map[string]render.Value{}
	err := filepath.WalkDir(filepath.Join(dir, "sample-context"), func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		v, err := render.ParseJSON(data)
		found[path] = v
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestPublicFrameworkLoads(t *testing.T) {
	dir := compatDir(t)
	start := time.Now()
	catalog, findings := manifest.Lint(os.DirFS(filepath.Join(dir, "integrations")), manifest.LintOptions{Portable: true})
	t.Logf("linted in %v", time.Since(start))
	loaded, _ := manifest.Load(os.DirFS(filepath.Join(dir, "integrations")))
	if len(loaded.All()) != len(catalog.All()) {
		t.Errorf("Load has %d integrations, Lint %d", len(loaded.All()), len(catalog.All()))
	}
	for _, f := range findings {
		if f.Severity == manifest.SeverityError || f.Rule == "portable" {
			t.Error(f)
		} else {
			t.Log(f)
		}
	}
	hooks, endpoints := 0, 0
	for _, i := range catalog.All() {
		if i.Hook() == nil {
			continue
		}
		hooks++
		if i.Subscribable() == nil {
			endpoints++
		}
	}
	if n := len(catalog.All()); n < 129 || hooks < 27 || endpoints < 26 {
		t.Errorf("loaded %d folders, %d hooks, %d with an endpoint", n, hooks, endpoints)
	}
}

func TestPublicFrameworkRenders(t *testing.T) {
	dir := compatDir(t)
	catalog, _ := manifest.Load(os.DirFS(filepath.Join(dir, "integrations")))
	samples := contexts(t, dir)
	if len(samples) == 0 {
		t.Fatal("no sample contexts")
	}
	rendered := map[string]bool{}
	requests, skipped := 0, 0
	for _, i := range catalog.All() {
		if i.Subscribable() != nil {
			continue
		}
		config, warnings := i.Placeholders(nil)
		if len(warnings) > 0 {
			t.Error(i.Key, warnings)
		}
		for name, context := range samples {
			shape := func(v render.Value) []byte { return v.AppendJSON(nil) }
			e := manifest.NewEvent(context, shape, shape)
			for _, validation := range []bool{false, true} {
				out, err := i.Render(e, manifest.RenderInput{Config: config, Validation: validation})
				if err != nil {
					t.Errorf("%s, %s: %v", i.Key, name, err)
					continue
				}
				if out.Request == nil {
					if !strings.HasPrefix(out.Skipped, "no template") {
						t.Errorf("%s, %s: skipped: %s", i.Key, name, out.Skipped)
					}
					skipped++
					continue
				}
				rendered[i.Key] = true
				requests++
				checkPublic(t, i, name, out)
			}
		}
	}
	t.Logf("%d requests of %d hooks; %d times no template fits the kind", requests, len(rendered), skipped)
	if len(rendered) < 26 {
		t.Errorf("only %d hooks rendered anything", len(rendered))
	}
}

func checkPublic(t *testing.T, i *manifest.Integration, name string, out *manifest.Rendered) {
	t.Helper()
	file := i.Hook().Templates[out.Template]
	if out.Template != "" && !strings.Contains(file, ".json") {
		return
	}
	if _, err := render.ParseJSON(out.Request.Body); err != nil {
		t.Errorf("%s, %s, %s: the body is not JSON: %v\n%s", i.Key, name, file, err, out.Request.Body)
	}
}

// TestEventSchemaKnowsPublicNames lints a template that writes every member of
// the public sample contexts.
func TestEventSchemaKnowsPublicNames(t *testing.T) {
	names := map[string]bool{}
	for _, context := range contexts(t, compatDir(t)) {
		memberNames(context, "", names)
	}
	for name := range names {
		_, findings := manifest.LintFolder(files("manifest.json", hookWith(`{"endpoint": {"url": "https://acme.example", "method": "POST"},
			"templates": {"default": "body.txt"}}`, `"otherCapabilities": ["webhooks"]`), "body.txt", "{{{"+name+"}}}"), "acme", manifest.LintOptions{})
		for _, f := range findings {
			if f.Rule == "unknown-name" {
				t.Error(name, f)
			}
		}
	}
	t.Logf("%d names", len(names))
}

func memberNames(v render.Value, at string, names map[string]bool) {
	for key, member := range v.Members() {
		name := at + "[" + key + "]"
		names[name] = true
		memberNames(member, name+".", names)
	}
	for n := range v.Len() {
		if v.Kind() == render.KindArray {
			memberNames(v.At(n), at+"["+strconv.Itoa(n)+"].", names)
		}
	}
}
