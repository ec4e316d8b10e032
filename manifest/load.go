package manifest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"github.com/flaghook/flaghook/render"
)

// manifestFile is the name of the file that makes a folder an integration.
const manifestFile = "manifest.json"

// MaxFolders bounds the folders of one catalog.
const MaxFolders = 10_000

// maxFindings bounds the findings of one folder; a generated manifest could
// otherwise have hundreds of thousands.
const maxFindings = 1000

// validKey is what the name of an integration's folder looks like; it stands in
// URLs and on command lines. Capitals work, and are warned about.
var validKey = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

// Load reads a catalog: a folder of integration folders. It returns the
// integrations that have no error and the findings of all folders, sorted by
// path, line and column, with paths from the root of fsys. Entries that are no
// folders, and those whose names begin with a dot or an underscore or are
// testdata, are passed over.
//
// A file system that is itself an integration folder (it has a manifest.json)
// loads as a catalog of one, whose key is made of the integration's name; call
// [LoadFolder] where the key is known.
//
// Load finds what keeps a folder from being used, and is cheap; [Lint] finds
// more.
func Load(fsys fs.FS) (*Catalog, []Finding) { return load(fsys, nil) }

// load reads a catalog, and lints it where lint is not nil.
func load(fsys fs.FS, lint *LintOptions) (*Catalog, []Finding) {
	if _, err := fs.Stat(fsys, manifestFile); err == nil {
		i, findings := loadFolder(fsys, ownKey(fsys), lint)
		if i == nil {
			return NewCatalog(), findings
		}
		return NewCatalog(i), findings
	}
	dirs, findings := folders(fsys)
	var loaded []*Integration
	for n, dir := range dirs {
		if lint != nil && lint.Progress != nil {
			lint.Progress(n, len(dirs))
		}
		sub, err := fs.Sub(fsys, dir.at)
		if err != nil {
			findings = append(findings, folderFinding(dir.key, reason(err), ""))
			continue
		}
		i, found := loadFolder(sub, dir.key, lint)
		findings = append(findings, under(dir.key, found)...)
		if i != nil {
			loaded = append(loaded, i)
		}
	}
	if lint != nil && lint.Progress != nil {
		lint.Progress(len(dirs), len(dirs))
	}
	return NewCatalog(loaded...), sortFindings(findings)
}

// A folder is where an integration is: its name, and where that leads.
type folder struct{ key, at string }

func folderFinding(name, message, remedy string) Finding {
	return Finding{Severity: SeverityError, Path: name, Line: 1, Column: 1, Rule: "folder", Message: message, Remedy: remedy}
}

// folders lists the folders of a catalog.
func folders(fsys fs.FS) ([]folder, []Finding) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, []Finding{folderFinding(".", "the folder cannot be read: "+reason(err), "")}
	}
	var found []folder
	var findings []Finding
	for _, e := range entries {
		name := e.Name()
		if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata" {
			continue
		}
		at := name
		if e.Type()&fs.ModeSymlink != 0 {
			if at, err = resolve(fsys, name); err != nil {
				findings = append(findings, folderFinding(name, "this symbolic link cannot be followed: "+reason(err), "put the folder itself here"))
				continue
			}
		}
		if info, err := fs.Stat(fsys, at); err != nil || !info.IsDir() {
			continue
		}
		if len(found) == MaxFolders {
			findings = append(findings, folderFinding(".", fmt.Sprintf("there are more than %d folders; the rest is left out", MaxFolders), ""))
			break
		}
		found = append(found, folder{key: name, at: at})
	}
	if len(found) == 0 && len(findings) == 0 {
		findings = append(findings, folderFinding(".", "there is no integration folder here",
			"an integration is a folder with a manifest.json"))
	}
	return found, findings
}

// ownKey makes a key of the name in the manifest.
func ownKey(fsys fs.FS) string {
	data, err := readFile(fsys, manifestFile, MaxManifest)
	if err != nil {
		return "integration"
	}
	doc, err := render.ParseJSON(data)
	if err != nil {
		return "integration"
	}
	var b strings.Builder
	for _, r := range strings.ToLower(doc.Get("name").AsString()) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	if key := strings.TrimSuffix(b.String(), "-"); validKey.MatchString(key) {
		return key
	}
	return "integration"
}

// LoadFolder reads the integration folder that fsys is the root of, under the
// given key. The integration is nil if a finding is an error. Paths of findings
// are relative to the folder.
func LoadFolder(fsys fs.FS, key string) (*Integration, []Finding) { return loadFolder(fsys, key, nil) }

func loadFolder(fsys fs.FS, key string, lint *LintOptions) (*Integration, []Finding) {
	c := &checker{fsys: fsys, key: key, lint: lint, ix: &index{}, faulty: map[string]bool{}}
	i := c.load()
	findings := sortFindings(c.findings)
	if c.more > 0 {
		findings = append(findings, Finding{Severity: SeverityError, Path: manifestFile, Line: 1, Column: 1, Rule: "manifest",
			Message: fmt.Sprintf("there are %d more findings", c.more), Remedy: "put the first ones right"})
		return nil, sortFindings(findings)
	}
	if HasErrors(findings) {
		return nil, findings
	}
	return i, findings
}

func (c *checker) load() *Integration {
	c.checkKey()
	data, err := readFile(c.fsys, manifestFile, MaxManifest)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.fail("manifest", "", "there is no manifest.json", "every integration folder has one")
		return nil
	case err != nil:
		c.fail("manifest", "", "manifest.json cannot be read: "+reason(err), "")
		return nil
	}
	ix, syntax := newIndex(data)
	c.ix = ix
	if syntax != nil {
		c.at("json", SeverityError, syntax.at, "", syntax.message, syntax.remedy)
		return nil
	}
	for _, d := range ix.duplicates {
		line, _ := ix.position(d.first)
		c.at("duplicate-key", SeverityError, d.at, ix.pointer(d.at), fmt.Sprintf("%q stands here a second time", d.name),
			fmt.Sprintf("keep this one or the one in line %d", line))
	}
	if c.doc, err = render.ParseJSON(data); err != nil {
		c.fail("json", "", err.Error(), "")
		return nil
	}
	c.checkSchema(data)
	i := &Integration{Key: c.key}
	c.check(i)
	usable := !HasErrors(c.findings)
	if usable {
		c.decode(i, data)
		if text, err := readFile(c.fsys, "README.md", MaxReadme); err == nil { // nothing depends on it
			i.readme = string(text)
		}
	}
	if c.lint != nil {
		c.lintFolder(i, usable)
	}
	c.waive()
	if !usable {
		return nil
	}
	return i
}

func (c *checker) checkKey() {
	const rule = "a folder's name has small letters, digits, dots, hyphens and underscores, begins with a letter or digit, and has at most 100 characters"
	if !validKey.MatchString(c.key) {
		c.fail("key", "", fmt.Sprintf("an integration cannot be called %q", c.key), rule)
	} else if c.key != strings.ToLower(c.key) {
		c.warn("key-case", "", fmt.Sprintf("the folder's name %q has capitals", c.key), "write it in small letters: it is the integration's key in URLs")
	}
}

// A checker gathers the findings of one folder.
type checker struct {
	fsys     fs.FS
	key      string
	lint     *LintOptions // nil: only what loading needs
	ix       *index
	doc      render.Value
	faulty   map[string]bool // pointers of values that the schema has refused
	findings []Finding
	more     int // findings beyond maxFindings
}

// at adds a finding at a byte offset of the manifest, unless the schema has
// refused the value already.
func (c *checker) at(rule string, severity Severity, offset int, pointer, message, remedy string) {
	if c.faulty[pointer] && !strings.HasPrefix(rule, "schema") {
		return
	}
	if c.full() {
		return
	}
	line, column := c.ix.position(offset)
	c.findings = append(c.findings, Finding{Severity: severity, Path: manifestFile, Line: line, Column: column,
		Pointer: pointer, Message: message, Remedy: remedy, Rule: rule})
}

// full counts a finding that is one too many. Those who would first have to
// look for its place ask too: among many findings that takes its time.
func (c *checker) full() bool {
	if len(c.findings) < maxFindings {
		return false
	}
	c.more++
	return true
}

// fail adds an error at a value of the manifest.
func (c *checker) fail(rule, pointer, message, remedy string) {
	c.at(rule, SeverityError, c.ix.find(pointer).value, pointer, message, remedy)
}

// failAtKey adds an error at the name of a member.
func (c *checker) failAtKey(rule, pointer, message, remedy string) {
	n := c.ix.find(pointer)
	c.at(rule, SeverityError, max(n.key, 0), pointer, message, remedy)
}

// warn adds a warning at a value of the manifest.
func (c *checker) warn(rule, pointer, message, remedy string) {
	c.at(rule, SeverityWarning, c.ix.find(pointer).value, pointer, message, remedy)
}

// inTemplate adds a finding in another file of the folder.
func (c *checker) inTemplate(rule, name string, line, column int, message, remedy string) {
	if c.full() {
		return
	}
	c.findings = append(c.findings, Finding{Severity: severityOf(rule), Path: path.Clean(name), Line: max(line, 1), Column: max(column, 1),
		Message: message, Remedy: remedy, Rule: rule})
}

// decode fills in the typed manifest of a folder without an error.
func (c *checker) decode(i *Integration, data []byte) {
	if err := json.Unmarshal(data, &i.Manifest); err != nil {
		c.fail("json", "", err.Error(), "")
	}
}
