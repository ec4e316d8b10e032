package hooks

import (
	"cmp"
	"strings"

	"github.com/flaghook/flaghook/policy"
	"github.com/flaghook/flaghook/render"
)

// place is where an event's first access happened.
type place struct {
	kind, key       string
	tags            []string
	project         policy.Segment
	environment     policy.Segment
	allEnvironments bool
}

// whereabouts reads the place off the resources: kind, key and tags from the
// last segment of the first, and several environments of its project as all.
func whereabouts(accesses []policy.ParsedAccess) place {
	first := &accesses[0].Resource
	last := first.Segments[len(first.Segments)-1]
	p := place{
		kind: kindName(last.Kind), key: last.Key, tags: last.Tags,
		project: segment(first, "proj"), environment: segment(first, "env"),
	}
	p.allEnvironments = p.environment.Key == "*"
	for i := range accesses[1:] {
		r := &accesses[1+i].Resource
		env := segment(r, "env")
		if p.environment.Key != "" && env.Key != "" && env.Key != p.environment.Key && segment(r, "proj").Key == p.project.Key {
			p.allEnvironments = true
		}
	}
	return p
}

// segment is a resource's first of a kind, the zero Segment when it has none.
func segment(r *policy.Resource, kind string) policy.Segment {
	for i := range r.Segments {
		if r.Segments[i].Kind == kind {
			return r.Segments[i]
		}
	}
	return policy.Segment{}
}

// kindName gives a specifier's kind the name that templates know it by.
func kindName(kind string) string {
	switch kind {
	case "proj":
		return "project"
	case "env":
		return "environment"
	}
	return kind
}

// event makes the event of what was read.
func (n *normalizer) event(id, scope string, millis int64) *Event {
	p := whereabouts(n.parsed)
	kind := n.text("kind", p.kind)
	e := &Event{known: true, accesses: n.parsed, own: n.in.Path("source", "kind").AsString() == ownSource}
	e.set(writeForm(digestOf(n.in), scope, func(b *builder) { n.document(b, p, kind, id, millis) }), id)
	return e
}

// document writes the normalised event, its members in the order in which people
// read them, the unknown ones last.
func (n *normalizer) document(b *builder, p place, kind, id string, millis int64) {
	action := n.parsed[0].Action
	key := n.text("key", p.key)
	name := n.text("name", key)
	verbKind := n.text("verbKind", action)
	links := absoluteLinks(n.in.Get("_links"), n.in.Get("baseURL").AsString())
	title := sentence{
		verb: n.text("titleVerb", titleVerb(verbKind, kind, n.in.Get("after"))), name: name,
		href: links.Path("site", "href").AsString(),
	}

	b.object("")
	b.add("_links", links)
	b.add("baseURL", n.in.Get("baseURL"))
	b.string("_id", id)
	b.add("_accountId", n.in.Get("_accountId"))
	b.time("timestamp", millis)
	b.string("kind", kind)
	b.string("name", name)
	b.string("key", key)
	n.accessList(b)
	n.details(b, action)
	b.add("comment", n.in.Get("comment"))
	title.environment = n.project(b, p, kind, name)
	b.tags(n.in.Get("tags"), p.tags)
	b.add("customProperties", n.in.Get("customProperties"))
	title.who, title.email = n.member(b)
	b.add("token", n.in.Get("token"))
	b.add("app", n.in.Get("app"))
	b.string("titleVerb", title.verb)
	b.string("verbKind", verbKind)
	b.add("inferred", n.in.Get("inferred"))
	n.threeForms(b, "title", title.forms())
	n.target(b, name)
	b.add("parent", n.in.Get("parent"))
	b.add("before", n.in.Get("before"))
	b.add("after", n.in.Get("after"))
	b.add("source", n.in.Get("source"))
	b.copyOthers(n.in, "id", "action", "resource") // which are for posting alone
	b.end()
}

// absoluteLinks gives links that begin with a slash, as LaunchDarkly's API has
// them, their place on the web.
func absoluteLinks(links render.Value, baseURL string) render.Value {
	if baseURL == "" {
		return links
	}
	changed := false
	members := make([]render.Member, 0, links.Len())
	for rel, link := range links.Members() {
		href := link.Get("href").AsString()
		if strings.HasPrefix(href, "/") && !strings.HasPrefix(href, "//") {
			link = link.With("href", render.String(strings.TrimRight(baseURL, "/")+href))
			changed = true
		}
		members = append(members, render.Member{Key: rel, Value: link})
	}
	if !changed {
		return links
	}
	return render.Object(members...)
}

// text is a string member, or what was derived for it when it is absent. An
// empty string is kept: it was given.
func (n *normalizer) text(key, derived string) string {
	if v, ok := n.given(key); ok {
		return v.AsString()
	}
	return derived
}

// accessList keeps given accesses as they are, with members of their own.
func (n *normalizer) accessList(b *builder) {
	if list := n.in.Get("accesses"); list.Kind() == render.KindArray {
		b.put("accesses", list)
		return
	}
	b.array("accesses")
	b.object("")
	b.put("action", n.in.Get("action"))
	b.put("resource", n.in.Get("resource"))
	b.end()
	b.end()
}

// tags adds the tags that were given, else those that were derived.
func (b *builder) tags(given render.Value, derived []string) {
	if given.Kind() == render.KindArray {
		b.put("tags", given)
		return
	}
	b.array("tags")
	for _, t := range derived {
		b.item(render.String(t))
	}
	b.end()
}

// project fills the project and its environment from the resource. It returns the
// environment that a title mentions: none where all are meant, or where the thing
// changed is a project or an environment itself.
func (n *normalizer) project(b *builder, p place, kind, name string) (mentioned string) {
	given := n.in.Get("project")
	project := named{given: given, name: p.project.Key, key: p.project.Key, tags: p.project.Tags}
	env := named{given: given.Get("environment"), name: p.environment.Key, key: p.environment.Key, tags: p.environment.Tags}
	givenKey := env.given.Get("key").Kind() == render.KindString && env.given.Get("key").AsString() != "~"
	switch {
	case p.allEnvironments && !givenKey:
		env.key, env.name, env.tags = "~", "All environments", nil
	case kind == "environment":
		env.name = name
	}
	if kind == "project" {
		project.name = name
	}
	b.object("project")
	project.fill(b, "environment")
	b.object("environment")
	envName, envKey := env.fill(b)
	b.end()
	b.end()
	if kind == "project" || kind == "environment" || envKey == "~" {
		return ""
	}
	return envName
}

// named is an object with a name, a key and tags, as it was given and with what
// it has where it was not.
type named struct {
	given     render.Value
	name, key string
	tags      []string
}

// fill adds its name, its key, its tags and what else was given, but for members
// that the caller adds, and returns what its name and its key are.
func (o named) fill(b *builder, besides ...string) (name, key string) {
	name, key = o.name, o.key
	if k := o.given.Get("key"); k.Kind() == render.KindString {
		if name == key {
			name = k.AsString() // a given key names itself, unless a name was found
		}
		key = k.AsString()
	}
	if given := o.given.Get("name"); given.Kind() == render.KindString {
		name = given.AsString()
	}
	b.string("name", name)
	b.string("key", key)
	b.tags(o.given.Get("tags"), o.tags)
	b.copyOthers(o.given, besides...)
	return name, key
}

// orElse is v, or other when v is absent or null.
func orElse(v, other render.Value) render.Value {
	if v.IsDefined() && v.Kind() != render.KindNull {
		return v
	}
	return other
}

// member adds the member that was given, with the two names that templates use,
// and returns who did it.
func (n *normalizer) member(b *builder) (who, email string) {
	m := n.in.Get("member")
	if m.Kind() != render.KindObject {
		return actor("", n.in), ""
	}
	email = m.Get("email").AsString()
	b.object("member")
	for k, v := range m.Members() {
		b.copy(k, v)
	}
	if local, _, found := strings.Cut(email, "@"); found && !b.has("emailLocalPart") {
		b.string("emailLocalPart", local)
	}
	name := m.Get("displayName").AsString()
	if !b.has("displayName") {
		name = strings.TrimSpace(m.Get("firstName").AsString() + " " + m.Get("lastName").AsString())
		if name == "" {
			name = email
		}
		b.string("displayName", name)
	}
	b.end()
	return actor(cmp.Or(name, email), n.in), email
}

// target names what was changed, with the resources of all accesses.
func (n *normalizer) target(b *builder, name string) {
	b.object("target")
	for k, v := range n.in.Get("target").Members() {
		b.copy(k, v)
	}
	if !b.has("name") {
		b.string("name", name)
	}
	if !b.has("resources") {
		b.array("resources")
		if list := n.in.Get("accesses"); list.Kind() == render.KindArray {
			for access := range list.Items() {
				b.item(access.Get("resource"))
			}
		} else {
			b.item(n.in.Get("resource"))
		}
		b.end()
	}
	b.end()
}
