package manifest

import (
	"encoding/json"
	"io/fs"
	"maps"
	"slices"

	"github.com/flaghook/flaghook/render"
)

// LintOptions are what Lint can be told.
type LintOptions struct {
	// Portable also reports what LaunchDarkly's public framework lacks.
	Portable bool
	// Complete also reports, as warnings, what a folder that works still lacks for others to use it: a README, goldens,
	// icons that are sound.
	Complete bool
	// Progress, if not nil, is called in front of each folder of a catalog and at
	// the end.
	Progress func(done, total int)
}

// Lint reads a catalog as [Load] does and looks at it more closely: whether the
// names in templates can exist, what the templates make of the sample events,
// what nobody uses, which secrets leave by the wrong door. See [Rules]. A folder
// with an error, be it one that Load lets pass, is left out of the catalog.
//
// It takes a few milliseconds a folder, twice what Load does. Servers call Load: what they have to
// know before they send an event are the errors that keep a folder from being
// rendered, and an integration that worked yesterday must not vanish with an
// update of flaghook because a check has been added.
func Lint(fsys fs.FS, o LintOptions) (*Catalog, []Finding) { return load(fsys, &o) }

// LintFolder is to [LoadFolder] what [Lint] is to [Load].
func LintFolder(fsys fs.FS, key string, o LintOptions) (*Integration, []Finding) {
	return loadFolder(fsys, key, &o)
}

// A view is a template with what it is evaluated on and where it stands.
type view struct {
	template *render.Template
	shape    *render.Shape // of its context's root
	body     *body         // nil for one in the manifest itself
	url      bool
	pointer  string // to the string in the manifest, for one that has no file
	source   string // of one that has no file
	found    render.Inspection
}

// A linter looks closely at one folder.
type linter struct {
	*checker
	i         *Integration
	variables map[string]*FormVariable // by key
	views     []view
}

// lintFolder lints a folder that has been checked. One that cannot be used,
// since it has errors already, is not rendered.
func (c *checker) lintFolder(i *Integration, usable bool) {
	l := &linter{checker: c, i: i, variables: c.lintVariables()}
	shapes := map[string]*render.Shape{}
	for key, v := range l.variables {
		shapes[key] = v.shape()
	}
	l.views = i.compiled.views(bodyShape(shapes), addressShape(shapes))
	for n := range l.views {
		v := &l.views[n]
		v.found = v.template.Inspect(v.shape)
		l.calls(v)
		l.names(v)
		l.prints(v)
		l.secrets(v)
		if c.lint.Portable {
			l.portableTemplate(v)
		}
	}
	l.kinds()
	l.unusedTemplates()
	if c.lint.Complete {
		l.complete()
	}
	if c.lint.Portable {
		l.portableManifest()
	}
	if i.hook == nil {
		return
	}
	l.defaultPolicy()
	if usable {
		l.unusedVariables()
		l.samples()
	}
}

// lintVariables reads the form variables; what the schema has refused is left
// out.
func (c *checker) lintVariables() map[string]*FormVariable {
	found := map[string]*FormVariable{}
	for item := range c.doc.Get("formVariables").Items() {
		var v FormVariable
		if err := json.Unmarshal(item.AppendJSON(nil), &v); err == nil && v.Key != "" {
			found[v.Key] = &v
		}
	}
	return found
}

// views lists the templates: the bodies by file, then URL and headers.
func (t *compiled) views(bodyRoot, addressRoot *render.Shape) []view {
	byFile := map[string]*body{}
	for _, b := range t.bodies {
		byFile[b.file] = b
	}
	var views []view
	for _, file := range slices.Sorted(maps.Keys(byFile)) {
		views = append(views, view{template: byFile[file].template, shape: bodyRoot, body: byFile[file]})
	}
	for n, in := range append([]inline{t.url}, t.headers...) {
		if in.template != nil {
			views = append(views, view{template: in.template, shape: addressRoot, url: n == 0, pointer: in.pointer, source: in.source})
		}
	}
	return views
}

// report adds a finding at a place in a template.
func (c *checker) report(v *view, rule string, line, column int, message, remedy string) {
	if v.body != nil {
		c.inTemplate(rule, v.body.file, line, column, message, remedy)
		return
	}
	offset := c.ix.inString(c.ix.find(v.pointer).value, byteOffset(v.source, line, column))
	c.at(rule, severityOf(rule), offset, v.pointer, message, remedy)
}
