package source

import (
	"strings"
	"unicode"
)

// growthBookChanges are members of a feature with what a change of them is
// called; those of an environment are looked at between archived and the rest.
var growthBookChanges = [][2]string{
	{"defaultValue", "updateFallthrough"}, {"rules", "updateRules"}, {"prerequisites", "updatePrerequisites"}, {"tags", "updateTags"},
	{"description", "updateDescription"}, {"owner", "updateMaintainer"}, {"valueType", "updateFlagVariations"},
	{"customFields", "updateFlagCustomProperties"},
}

// updated names what differs between the two states of a feature.
func (g *growthBookEvent) updated() {
	c := &g.c
	differs := func(key string) bool { return !g.before.Get(key).Equal(g.state.Get(key)) }
	if isSet(g.before) && differs("archived") {
		c.actions = append(c.actions, "updateGlobalArchived")
	}
	environments, on := g.environmentActions()
	c.actions = append(c.actions, environments...)
	for _, m := range growthBookChanges {
		if isSet(g.before) && differs(m[0]) {
			c.actions = append(c.actions, m[1])
		}
	}
	switch c.actions = unique(c.actions); {
	case len(c.actions) == 0:
		c.actions, c.inferred = []string{"updateRules"}, true
	case c.actions[0] == "updateOn":
		c.titleVerb = on
	}
}

// environmentActions names what differs within environments, and puts into
// words whether they were turned on or off.
func (g *growthBookEvent) environmentActions() (actions []string, titleVerb string) {
	on, off := false, false
	found := map[string]bool{}
	was := g.before.Get("environments")
	for name, now := range g.state.Get("environments").Members() {
		before := was.Get(name)
		if !isSet(before) {
			continue
		}
		if !before.Get("enabled").Equal(now.Get("enabled")) {
			on, off = on || now.Get("enabled").AsBool(), off || !now.Get("enabled").AsBool()
		}
		for _, m := range [][2]string{{"rules", "updateRules"}, {"defaultValue", "updateFallthrough"}, {"prerequisites", "updatePrerequisites"}} {
			if !before.Get(m[0]).Equal(now.Get(m[0])) {
				found[m[1]] = true
			}
		}
	}
	if on || off {
		actions = append(actions, "updateOn")
	}
	for _, action := range []string{"updateRules", "updateFallthrough", "updatePrerequisites"} {
		if found[action] {
			actions = append(actions, action)
		}
	}
	switch {
	case on && off:
		titleVerb = "updated the flag"
	case on:
		titleVerb = "turned on the flag"
	case off:
		titleVerb = "turned off the flag"
	}
	return actions, titleVerb
}

// revision reads an event of a draft, which is GrowthBook's approval request.
func (g *growthBookEvent) revision(verb string) {
	c := &g.c
	if key := g.state.Get("featureId").AsString(); key != "" {
		c.key = key
	}
	c.actions = []string{approvalAction(verb)}
	c.comment = g.state.Get("reviewComment").AsString()
	if c.comment == "" {
		c.comment = g.state.Get("comment").AsString()
	}
	revision := "Revision"
	if n := text(g.state.Get("version")); n != "" {
		revision += " " + n
	}
	c.details = []string{revision + ": " + spacedWords(verb)}
}

// spacedWords splits a name: reviewRequested is "review requested".
func spacedWords(name string) string {
	var b strings.Builder
	for _, r := range name {
		if unicode.IsUpper(r) {
			b.WriteByte(' ')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return strings.TrimSpace(b.String())
}

func approvalAction(verb string) string {
	switch verb {
	case "created", "reviewRequested":
		return "createApprovalRequest"
	case "approved", "changesRequested", "commented":
		return "reviewApprovalRequest"
	case "published", "reverted":
		return "applyApprovalRequest"
	case "discarded", "recalled":
		return "deleteApprovalRequest"
	}
	return "updateApprovalRequest"
}
