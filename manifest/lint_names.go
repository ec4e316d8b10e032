package manifest

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/flaghook/flaghook/render"
)

// calls checks how many values helpers get.
func (l *linter) calls(v *view) {
	for _, call := range v.found.Calls {
		if call.Args >= call.Min && call.Args <= call.Max {
			continue
		}
		takes := plural(fmt.Sprint(call.Max), "value")
		if call.Min < call.Max {
			takes = fmt.Sprintf("%d to %s", call.Min, takes)
		}
		l.report(v, "helper-arity", call.Line, call.Column, fmt.Sprintf("the helper %s gets %s", call.Helper, plural(fmt.Sprint(call.Args), "value")),
			"it takes "+takes)
	}
}

// names checks that what a template names can exist.
func (l *linter) names(v *view) {
	for _, n := range v.found.Names {
		if n.Unknown == "" {
			continue
		}
		rule, message := "unknown-name", l.cannotBe(v, n)
		if n.Use == render.UseTested && !ofDelivery(v, n) {
			rule = "unknown-condition"
			message += ", so this is never true"
		}
		l.report(v, rule, n.Line, n.Column, message, l.meant(v, n))
	}
}

// ofDelivery reports whether a body names the delivery. Elsewhere it is there,
// so a condition on it is as wrong as a place where it is written.
func ofDelivery(v *view, n render.Name) bool {
	return v.body != nil && n.In == "" && n.Unknown == "delivery"
}

// cannotBe says why a name is unknown.
func (l *linter) cannotBe(v *view, n render.Name) string {
	switch {
	case ofDelivery(v, n):
		return `a body has no "delivery": bodies are shared between deliveries`
	case strings.HasPrefix(n.Unknown, "@"):
		return fmt.Sprintf("there is no %s here", shown(n.Unknown))
	case n.In == "" && v.body != nil:
		return fmt.Sprintf("an event has no %s", shown(n.Unknown))
	case n.In == "":
		return fmt.Sprintf("there is no form variable %s", shown(n.Unknown))
	case n.In == "formVariables":
		return fmt.Sprintf("there is no form variable %s", shown(n.Unknown))
	}
	return fmt.Sprintf("%s has no %s", whole(n.In), shown(n.Unknown))
}

// whole names what a path leads to.
func whole(path string) string {
	if list, isItem := strings.CutSuffix(path, ".*"); isItem {
		return "an item of " + list
	}
	return path
}

// meant is the remedy for an unknown name.
func (l *linter) meant(v *view, n render.Name) string {
	if strings.HasPrefix(n.Unknown, "@") {
		return "@index, @key, @first and @last are known inside {{#each}}, @root everywhere"
	}
	if ofDelivery(v, n) {
		return "use it in the URL or in a header"
	}
	if known, remedy := l.elsewhere(v, n); known {
		return remedy
	}
	if near := nearest(n.Unknown, n.Known); len(near) > 0 {
		for i := range near {
			near[i] = replacePart(n, near[i])
		}
		return "did you mean " + quoted(near, "or") + "?"
	}
	if n.In == "" && v.body != nil {
		return "data of your own belongs in customProperties, source, before or after"
	}
	return oneOf(n.Known)
}

// alias has what webhooks and people call members of an event otherwise.
var alias = map[string]string{
	"action": "verbKind", "currentVersion": "after", "date": "timestamp.milliseconds", "description": "details.markdown",
	"previousVersion": "before", "resource": "target.resources.[0]", "user": "member",
}

// elsewhere finds a name that stands in the wrong place: the mistake that is
// made most, since bodies and URLs have different roots.
func (l *linter) elsewhere(v *view, n render.Name) (bool, string) {
	_, isVariable := l.variables[n.Unknown]
	_, isMember := eventShape().Members[n.Unknown]
	rest := n.Name
	if at := strings.Index(rest, n.Unknown); at >= 0 {
		rest = rest[at:]
	}
	write := func(prefix, why string) (bool, string) {
		return true, fmt.Sprintf("write %s: %s", shown(prefix+rest), why)
	}
	switch {
	case v.body == nil && n.In == "" && n.Unknown == "formVariables":
		return true, "write the variable alone: in URLs and headers form variables stand at the root"
	case v.body == nil && n.In == "" && isMember:
		return write("context.", "in URLs and headers the event is under context")
	case v.body != nil && n.In == "" && n.Unknown == "context":
		return true, "leave it out: in bodies the event stands at the root"
	case v.body != nil && isVariable && !strings.HasPrefix(n.In, "formVariables"):
		return write("formVariables.", "in bodies form variables are under formVariables")
	case v.body != nil && n.In != "" && isMember && strings.HasPrefix(n.Name, n.Unknown):
		return write("@root.", "inside this block names are looked up in "+whole(n.In))
	case v.body != nil && n.In == "" && strings.HasPrefix(n.Name, n.Unknown):
		at := alias[n.Unknown]
		if at == "" {
			at = findMember(eventShape(), n.Unknown)
		}
		if at != "" {
			return true, "did you mean " + shown(at+strings.TrimPrefix(rest, n.Unknown)) + "?"
		}
	}
	return false, ""
}

// replacePart puts another word in place of the unknown part of a name.
func replacePart(n render.Name, word string) string {
	parts := strings.Split(n.Name, ".")
	for i, p := range parts {
		if p == n.Unknown {
			parts[i] = word
			return strings.Join(parts, ".")
		}
	}
	return word
}

// findMember finds a member of that name in the objects of an event, those at
// the top first.
func findMember(shape *render.Shape, name string) string {
	type place struct {
		at    string
		shape *render.Shape
	}
	for todo := []place{{"", shape}}; len(todo) > 0; todo = todo[1:] {
		for _, key := range slices.Sorted(maps.Keys(todo[0].shape.Members)) {
			at := dotted(todo[0].at, key)
			if key == name {
				return at
			}
			if key != "_links" && strings.Count(at, ".") < 3 {
				todo = append(todo, place{at, todo[0].shape.Members[key]})
			}
		}
	}
	return ""
}
