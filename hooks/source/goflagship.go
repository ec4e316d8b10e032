package source

import (
	"github.com/flaghook/flaghook/render"
)

// goflagshipChanges are the members of a flag that a change can name, with what
// a change of them is called.
var goflagshipChanges = [][2]string{
	{"enabled", "updateOn"}, {"rollout", "updateFallthrough"}, {"expression", "updateRules"},
	{"config", "updateFlagVariations"}, {"variants", "updateFlagVariations"}, {"description", "updateDescription"},
}

// goflagship reads an event of goflagship's webhooks (internal/webhook). Only
// targeting rules are missing from the states, so an update that names nothing
// but its own time is one of them.
func goflagship(p *parser) error {
	if err := p.readBody(); err != nil {
		return err
	}
	event := p.body.Get("event").AsString()
	switch event {
	case "":
		return malformed("it has no event; is it a request of goflagship?")
	case "webhook.test":
		p.suppress("test delivery")
		return nil
	}
	data := p.body.Get("data")
	c := change{
		project: p.projectKey("", p.body.Get("project").AsString(), true),
		at:      timeOf(p.body.Get("timestamp")), who: apiKey(p.body.Path("metadata", "apiKeyId").AsString()),
		before: data.Get("before"), after: data.Get("after"),
	}
	if e := p.body.Get("environment").AsString(); e != "" {
		c.environments = []string{p.environmentKey("", e, true)}
	} else {
		c.environments = p.s.Environments
	}
	m := members{}
	m.text("ip", p.body.Path("metadata", "ipAddress").AsString())
	m.text("apiKeyId", p.body.Path("metadata", "apiKeyId").AsString())
	m.text("requestId", p.body.Path("metadata", "requestId").AsString())
	c.metadata = m

	key := p.body.Path("resource", "key").AsString()
	resourceType := p.body.Path("resource", "type").AsString()
	known := event == "flag.created" || event == "flag.updated" || event == "flag.deleted"
	switch {
	case !known || resourceType != "" && resourceType != "flag":
		c = c.other(event)
	case key == "":
		return malformed("/resource/key is missing")
	default:
		c.kind, c.key = "flag", key
		goflagshipFlag(&c, event, data.Get("changes"))
	}
	delivery := p.r.header("X-Flagship-Delivery")
	if delivery == "" {
		p.emit(c, p.bodyKey(), BodyWindow)
		return nil
	}
	p.emit(c, delivery, 0)
	return nil
}

func goflagshipFlag(c *change, event string, changes render.Value) {
	switch event {
	case "flag.created":
		c.actions = []string{"createFlag"}
		return
	case "flag.deleted":
		c.actions = []string{"deleteFlag"}
		return
	}
	for _, m := range goflagshipChanges {
		if changes.Has(m[0]) || changes.Kind() != render.KindObject && !c.before.Get(m[0]).Equal(c.after.Get(m[0])) {
			c.actions = append(c.actions, m[1])
		}
	}
	if c.actions = unique(c.actions); len(c.actions) == 0 {
		c.actions, c.inferred = []string{"updateRules"}, true
		c.details = []string{"Targeting rules changed"}
	}
}
