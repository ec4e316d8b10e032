package source

import (
	"net/http"
	"slices"
	"strings"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/render"
)

// growthBook reads GrowthBook's event webhooks, in the JSON form and in the raw
// one (packages/back-end/src/events in growthbook/growthbook), and recognises
// its SDK webhooks, which say only that something changed.
func growthBook(p *parser) error {
	if len(p.r.Body) == 0 && (p.r.Method != http.MethodPost || p.r.header("webhook-signature") != "") {
		p.suppress("SDK webhook: payload refresh signal, not attributable to a resource")
		return nil
	}
	if err := p.readBody(); err != nil {
		return err
	}
	event := p.body.Get("event").AsString()
	switch {
	case p.body.Get("type").AsString() == "payload.changed" && event == "":
		p.suppress("SDK webhook: payload refresh signal, not attributable to a resource")
		return nil
	case event == "" && p.body.Has("features"):
		p.suppress("SDK payload body")
		return nil
	case event == "":
		return malformed("it has no event; is it an event webhook of GrowthBook in the form json or raw?")
	}
	if reason := growthBookSignal(event); reason != "" {
		p.suppress(reason)
		return nil
	}
	g := growthBookEvent{parser: p, event: event, state: p.body.Path("data", "object")}
	if !isSet(g.state) { // the raw form
		g.state, g.before = p.body.Path("data", "current"), p.body.Path("data", "previous")
		if !isSet(g.state) {
			g.state = g.before
		}
	} else if was := p.body.Path("data", "previous_attributes"); isSet(was) {
		g.before = overlaid(g.state, was)
	}
	g.read()
	p.emit(g.c, p.bodyKey(), BodyWindow)
	return nil
}

// growthBookSignal says why an event is no change, "" when it is one.
func growthBookSignal(event string) string {
	switch {
	case event == "webhook.test":
		return "test delivery"
	case event == "user.login":
		return "login, not a configuration change"
	case event == "experiment.warning", strings.HasPrefix(event, "experiment.info."), strings.HasPrefix(event, "experiment.decision."):
		return "experiment signal (warning/info/decision), not a change"
	}
	return ""
}

// overlaid gives an object with some members as they were before: null for one
// that was not there.
func overlaid(v, was render.Value) render.Value {
	members := make([]render.Member, 0, was.Len())
	for key, x := range was.Members() {
		members = append(members, render.Member{Key: key, Value: x})
	}
	return v.WithAll(members...)
}

// growthBookEvent is one event while it is read.
type growthBookEvent struct {
	*parser
	event         string
	state, before render.Value // of the resource; before is undefined where it is not told
	c             change
}

func (g *growthBookEvent) read() {
	project := ""
	if list := g.body.Get("projects"); list.Len() > 0 {
		project = list.At(0).AsString()
	}
	if project == "" {
		project = g.state.Get("project").AsString()
	}
	g.c = change{project: g.projectKey("", project, true), who: growthBookUser(g.body.Get("user")), at: millis(g.body.Get("created").AsNumber())}
	for tag := range g.body.Get("tags").Items() {
		g.c.tags = append(g.c.tags, tag.AsString())
	}
	m := members{}
	m.text("apiVersion", g.body.Get("api_version").AsString())
	m.text("userType", g.body.Path("user", "type").AsString())
	m.text("userId", text(g.body.Path("user", "id")))
	g.c.metadata = m

	for e := range g.body.Get("environments").Items() {
		if e.AsString() != "" {
			g.c.environments = append(g.c.environments, g.environmentKey("", e.AsString(), true))
		}
	}
	noun, verb, _ := strings.Cut(g.event, ".")
	known := false
	switch noun {
	case "feature":
		known = g.feature(verb)
	case "experiment", "savedGroup":
		known = g.projectWide(noun, verb)
	}
	if !known {
		g.c = g.c.other(g.event)
		if len(g.c.environments) == 0 {
			g.c.environments = g.s.Environments
		}
	}
	if g.body.Get("containsSecrets").AsBool() {
		g.c.before, g.c.after, g.c.details = render.Value{}, render.Value{}, nil
		g.c.payload = g.body.With("data", render.String(redacted))
	}
}

// feature reads feature.*. Its environments are those whose effective
// configuration changed.
func (g *growthBookEvent) feature(verb string) bool {
	c := &g.c
	c.kind = "flag"
	c.key = g.state.Get("id").AsString()
	named := len(c.environments)
	if named == 0 {
		c.environments = g.s.Environments
	}
	c.everywhere = named != 1
	stage, rest, _ := strings.Cut(verb, ".")
	switch stage {
	case "created":
		c.actions, c.after, c.everywhere = []string{"createFlag"}, g.state, true
	case "deleted":
		c.actions, c.before, c.everywhere = []string{"deleteFlag"}, g.state, true
	case "updated":
		c.before, c.after = g.before, g.state
		g.updated()
	case "revision":
		g.revision(rest)
	case "saferollout":
		g.subject("featureId")
		switch rest {
		case "ship":
			c.actions = []string{"updateFallthrough"}
		case "rollback":
			c.actions = []string{"stopMeasuredRolloutOnFlagRule"}
		default:
			c.actions = []string{"updateMeasuredRolloutConfiguration"}
		}
		c.titleVerb = "updated the flag"
		if e := g.state.Get("environment").AsString(); e != "" && named == 0 {
			c.environments, c.everywhere = []string{g.environmentKey("", e, true)}, false
		}
	case "rampSchedule":
		g.subject("featureId")
		c.actions, c.titleVerb = []string{"updateScheduledChanges"}, "updated the flag"
		c.details = []string{"Ramp schedule: " + strings.ReplaceAll(strings.TrimPrefix(rest, "actions."), ".", " ")}
	default:
		return false
	}
	if c.key == "" {
		return false
	}
	if c.key != unknownKey {
		c.path = "/features/" + pathSegment(c.key)
	}
	return true
}

// subject finds the flag that an event about something else names.
func (g *growthBookEvent) subject(field string) {
	for _, path := range [][]string{{field}, {"feature"}, {"feature", "id"}, {"entityId"}} {
		if key := g.state.Path(path...).AsString(); key != "" {
			g.c.key = key
			return
		}
	}
	g.c.key, g.c.inferred = unknownKey, true
}

// projectWide reads experiment.* and savedGroup.*, which are the same in all
// environments.
func (g *growthBookEvent) projectWide(noun, verb string) bool {
	c := &g.c
	c.environments, c.everywhere = g.s.Environments, true
	c.key, c.name = g.state.Get("id").AsString(), g.state.Get("name").AsString()
	kind, title, update := "experiment", "Experiment", "updateExperiment"
	if noun == "savedGroup" {
		kind, title, update = "segment", "Segment", "updateRules"
		if g.state.Get("type").AsString() == "list" {
			update = "updateIncluded"
		}
	}
	c.kind = kind
	stage, rest, _ := strings.Cut(verb, ".")
	switch {
	case stage == "created" || stage == "deleted":
		c.actions = []string{strings.TrimSuffix(stage, "d") + title}
	case stage == "updated":
		c.actions = []string{update}
		if isSet(g.before) && !g.body.Get("containsSecrets").AsBool() {
			c.details = hooks.Changes(redact(g.before), redact(g.state))
		}
	case stage == "revision" && noun == "savedGroup":
		for _, field := range []string{"savedGroupId", "groupId"} {
			if key := g.state.Get(field).AsString(); key != "" {
				c.key = key
			}
		}
		c.actions = []string{approvalAction(rest)}
		if c.titleVerb = "updated an approval request for the segment"; c.actions[0] == "createApprovalRequest" {
			c.titleVerb = "requested approval for changes to the segment"
		}
	default:
		return false
	}
	if kind == "experiment" {
		c.path = "/experiment/" + pathSegment(c.key)
	} else {
		c.path = "/saved-groups/" + pathSegment(c.key)
	}
	return c.key != ""
}

func growthBookUser(u render.Value) actor {
	switch u.Get("type").AsString() {
	case "api_key":
		a := apiKey(u.Get("apiKey").AsString())
		a.email = u.Get("email").AsString()
		if name := u.Get("name").AsString(); name != "" {
			a.name = name
		}
		return a
	case "system":
		return actor{name: strings.Join(slices.DeleteFunc([]string{"system", u.Get("subtype").AsString()}, func(s string) bool { return s == "" }), "/")}
	}
	return actor{id: text(u.Get("id")), email: u.Get("email").AsString(), name: u.Get("name").AsString()}
}
