package source

import (
	"net/http"
	"strings"

	"github.com/flaghook/flaghook/policy"
	"github.com/flaghook/flaghook/render"
)

// cloudEventFields are what a CloudEvent's data may tell of a change.
var cloudEventFields = []string{
	"project", "environment", "kind", "key", "name", "action", "actor", "before", "after", "tags", "comment",
}

// A cloudEvent is one CloudEvent 1.0, however it came.
type cloudEvent struct {
	attributes map[string]string
	data       render.Value // undefined: there is none, or it is no JSON
}

// cloudEvents reads CloudEvents 1.0 over HTTP: binary, structured in JSON, and
// batched in JSON (HTTP protocol binding, section 3).
func cloudEvents(p *parser) error {
	contentType := strings.ToLower(strings.TrimSpace(p.r.header("Content-Type")))
	mediaType, _, _ := strings.Cut(contentType, ";")
	mediaType = strings.TrimSpace(mediaType)
	switch {
	case mediaType == "application/cloudevents-batch+json":
		return p.cloudEventBatch()
	case mediaType == "application/cloudevents+json", mediaType == "application/cloudevents":
		v, err := readJSON(p.r.Body)
		if err != nil {
			return err
		}
		e, err := structuredEvent(v)
		if err != nil {
			return err
		}
		p.cloudEvent(e, v)
		return nil
	case strings.HasPrefix(mediaType, "application/cloudevents"):
		return notRead("the format %s of CloudEvents; send application/cloudevents+json", clip(mediaType))
	case !isBinaryEvent(p.r.Header):
		return notRead("a request without the Content-Type of CloudEvents and without ce- headers")
	}
	e, err := p.binaryEvent(contentType)
	if err != nil {
		return err
	}
	p.cloudEvent(e, e.data)
	return nil
}

func (p *parser) cloudEventBatch() error {
	list, err := readJSON(p.r.Body)
	switch {
	case err != nil:
		return err
	case list.Kind() != render.KindArray:
		return malformed("a batch is a JSON array of events")
	case list.Len() > MaxEvents:
		return malformed("the batch has %d events; at most %d are taken at once", list.Len(), MaxEvents)
	case list.Len() == 0:
		p.suppress("the batch has no events")
	}
	events := make([]cloudEvent, 0, list.Len())
	for v := range list.Items() {
		e, err := structuredEvent(v)
		if err != nil {
			return err
		}
		events = append(events, e)
	}
	seen := map[string]bool{}
	for i, e := range events {
		if seen[e.key()] {
			p.suppress("an event is in the batch more than once")
			continue
		}
		seen[e.key()] = true
		p.cloudEvent(e, list.At(i))
	}
	return nil
}

// key tells an event from all others: source and id do (1.0, section "id").
func (e cloudEvent) key() string { return e.attributes["source"] + "\n" + e.attributes["id"] }

// cloudEvent turns one CloudEvent into an event, as far as its data tells what
// changed.
func (p *parser) cloudEvent(e cloudEvent, payload render.Value) {
	if e.data.Kind() != render.KindObject {
		p.suppress("data is not a JSON object")
		return
	}
	field := func(name string) render.Value {
		if path := p.s.Fields[name]; path != "" {
			return e.data.Path(strings.Split(path, ".")...)
		}
		return e.data.Get(name)
	}
	kind, verb := typeWords(e.attributes["type"])
	c := change{
		kind: field("kind").AsString(), key: field("key").AsString(), name: field("name").AsString(),
		project:      p.projectKey("", field("project").AsString(), true),
		environments: p.s.Environments, comment: field("comment").AsString(),
		who: cloudEventActor(field("actor")), at: timeOf(render.String(e.attributes["time"])),
		before: field("before"), after: field("after"), metadata: e.metadata(), payload: payload,
	}
	if c.kind == "" {
		c.kind = kind
	}
	if env := field("environment").AsString(); env != "" {
		c.environments = []string{p.environmentKey("", env, true)}
	}
	for tag := range field("tags").Items() {
		c.tags = append(c.tags, tag.AsString())
	}
	c.fromSubject(e.attributes["subject"])
	if c.key == "" || !isWord(c.kind) {
		c = c.other(e.attributes["type"])
	} else {
		c.act(field("action").AsString(), verb)
	}
	p.emit(c, e.key(), 0)
}

// typeWords reads <reverse DNS name>.<kind>.<what was done>.v1.
func typeWords(eventType string) (kind, verb string) {
	words := strings.Split(eventType, ".")
	if last := words[len(words)-1]; len(words) > 1 && len(last) > 1 && last[0] == 'v' && strings.Trim(last[1:], "0123456789") == "" {
		words = words[:len(words)-1]
	}
	if len(words) < 2 {
		return "", words[0]
	}
	return words[len(words)-2], words[len(words)-1]
}

// act names what was done: by the data's action, else by the type. The words of
// the title follow the type where that says created, updated or deleted.
func (c *change) act(action, verb string) {
	switch verb {
	case "created", "updated", "deleted":
		c.titleVerb = verb + " the " + strings.ReplaceAll(c.kind, "-", " ")
	}
	if action == "" {
		switch verb {
		case "created", "deleted":
			action = strings.TrimSuffix(verb, "d") + upperFirst(c.kind)
		case "updated", "":
			c.actions, c.inferred = inferActions(c.before, c.after), true
			return
		default:
			action = verb
		}
	}
	c.actions = []string{action}
}

// inferActions names what differs between two states.
func inferActions(before, after render.Value) []string {
	var actions []string
	for _, m := range [][2]string{
		{"on", "updateOn"}, {"enabled", "updateOn"}, {"archived", "updateGlobalArchived"}, {"rollout", "updateFallthrough"},
		{"rules", "updateRules"}, {"targets", "updateTargets"}, {"variations", "updateFlagVariations"}, {"variants", "updateFlagVariations"},
		{"name", "updateName"}, {"description", "updateDescription"}, {"tags", "updateTags"},
	} {
		if !before.Get(m[0]).Equal(after.Get(m[0])) {
			actions = append(actions, m[1])
		}
	}
	if len(actions) == 0 {
		return []string{"updateRules"}
	}
	return unique(actions)
}

// fromSubject takes the place from the subject, when that is a resource.
func (c *change) fromSubject(subject string) {
	r, err := policy.ParseResource(subject)
	if err != nil || subject == "" || len(r.Segments) == 0 {
		return
	}
	last := r.Segments[len(r.Segments)-1]
	c.kind, c.key = kindOf(last.Kind), last.Key
	c.project, c.environments = "", nil
	for _, s := range r.Segments {
		switch s.Kind {
		case "proj":
			c.project = s.Key
		case "env":
			c.environments = []string{s.Key}
		}
	}
	c.specifier = subject
}

func kindOf(segment string) string {
	switch segment {
	case "proj":
		return "project"
	case "env":
		return "environment"
	}
	return segment
}

func (e cloudEvent) metadata() []render.Member {
	m := members{}
	for _, name := range []string{"id", "source", "type", "subject"} {
		m.text(name, e.attributes[name])
	}
	return m
}

func cloudEventActor(v render.Value) actor {
	if v.Kind() == render.KindString {
		return someone(v.AsString())
	}
	return actor{id: text(v.Get("id")), email: v.Get("email").AsString(), name: v.Get("name").AsString()}
}

// isWord says whether a text can be the kind of a resource.
func isWord(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == ""
}

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// Handshake answers the OPTIONS request by which a sender of CloudEvents asks to
// be let through (HTTP 1.1 web hooks, section 4): the headers of the answer.
func Handshake(r *Request) http.Header {
	h := http.Header{"Allow": {"POST"}}
	if origin := r.header("WebHook-Request-Origin"); origin != "" {
		h.Set("WebHook-Allowed-Origin", origin)
		if r.header("WebHook-Request-Rate") != "" {
			h.Set("WebHook-Allowed-Rate", "*")
		}
	}
	return h
}
