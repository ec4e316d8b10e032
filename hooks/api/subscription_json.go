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

// given reports whether a member is there; null counts as absent, as clients
// write it for what they leave out.
func given(v render.Value) bool { return v.IsDefined() && v.Kind() != render.KindNull }

// reader gathers what is wrong with a document while it is read.
type reader struct {
	doc     render.Value
	details []detail
}

func (d *reader) fail(attribute, format string, args ...any) {
	d.details = append(d.details, detail{Attribute: attribute, Reason: fmt.Sprintf(format, args...)})
}

// member is a member of that kind; absent, false.
func (d *reader) member(key string, k render.Kind) (render.Value, bool) {
	v := d.doc.Get(key)
	if !given(v) {
		return v, false
	}
	if v.Kind() != k {
		d.fail(key, "it is %s; it must be %s", kindText[v.Kind()], kindText[k])
		return v, false
	}
	return v, true
}

var kindText = map[render.Kind]string{
	render.KindNull: "null", render.KindBool: "a boolean", render.KindNumber: "a number",
	render.KindString: "a string", render.KindArray: "an array", render.KindObject: "an object",
}

// readSubscription fills s with what a document gives of it: name, config,
// statements, on and tags. What it leaves out is empty, but for On, which stays
// as it is. Other members are ignored, as on LaunchDarkly's side. It checks the
// shape; the engine checks what it means.
func readSubscription(doc render.Value, s *hooks.Subscription) error {
	if doc.Kind() != render.KindObject {
		return invalid(detail{Reason: fmt.Sprintf("the body is %s; a subscription is an object with name and config", kindText[doc.Kind()])})
	}
	d := reader{doc: doc}
	name, _ := d.member("name", render.KindString)
	s.Name = name.AsString()
	s.Config = render.Object()
	if config, ok := d.member("config", render.KindObject); ok {
		s.Config = config
	}
	s.Statements = nil
	if statements, ok := d.member("statements", render.KindArray); ok {
		parsed, err := policy.ParseStatements(statements.AppendJSON(nil))
		if err != nil {
			d.details = append(d.details, fieldDetails(hooks.StatementErrors(err))...)
		}
		s.Statements = parsed
	}
	if on, ok := d.member("on", render.KindBool); ok {
		s.On = on.AsBool()
	}
	s.Tags = []string{}
	if tags, ok := d.member("tags", render.KindArray); ok {
		for i := range tags.Len() {
			tag := tags.At(i)
			if tag.Kind() != render.KindString {
				d.fail(fmt.Sprintf("tags[%d]", i), "it is %s; a tag is a string", kindText[tag.Kind()])
			}
			s.Tags = append(s.Tags, tag.AsString())
		}
	}
	if len(d.details) > 0 {
		return invalid(d.details...)
	}
	return nil
}

// accessJSON says that nothing is denied; there is one token, and it may do
// everything.
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
