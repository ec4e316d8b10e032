package hooks

import "github.com/flaghook/flaghook/render"

// Webhook is the event as LaunchDarkly's webhooks send it, which is how its audit
// log shows it: the representation of an audit log entry in its REST API (GET
// /api/v2/auditlog/{id}), with the date in Unix milliseconds and the title as
// one Markdown string.
func (e *Event) Webhook() render.Value { return render.Written(string(webhookShape(e.doc))) }

// webhookShape is Webhook as JSON.
func webhookShape(doc render.Value) []byte {
	b := newBuilder()
	b.object("")
	b.beforeTitle(doc)
	b.add("title", doc.Path("title", "markdown"))
	b.afterTitle(doc)
	b.end()
	return b.take()
}

// standardShape is JSON of what an integration without templates sends: the
// webhook shape with the timestamp in its four forms, and the title both as
// plain text and as Markdown.
func standardShape(doc render.Value) []byte {
	title := doc.Get("title")
	b := newBuilder()
	b.object("")
	b.beforeTitle(doc)
	b.put("title", title.Get("plainText"))
	b.afterTitle(doc)
	b.put("timestamp", doc.Get("timestamp"))
	b.put("markdownTitle", title.Get("markdown"))
	b.end()
	return b.take()
}

var (
	noText   = render.String("")
	noItems  = render.Array()
	noObject = render.Object()
)

// beforeTitle adds the members of the webhook shape up to the title.
func (b *builder) beforeTitle(doc render.Value) {
	b.put("_links", orElse(doc.Get("_links"), noObject))
	b.add("_id", doc.Get("_id"))
	b.put("_accountId", orElse(doc.Get("_accountId"), noText))
	b.add("date", doc.Path("timestamp", "milliseconds"))
	b.put("accesses", orElse(doc.Get("accesses"), noItems))
	b.add("kind", doc.Get("kind"))
	b.add("name", doc.Get("name"))
	b.put("description", orElse(doc.Path("details", "markdown"), noText))
	b.put("shortDescription", orElse(doc.Get("shortDescription"), noText))
	b.add("comment", doc.Get("comment"))
	b.add("member", doc.Get("member"))
	b.add("token", doc.Get("token"))
	b.add("app", doc.Get("app"))
	b.add("titleVerb", doc.Get("titleVerb"))
}

// afterTitle adds the rest.
func (b *builder) afterTitle(doc render.Value) {
	b.add("target", doc.Get("target"))
	b.add("parent", doc.Get("parent"))
	b.add("previousVersion", doc.Get("before"))
	b.add("currentVersion", doc.Get("after"))
}
