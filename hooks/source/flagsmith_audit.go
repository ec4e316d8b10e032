package source

import (
	"strings"

	"github.com/flaghook/flaghook/render"
)

// flagsmithAudit reads AUDIT_LOG_CREATED. What was changed stands in the entry's
// log text alone, in the words of api/audit/constants.py.
func flagsmithAudit(p *parser, data render.Value) error {
	log := data.Get("log").AsString()
	related := data.Get("related_object_type").AsString()
	project, environment := data.Get("project"), data.Get("environment")
	c := change{
		project:     p.projectKey(text(project.Get("id")), project.Get("name").AsString(), false),
		projectName: project.Get("name").AsString(),
		at:          timeOf(data.Get("created_date")), who: flagsmithAuthor(data),
		path: flagsmithPath(project),
	}
	if data.Get("is_system_event").AsBool() {
		c.extra = members{{Key: "app", Value: object("name", render.String("Flagsmith"))}}
	}
	m := members{}
	m.text("auditId", text(data.Get("id")))
	m.add("isSystemEvent", data.Get("is_system_event"))
	m.text("log", log)
	c.metadata = m
	if isSet(environment) {
		c.environmentName = environment.Get("name").AsString()
		c.environments = []string{p.environmentKey(text(environment.Get("id")), c.environmentName, false)}
	} else {
		c.environments, c.everywhere = p.s.Environments, true
	}

	known := false
	switch related {
	case "FEATURE":
		known = c.auditFeature(log)
	case "FEATURE_STATE", "EF_VERSION":
		if p.s.DropDuplicates {
			p.suppress("duplicate of FLAG_UPDATED delivered to the same organisation webhook")
			return nil
		}
		known = c.auditState(log)
	case "SEGMENT":
		known = c.auditSegment(log)
	case "ENVIRONMENT":
		known = c.auditEnvironment(p, log, environment)
	case "CHANGE_REQUEST":
		known = c.auditRequest(log, text(data.Get("related_object_id")))
	case "RELEASE_PIPELINE":
		known = c.auditPipeline(log, text(data.Get("related_object_id")))
	}
	if !known {
		c = c.other(flagsmithType(related))
		c.details = []string{log}
	}
	p.emitTimed(c)
	return nil
}

// flagsmithType names an entry of which no more is known.
func flagsmithType(related string) string {
	if related == "" {
		return "AUDIT_LOG_CREATED"
	}
	return "AUDIT_LOG_CREATED:" + related
}

func flagsmithAuthor(data render.Value) actor {
	a := data.Get("author")
	who := actor{
		id: text(a.Get("id")), email: a.Get("email").AsString(),
		firstName: a.Get("first_name").AsString(), lastName: a.Get("last_name").AsString(),
	}
	who.name = strings.TrimSpace(who.firstName + " " + who.lastName)
	return who
}

// after gives what follows a prefix, trimmed; false when the text has another.
func after(text, prefix string) (string, bool) {
	rest, found := strings.CutPrefix(text, prefix)
	rest = strings.TrimSpace(rest)
	return rest, found && rest != ""
}

// between gives what stands between a prefix and the last suffix.
func between(text, prefix, suffix string) (string, bool) {
	rest, found := after(text, prefix)
	if !found {
		return "", false
	}
	rest, found = strings.CutSuffix(rest, suffix)
	return rest, found && rest != ""
}

// quotedName gives what stands in quotes behind a word: feature 'x'.
func quotedName(text, word string) (string, bool) {
	_, rest, found := strings.Cut(text, word+" '")
	if !found {
		return "", false
	}
	for _, end := range []string{"' and identity '", "' and segment '", "' by Change Request", "'.", "'"} {
		if name, _, ends := strings.Cut(rest, end); ends && name != "" {
			return name, true
		}
	}
	return "", false
}

func (c *change) auditFeature(log string) bool {
	c.kind = "flag"
	for _, m := range []struct {
		prefix, action string
		inferred       bool
	}{
		{"New Flag / Remote Config created:", "createFlag", false},
		{"Flag / Remote Config Deleted:", "deleteFlag", false},
		{"Flag / Remote Config updated:", "updateDescription", true},
	} {
		if name, found := after(log, m.prefix); found {
			c.key, c.actions, c.inferred = name, []string{m.action}, m.inferred
			return true
		}
	}
	name, found := quotedName(log, "feature")
	switch c.key = name; {
	case !found:
		return false
	case strings.HasPrefix(log, "Multivariate option"):
		c.actions, c.details = []string{"updateFlagVariations"}, []string{log}
	case strings.HasPrefix(log, "Segment overrides re-ordered"):
		c.actions, c.details = []string{"updateRules"}, []string{log}
	default:
		return false
	}
	return true
}

// auditState reads an entry about a feature's state, as far as its text tells.
func (c *change) auditState(log string) bool {
	c.kind, c.titleVerb, c.details, c.inferred = "flag", "updated the flag", []string{log}, true
	switch lower := strings.ToLower(log); {
	case strings.Contains(lower, "segment"):
		c.actions = []string{"updateRules"}
	case strings.Contains(lower, "identity"):
		c.actions = []string{"updateTargets"}
	case strings.Contains(lower, "scheduled for"):
		c.actions = []string{"updateScheduledChanges"}
	case strings.HasPrefix(lower, "flag state updated for feature:"):
		c.actions = []string{"updateOn"}
	default:
		c.actions = []string{"updateFallthrough"}
	}
	if name, found := quotedName(log, "feature"); found {
		c.key = name
		return true
	}
	for _, word := range []string{"for feature:", "for flag:", "feature:"} {
		if _, rest, found := strings.Cut(log, word); found {
			rest, _, _ = strings.Cut(rest, " by Change Request:")
			rest, _, _ = strings.Cut(rest, " in environment:")
			c.key = strings.TrimSpace(rest)
			return c.key != ""
		}
	}
	return false
}

func (c *change) auditSegment(log string) bool {
	c.kind = "segment"
	for prefix, action := range map[string]string{
		"New Segment created:": "createSegment", "Segment updated:": "updateRules", "Segment deleted:": "deleteSegment",
	} {
		if name, found := after(log, prefix); found {
			c.key, c.actions = name, []string{action}
			return true
		}
	}
	return false
}

func (c *change) auditEnvironment(p *parser, log string, environment render.Value) bool {
	c.kind, c.everywhere = "environment", false
	name, created := after(log, "New Environment created:")
	c.actions = []string{"createEnvironment"}
	if !created {
		var updated bool
		if name, updated = after(log, "Environment updated:"); !updated {
			return false
		}
		c.actions = []string{"updateName"}
	}
	key := p.environmentKey(text(environment.Get("id")), name, false)
	c.key, c.name, c.environments, c.environmentName = key, name, []string{key}, name
	return true
}

func (c *change) auditRequest(log, id string) bool {
	if id == "" {
		return false
	}
	for suffix, action := range map[string]string{
		" created": "createApprovalRequest", " approved": "reviewApprovalRequest",
		" committed": "applyApprovalRequest", " deleted": "deleteApprovalRequest",
	} {
		if name, found := between(log, "Change Request:", suffix); found {
			c.kind, c.key, c.name, c.actions = "request", id, name, []string{action}
			return true
		}
	}
	return false
}

func (c *change) auditPipeline(log, id string) bool {
	if id == "" {
		return false
	}
	for suffix, action := range map[string]string{
		" created": "createReleasePipeline", " deleted": "deleteReleasePipeline", " updated": "updateReleasePipeline", " published": "updateReleasePipeline",
	} {
		if name, found := between(log, "Release Pipeline:", suffix); found {
			c.kind, c.key, c.name, c.actions = "release-pipeline", id, name, []string{action}
			c.environments, c.everywhere = nil, false
			return true
		}
	}
	return false
}
