package source

import (
	"strings"

	"github.com/flaghook/flaghook/render"
)

// unknownKey stands for a flag whose key the system does not tell.
const unknownKey = "_unknown"

// flipt reads an event of Flipt's audit webhook, versions 0.1 and 0.2
// (internal/server/audit in flipt-io/flipt). Flipt 1 has no environments, and
// tells the state after a change alone: the state before is the last one seen.
func flipt(p *parser) error {
	if err := p.readBody(); err != nil {
		return err
	}
	f := fliptEvent{
		parser: p, noun: p.body.Get("type").AsString(), verb: p.body.Get("action").AsString(), payload: p.body.Get("payload"),
	}
	if f.noun == "" || f.verb == "" {
		return malformed("it has no type and action; is it an event of Flipt's audit webhook, and not one of a template?")
	}
	if status := p.body.Get("status").AsString(); status != "" && status != "success" {
		p.suppress("status=" + clip(status) + ": nothing changed")
		return nil
	}
	f.namespace = f.payload.Get("namespace_key").AsString()
	if f.namespace == "" {
		f.namespace = "default"
	}
	f.c = change{
		project: p.projectKey("", f.namespace, true), environments: p.s.Environments,
		who: fliptActor(p.body.Path("metadata", "actor")), at: timeOf(p.body.Get("timestamp")),
		metadata: fliptMetadata(p.body),
	}
	if err := f.read(); err != nil {
		return err
	}
	p.emit(f.c, p.bodyKey(), BodyWindow)
	return nil
}

// fliptEvent is one event while it is read.
type fliptEvent struct {
	*parser
	noun, verb string
	payload    render.Value
	namespace  string
	c          change
}

func (f *fliptEvent) read() error {
	switch f.verb {
	case "created", "updated", "deleted":
	default:
		f.c = f.c.other(f.noun + ":" + f.verb)
		return nil
	}
	var err error
	switch f.noun {
	case "flag":
		err = f.resource("flag", "Flag")
	case "segment":
		err = f.resource("segment", "Segment")
	case "variant":
		err = f.part("flag", "updateFlagVariations")
	case "rule", "distribution":
		err = f.part("flag", "updateRules")
	case "rollout":
		err = f.part("flag", f.rolloutAction())
	case "constraint":
		err = f.part("segment", "updateRules")
	case "namespace":
		err = f.namespaceEvent()
	case "token":
		f.token()
	default:
		f.c = f.c.other(f.noun + ":" + f.verb)
		f.c.after = f.payload
	}
	return err
}

// resource reads an event of a flag or a segment itself.
func (f *fliptEvent) resource(kind, title string) error {
	key := f.payload.Get("key").AsString()
	if key == "" {
		return malformed("the payload of %s:%s has no key", f.noun, f.verb)
	}
	c := &f.c
	c.kind, c.key, c.name = kind, key, f.payload.Get("name").AsString()
	c.path = "/#/namespaces/" + pathSegment(f.namespace) + "/" + kind + "s/" + pathSegment(key)
	last := f.last(kind, key)
	switch f.verb {
	case "created":
		c.actions, c.after = []string{"create" + title}, f.payload
	case "deleted":
		c.actions, c.before = []string{"delete" + title}, last
		c.inferred = last.IsDefined()
		if c.name == "" {
			c.name = last.Get("name").AsString()
		}
	case "updated":
		c.before, c.after, c.inferred = last, f.payload, true
		c.actions = fliptUpdate(kind, last, f.payload)
		if c.actions[0] == "updateOn" {
			c.titleVerb = "turned off the flag"
			if f.payload.Get("enabled").AsBool() {
				c.titleVerb = "turned on the flag"
			}
		}
	}
	f.keep(kind, key, f.payload)
	return nil
}

// fliptUpdate compares a flag or segment with its last state. Without one, a
// flag's change is taken to be the one that matters most. Where nothing that is
// told differs, it is a flag's metadata that changed: all else is told.
func fliptUpdate(kind string, last, now render.Value) []string {
	if !last.IsDefined() {
		if kind == "flag" {
			return []string{"updateOn"}
		}
		return []string{"updateRules"}
	}
	var actions []string
	for _, m := range [][2]string{
		{"enabled", "updateOn"}, {"name", "updateName"}, {"description", "updateDescription"},
		{"default_variant", "updateFallthrough"}, {"match_type", "updateRules"}, {"constraints", "updateRules"},
	} {
		if !last.Get(m[0]).Equal(now.Get(m[0])) {
			actions = append(actions, m[1])
		}
	}
	switch {
	case len(actions) > 0:
		return unique(actions)
	case kind == "flag":
		return []string{"updateFlagCustomProperties"}
	}
	return []string{"updateRules"}
}

// part reads an event of something that a flag or segment consists of.
func (f *fliptEvent) part(kind, action string) error {
	c := &f.c
	c.kind, c.actions = kind, []string{action}
	id := f.payload.Get("id").AsString()
	last := f.last(f.noun, id)
	c.key = f.payload.Get(kind + "_key").AsString()
	if f.noun == "distribution" && c.key == "" {
		f.lookUpRule()
	}
	if c.key == "" {
		return malformed("the payload of %s:%s has no %s_key", f.noun, f.verb, kind)
	}
	c.name = c.key
	if name := f.last(kind, c.key).Get("name").AsString(); name != "" {
		c.name = name
	}
	if c.key != unknownKey {
		c.path = "/#/namespaces/" + pathSegment(f.namespace) + "/" + kind + "s/" + pathSegment(c.key)
	}
	// Flipt says of a rule, distribution or rollout what it was when it is
	// deleted; that the flag is without it is the state after.
	if gone := f.verb == "deleted"; !gone || f.noun == "rule" || f.noun == "distribution" || f.noun == "rollout" {
		c.after = f.payload
	}
	c.details = f.sentences(last)
	if f.verb == "updated" && id != "" && last.IsDefined() {
		c.before, c.inferred = last, true
	}
	if f.noun == "rule" && f.verb != "deleted" && id != "" {
		f.remember("rule-flag/"+id, object("flag_key", render.String(c.key), "namespace_key", render.String(f.namespace)))
	}
	if id != "" {
		f.keep(f.noun, id, f.payload)
	}
	return nil
}

// rolloutAction tells a rollout by percentage, which is a flag's default rule,
// from one by segment. Up to 1.58 Flipt names a deleted one by its id alone.
func (f *fliptEvent) rolloutAction() string {
	if isSet(f.payload.Get("threshold")) ||
		!isSet(f.payload.Get("segment")) && isSet(f.last("rollout", f.payload.Get("id").AsString()).Get("threshold")) {
		return "updateFallthrough"
	}
	return "updateRules"
}

// lookUpRule finds the flag of a distribution, of which Flipt names the rule
// alone, by the rule's own event.
func (f *fliptEvent) lookUpRule() {
	c := &f.c
	c.key, c.inferred = unknownKey, true
	rule := f.states.Last("rule-flag/" + f.payload.Get("rule_id").AsString())
	if key := rule.Get("flag_key").AsString(); key != "" {
		c.key, f.namespace = key, rule.Get("namespace_key").AsString()
		c.project = f.projectKey("", f.namespace, true)
	}
}

func (f *fliptEvent) namespaceEvent() error {
	key := f.payload.Get("key").AsString()
	if key == "" {
		return malformed("the payload of namespace:%s has no key", f.verb)
	}
	c := &f.c
	c.kind, c.environments = "project", nil
	c.project = f.projectKey("", key, true)
	c.key, c.name = c.project, f.payload.Get("name").AsString()
	last := f.states.Last("namespace/" + key)
	switch f.verb {
	case "created":
		c.actions, c.after = []string{"createProject"}, f.payload
	case "updated":
		c.actions, c.before, c.after = []string{"updateProjectName"}, last, f.payload
		c.inferred = last.IsDefined()
	case "deleted":
		c.actions, c.before = []string{"deleteProject"}, last
		c.inferred = last.IsDefined()
	}
	if f.verb == "deleted" {
		f.forget("namespace/" + key)
	} else {
		f.remember("namespace/"+key, f.payload)
	}
	return nil
}

// token reads an event of an access token, of which Flipt sends the metadata.
func (f *fliptEvent) token() {
	c := &f.c
	c.kind, c.project, c.environments = "service-token", "", nil
	c.key = f.payload.Get("io.flipt.auth.token.name").AsString()
	if c.key == "" {
		c.key = unknownKey
	}
	switch f.verb {
	case "created":
		c.actions, c.titleVerb = []string{"createAccessToken"}, "created the token"
	case "deleted":
		c.actions, c.titleVerb = []string{"deleteAccessToken"}, "deleted the token"
	default:
		c.actions, c.titleVerb = []string{"updateAccessToken"}, "updated the token"
	}
	if d := f.payload.Get("io.flipt.auth.token.description").AsString(); d != "" {
		c.details = []string{d}
	}
}

// stateKey names a resource of the namespace.
func (f *fliptEvent) stateKey(noun, key string) string { return noun + "/" + f.namespace + "/" + key }

func (f *fliptEvent) last(noun, key string) render.Value {
	if noun == "distribution" { // comes without a namespace
		return f.states.Last(noun + "/" + key)
	}
	return f.states.Last(f.stateKey(noun, key))
}

func (f *fliptEvent) keep(noun, key string, v render.Value) {
	at := f.stateKey(noun, key)
	if noun == "distribution" {
		at = noun + "/" + key
	}
	if f.verb == "deleted" {
		f.forget(at)
		if noun == "rule" {
			f.forget("rule-flag/" + key)
		}
		return
	}
	f.remember(at, redact(v))
}

// fliptActor reads who did it. Up to version 1.38 the actor is a map that has
// the authentication method's own names.
func fliptActor(v render.Value) actor {
	a := actor{email: v.Get("email").AsString(), name: v.Get("name").AsString()}
	for key, x := range v.Members() {
		if !strings.HasPrefix(key, "io.flipt.auth.") || strings.HasPrefix(key, "io.flipt.auth.token.") {
			continue
		}
		switch {
		case strings.HasSuffix(key, ".email") && a.email == "":
			a.email = x.AsString()
		case strings.HasSuffix(key, ".name") && a.name == "":
			a.name = x.AsString()
		}
	}
	return a
}

func fliptMetadata(body render.Value) []render.Member {
	m := members{}
	a := body.Path("metadata", "actor")
	m.text("authentication", a.Get("authentication").AsString())
	m.text("ip", a.Get("ip").AsString())
	m.text("version", body.Get("version").AsString())
	return m
}

// unique drops repeated actions.
func unique(list []string) []string {
	var out []string
	for _, s := range list {
		known := false
		for _, o := range out {
			known = known || o == s
		}
		if !known {
			out = append(out, s)
		}
	}
	return out
}
