package source

import (
	"github.com/flaghook/flaghook/policy"
	"github.com/flaghook/flaghook/render"
)

// launchDarklyPages is where LaunchDarkly's own links begin.
const launchDarklyPages = "https://app.launchdarkly.com"

// launchDarkly reads an audit log entry as LaunchDarkly's webhooks send it (GET
// /api/v2/auditlog/{id}). Events have its shape, so most of it is kept.
func launchDarkly(p *parser) error {
	if err := p.readBody(); err != nil {
		return err
	}
	accesses := p.body.Get("accesses")
	if accesses.Kind() != render.KindArray || accesses.Len() == 0 {
		return malformed("it has no accesses; is it a webhook of LaunchDarkly?")
	}
	first, err := policy.ParseResource(accesses.At(0).Get("resource").AsString())
	if err != nil {
		return malformed("/accesses/0/resource: %v", err)
	}
	base := p.s.BaseURL
	if base == "" {
		base = launchDarklyPages
	}
	d := members{}
	d.add("_links", p.body.Get("_links"))
	d.text("baseURL", base)
	d.add("timestamp", millis(p.body.Get("date").AsNumber()))
	d.add("accesses", accesses)
	if md := p.body.Get("description"); md.AsString() != "" {
		d.add("details", object("markdown", md))
	}
	before, after := redact(p.body.Get("previousVersion")), redact(p.body.Get("currentVersion"))
	state := after
	if !isSet(state) {
		state = before
	}
	d.add("project", launchDarklyPlace(first, state))
	d.add("tags", textsOf(state.Get("tags")))
	for _, key := range []string{
		"_accountId", "kind", "name", "shortDescription", "comment", "member", "token", "app", "titleVerb", "target", "parent",
	} {
		d.add(key, redact(p.body.Get(key)))
	}
	d.add("before", before)
	d.add("after", after)
	d.add("customProperties", customProperties(state.Get("customProperties")))
	m := members{}
	for _, key := range []string{"_id", "_accountId"} {
		m.text(key, p.body.Get(key).AsString())
	}
	d.add("source", object(
		"kind", render.String(string(p.s.Kind)), "id", render.String(p.s.ID), "metadata", render.Object(m...), "payload", redact(p.body)))

	event := Event{Posted: render.Object(d...), Key: p.body.Get("_id").AsString()}
	if event.Key == "" {
		event.Key, event.Window = p.bodyKey(), BodyWindow
	}
	p.out.Events = append(p.out.Events, event)
	return nil
}

// launchDarklyPlace gives the environment the name that the state has for it.
func launchDarklyPlace(r policy.Resource, state render.Value) render.Value {
	for _, s := range r.Segments {
		if s.Kind != "env" {
			continue
		}
		name := state.Path("environments", s.Key, "_environmentName").AsString()
		if name != "" && state.Get("environments").Len() == 1 {
			return object("environment", object("name", render.String(name)))
		}
	}
	return render.Value{}
}

// textsOf gives a list of texts, what is no text left out; undefined when it is
// no list.
func textsOf(v render.Value) render.Value {
	if v.Kind() != render.KindArray {
		return render.Value{}
	}
	var items []render.Value
	for x := range v.Items() {
		if x.Kind() == render.KindString {
			items = append(items, x)
		}
	}
	return render.Array(items...)
}

// customProperties are those of a flag, when there are some.
func customProperties(v render.Value) render.Value {
	if v.Kind() != render.KindObject || v.Len() == 0 {
		return render.Value{}
	}
	return v
}
