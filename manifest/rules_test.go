package manifest_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/flaghook/flaghook/manifest"
	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// Each rule is described, and a folder in testdata breaks it.
func TestRules(t *testing.T) {
	broken := map[string]bool{}
	names, err := filepath.Glob("testdata/folders/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		archive, err := txtar.ParseFile(name)
		if err != nil {
			t.Fatal(err)
		}
		_, findings := manifest.LintFolder(folderOf(archive), "acme", manifest.LintOptions{Portable: true, Complete: true})
		for _, f := range findings {
			broken[f.Rule] = true
		}
	}
	// These need more than a folder's content: a name, a missing file, a fault of ours.
	elsewhere := []string{"folder", "key", "key-case", "manifest", "response-body-off", "schema"}
	seen := map[string]bool{}
	for _, r := range manifest.Rules() {
		if seen[r.Name] || !strings.HasSuffix(r.Summary, ".") && !strings.HasSuffix(r.Summary, ".)") || r.Severity == "" {
			t.Errorf("the rule %+v is there twice, or not described", r)
		}
		seen[r.Name] = true
		if !broken[r.Name] && !slices.Contains(elsewhere, r.Name) {
			t.Errorf("no folder in testdata breaks the rule %s", r.Name)
		}
	}
	for name := range broken {
		if !seen[name] {
			t.Errorf("the rule %s is not in the table", name)
		}
	}
}

// The folders that flaghook brings along are an example to others.
func TestOwnCatalogIsClean(t *testing.T) {
	var steps []int
	_, findings := manifest.Lint(os.DirFS("../integrations"), manifest.LintOptions{Complete: true, Progress: func(done, total int) {
		steps = append(steps, total-done)
	}})
	for _, f := range findings {
		t.Error(f)
	}
	want := slices.Clone(steps)
	slices.Sort(want)
	slices.Reverse(want)
	if diff := cmp.Diff(want, steps); diff != "" || len(steps) < 2 || steps[len(steps)-1] != 0 {
		t.Errorf("progress goes %v", steps)
	}
}
