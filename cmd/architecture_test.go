// This folder has no code of its own, so that the test speaks also when the
// code that it is about does not compile. The file is long because the table
// and all that keeps it are read together.
package cmd_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const modulePath = "github.com/flaghook/flaghook"

// topLevel is all that may stand in the repository's root, besides dotfiles
// and what git ignores.
var topLevel = []string{
	"cmd", "docs", "hooks", "integrations", "manifest", "policy", "render", "schemas",
	"go.mod", "go.sum", "README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "Makefile", "Dockerfile",
}

// A layer says what the code of one package, its tests aside, may import.
type layer struct {
	ours   []string // packages of this module
	others []string // packages of other modules; a library stands in one layer, its only user
	banned []string // packages of the standard library; "net/..." is net and all below it
	clock  bool     // banned from reading the time or waiting
}

// layers holds every package, also those that are still to come. A new package
// or a new import is a decision: enter it here and in .golangci.yml, whose
// depguard rules say the same to an editor.
var layers = map[string]layer{
	"schemas": {},
	"policy":  {},
	"render": {
		others: []string{"github.com/aymerick/raymond", "github.com/aymerick/raymond/ast", "github.com/aymerick/raymond/lexer", "github.com/aymerick/raymond/parser"},
		banned: []string{"net/...", "os/...", "syscall", "html/template", "text/template"},
		clock:  true,
	},
	"manifest": {
		ours:   []string{"policy", "schemas", "render"},
		others: []string{"github.com/xeipuuv/gojsonschema"},
	},
	"hooks": {
		ours:   []string{"policy", "manifest", "render"},
		banned: []string{"flag", "html/template", "os/..."},
	},
	"hooks/bolt": {
		ours:   []string{"hooks"},
		others: []string{"go.etcd.io/bbolt", "go.etcd.io/bbolt/errors"},
	},
	"hooks/send": {
		ours:   []string{"hooks"},
		others: []string{"code.dny.dev/ssrf"},
	},
	"hooks/hookstest": {
		ours:   []string{"hooks"},
		others: []string{"github.com/google/go-cmp/cmp", "github.com/google/go-cmp/cmp/cmpopts", "go.uber.org/goleak", "pgregory.net/rapid"},
	},
	"hooks/keys": {
		others: []string{
			"github.com/tink-crypto/tink-go/v2/aead", "github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset",
			"github.com/tink-crypto/tink-go/v2/keyset", "github.com/tink-crypto/tink-go/v2/tink",
		},
	},
	"hooks/metrics": {
		ours: []string{"hooks"},
		others: []string{
			"github.com/prometheus/client_golang/prometheus", "github.com/prometheus/client_golang/prometheus/collectors",
			"github.com/prometheus/client_golang/prometheus/promhttp",
		},
	},
	"hooks/source": {
		ours: []string{"hooks", "policy", "render"},
	},
	"hooks/api": {
		ours:   []string{"hooks", "hooks/source", "manifest", "policy", "render", "schemas"},
		others: []string{"github.com/gorilla/mux", "github.com/evanphx/json-patch/v5"},
	},
	"hooks/api/client": {
		ours: []string{"hooks"},
	},
	"integrations": {},
	"cmd/flaghook": {
		ours: []string{
			"schemas", "policy", "render", "manifest", "integrations",
			"hooks", "hooks/bolt", "hooks/keys", "hooks/metrics", "hooks/send", "hooks/hookstest", "hooks/source", "hooks/api", "hooks/api/client",
		},
		others: []string{"github.com/spf13/cobra", "github.com/spf13/pflag", "golang.org/x/term"},
	},
}

// goPackage is the part of `go list -json` that the rules are about.
type goPackage struct {
	ImportPath string
	Name       string
	Dir        string
	Doc        string
	GoFiles    []string
	Imports    []string
}

// TestDependencies keeps the layers: it fails for an import that its package's
// layer does not name, and for a package that has no layer.
func TestDependencies(t *testing.T) {
	seen := map[string]bool{}
	for _, goos := range []string{"linux", "darwin", "windows"} { // imports differ with build constraints
		for _, p := range listPackages(t, goos) {
			for _, problem := range checkImports(p) {
				if !seen[problem] {
					t.Errorf("%s (seen with GOOS=%s)", problem, goos)
				}
				seen[problem] = true
			}
		}
	}
}

// TestClock keeps packages whose output must follow from their input alone
// from reading the time.
func TestClock(t *testing.T) {
	for _, p := range listPackages(t, "") {
		if !layers[relative(p.ImportPath)].clock {
			continue
		}
		for _, name := range p.GoFiles {
			for _, problem := range checkClock(t, filepath.Join(p.Dir, name)) {
				t.Error(problem)
			}
		}
	}
}

// TestPackageDocs asks every package to say what belongs in it.
func TestPackageDocs(t *testing.T) {
	for _, p := range listPackages(t, "") {
		if p.Doc == "" {
			t.Errorf("%s has no package comment; its first sentence says what belongs in the package", p.ImportPath)
		} else if p.Name != "main" && !strings.HasPrefix(p.Doc, "Package "+p.Name+" ") {
			t.Errorf("%s: the package comment begins %q; begin it with %q", p.ImportPath, firstWords(p.Doc), "Package "+p.Name)
		}
	}
}

// TestTopLevel keeps the repository's root as short as the layout promises.
func TestTopLevel(t *testing.T) {
	root := moduleRoot(t)
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		name := e.Name()
		if strings.HasPrefix(name, ".") || slices.Contains(topLevel, name) {
			continue
		}
		ignored := exec.Command("git", "check-ignore", "--quiet", name)
		ignored.Dir = root
		if ignored.Run() != nil {
			t.Errorf("%s stands in the repository's root, which holds only %s", name, strings.Join(topLevel, " "))
		}
	}
}

// TestLinterRules holds the depguard rules of .golangci.yml against the layers,
// so that an editor and this test never disagree.
func TestLinterRules(t *testing.T) {
	config, err := os.ReadFile(filepath.Join(moduleRoot(t), ".golangci.yml"))
	if err != nil {
		t.Fatal(err)
	}
	for name, l := range layers {
		_, rule, ok := strings.Cut(string(config), `files: ["${base-path}/`+name+`/*.go", "!$test"]`)
		if !ok {
			t.Errorf(".golangci.yml has no depguard rule for %s", name)
			continue
		}
		for _, end := range []string{"\n\n", "files:", "deny:"} { // the rules' end, the next rule, this rule's next part
			rule, _, _ = strings.Cut(rule, end)
		}
		want := slices.Clone(l.others)
		for _, ours := range l.ours {
			want = append(want, modulePath+"/"+ours)
		}
		var got []string
		for line := range strings.Lines(rule) {
			if entry, ok := strings.CutPrefix(strings.TrimSpace(line), "- "); ok && entry != "$gostd" {
				got = append(got, strings.TrimSuffix(entry, "$"))
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf(".golangci.yml lets %s import %s; its layer says %s", name, list(got), list(want))
		}
	}
}

// TestRules breaks each rule once, since a rule that cannot fail keeps nothing.
func TestRules(t *testing.T) {
	for _, c := range []struct {
		pkg, imports, want string
	}{
		{"render", "strings", ""},
		{"render", "time", ""},
		{"render", "net/http", "may not import net/http"},
		{"render", "os", "may not import os"},
		{"render", modulePath + "/policy", "may not import " + modulePath + "/policy"},
		{"manifest", "github.com/aymerick/raymond", "may not import github.com/aymerick/raymond"},
		{"manifest", modulePath + "/render", ""},
		{"hooks", "flag", "may not import flag"},
		{"hooks", "html/template", "may not import html/template"},
		{"hooks", "os/signal", "may not import os/signal"},
		{"hooks", modulePath + "/hooks/bolt", "may not import " + modulePath + "/hooks/bolt"},
		{"hooks/bolt", "go.etcd.io/bbolt", ""},
		{"hooks/api", "go.etcd.io/bbolt", "may not import go.etcd.io/bbolt"},
		{"hooks/api", "testing", "may not import testing"},
		{"hooks/hookstest", "testing", ""},
		{"util", "strings", "has no layer"},
	} {
		got := strings.Join(checkImports(goPackage{ImportPath: modulePath + "/" + c.pkg, Imports: []string{c.imports}}), "\n")
		if c.want == "" && got != "" || !strings.Contains(got, c.want) {
			t.Errorf("%s importing %s: got %q, want %q", c.pkg, c.imports, got, c.want)
		}
	}

	source := filepath.Join(t.TempDir(), "clock.go")
	if err := os.WriteFile(source, []byte("package p\n\nimport t \"time\"\n\nvar now = t.Now\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := checkClock(t, source); len(got) != 1 || !strings.Contains(got[0], "clock.go:5:") {
		t.Errorf("time.Now under another name: got %q, want one finding in line 5", got)
	}
}

// checkImports returns a line for each import of p that breaks a rule.
func checkImports(p goPackage) []string {
	name := relative(p.ImportPath)
	l, ok := layers[name]
	if !ok {
		return []string{fmt.Sprintf("package %s has no layer; decide what it may import and who may import it, then enter it in the table of this test and in .golangci.yml", p.ImportPath)}
	}
	var problems []string
	for _, imp := range p.Imports {
		var rule string
		first, _, _ := strings.Cut(imp, "/")
		switch {
		case imp == modulePath || strings.HasPrefix(imp, modulePath+"/"):
			if !slices.Contains(l.ours, relative(imp)) {
				rule = "of this module it may import only: " + list(l.ours)
			}
		case strings.Contains(first, "."):
			if !slices.Contains(l.others, imp) {
				rule = "of other modules it may import only: " + list(l.others)
			}
		case matches("testing/...", imp) && name != "hooks/hookstest":
			rule = "test support belongs in _test.go files and hooks/hookstest"
		default:
			if i := slices.IndexFunc(l.banned, func(pattern string) bool { return matches(pattern, imp) }); i >= 0 {
				rule = "its layer is kept free of " + l.banned[i]
			}
		}
		if rule != "" {
			problems = append(problems, fmt.Sprintf("%s may not import %s: %s", p.ImportPath, imp, rule))
		}
	}
	return problems
}

// checkClock returns a line for each place in the file that reads the time,
// waits for it or looks up the machine's time zone.
func checkClock(t *testing.T, file string) []string {
	t.Helper()
	forbidden := []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTicker", "NewTimer", "Local", "LoadLocation"}
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	local := ""
	for _, imp := range f.Imports {
		if imp.Path.Value == `"time"` {
			local = "time"
			if imp.Name != nil {
				local = imp.Name.Name
			}
		}
	}
	var problems []string
	ast.Inspect(f, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && slices.Contains(forbidden, sel.Sel.Name) {
			if x, ok := sel.X.(*ast.Ident); ok && local != "" && x.Name == local {
				problems = append(problems, fmt.Sprintf("%s: time.%s: what this package returns follows from its input alone; pass the time in", fset.Position(sel.Pos()), sel.Sel.Name))
			}
		}
		return true
	})
	return problems
}

// listPackages returns the module's packages with code beside their tests, as
// they are on the operating system, "" for this one. They need not compile.
func listPackages(t *testing.T, goos string) []goPackage {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Name,Dir,Doc,GoFiles,Imports", "./...")
	cmd.Dir = moduleRoot(t)
	if goos != "" {
		cmd.Env = append(os.Environ(), "GOOS="+goos, "CGO_ENABLED=0")
	}
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v%s", cmd, err, stderr(err))
	}
	var packages []goPackage
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%s: %v", cmd, err)
		}
		if len(p.GoFiles) == 0 {
			continue // tests only
		}
		// A cached test result is kept until a file changes that this process
		// itself looked at; what `go list` read does not count.
		if _, err := os.ReadDir(p.Dir); err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
	if len(packages) == 0 {
		t.Fatalf("%s found no package", cmd)
	}
	return packages
}

func moduleRoot(t *testing.T) string {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", modulePath).Output()
	if err != nil {
		t.Fatalf("finding the module's root: %v%s", err, stderr(err))
	}
	return strings.TrimSpace(string(out))
}

func stderr(err error) string {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return "\n" + string(exit.Stderr)
	}
	return ""
}

// relative is the package's path below the module's.
func relative(importPath string) string {
	return strings.TrimPrefix(strings.TrimPrefix(importPath, modulePath), "/")
}

func matches(pattern, importPath string) bool {
	tree, ok := strings.CutSuffix(pattern, "/...")
	return importPath == tree || ok && strings.HasPrefix(importPath, tree+"/")
}

func list(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}

func firstWords(doc string) string {
	return strings.Join(strings.Fields(doc)[:min(4, len(strings.Fields(doc)))], " ")
}
