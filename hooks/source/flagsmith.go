package source

import (
	"net/url"
	"strings"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/render"
)

// flagsmith reads what Flagsmith's environment and organisation webhooks send
// (api/webhooks, api/audit in Flagsmith/flagsmith). Projects and environments
// have ids and names there and no keys; keys are made of the names. Only bodies
// with a time are told apart by their bytes.
func flagsmith(p *parser) error {
	if err := p.readBody(); err != nil {
		return err
	}
	data := p.body.Get("data")
	switch event := p.body.Get("event_type").AsString(); {
	case event == "FLAG_UPDATED" || event == "FLAG_DELETED":
		return flagsmithFlag(p, event, data)
	case event == "NEW_VERSION_PUBLISHED":
		return flagsmithVersion(p, data)
	case event == "AUDIT_LOG_CREATED":
		return flagsmithAudit(p, data)
	case event == "" && p.body.Has("log") && p.body.Has("related_object_type"):
		return flagsmithAudit(p, p.body) // as Flagsmith's documentation shows it
	case event == "" && p.body.Has("identity") && p.body.Has("flags"):
		p.suppress("identity/flag-evaluation integration webhook, not a change event")
	case event == "":
		return malformed("it has no event_type; is it a request of Flagsmith?")
	default:
		c := change{project: p.projectKey("", "", true), environments: p.s.Environments, at: timeOf(data.Get("timestamp"))}
		p.emitTimed(c.other(event))
	}
	return nil
}

// emitTimed publishes a change that its body identifies, for a while, if it has
// a time.
func (p *parser) emitTimed(c change) {
	if !c.at.IsDefined() {
		p.emit(c, "", 0)
		return
	}
	p.emit(c, p.bodyKey(), BodyWindow)
}

// flagsmithFlag reads FLAG_UPDATED and FLAG_DELETED: a feature's state in one
// environment, for all, one segment or one identity.
func flagsmithFlag(p *parser, event string, data render.Value) error {
	before, after := data.Get("previous_state"), data.Get("new_state")
	state := after
	if !isSet(state) {
		state = before
	}
	feature := state.Get("feature")
	key := feature.Get("name").AsString()
	if key == "" {
		return malformed("the state has no feature name")
	}
	project, environment := feature.Get("project"), state.Get("environment")
	c := change{
		kind: "flag", key: key,
		project:         p.projectKey(text(project.Get("id")), project.Get("name").AsString(), false),
		projectName:     project.Get("name").AsString(),
		environmentName: environment.Get("name").AsString(),
		who:             someone(data.Get("changed_by").AsString()), at: timeOf(data.Get("timestamp")),
		before: before, after: after,
	}
	if e := p.environmentKey(text(environment.Get("id")), environment.Get("name").AsString(), false); e != "" {
		c.environments = []string{e}
	} else {
		c.environments = p.s.Environments
	}
	c.path = flagsmithPath(project)
	identity, segment := flagsmithOverride(state)
	switch {
	case identity != "":
		c.actions, c.titleVerb = []string{"updateTargets"}, "updated the flag"
		c.details = overrideSentences("Identity override for "+quote(identity), before, after)
	case segment != "":
		c.actions, c.titleVerb = []string{"updateRules"}, "updated the flag"
		c.details = overrideSentences("Segment override for "+quote(segment), before, after)
	case event == "FLAG_DELETED":
		c.actions = []string{"deleteFlag"}
	case !isSet(before):
		c.actions = []string{"createFlag"}
	default:
		c.actions, c.inferred = flagsmithUpdate(before, after)
	}
	p.emitTimed(c)
	return nil
}

// flagsmithOverride names the identity or the segment that a state is for.
func flagsmithOverride(state render.Value) (identity, segment string) {
	if id := state.Get("identity"); isSet(id) && text(id) != "" {
		identity = state.Get("identity_identifier").AsString()
		if identity == "" {
			identity = text(id)
		}
	}
	if s := state.Get("feature_segment"); isSet(s) {
		segment = s.Path("segment", "name").AsString()
		if segment == "" {
			segment = "segment " + text(s.Path("segment", "id"))
		}
	}
	return identity, segment
}

// flagsmithUpdate names what differs between two states, and says whether that
// had to be guessed.
func flagsmithUpdate(before, after render.Value) (actions []string, inferred bool) {
	differs := func(path ...string) bool { return !before.Path(path...).Equal(after.Path(path...)) }
	if differs("enabled") {
		actions = append(actions, "updateOn")
	}
	if differs("feature_state_value") || differs("multivariate_feature_state_values") {
		actions = append(actions, "updateFallthrough")
	}
	if differs("feature", "description") {
		actions = append(actions, "updateDescription")
	}
	if len(actions) == 0 {
		return []string{"updateFallthrough"}, true
	}
	return actions, false
}

// overrideSentences say what became of an override.
func overrideSentences(what string, before, after render.Value) []string {
	switch {
	case !isSet(before):
		return []string{what + " added"}
	case !isSet(after):
		return []string{what + " removed"}
	}
	changes := hooks.Changes(before, after)
	for i, s := range changes {
		changes[i] = what + ": " + strings.ToLower(s[:1]) + s[1:]
	}
	if len(changes) == 0 {
		return []string{what + " changed"}
	}
	return changes
}

func flagsmithPath(project render.Value) string {
	id := text(project.Get("id"))
	if id == "" {
		return ""
	}
	return "/project/" + pathSegment(id)
}

// flagsmithVersion reads NEW_VERSION_PUBLISHED. Since 2.200 a FLAG_UPDATED for
// each changed state goes with it; it names no project, environment or time.
func flagsmithVersion(p *parser, data render.Value) error {
	if p.s.DropDuplicates {
		p.suppress("summary of FLAG_UPDATED events sent with it")
		return nil
	}
	key := data.Path("feature", "name").AsString()
	if key == "" {
		return malformed("the version has no feature name")
	}
	p.emit(change{
		kind: "flag", key: key, actions: []string{"updateFallthrough"}, titleVerb: "updated the flag", inferred: true,
		project: p.s.Project, environments: p.s.Environments,
		who: someone(data.Path("published_by", "email").AsString()), after: data.Get("feature_states"),
		details: []string{"New version published"},
	}, "", 0)
	return nil
}

// quote puts a text of the system into a sentence.
func quote(s string) string { return `"` + clip(s) + `"` }

// pathSegment escapes a key for an address.
func pathSegment(key string) string { return url.PathEscape(key) }
