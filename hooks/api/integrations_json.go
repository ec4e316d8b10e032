package api

import (
	"fmt"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/policy"
	"github.com/flaghook/flaghook/render"
)

// legacyMembers are settings that LaunchDarkly's clients may give beside the
// config, for subscriptions from before configs were free.
var legacyMembers = map[string]string{"slack": "url", "datadog": "apiKey"}

// withLegacyMember moves such a setting into the config, unless that has it.
func withLegacyMember(doc render.Value, integration string) render.Value {
	key := legacyMembers[integration]
	v := doc.Get(key)
	config := doc.Get("config")
	if key == "" || v.Kind() != render.KindString || config.Has(key) {
		return doc
	}
	if given(config) && config.Kind() != render.KindObject {
		return doc // refused later
	}
	return doc.With("config", config.With(key, v))
}

// readSubscription fills s with what a document gives of it: name, config,
// statements, on and tags. What it leaves out is empty, but for On, which stays
// as it is. Other members are ignored, as on LaunchDarkly's side. It checks the
// shape; the engine checks what it means.
func readSubscription(doc render.Value, s *hooks.Subscription) error {
	if doc.Kind() != render.KindObject {
		return invalid(detail{Reason: fmt.Sprintf("the body is %s; a subscription is an object with name and config", kindText[doc.Kind()])})
	}
	d := &reader{doc: doc}
	d.subscription(s)
	return d.err()
}

// subscription is readSubscription for a document that is an object.
func (d *reader) subscription(s *hooks.Subscription) {
	d.common(s)
	s.Config = render.Object()
	if config, ok := d.member("config", render.KindObject); ok {
		s.Config = config
	}
}

// common reads what subscriptions and webhooks share.
func (d *reader) common(s *hooks.Subscription) {
	s.Name = d.text("name")
	s.Statements = d.statements()
	s.On = d.bool("on", s.On)
	s.Tags = []string{}
	if tags, ok := d.texts("tags", "a tag"); ok {
		s.Tags = tags
	}
}

// accessJSON says that nothing is denied: who may do what is a matter of
// tokens, not of single subscriptions.
var accessJSON = render.Object(
	render.Member{Key: "denied", Value: render.Array()},
	render.Member{Key: "allowed", Value: render.Array()},
)

// statusJSON writes a status in LaunchDarkly's shape, times in Unix
// milliseconds. Where an endpoint gave no answer, what went wrong stands where
// its answer would.
func statusJSON(s hooks.Status) render.Value {
	errs := make([]render.Value, len(s.Errors))
	for i, e := range s.Errors {
		body := e.ResponseBody
		if e.StatusCode == 0 && body == "" {
			body = e.Message
		}
		errs[i] = render.Object(
			render.Member{Key: "statusCode", Value: render.Number(float64(e.StatusCode))},
			render.Member{Key: "responseBody", Value: render.String(body)},
			render.Member{Key: "timestamp", Value: render.Number(float64(e.Timestamp.UnixMilli()))})
	}
	out := render.Object(render.Member{Key: "successCount", Value: render.Number(float64(s.SuccessCount))})
	if !s.LastSuccess.IsZero() {
		out = out.With("lastSuccess", render.Number(float64(s.LastSuccess.UnixMilli())))
	}
	if !s.LastError.IsZero() {
		out = out.With("lastError", render.Number(float64(s.LastError.UnixMilli())))
	}
	return out.With("errorCount", render.Number(float64(s.ErrorCount))).With("errors", render.Array(errs...))
}

// statementsJSON is undefined for nil: a subscription made without statements
// is echoed without them.
func statementsJSON(statements []policy.Statement) render.Value {
	if statements == nil {
		return render.Value{}
	}
	items := make([]render.Value, len(statements))
	for i, s := range statements {
		items[i] = render.Object(
			render.Member{Key: "effect", Value: render.String(s.Effect)},
			render.Member{Key: "resources", Value: textsJSON(s.Resources, false)},
			render.Member{Key: "notResources", Value: textsJSON(s.NotResources, false)},
			render.Member{Key: "actions", Value: textsJSON(s.Actions, false)},
			render.Member{Key: "notActions", Value: textsJSON(s.NotActions, false)})
	}
	return render.Array(items...)
}

// textsJSON is undefined for nil unless the list is always there.
func textsJSON(texts []string, always bool) render.Value {
	if texts == nil && !always {
		return render.Value{}
	}
	items := make([]render.Value, len(texts))
	for i, t := range texts {
		items[i] = render.String(t)
	}
	return render.Array(items...)
}

// link is one entry of _links.
func link(rel, href string) render.Member {
	return render.Member{Key: rel, Value: render.Object(
		render.Member{Key: "href", Value: render.String(href)},
		render.Member{Key: "type", Value: render.String("application/json")})}
}
