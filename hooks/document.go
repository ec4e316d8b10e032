package hooks

import (
	"slices"
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
func whereabouts(resources []policy.Resource) place {
	first := resources[0]
	last := first.Segments[len(first.Segments)-1]
	p := place{
		kind: kindName(last.Kind), key: last.Key, tags: last.Tags,
		project: segment(first, "proj"), environment: segment(first, "env"),
	}
	p.allEnvironments = p.environment.Key == "*"
	for _, r := range resources[1:] {
		env := segment(r, "env")
		if p.environment.Key != "" && env.Key != "" && env.Key != p.environment.Key && segment(r, "proj").Key == p.project.Key {
			p.allEnvironments = true
		}
	}
	return p
}

// segment is a resource's first of a kind, the zero Segment when it has none.
func segment(r policy.Resource, kind string) policy.Segment {
	for _, s := range r.Segments {
		if s.Kind == kind {
			return s
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

// builder writes an object member by member, in order.
type builder struct{ members []render.Member }

func (b *builder) add(key string, v render.Value) {
	if v.IsDefined() && v.Kind() != render.KindNull {
		b.members = append(b.members, render.Member{Key: key, Value: v})
	}
}

// document assembles the normalised event, its members in the order in which
// people read them, the unknown ones last.
func (n *normalizer) document(id string, stamp render.Value, accesses []policy.Access, resources []policy.Resource) render.Value {
	p := whereabouts(resources)
	kind := n.text("kind", p.kind)
	key := n.text("key", p.key)
	name := n.text("name", key)
	verbKind := n.text("verbKind", accesses[0].Action)
	titleVerb := n.text("titleVerb", titleVerb(verbKind, kind, n.in.Get("after")))
	project := n.project(p, kind, name)
	member := n.member()
	links := absoluteLinks(n.in.Get("_links"), n.in.Get("baseURL").AsString())

	b := builder{members: make([]render.Member, 0, 32)}
	b.add("_links", links)
	b.add("baseURL", n.in.Get("baseURL"))
	b.add("_id", render.String(id))
	b.add("_accountId", n.in.Get("_accountId"))
	b.add("timestamp", stamp)
	b.add("kind", render.String(kind))
	b.add("name", render.String(name))
	b.add("key", render.String(key))
	b.add("accesses", n.accessList(accesses))
	b.add("details", n.details(accesses[0].Action))
	b.add("comment", n.in.Get("comment"))
	b.add("project", project)
	b.add("tags", n.tags(n.in.Get("tags"), p.tags))
	b.add("customProperties", n.in.Get("customProperties"))
	b.add("member", member)
	b.add("token", n.in.Get("token"))
	b.add("app", n.in.Get("app"))
	b.add("titleVerb", render.String(titleVerb))
	b.add("verbKind", render.String(verbKind))
	b.add("inferred", n.in.Get("inferred"))
	b.add("title", n.threeForms("title", sentence{
		who: actor(member, n.in), email: member.Get("email").AsString(), verb: titleVerb, name: name,
		href: links.Path("site", "href").AsString(), environment: environmentPhrase(kind, project),
	}.forms()))
	b.add("target", n.target(name, accesses))
	b.add("parent", n.in.Get("parent"))
	b.add("before", n.in.Get("before"))
	b.add("after", n.in.Get("after"))
	b.add("source", n.in.Get("source"))
	return n.addUnknown(&b)
}

// addUnknown appends the members that this version does not know.
func (n *normalizer) addUnknown(b *builder) render.Value {
	derived := b.members
	for key, v := range n.in.Members() {
		switch key {
		case "id", "action", "resource": // for posting alone
		default:
			if !slices.ContainsFunc(derived, func(m render.Member) bool { return m.Key == key }) {
				b.add(key, v)
			}
		}
	}
	return render.Object(b.members...)
}

// absoluteLinks gives links that begin with a slash, as LaunchDarkly's API has
// them, their place on the web.
func absoluteLinks(links render.Value, baseURL string) render.Value {
	if baseURL == "" {
		return links
	}
	for rel, link := range links.Members() {
		href := link.Get("href").AsString()
		if strings.HasPrefix(href, "/") && !strings.HasPrefix(href, "//") {
			links = links.With(rel, link.With("href", render.String(strings.TrimRight(baseURL, "/")+href)))
		}
	}
	return links
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
func (n *normalizer) accessList(accesses []policy.Access) render.Value {
	if list := n.in.Get("accesses"); list.Kind() == render.KindArray {
		return list
	}
	items := make([]render.Value, len(accesses))
	for i, a := range accesses {
		items[i] = render.Object(
			render.Member{Key: "action", Value: render.String(a.Action)},
			render.Member{Key: "resource", Value: render.String(a.Resource)})
	}
	return render.Array(items...)
}

func (n *normalizer) tags(given render.Value, derived []string) render.Value {
	if given.Kind() == render.KindArray {
		return given
	}
	items := make([]render.Value, len(derived))
	for i, t := range derived {
		items[i] = render.String(t)
	}
	return render.Array(items...)
}

// project fills the project and its environment from the resource.
func (n *normalizer) project(p place, kind, name string) render.Value {
	given := n.in.Get("project")
	env := given.Get("environment")

	envKey, envName := p.environment.Key, p.environment.Key
	envTags := p.environment.Tags
	givenKey := env.Get("key").Kind() == render.KindString && env.Get("key").AsString() != "~"
	switch {
	case p.allEnvironments && !givenKey:
		envKey, envName, envTags = "~", "All environments", nil
	case kind == "environment":
		envName = name
	}
	projectName := p.project.Key
	if kind == "project" {
		projectName = name
	}
	environment := n.fill(env, "name", envName, "key", envKey, envTags)
	return n.fill(given.With("environment", render.Value{}), "name", projectName, "key", p.project.Key, p.project.Tags).
		With("environment", environment)
}

// fill gives an object with a name, a key and tags, keeping those it has.
func (n *normalizer) fill(given render.Value, nameKey, name, keyKey, key string, tags []string) render.Value {
	if k := given.Get(keyKey); k.Kind() == render.KindString {
		if name == key {
			name = k.AsString() // a given key names itself, unless a name was found
		}
		key = k.AsString()
	}
	b := builder{members: make([]render.Member, 0, 3+given.Len())}
	b.add(nameKey, orElse(given.Get(nameKey), render.String(name)))
	b.add(keyKey, render.String(key))
	b.add("tags", n.tags(given.Get("tags"), tags))
	for k, v := range given.Members() {
		if k != nameKey && k != keyKey && k != "tags" {
			b.add(k, v)
		}
	}
	return render.Object(b.members...)
}

// orElse is v, or other when v is absent or null.
func orElse(v, other render.Value) render.Value {
	if v.IsDefined() && v.Kind() != render.KindNull {
		return v
	}
	return other
}

// member adds the two names that templates use to the member that was given.
func (n *normalizer) member() render.Value {
	m := n.in.Get("member")
	if m.Kind() != render.KindObject {
		return render.Value{}
	}
	email := m.Get("email").AsString()
	if local, _, found := strings.Cut(email, "@"); found && !m.Has("emailLocalPart") {
		m = m.With("emailLocalPart", render.String(local))
	}
	if !m.Has("displayName") {
		name := strings.TrimSpace(m.Get("firstName").AsString() + " " + m.Get("lastName").AsString())
		if name == "" {
			name = email
		}
		m = m.With("displayName", render.String(name))
	}
	return m
}

// target names what was changed, with the resources of all accesses.
func (n *normalizer) target(name string, accesses []policy.Access) render.Value {
	t := n.in.Get("target")
	if t.Kind() != render.KindObject {
		t = render.Object()
	}
	if !t.Has("name") {
		t = t.With("name", render.String(name))
	}
	if !t.Has("resources") {
		items := make([]render.Value, len(accesses))
		for i, a := range accesses {
			items[i] = render.String(a.Resource)
		}
		t = t.With("resources", render.Array(items...))
	}
	return t
}
