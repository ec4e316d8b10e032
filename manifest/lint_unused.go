package manifest

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/flaghook/flaghook/policy"
	"github.com/flaghook/flaghook/render"
)

// knownVariables are form variables that the sender knows by their keys.
var knownVariables = map[string]bool{"skip-ca-verification": true}

// unusedVariables reports form variables that nothing uses. It says nothing
// where another part of the manifest may: other capabilities, which are carried
// out elsewhere, an OAuth connection, events that travel some other way.
func (l *linter) unusedVariables() {
	for capability := range l.doc.Get("capabilities").Members() {
		if capability != "auditLogEventsHook" && capability != "reservedCustomProperties" {
			return
		}
	}
	if l.i.hook.Endpoint == nil || l.doc.Get("otherCapabilities").Len() > 0 || l.doc.Get("requiresOAuth").AsBool() {
		return
	}
	used := maps.Clone(knownVariables)
	for n := range l.views {
		v := &l.views[n]
		for _, name := range v.found.Names {
			if name.Use == render.UseOpened && len(name.Path) <= 1 {
				continue // what is done inside has names of its own
			}
			for _, key := range l.uses(v, name) {
				used[key] = true
			}
		}
	}
	if s := l.i.hook.Endpoint.HMACSignature; s != nil {
		used[s.SecretVariable] = true
	}
	if s := l.i.hook.Endpoint.StandardWebhooks; s != nil {
		used[s.SecretVariable] = true
	}
	list := l.doc.Get("formVariables")
	for n := range list.Len() {
		key := list.At(n).Get("key").AsString()
		v := l.variables[key]
		if v == nil || used[key] || v.Type == TypeOAuth || l.namedByOptions(key) {
			continue
		}
		l.warn("unused-variable", join("/formVariables", n, "key"), fmt.Sprintf("nothing uses the form variable %s", shown(key)), "use it in a template, or take it out")
	}
}

// namedByOptions reports whether the request that fetches another variable's
// options has the variable.
func (l *linter) namedByOptions(key string) bool {
	for v := range l.doc.Get("formVariables").Items() {
		if strings.Contains(string(v.Get("dynamicOptions").AppendJSON(nil)), key) {
			return true
		}
	}
	return false
}

// maxEntries bounds the walk through a folder.
const maxEntries = 2000

// unusedTemplates reports files that look like templates and that the manifest
// does not name.
func (l *linter) unusedTemplates() {
	named := map[string]bool{}
	for _, capability := range []string{"auditLogEventsHook", "eventsHook", "flagImport"} {
		for _, file := range l.get(join("/capabilities", capability, "templates")).Members() {
			named[path.Clean(file.AsString())] = true
		}
	}
	entries := 0
	//nolint:errcheck // what cannot be read is not called unused
	fs.WalkDir(l.fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if entries++; err != nil || entries > maxEntries {
			return fs.SkipAll
		}
		base := path.Base(name)
		switch {
		case d.IsDir() && name != "." && (strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata" || base == "node_modules"):
			return fs.SkipDir
		case !d.Type().IsRegular() || named[name] || !isTemplate(name):
		default:
			l.inTemplate("unused-template", name, 1, 1, "the manifest does not name this template", "add it to templates, or delete the file")
		}
		return nil
	})
}

func isTemplate(name string) bool {
	extension := path.Ext(name)
	return extension == ".hbs" || extension == ".handlebars" || path.Dir(name) == "templates" && extension == ".json"
}

// eventKinds lists the kinds that events have.
func eventKinds() []string {
	names := map[string]string{"proj": "project", "env": "environment"}
	var kinds []string
	for _, chain := range policy.DefaultKinds().Chains() {
		kind := chain[strings.LastIndexByte(chain, ':')+1:]
		if long := names[kind]; long != "" {
			kind = long
		}
		kinds = append(kinds, kind)
	}
	slices.Sort(kinds)
	return slices.Compact(kinds)
}

// kinds reports templates for kinds of events that do not exist.
func (l *linter) kinds() {
	const at = hookAt + "/templates"
	known := append(eventKinds(), defaultTemplate, ValidationTemplate)
	for key := range l.get(at).Members() {
		told := func(f Finding) bool { return f.Pointer == join(at, key) }
		if slices.Contains(known, key) || slices.ContainsFunc(l.findings, told) {
			continue
		}
		remedy := "events of your own may have it; then waive this rule"
		if near := nearest(key, known); len(near) > 0 {
			remedy = "did you mean " + quoted(near, "or") + "?"
		}
		n := l.ix.find(join(at, key))
		l.at("template-kind", SeverityWarning, max(n.key, 0), join(at, key), fmt.Sprintf("no event that is known is of the kind %s", shown(key)), remedy)
	}
}
