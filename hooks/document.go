package hooks

import (
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

// document assembles the normalised event, its members in the order in which
// people read them, the unknown ones last.
func (n *normalizer) document(id string, stamp render.Value) render.Value {
	p := whereabouts(n.parsed)
	accesses := n.accessList()
	action := accesses.At(0).Get("action").AsString()
	kind := n.text("kind", p.kind)
	key := n.text("key", p.key)
	name := n.text("name", key)
	verbKind := n.text("verbKind", action)
	titleVerb := n.text("titleVerb", titleVerb(verbKind, kind, n.in.Get("after")))
	project := n.project(p, kind, name)
	member := n.member()
	links := absoluteLinks(n.in.Get("_links"), n.in.Get("baseURL").AsString())

	b := newBuilder()
	b.add("_links", links)
	b.add("baseURL", n.in.Get("baseURL"))
	b.add("_id", render.String(id))
	b.add("_accountId", n.in.Get("_accountId"))
	b.add("timestamp", stamp)
	b.add("kind", render.String(kind))
	b.add("name", render.String(name))
	b.add("key", render.String(key))
	b.add("accesses", accesses)
	b.add("details", n.details(action))
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
	n.addUnknown(b)
	return b.object(&n.maker)
}

// addUnknown appends the members that this version does not know.
func (n *normalizer) addUnknown(b *builder) {
	derived := *b
	for key, v := range n.in.Members() {
		switch key {
		case "id", "action", "resource": // for posting alone
		default:
			if !derived.has(key) {
				b.add(key, v)
			}
		}
	}
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
func (n *normalizer) accessList() render.Value {
	if list := n.in.Get("accesses"); list.Kind() == render.KindArray {
		return list
	}
	return n.maker.Array([]render.Value{n.maker.Object(
		render.Member{Key: "action", Value: n.in.Get("action")},
		render.Member{Key: "resource", Value: n.in.Get("resource")})})
}

func (n *normalizer) tags(given render.Value, derived []string) render.Value {
	if given.Kind() == render.KindArray {
		return given
	}
	items := make([]render.Value, len(derived))
	for i, t := range derived {
		items[i] = render.String(t)
	}
	return n.maker.Array(items)
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
	environment := n.fill(env, envName, envKey, envTags, render.Value{})
	return n.fill(given, projectName, p.project.Key, p.project.Tags, environment)
}

// fill gives an object with a name, a key and tags, keeping those it has, and
// with an environment, if there is one, in the place of its own.
func (n *normalizer) fill(given render.Value, name, key string, tags []string, environment render.Value) render.Value {
	if k := given.Get("key"); k.Kind() == render.KindString {
		if name == key {
			name = k.AsString() // a given key names itself, unless a name was found
		}
		key = k.AsString()
	}
	b := newBuilder()
	b.add("name", orElse(given.Get("name"), render.String(name)))
	b.add("key", render.String(key))
	b.add("tags", n.tags(given.Get("tags"), tags))
	for k, v := range given.Members() {
		if !b.has(k) && (k != "environment" || !environment.IsDefined()) {
			b.add(k, v)
		}
	}
	b.add("environment", environment)
	return b.object(&n.maker)
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
	added := make([]render.Member, 0, 2)
	if local, _, found := strings.Cut(email, "@"); found && !m.Has("emailLocalPart") {
		added = append(added, render.Member{Key: "emailLocalPart", Value: render.String(local)})
	}
	if !m.Has("displayName") {
		name := strings.TrimSpace(m.Get("firstName").AsString() + " " + m.Get("lastName").AsString())
		if name == "" {
			name = email
		}
		added = append(added, render.Member{Key: "displayName", Value: render.String(name)})
	}
	if len(added) == 0 {
		return m
	}
	return n.maker.WithAll(m, added...)
}

// target names what was changed, with the resources of all accesses.
func (n *normalizer) target(name string, accesses render.Value) render.Value {
	t := n.in.Get("target")
	added := make([]render.Member, 0, 2)
	if !t.Has("name") {
		added = append(added, render.Member{Key: "name", Value: render.String(name)})
	}
	if !t.Has("resources") {
		items := make([]render.Value, accesses.Len())
		for i := range items {
			items[i] = accesses.At(i).Get("resource")
		}
		added = append(added, render.Member{Key: "resources", Value: n.maker.Array(items)})
	}
	if len(added) == 0 {
		return t
	}
	return n.maker.WithAll(t, added...)
}
