package source

import (
	"strings"

	"github.com/flaghook/flaghook/render"
)

// An unleashType says what an event type of Unleash becomes.
type unleashType struct {
	kind, action, titleVerb string
	inferred                bool
}

// unleashTypes are the types of src/lib/events/index.ts in Unleash/unleash that
// become something of their own; all others are kept as kind other.
var unleashTypes = map[string]unleashType{
	"feature-created":                      {kind: "flag", action: "createFlag"},
	"feature-deleted":                      {kind: "flag", action: "deleteFlag"},
	"feature-archived":                     {kind: "flag", action: "updateGlobalArchived", titleVerb: "archived the flag"},
	"feature-revived":                      {kind: "flag", action: "updateGlobalArchived", titleVerb: "restored the flag"},
	"feature-environment-enabled":          {kind: "flag", action: "updateOn", titleVerb: "turned on the flag"},
	"feature-environment-disabled":         {kind: "flag", action: "updateOn", titleVerb: "turned off the flag"},
	"feature-strategy-add":                 {kind: "flag", action: "updateRules"},
	"feature-strategy-update":              {kind: "flag", action: "updateRules"},
	"feature-strategy-remove":              {kind: "flag", action: "updateRules"},
	"strategy-order-changed":               {kind: "flag", action: "updateRules"},
	"feature-variants-updated":             {kind: "flag", action: "updateFlagVariations"},
	"feature-environment-variants-updated": {kind: "flag", action: "updateFlagVariations"},
	"feature-metadata-updated":             {kind: "flag", action: "updateDescription", inferred: true},
	"feature-updated":                      {kind: "flag", action: "updateDescription", inferred: true},
	"feature-tagged":                       {kind: "flag", action: "updateTags"},
	"feature-untagged":                     {kind: "flag", action: "updateTags"},
	"feature-stale-on":                     {kind: "flag", action: "updateDeprecated", titleVerb: "deprecated the flag"},
	"feature-stale-off":                    {kind: "flag", action: "updateDeprecated", titleVerb: "undeprecated the flag"},
	"feature-potentially-stale-on":         {kind: "flag", action: "updateDeprecated", titleVerb: "marked as potentially stale the flag"},
	"feature-completed":                    {kind: "flag", action: "updateDeprecated", titleVerb: "marked as completed the flag"},
	"feature-uncompleted":                  {kind: "flag", action: "updateDeprecated", titleVerb: "marked as uncompleted the flag"},
	"feature-dependency-added":             {kind: "flag", action: "updatePrerequisites"},
	"feature-dependency-removed":           {kind: "flag", action: "updatePrerequisites"},
	"feature-dependencies-removed":         {kind: "flag", action: "updatePrerequisites"},
	"feature-link-added":                   {kind: "flag", action: "createFlagLink", titleVerb: "updated the flag"},
	"feature-link-updated":                 {kind: "flag", action: "updateFlagLink", titleVerb: "updated the flag"},
	"feature-link-removed":                 {kind: "flag", action: "deleteFlagLink", titleVerb: "updated the flag"},

	"segment-created": {kind: "segment", action: "createSegment"},
	"segment-updated": {kind: "segment", action: "updateRules"},
	"segment-deleted": {kind: "segment", action: "deleteSegment"},

	"project-created":             {kind: "project", action: "createProject"},
	"project-updated":             {kind: "project", action: "updateProjectName", inferred: true},
	"project-deleted":             {kind: "project", action: "deleteProject"},
	"project-archived":            {kind: "project", action: "deleteProject", titleVerb: "archived the project"},
	"project-revived":             {kind: "project", action: "createProject", titleVerb: "restored the project"},
	"project-environment-added":   {kind: "environment", action: "createEnvironment"},
	"project-environment-removed": {kind: "environment", action: "deleteEnvironment"},

	"change-request-created":                       {kind: "request", action: "createApprovalRequest"},
	"change-request-approved":                      {kind: "request", action: "reviewApprovalRequest"},
	"change-request-rejected":                      {kind: "request", action: "reviewApprovalRequest"},
	"change-request-approval-added":                {kind: "request", action: "reviewApprovalRequest"},
	"change-request-applied":                       {kind: "request", action: "applyApprovalRequest"},
	"change-request-scheduled-application-success": {kind: "request", action: "applyApprovalRequest"},
	"change-request-cancelled":                     {kind: "request", action: "deleteApprovalRequest"},
	"change-request-discarded":                     {kind: "request", action: "deleteApprovalRequest"},

	"api-token-created": {kind: "service-token", action: "createAccessToken", titleVerb: "created the token"},
	"api-token-updated": {kind: "service-token", action: "updateAccessToken", titleVerb: "updated the token"},
	"api-token-deleted": {kind: "service-token", action: "deleteAccessToken", titleVerb: "deleted the token"},
}

// unleash reads an event of Unleash's webhook integration in its default form
// (src/lib/addons/webhook.ts), with data and preData as the states.
func unleash(p *parser) error {
	if err := p.readBody(); err != nil {
		return err
	}
	eventType := p.body.Get("type").AsString()
	if eventType == "" || !p.body.Has("createdBy") || !p.body.Has("id") {
		p.suppress("templated body (bodyTemplate set): not the default event shape")
		return nil
	}
	c := change{
		project: p.projectKey("", p.body.Get("project").AsString(), true),
		who:     someone(p.body.Get("createdBy").AsString()), at: timeOf(p.body.Get("createdAt")),
		before: p.body.Get("preData"), after: p.body.Get("data"),
	}
	for tag := range p.body.Get("tags").Items() {
		c.tags = append(c.tags, tag.Get("type").AsString()+":"+tag.Get("value").AsString())
	}
	m := members{}
	m.text("eventId", text(p.body.Get("id")))
	m.text("userId", text(p.body.Get("createdByUserId")))
	m.text("ip", p.body.Get("ip").AsString())
	m.text("groupId", text(p.body.Get("groupId")))
	c.metadata = m
	if e := p.body.Get("environment").AsString(); e != "" {
		c.environments = []string{p.environmentKey("", e, true)}
	} else {
		c.environments, c.everywhere = p.s.Environments, true
	}

	key := text(p.body.Get("id"))
	if eventType == "feature-project-change" {
		return unleashMove(p, c, key)
	}
	t, known := unleashTypes[eventType]
	if !known && (strings.HasPrefix(eventType, "change-request-") || eventType == "change-added" || eventType == "change-discarded") {
		t, known = unleashType{kind: "request", action: "updateApprovalRequest"}, true
	}
	if known {
		known = c.unleash(p, t)
	}
	if !known {
		c = c.other(eventType)
	}
	p.emit(c, key, 0)
	return nil
}

// unleash fills in what an event of a known type is about; false when it does
// not say.
func (c *change) unleash(p *parser, t unleashType) bool {
	data, was := p.body.Get("data"), p.body.Get("preData")
	either := func(key string) string {
		if s := text(data.Get(key)); s != "" {
			return s
		}
		return text(was.Get(key))
	}
	c.kind, c.actions, c.titleVerb, c.inferred = t.kind, []string{t.action}, t.titleVerb, t.inferred
	switch t.kind {
	case "flag":
		if c.key = p.body.Get("featureName").AsString(); c.key == "" {
			c.key = either("name")
		}
		c.path = "/projects/" + pathSegment(c.project) + "/features/" + pathSegment(c.key)
		c.details = unleashSentences(p.body.Get("type").AsString(), data, was)
	case "segment":
		if c.key = either("name"); p.body.Get("project").AsString() == "" {
			c.project = p.projectKey("", either("project"), true)
		}
		if c.key == "" {
			c.key = either("id")
		}
		c.path = "/segments"
	case "project":
		c.key, c.name = c.project, either("name")
		c.environments, c.everywhere = nil, false
		c.path = "/projects/" + pathSegment(c.project)
	case "environment":
		if len(c.environments) != 1 || c.everywhere {
			name := either("environment")
			if name == "" {
				name = either("name")
			}
			if name == "" {
				return false
			}
			c.environments = []string{p.environmentKey("", name, true)}
		}
		c.key, c.everywhere = c.environments[0], false
	case "request":
		if c.key = either("changeRequestId"); c.key == "" {
			c.key = either("id")
		}
		c.name = "Change request #" + c.key
		c.path = "/projects/" + pathSegment(c.project) + "/change-requests/" + pathSegment(c.key)
	case "service-token":
		if c.key = either("tokenName"); c.key == "" {
			c.key = either("username")
		}
		c.project, c.environments, c.everywhere = "", nil, false
		c.before, c.after = render.Value{}, render.Value{}
	}
	return c.key != ""
}

// unleashMove is one event that leaves a project and enters another.
func unleashMove(p *parser, c change, key string) error {
	data := p.body.Get("data")
	c.kind, c.key = "flag", p.body.Get("featureName").AsString()
	from, to := data.Get("oldProject").AsString(), data.Get("newProject").AsString()
	if c.key == "" || from == "" || to == "" {
		return malformed("feature-project-change needs featureName, /data/oldProject and /data/newProject")
	}
	c.details = []string{"Moved from the project " + quote(from) + " to " + quote(to)}
	for _, side := range []struct{ project, action, titleVerb string }{
		{from, "deleteFlag", "moved out of the project the flag"},
		{to, "createFlag", "moved into the project the flag"},
	} {
		c.project = p.projectKey("", side.project, true)
		c.actions, c.titleVerb = []string{side.action}, side.titleVerb
		c.path = "/projects/" + pathSegment(c.project) + "/features/" + pathSegment(c.key)
		p.emit(c, key, 0)
	}
	return nil
}

// unleashSentences say what the states of some types cannot.
func unleashSentences(eventType string, data, was render.Value) []string {
	tag := func(v render.Value) string { return quote(v.Get("type").AsString() + ":" + v.Get("value").AsString()) }
	strategy := func(v render.Value) string {
		name := v.Get("title").AsString()
		if name == "" {
			name = v.Get("name").AsString()
		}
		return "Strategy " + quote(name)
	}
	switch eventType {
	case "feature-environment-enabled":
		return []string{"Turned on"}
	case "feature-environment-disabled":
		return []string{"Turned off"}
	case "feature-tagged":
		return []string{"Tag " + tag(data) + " added"}
	case "feature-untagged":
		return []string{"Tag " + tag(was) + " removed"}
	case "feature-strategy-add":
		return []string{strategy(data) + " added"}
	case "feature-strategy-remove":
		return []string{strategy(was) + " removed"}
	case "strategy-order-changed":
		return []string{"Strategy order changed"}
	}
	return nil
}
