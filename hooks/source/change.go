package source

import (
	"math"
	"strings"
	"time"
	"unicode"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/policy"
	"github.com/flaghook/flaghook/render"
)

// A change is one event as a system's file understood it. document writes it in
// the form that is posted.
type change struct {
	kind, key, name string
	specifier       string   // the resource, where the system names it itself
	actions         []string // what was done; the first names the event
	titleVerb       string   // derived from the action where empty

	project, projectName string
	// environments are the keys of those that it happened in; none for what
	// stands outside of them. With everywhere the event is about all of
	// them, however many are configured.
	environments    []string
	environmentName string
	everywhere      bool

	who     actor
	at      render.Value // Unix milliseconds; undefined: the time of arrival
	tags    []string
	comment string

	before, after render.Value
	inferred      bool     // the action or the state before was worked out
	details       []string // what changed, in sentences; from before and after where there are none

	path     string // of its page below the base URL
	metadata []render.Member
	payload  render.Value // the system's own message; undefined: the body
	extra    []render.Member
}

// actor is who made a change, as far as the system tells.
type actor struct {
	id, email, name, firstName, lastName string
	key                                  string // id of an API key
}

// emit publishes a change. key and window identify the delivery; a second event
// of one delivery has a key of its own.
func (p *parser) emit(c change, key string, window time.Duration) {
	accesses := len(c.actions)
	if c.specifier == "" {
		accesses *= max(len(c.environments), 1)
	}
	p.accesses += accesses
	p.resources += accesses * (len(c.project) + len(c.key) + len(c.specifier))
	if p.accesses > MaxAccesses || p.resources > maxResources {
		return // Parse refuses the request
	}
	if key != "" && len(p.out.Events) > 0 && p.out.Events[0].Key == key {
		key += "\n2"
	}
	p.out.Events = append(p.out.Events, Event{Posted: c.document(p), Key: key, Window: window})
}

// document writes the change in the form that hooks.NewEvent takes.
func (c change) document(p *parser) render.Value {
	d := members{}
	d.text("baseURL", p.s.BaseURL)
	if c.path != "" && p.s.BaseURL != "" {
		d.add("_links", object("site", object("href", render.String(c.path), "type", render.String("text/html"))))
	}
	d.add("timestamp", c.at)
	d.text("kind", c.kind)
	d.text("name", c.name)
	d.text("key", c.key)
	d.add("accesses", c.accesses())
	if len(c.details) > 0 {
		d.add("details", hooks.DetailsOf(c.details...))
	}
	d.text("comment", c.comment)
	d.add("project", c.where())
	tags := make([]render.Value, len(c.tags))
	for i, t := range c.tags {
		tags[i] = render.String(t)
	}
	d.add("tags", render.Array(tags...))
	d.add("member", c.who.member())
	d.add("token", c.who.token())
	d.text("titleVerb", c.titleVerb)
	if c.inferred {
		d.add("inferred", render.Bool(true))
	}
	d.add("before", redact(c.before))
	d.add("after", redact(c.after))
	payload := c.payload
	if !payload.IsDefined() {
		payload = p.body
	}
	d.add("source", object(
		"kind", render.String(string(p.s.Kind)), "id", render.String(p.s.ID),
		"metadata", render.Object(c.metadata...), "payload", redact(payload)))
	d = append(d, c.extra...)
	return render.Object(d...)
}

// accesses names each action on the resource, in each of its environments.
func (c change) accesses() render.Value {
	var items []render.Value
	environments := c.environments
	if len(environments) == 0 || c.specifier != "" {
		environments = []string{""}
	}
	resources := make([]render.Value, len(environments))
	for i, e := range environments {
		resources[i] = render.String(c.resource(e))
		if len(resources[i].AsString()) > policy.MaxResource { // the event is refused for one as for many
			environments, resources = environments[:1], resources[i:i+1]
			break
		}
	}
	for _, action := range c.actions {
		for i := range environments {
			items = append(items, object("action", render.String(action), "resource", resources[i]))
		}
	}
	return render.Array(items...)
}

// resource writes the resource specifier, keys escaped.
func (c change) resource(environment string) string {
	if c.specifier != "" {
		return c.specifier
	}
	var parts []string
	if c.project != "" {
		parts = append(parts, "proj/"+policy.Escape(c.project))
	}
	if environment != "" {
		parts = append(parts, "env/"+policy.Escape(environment))
	}
	if c.kind != "project" && c.kind != "environment" {
		parts = append(parts, c.kind+"/"+policy.Escape(c.key))
	}
	return strings.Join(parts, ":")
}

// where gives the names that the resource does not hold, undefined when it says
// it all.
func (c change) where() render.Value {
	d := members{}
	if c.kind != "project" {
		d.text("name", c.projectName)
	}
	switch {
	case c.everywhere && len(c.environments) > 0:
		d.add("environment", object("name", render.String("All environments"), "key", render.String("~")))
	case c.environmentName != "" && len(c.environments) == 1:
		d.add("environment", object("name", render.String(c.environmentName), "key", render.String(c.environments[0])))
	}
	if len(d) == 0 {
		return render.Value{}
	}
	return render.Object(d...)
}

// member gives the actor as an event names people; an API key too, since
// templates ask for no other name.
func (a actor) member() render.Value {
	d := members{}
	d.text("_id", a.id)
	d.text("email", a.email)
	first, last := a.firstName, a.lastName
	if at := strings.LastIndexByte(a.name, ' '); first == "" && last == "" && at > 0 && a.key == "" {
		first, last = a.name[:at], a.name[at+1:]
	}
	d.text("firstName", first)
	d.text("lastName", last)
	d.text("displayName", a.name)
	if len(d) == 0 {
		return render.Value{}
	}
	return render.Object(d...)
}

func (a actor) token() render.Value {
	if a.key == "" {
		return render.Value{}
	}
	return object("_id", render.String(a.key), "name", render.String(a.name))
}

// someone tells a name from a mail address.
func someone(text string) actor {
	if strings.Contains(text, "@") {
		return actor{email: text}
	}
	return actor{name: text}
}

// apiKey is an actor that is known by the id of its key alone.
func apiKey(id string) actor {
	if id == "" {
		return actor{}
	}
	return actor{name: "api-key:" + id, key: id}
}

// members are an object in the making; what is empty is left out.
type members []render.Member

func (m *members) add(key string, v render.Value) {
	if v.IsDefined() && v.Kind() != render.KindNull {
		*m = append(*m, render.Member{Key: key, Value: v})
	}
}

func (m *members) text(key, text string) {
	if text != "" {
		*m = append(*m, render.Member{Key: key, Value: render.String(text)})
	}
}

// object makes an object of keys and values in turn.
func object(pairs ...any) render.Value {
	list := make([]render.Member, 0, len(pairs)/2)
	for ; len(pairs) >= 2; pairs = pairs[2:] {
		list = append(list, render.Member{Key: pairs[0].(string), Value: pairs[1].(render.Value)})
	}
	return render.Object(list...)
}

// isSet says whether a value is there and not null.
func isSet(v render.Value) bool { return v.IsDefined() && v.Kind() != render.KindNull }

// text is a text, or a number as one writes it; "" for all else.
func text(v render.Value) string {
	if v.Kind() == render.KindNumber {
		return string(v.AppendJSON(nil))
	}
	return v.AsString()
}

// timeOf reads a time of RFC 3339 as Unix milliseconds; undefined when it is
// missing or none.
func timeOf(v render.Value) render.Value {
	t, err := time.Parse(time.RFC3339, v.AsString())
	if err != nil {
		return render.Value{}
	}
	return millis(float64(t.UnixMilli()))
}

// millis is a time in Unix milliseconds; undefined when it is no such time.
func millis(ms float64) render.Value {
	const year9999 = 253402300799999
	if math.IsNaN(ms) || ms <= 0 || ms > year9999 {
		return render.Value{}
	}
	return render.Number(math.Floor(ms))
}

// other is an event of a type that the tables do not have: kept, under the name
// that the system gave it.
func (c change) other(eventType string) change {
	name := strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == ' ' || r == unicode.ReplacementChar {
			return '_'
		}
		return r
	}, eventType)
	for len(name) > policy.MaxAction {
		name = strings.ToValidUTF8(name[:policy.MaxAction], "")
	}
	c.kind, c.key, c.name, c.specifier = "other", name, name, ""
	c.actions, c.titleVerb = []string{name}, "reported"
	return c
}
