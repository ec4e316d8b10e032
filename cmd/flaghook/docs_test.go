package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flaghook/flaghook/render"
)

// runDocs runs the hidden command docs on a copy of docs/ and returns the copy.
func runDocs(t *testing.T, change func(dir string)) (dir string, code int, stderr string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../docs")); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(dir)
	}
	var out, errs bytes.Buffer
	code = run(t.Context(), []string{"docs", dir}, strings.NewReader(""), &out, &errs)
	return dir, code, errs.String()
}

// The generated pages are those that the manifests and the schema give now.
func TestDocsAreCurrent(t *testing.T) {
	dir, code, errs := runDocs(t, nil)
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, errs)
	}
	for _, page := range []string{"integrations.md", "authoring.md"} {
		want, err := os.ReadFile(filepath.Join(dir, page))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join("../../docs", page))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), string(got)); diff != "" {
			t.Errorf("docs/%s is not current (-should be, +is); run go generate ./...\n%s", page, diff)
		}
	}
}

// A page without the marks is left alone.
func TestDocsNeedMarks(t *testing.T) {
	const text = "# No marks\n"
	dir, code, errs := runDocs(t, func(dir string) {
		if err := os.WriteFile(filepath.Join(dir, "authoring.md"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	})
	if code != exitUsage || !strings.Contains(errs, "authoring.md: it has not both of the lines") {
		t.Errorf("exit %d: %s", code, errs)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "authoring.md")); err != nil || string(got) != text {
		t.Errorf("the page is %q, %v", got, err)
	}
}

// Every helper is explained to authors.
func TestHelpersAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/authoring.md")
	if err != nil {
		t.Fatal(err)
	}
	render.RegisterHelpers(func(name string, _ any) {
		if !strings.Contains(string(page), "`"+name+" ") && !strings.Contains(string(page), "`"+name+"`") {
			t.Errorf("docs/authoring.md does not tell of the helper %s", name)
		}
	})
}
