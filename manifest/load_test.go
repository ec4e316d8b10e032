package manifest_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/flaghook/flaghook/manifest"
	"github.com/google/go-cmp/cmp"
)

// manifestWith is a small manifest with more members at its end.
func manifestWith(more string) string {
	if more != "" {
		more = ",\n" + more
	}
	return `{
  "name": "Acme Tools", "version": "1.0.0",
  "overview": "Sends changes to Acme.",
  "description": "Sends every change of a flag to Acme, where people see it.",
  "author": "Acme", "supportEmail": "support@acme.example",
  "links": {"site": "https://acme.example", "privacyPolicy": "https://acme.example/privacy"},
  "categories": ["notifications"],
  "icons": {"square": "square.svg", "horizontal": "square.svg"}` + more + "\n}\n"
}

// hookWith is a manifest with a hook; see manifestWith.
func hookWith(hook, more string) string {
	if more != "" {
		more = ",\n" + more
	}
	return manifestWith(`  "capabilities": {"auditLogEventsHook": ` + hook + `}` + more)
}

// files makes a file system of names and contents; square.svg is added.
func files(pairs ...string) fstest.MapFS {
	fsys := fstest.MapFS{"square.svg": {Data: []byte(svg)}}
	for i := 0; i < len(pairs); i += 2 {
		fsys[pairs[i]] = &fstest.MapFile{Data: []byte(pairs[i+1])}
	}
	return fsys
}

// mustLoad loads a folder that has no errors.
func mustLoad(t testing.TB, fsys fs.FS) *manifest.Integration {
	t.Helper()
	i, findings := manifest.LoadFolder(fsys, "acme")
	if i == nil {
		t.Fatal(findings)
	}
	return i
}

func rules(findings []manifest.Finding) string {
	var all []string
	for _, f := range findings {
		all = append(all, f.Path+" "+f.Rule)
	}
	return strings.Join(all, "\n")
}

func TestLoadCatalog(t *testing.T) {
	good := manifestWith(`"otherCapabilities": ["webhooks"]`)
	fsys := fstest.MapFS{"README.md": {Data: []byte("# catalog")}}
	add := func(dir, text string) {
		fsys[dir+"/manifest.json"] = &fstest.MapFile{Data: []byte(text)}
		fsys[dir+"/square.svg"] = &fstest.MapFile{Data: []byte(svg)}
	}
	add("good", good)
	add("also.good-1_x", good)
	add("Bad Name", good)
	add("broken", `{"name": 1}`)
	add(".hidden", `{`)
	add("_draft", `{`)
	add("testdata", `{`)
	fsys["empty/README.md"] = &fstest.MapFile{}
	catalog, findings := manifest.Load(fsys)
	var keys []string
	for _, i := range catalog.All() {
		keys = append(keys, i.Key)
	}
	if diff := cmp.Diff([]string{"also.good-1_x", "good"}, keys); diff != "" {
		t.Error(diff)
	}
	for _, want := range []string{
		`Bad Name/manifest.json:1:1: error: an integration cannot be called "Bad Name"; a folder's name has small letters, digits, dots, hyphens and underscores, begins with a letter or digit, and has at most 100 characters [key]`,
		`broken/manifest.json:1:10: error: "name" is an integer; it must be a string [schema-type]`,
		`empty/manifest.json:1:1: error: there is no manifest.json; every integration folder has one [manifest]`,
	} {
		if !strings.Contains(golden(findings), want+"\n") {
			t.Errorf("missing finding %s", want)
		}
	}
	for _, hidden := range []string{".hidden", "_draft", "testdata", "README.md"} {
		if strings.Contains(golden(findings), hidden) {
			t.Errorf("%s was read", hidden)
		}
	}
}

func TestLoadNothing(t *testing.T) {
	for name, fsys := range map[string]fs.FS{"empty": fstest.MapFS{}, "absent": os.DirFS(filepath.Join(t.TempDir(), "none"))} {
		catalog, findings := manifest.Load(fsys)
		if len(catalog.All()) != 0 || rules(findings) != ". folder" {
			t.Errorf("%s: %v", name, findings)
		}
	}
}

func TestLoadSingleFolder(t *testing.T) {
	catalog, findings := manifest.Load(files("manifest.json", manifestWith(`"otherCapabilities": ["webhooks"]`)))
	if _, found := catalog.Get("acme-tools"); !found || len(findings) > 0 {
		t.Error(catalog.All(), findings)
	}
	catalog, findings = manifest.Load(files("manifest.json", `{`))
	if len(catalog.All()) != 0 || rules(findings) != "manifest.json json" {
		t.Error(findings)
	}
}

func TestClosest(t *testing.T) {
	var all []*manifest.Integration
	for _, key := range []string{"azure-monitor", "axiom", "datadog", "flagship-webhook", "kafka-rest", "slack"} {
		all = append(all, &manifest.Integration{Key: key})
	}
	c := manifest.NewCatalog(all...)
	for asked, want := range map[string]string{
		"azure":                      "[azure-monitor kafka-rest axiom]",
		"KAFKA":                      "[kafka-rest axiom azure-monitor]",
		"datagod":                    "[datadog flagship-webhook axiom]",
		"":                           "[axiom azure-monitor datadog]",
		strings.Repeat("slack", 1e5): "[slack flagship-webhook axiom]",
	} {
		if got := fmt.Sprint(c.Closest(asked)); got != want {
			t.Errorf("Closest(%.20q) = %s, want %s", asked, got, want)
		}
	}
	if got := manifest.NewCatalog().Closest("slack"); len(got) != 0 {
		t.Errorf("of an empty catalog: %v", got)
	}
}

func TestCatalog(t *testing.T) {
	one := &manifest.Integration{Key: "slack", Manifest: manifest.Manifest{Name: "one"}}
	two := &manifest.Integration{Key: "slack", Manifest: manifest.Manifest{Name: "two"}}
	splunk := &manifest.Integration{Key: "splunk"}
	c := manifest.NewCatalog(one, splunk, nil)
	if got, _ := c.Merge(manifest.NewCatalog(two)).Get("slack"); got != two {
		t.Error("the catalog on top does not win")
	}
	if got, _ := c.Get("slack"); got != one {
		t.Error("Merge changed its receiver")
	}
	if c.Merge(nil) != c {
		t.Error("merging nothing")
	}
	for asked, want := range map[string]string{"slak": "[slack]", "SLACK": "[slack]", "spl": "[splunk]", "datadog": "[]", "": "[slack splunk]"} {
		if got := fmt.Sprint(c.Nearest(asked)); got != want {
			t.Errorf("Nearest(%q) = %s, want %s", asked, got, want)
		}
	}
}

func TestNotText(t *testing.T) {
	good := manifestWith(`"otherCapabilities": ["webhooks"]`)
	for name, c := range map[string]struct{ data, want string }{
		"byte order mark":   {"\ufeff" + good, "manifest.json:1:1: error: the file begins with a byte order mark; save it as UTF-8 without one [json]\n"},
		"latin 1":           {strings.Replace(good, "Acme Tools", "Acm\u00e9 \xe9", 1), "manifest.json:2:17: error: byte 0xe9 is not UTF-8; save the file as UTF-8 [json]\n"},
		"empty":             {" \n", "manifest.json:1:1: error: the file is empty; it must hold one JSON object [json]\n"},
		"too large":         {good + strings.Repeat(" ", manifest.MaxManifest), "manifest.json:1:1: error: manifest.json cannot be read: it is larger than 1048576 bytes [manifest]\n"},
		"carriage returns":  {strings.ReplaceAll(good, "\n", "\r\n"), ""},
		"NUL in a string":   {strings.Replace(good, "Acme Tools", "Acme\\u0000", 1), ""},
		"lone surrogate":    {strings.Replace(good, "Acme Tools", "Acme\\ud800", 1), ""},
		"cut in an escape":  {`{"a\`, "manifest.json:1:2: error: this string has no end; close it with a double quote [json]\n"},
		"a huge number":     {`{"a": 1e-9999}`, "manifest.json:1:7: error: this number is too long; write it with at most 40 characters and three digits of exponent [json]\n"},
		"a long number":     {`{"a": ` + strings.Repeat("1", 41) + `}`, "manifest.json:1:7: error: this number is too long; write it with at most 40 characters and three digits of exponent [json]\n"},
		"cut in a word":     {`{"a": tru`, "manifest.json:1:7: error: \"t\" is not JSON here; it needs a value [json]\n"},
		"duplicate by code": {`{"name": 1, "n\u0061me": 2}`, `manifest.json:1:13: error: "name" stands here a second time; keep this one or the one in line 1 [duplicate-key]`},
	} {
		_, findings := manifest.LoadFolder(files("manifest.json", c.data), "acme")
		if got := golden(findings); got != c.want && (c.want == "" || !strings.Contains(got, c.want)) {
			t.Errorf("%s: got %s", name, got)
		}
	}
}

func TestTooManyFindings(t *testing.T) {
	var names strings.Builder
	for n := range 50_000 {
		fmt.Fprintf(&names, `"name%d": 1,`, n)
	}
	for name, more := range map[string]string{
		"items":   `"formVariables": [` + strings.Repeat(`{},`, 20_000) + `{}]`,
		"members": names.String() + `"last": 1`,
		"twice":   strings.Repeat(`"name": 1,`, 50_000) + `"name": 1`,
	} {
		i, findings := manifest.LoadFolder(files("manifest.json", manifestWith(more)), "acme")
		if i != nil || len(findings) > 1001 || !strings.Contains(golden(findings), " more findings; put the first ones right [manifest]") {
			t.Errorf("%s: %d findings", name, len(findings))
		}
	}
}

// onDisk writes files into a new directory.
func onDisk(t *testing.T, fsys fstest.MapFS) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, fsys); err != nil {
		t.Fatal(err)
	}
	return dir
}

func link(t *testing.T, target, name string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, name); err != nil {
		t.Skip("no symbolic links here:", err)
	}
}

func TestSymbolicLinks(t *testing.T) {
	const hook = `{"endpoint": {"url": "https://acme.example", "method": "POST"}, "templates": {"default": "templates/a.hbs"}}`
	secret := filepath.Join(t.TempDir(), "secret.hbs")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		links map[string]string
		want  string // part of the finding, "" for none
	}{
		"inside":              {map[string]string{"templates/a.hbs": "../shared/body.hbs"}, ""},
		"inside, through two": {map[string]string{"templates": "current", "current": "shared/../shared", "shared/a.hbs": "body.hbs"}, ""},
		"absolute":            {map[string]string{"templates/a.hbs": secret}, "it leads out of the folder"},
		"relative":            {map[string]string{"templates/a.hbs": "../../../../../../../../etc/hostname"}, "it leads out of the folder"},
		"through a directory": {map[string]string{"templates": "../.."}, "it leads out of the folder"},
		"directory, absolute": {map[string]string{"templates": filepath.Dir(secret)}, "it leads out of the folder"},
		"dangling":            {map[string]string{"templates/a.hbs": "none"}, "there is no such file"},
		"circle":              {map[string]string{"templates/a.hbs": "b.hbs", "templates/b.hbs": "a.hbs"}, "in a circle"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := onDisk(t, files("manifest.json", hookWith(hook, ""), "shared/body.hbs", "text"))
			for at, target := range c.links {
				link(t, target, filepath.Join(dir, at))
			}
			root, err := os.OpenRoot(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer root.Close()
			for _, fsys := range []fs.FS{os.DirFS(dir), root.FS()} {
				i, findings := manifest.LoadFolder(fsys, "acme")
				if c.want == "" && i == nil || c.want != "" && !strings.Contains(golden(findings), c.want) {
					t.Errorf("%T: %v", fsys, findings)
				}
			}
		})
	}
}

func TestLinkedFolders(t *testing.T) {
	good := manifestWith(`"otherCapabilities": ["webhooks"]`)
	dir := onDisk(t, fstest.MapFS{
		"catalog/real/manifest.json": {Data: []byte(good)}, "catalog/real/square.svg": {Data: []byte(svg)},
		"elsewhere/manifest.json": {Data: []byte(good)}, "elsewhere/square.svg": {Data: []byte(svg)},
	})
	link(t, "real", filepath.Join(dir, "catalog", "alias"))
	link(t, "../elsewhere", filepath.Join(dir, "catalog", "outside"))
	catalog, findings := manifest.Load(os.DirFS(filepath.Join(dir, "catalog")))
	if _, found := catalog.Get("alias"); !found || len(catalog.All()) != 2 {
		t.Error(catalog.All())
	}
	if got := rules(findings); got != "outside folder" {
		t.Error(findings)
	}
}

func TestFileLimits(t *testing.T) {
	const hook = `{"endpoint": {"url": "https://acme.example", "method": "POST"}, "templates": {"default": "a.hbs"}}`
	i, findings := manifest.LoadFolder(files("manifest.json", hookWith(hook, ""), "a.hbs", strings.Repeat("a", manifest.MaxTemplate)), "acme")
	if i == nil {
		t.Error(findings)
	}
	_, findings = manifest.LoadFolder(files("manifest.json", hookWith(hook, ""), "a.hbs", strings.Repeat("a", manifest.MaxTemplate+1)), "acme")
	if !strings.Contains(golden(findings), "it is larger than 65536 bytes") {
		t.Error(findings)
	}
	_, findings = manifest.LoadFolder(files("manifest.json", hookWith(hook, ""), "a.hbs", "line\n\xff"), "acme")
	if got := golden(findings); got != "a.hbs:2:1: error: byte 0xff is not UTF-8; save the file as UTF-8 [template]\n" {
		t.Error(got)
	}
}
