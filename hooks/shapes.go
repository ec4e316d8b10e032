package hooks

import "github.com/flaghook/flaghook/render"

// Webhook is the event as LaunchDarkly's webhooks send it, which is how its audit
// log shows it: the representation of an audit log entry in its REST API (GET
// /api/v2/auditlog/{id}), with the date in Unix milliseconds and the title as
// one Markdown string.
func (e *Event) Webhook() render.Value {
	b := newBuilder()
	b.addWebhook(e.doc)
	return b.object(new(render.Maker))
}

// webhookShape is Webhook as JSON.
func webhookShape(doc render.Value) []byte {
	b := newBuilder()
	b.addWebhook(doc)
	return b.json()
}

// standardShape is JSON of what an integration without templates sends: the
// webhook shape with the timestamp in its four forms, and the title both as
// plain text and as Markdown.
func standardShape(doc render.Value) []byte {
	b := newBuilder()
	b.addWebhook(doc)
	b.set("timestamp", doc.Get("timestamp"))
	b.set("title", doc.Path("title", "plainText"))
	b.set("markdownTitle", doc.Path("title", "markdown"))
	return b.json()
}

var (
	noText   = render.String("")
	noItems  = render.Array()
	noObject = render.Object()
)

// addWebhook adds the members of the webhook shape.
func (b *builder) addWebhook(doc render.Value) {
	title, details := doc.Get("title"), doc.Get("details")
	b.add("_links", orElse(doc.Get("_links"), noObject))
	b.add("_id", doc.Get("_id"))
	b.add("_accountId", orElse(doc.Get("_accountId"), noText))
	b.add("date", doc.Path("timestamp", "milliseconds"))
	b.add("accesses", orElse(doc.Get("accesses"), noItems))
	b.add("kind", doc.Get("kind"))
	b.add("name", doc.Get("name"))
	b.add("description", orElse(details.Get("markdown"), noText))
	b.add("shortDescription", orElse(doc.Get("shortDescription"), noText))
	b.add("comment", doc.Get("comment"))
	b.add("member", doc.Get("member"))
	b.add("token", doc.Get("token"))
	b.add("app", doc.Get("app"))
	b.add("titleVerb", doc.Get("titleVerb"))
	b.add("title", title.Get("markdown"))
	b.add("target", doc.Get("target"))
	b.add("parent", doc.Get("parent"))
	b.add("previousVersion", doc.Get("before"))
	b.add("currentVersion", doc.Get("after"))
}
