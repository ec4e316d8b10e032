package manifest_test

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/flaghook/flaghook/manifest"
	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// svg is an icon; every folder of the goldens has it as square.svg.
const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>`

// folderOf makes a folder of the files of an archive.
func folderOf(archive *txtar.Archive) fstest.MapFS {
	fsys := fstest.MapFS{"square.svg": {Data: []byte(svg)}}
	for _, f := range archive.Files {
		fsys[f.Name] = &fstest.MapFile{Data: f.Data}
	}
	return fsys
}

// TestFindings lints the folder in each testdata/folders/NAME.txtar, for
// portability too where NAME begins with portable, for completeness where it
// begins with complete. What is found stands in its
// last file, "findings".
func TestFindings(t *testing.T) {
	files, err := filepath.Glob("testdata/folders/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no goldens:", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		t.Run(name, func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want := ""
			if last := len(archive.Files) - 1; archive.Files[last].Name == "findings" {
				want = string(archive.Files[last].Data)
				archive.Files = archive.Files[:last]
			}
			o := manifest.LintOptions{Portable: strings.HasPrefix(name, "portable"), Complete: strings.HasPrefix(name, "complete")}
			i, findings := manifest.LintFolder(folderOf(archive), name, o)
			if (i == nil) != manifest.HasErrors(findings) {
				t.Errorf("integration %v with findings %v", i, findings)
			}
			checkLoad(t, folderOf(archive), name, findings)
			got := golden(findings)
			if *update {
				archive.Files = append(archive.Files, txtar.File{Name: "findings", Data: []byte(got)})
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("findings differ (-want +got), rewrite with -update:\n%s", diff)
			}
			if strings.HasPrefix(name, "good") && len(findings) > 0 {
				t.Errorf("a good folder has findings: %v", findings)
			}
		})
	}
}

// checkLoad loads the folder: that finds what Lint finds, but for the rules of
// Lint alone, and the folder is used unless there is an error among them.
func checkLoad(t *testing.T, fsys fs.FS, key string, linted []manifest.Finding) {
	t.Helper()
	lintRule := map[string]bool{}
	for _, r := range manifest.Rules() {
		lintRule[r.Name] = r.Lint
	}
	var want []manifest.Finding
	for _, f := range linted {
		if _, known := lintRule[f.Rule]; !known {
			t.Errorf("the rule %s is not in the table", f.Rule)
		}
		if !lintRule[f.Rule] {
			want = append(want, f)
		}
	}
	i, findings := manifest.LoadFolder(fsys, key)
	if diff := cmp.Diff(golden(want), golden(findings)); diff != "" {
		t.Errorf("Load finds (+) other things than Lint (-):\n%s", diff)
	}
	if (i == nil) != manifest.HasErrors(findings) {
		t.Errorf("loaded %v with findings %v", i, findings)
	}
}

// golden writes findings with their pointers.
func golden(findings []manifest.Finding) string {
	var b strings.Builder
	for _, f := range findings {
		b.WriteString(f.String() + "\n")
		if f.Pointer != "" {
			b.WriteString("\tat " + f.Pointer + "\n")
		}
	}
	return b.String()
}

// TestWaivers takes every rule that the goldens show: a warning can be waived,
// an error cannot.
func TestWaivers(t *testing.T) {
	seen := map[string]manifest.Severity{"key-case": manifest.SeverityWarning, "response-body-off": manifest.SeverityWarning}
	names, err := filepath.Glob("testdata/folders/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range names {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, findings := manifest.LintFolder(folderOf(archive), "acme", manifest.LintOptions{Portable: true})
		for _, f := range findings {
			if severity, known := seen[f.Rule]; known && severity != f.Severity {
				t.Errorf("the rule %s is both an error and a warning", f.Rule)
			}
			seen[f.Rule] = f.Severity
		}
	}
	delete(seen, "lint-unknown") // reports on waivers themselves
	for rule, severity := range seen {
		_, findings := manifest.LoadFolder(files("manifest.json", manifestWith(`"otherCapabilities": ["webhooks"],
			"lint": {"allow": [{"rule": "`+rule+`", "reason": "a test"}]}`)), "acme")
		got := golden(findings)
		if severity == manifest.SeverityWarning && got != "" || severity == manifest.SeverityError && !strings.Contains(got, "is an error, which cannot be waived") {
			t.Errorf("waiving the %s %s: %q", severity, rule, got)
		}
	}
}

// TestKeyWarnings are those that depend on the folder's name.
func TestKeyWarnings(t *testing.T) {
	const open = `{"endpoint": {"url": "{{ url }}/in", "method": "POST"}, "templates": {}, "includeErrorResponseBody": true}`
	for key, rule := range map[string]string{"Acme": "key-case", "last9": "response-body-off"} {
		for _, waived := range []bool{false, true} {
			more, hook, want := `"formVariables": [{"key": "url", "name": "U", "type": "uri", "description": "URL."}]`, open, rule
			if key == "Acme" {
				hook = strings.Replace(open, "true", "false", 1)
			}
			if waived {
				more += `, "lint": {"allow": [{"rule": "` + rule + `", "reason": "a test"}]}`
				want = ""
			}
			i, findings := manifest.LoadFolder(files("manifest.json", hookWith(hook, more)), key)
			if i == nil || i.Hook().IncludeErrorResponseBody || strings.TrimPrefix(rules(findings), "manifest.json ") != want {
				t.Errorf("%s, waived %v: %v", key, waived, findings)
			}
		}
	}
}
