package hooks

import "github.com/flaghook/flaghook/render"

// Webhook is the event as LaunchDarkly's webhooks send it, which is how its audit
// log shows it: the representation of an audit log entry in its REST API (GET
// /api/v2/auditlog/{id}), with the date in Unix milliseconds and the title as
// one Markdown string.
func (e *Event) Webhook() render.Value { return render.Written(string(webhookShape(e.doc))) }

// webhookShape is Webhook as JSON.
func webhookShape(doc render.Value) []byte {
	t := textsOf(doc)
	b := newBuilder()
	b.object("")
	t.beforeTitle(b)
	b.addText("title", memberText(t.title, "markdown"))
	t.afterTitle(b)
	b.end()
	return b.take()
}

// standardShape is JSON of what an integration without templates sends: the
// webhook shape with the timestamp in its four forms, and the title both as
// plain text and as Markdown.
func standardShape(doc render.Value) []byte {
	t := textsOf(doc)
	b := newBuilder()
	b.object("")
	t.beforeTitle(b)
	b.putText("title", memberText(t.title, "plainText"))
	t.afterTitle(b)
	b.putText("timestamp", t.timestamp)
	b.putText("markdownTitle", memberText(t.title, "markdown"))
	b.end()
	return b.take()
}

// shapeTexts are the members of a document that shapes are made of, as JSON; ""
// where there is none. They are mostly copied from the text of a document, which
// is not read for it.
type shapeTexts struct {
	links, id, accountID, timestamp, accesses, kind, name, details, shortDescription, comment, member, token, app,
	titleVerb, title, target, parent, before, after string
}

func textsOf(doc render.Value) (t shapeTexts) {
	for key, text := range render.MemberTexts(doc.JSON()) {
		switch key {
		case "_links":
			t.links = text
		case "_id":
			t.id = text
		case "_accountId":
			t.accountID = text
		case "timestamp":
			t.timestamp = text
		case "accesses":
			t.accesses = text
		case "kind":
			t.kind = text
		case "name":
			t.name = text
		case "details":
			t.details = text
		case "shortDescription":
			t.shortDescription = text
		case "comment":
			t.comment = text
		case "member":
			t.member = text
		case "token":
			t.token = text
		case "app":
			t.app = text
		case "titleVerb":
			t.titleVerb = text
		case "title":
			t.title = text
		case "target":
			t.target = text
		case "parent":
			t.parent = text
		case "before":
			t.before = text
		case "after":
			t.after = text
		}
	}
	return t
}

// memberText is the text of an object's member, "" where there is none.
func memberText(object, key string) string {
	for k, text := range render.MemberTexts(object) {
		if k == key {
			return text
		}
	}
	return ""
}

const nullText = "null"

// textOr is a text, or another where there is none or null.
func textOr(text, other string) string {
	if text == "" || text == nullText {
		return other
	}
	return text
}

// beforeTitle adds the members of the webhook shape up to the title.
func (t *shapeTexts) beforeTitle(b *builder) {
	b.putText("_links", textOr(t.links, "{}"))
	b.addText("_id", t.id)
	b.putText("_accountId", textOr(t.accountID, `""`))
	b.addText("date", memberText(t.timestamp, "milliseconds"))
	b.putText("accesses", textOr(t.accesses, "[]"))
	b.addText("kind", t.kind)
	b.addText("name", t.name)
	b.putText("description", textOr(memberText(t.details, "markdown"), `""`))
	b.putText("shortDescription", textOr(t.shortDescription, `""`))
	b.addText("comment", t.comment)
	b.addText("member", t.member)
	b.addText("token", t.token)
	b.addText("app", t.app)
	b.addText("titleVerb", t.titleVerb)
}

// afterTitle adds the rest.
func (t *shapeTexts) afterTitle(b *builder) {
	b.addText("target", t.target)
	b.addText("parent", t.parent)
	b.addText("previousVersion", t.before)
	b.addText("currentVersion", t.after)
}
