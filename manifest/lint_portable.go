package manifest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flaghook/flaghook/render"
)

// theirKinds are the templates that LaunchDarkly's framework knows.
var theirKinds = []string{"flag", "project", "environment", "member", defaultTemplate, ValidationTemplate}

// ownNames are members of events that LaunchDarkly's framework does not hand to
// templates: none of its sample contexts has them.
var ownNames = []string{
	"accesses", "after", "app", "before", "parent", "shortDescription", "source", "target.resources", "token",
}

// portableManifest reports what the manifest has beyond LaunchDarkly's format.
func (l *linter) portableManifest() {
	if l.doc.Has("lint") {
		l.portableKey("/lint", `LaunchDarkly's manifests have no "lint"`, "take it out of the folder that you hand in there")
	}
	l.portableEndpoint(hookAt + "/endpoint")
	const at = hookAt + "/templates"
	for key := range l.get(at).Members() {
		if !slices.Contains(theirKinds, key) {
			l.portableKey(join(at, key), fmt.Sprintf("LaunchDarkly has no template for the kind %s", shown(key)), "its events go to the default template there")
		}
	}
}

// portableEndpoint reports what the endpoint has that theirs do not.
func (l *linter) portableEndpoint(at string) {
	report := func(pointer, remedy string) {
		if l.get(pointer).IsDefined() {
			l.portableKey(pointer, "LaunchDarkly's endpoints have no "+lastOf(pointer), remedy)
		}
	}
	report(join(at, "standardWebhooks"), "sign with hmacSignature there")
	for _, key := range []string{"prefix", "encoding", "algorithm"} {
		report(join(at, "hmacSignature", key), "signatures are the lower-case hex of HMAC-SHA256 there")
	}
	for n := range l.get(join(at, "headers")).Len() {
		report(join(at, "headers", n, "omitEmpty"), "empty headers are sent there")
	}
}

// lastOf is the name that a pointer ends in, in quotes.
func lastOf(pointer string) string {
	tokens := split(pointer)
	return shown(tokens[len(tokens)-1])
}

func (l *linter) portableKey(pointer, message, remedy string) {
	l.at("portable", SeverityWarning, max(l.ix.find(pointer).key, 0), pointer, message, remedy)
}

// portableTemplate reports helpers and names that LaunchDarkly does not have.
func (l *linter) portableTemplate(v *view) {
	for _, call := range v.found.Calls {
		switch {
		case call.Extra:
			l.report(v, "portable", call.Line, call.Column, fmt.Sprintf("LaunchDarkly has no helper %s", call.Helper), "")
		case call.Helper == "equal" && call.Else:
			l.report(v, "portable", call.Line, call.Column, "LaunchDarkly's helper equal takes no {{else}}", "write equalWithElse")
		}
	}
	for _, n := range v.found.Names {
		if v.body == nil && n.Unknown == "" && len(n.Path) > 0 && n.Path[0] == "delivery" {
			l.report(v, "portable", n.Line, n.Column, `LaunchDarkly's URLs and headers have no "delivery"`, "")
		}
		if name := ownName(v, n); name != "" && n.Unknown == "" {
			l.report(v, "portable", n.Line, n.Column, fmt.Sprintf("LaunchDarkly's events have no %s", shown(name)), "")
		}
	}
}

// ownName is the member of ownNames that a name stands for, if one.
func ownName(v *view, n render.Name) string {
	path := n.Path
	if v.body == nil {
		if len(path) == 0 || path[0] != "context" {
			return ""
		}
		path = path[1:]
	}
	whole := strings.Join(path, ".")
	for _, name := range ownNames {
		if whole == name || strings.HasPrefix(whole, name+".") {
			return name
		}
	}
	return ""
}
