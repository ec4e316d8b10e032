package hooks

import "github.com/flaghook/flaghook/render"

// Webhook is the event as LaunchDarkly's webhooks send it, which is how its audit
// log shows it: see webhookShape.
func (e *Event) Webhook() render.Value { return webhookShape(e.doc) }

// webhookShape is an event as LaunchDarkly's webhooks send it: the
// representation of an audit log entry in its REST API (GET
// /api/v2/auditlog/{id}), with the date in Unix milliseconds and the title as
// one Markdown string.
func webhookShape(doc render.Value) render.Value {
	b := builder{members: make([]render.Member, 0, 24)} // for all of them, and those that standardShape adds
	b.add("_links", orElse(doc.Get("_links"), render.Object()))
	b.add("_id", doc.Get("_id"))
	b.add("_accountId", orElse(doc.Get("_accountId"), render.String("")))
	b.add("date", doc.Path("timestamp", "milliseconds"))
	b.add("accesses", orElse(doc.Get("accesses"), render.Array()))
	b.add("kind", doc.Get("kind"))
	b.add("name", doc.Get("name"))
	b.add("description", orElse(doc.Path("details", "markdown"), render.String("")))
	b.add("shortDescription", orElse(doc.Get("shortDescription"), render.String("")))
	b.add("comment", doc.Get("comment"))
	b.add("member", doc.Get("member"))
	b.add("token", doc.Get("token"))
	b.add("app", doc.Get("app"))
	b.add("titleVerb", doc.Get("titleVerb"))
	b.add("title", doc.Path("title", "markdown"))
	b.add("target", doc.Get("target"))
	b.add("parent", doc.Get("parent"))
	b.add("previousVersion", doc.Get("before"))
	b.add("currentVersion", doc.Get("after"))
	return render.Object(b.members...)
}

// standardShape is what an integration without templates sends: the webhook
// shape with the timestamp in its four forms, and the title both as plain text
// and as Markdown.
func standardShape(doc render.Value) render.Value {
	return webhookShape(doc).
		With("timestamp", doc.Get("timestamp")).
		With("title", doc.Path("title", "plainText")).
		With("markdownTitle", doc.Path("title", "markdown"))
}
