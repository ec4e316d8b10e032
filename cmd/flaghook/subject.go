package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/policy"
	"github.com/flaghook/flaghook/render"
	"github.com/flaghook/flaghook/schemas"
)

// previewFlags are those that preview and curl share.
type previewFlags struct {
	dirs     []string
	sample   string
	event    string
	template string
	at       string
	set      []string
	strict   bool
}

const defaultSample = "flag-on"

func (f *previewFlags) add(cmd *cobra.Command) {
	integrationDirs(cmd, &f.dirs)
	flags := cmd.Flags()
	flags.StringVar(&f.sample, "sample", "", fmt.Sprintf("sample event by `NAME` (default %s); 'flaghook samples' lists them", defaultSample))
	flags.StringVar(&f.event, "event", "", "`FILE` with an event, or with a ready template context; - for standard input")
	flags.StringVar(&f.template, "template", "", "use this `template` (flag, default, validation, ...) whatever the event is")
	flags.StringVar(&f.at, "at", "", "stamp the sample with this RFC 3339 `time` (default: now)")
	flags.StringArrayVar(&f.set, "set", nil, "a form variable, `key=value` (repeatable); also oauth.baseURI, oauth.accessToken and delivery.id")
	flags.BoolVar(&f.strict, "strict", false, "exit 1 when there is a warning")
	completeAuthor(cmd, &f.dirs)
}

// check refuses flags that contradict each other.
func (f *previewFlags) check() error {
	switch {
	case f.event != "" && f.sample != "":
		return usagef("--sample and --event exclude each other")
	case f.event != "" && f.at != "":
		return usagef("--at stamps samples; an --event file has its own time")
	}
	return nil
}

// A subject is an integration with the values that it is rendered with.
type subject struct {
	integration *manifest.Integration
	template    string
	config      render.Value
	oauth       render.Value
	delivery    string // the delivery's id
	unset       []placeholder
	warnings    []string
}

// A placeholder stands for a value that nobody has given.
type placeholder struct {
	of   string // "" for a form variable, oauth or delivery
	key  string // of the form variable, or the name of the member
	text string // $APIKEY
}

// oauthMembers are what templates see of an OAuth connection.
var oauthMembers = []placeholder{
	{of: "oauth", key: "baseURI", text: "$OAUTH_BASE_URI"},
	{of: "oauth", key: "accessToken", text: "$OAUTH_ACCESS_TOKEN"},
}

// deliveryID stands for the id that a delivery gets when an event is matched.
var deliveryID = placeholder{of: "delivery", key: "id", text: "$DELIVERY_ID"}

func newSubject(cmd *cobra.Command, name string, f previewFlags) (*subject, error) {
	integration, err := loadUsable(cmd, name, f.dirs, "previewed")
	if err != nil {
		return nil, err
	}
	templates := integration.Hook().Templates
	if _, known := templates[f.template]; f.template != "" && !known && len(templates) > 0 {
		return nil, usagef("%s has no template %q; it has %s", integration.Key, f.template, strings.Join(slices.Sorted(maps.Keys(templates)), ", "))
	}
	set := make(map[string]string, len(f.set))
	for _, s := range f.set {
		key, value, ok := strings.Cut(s, "=")
		if !ok {
			return nil, usagef("--set %s: it must be key=value", s)
		}
		set[key] = value
	}
	s := &subject{integration: integration, template: f.template}
	more := s.setDelivery(set)
	if integration.Manifest.RequiresOAuth {
		more = append(s.setOAuth(set), more...)
	}
	s.config, s.warnings = integration.Placeholders(set)
	for key, v := range s.config.Members() {
		if _, given := set[key]; !given && v.Kind() == render.KindString {
			s.unset = append(s.unset, placeholder{key: key, text: v.AsString()})
		}
	}
	s.unset = append(s.unset, more...)
	return s, nil
}

// setDelivery does for the delivery's id what setOAuth does.
func (s *subject) setDelivery(set map[string]string) (unset []placeholder) {
	name := deliveryID.setting()
	value, given := set[name]
	if !given || s.integration.Variable(name) != nil {
		s.delivery = deliveryID.text
		return []placeholder{deliveryID}
	}
	delete(set, name)
	s.delivery = value
	return nil
}

// setOAuth takes what set says about OAuth out of it, and returns what it does
// not say.
func (s *subject) setOAuth(set map[string]string) (unset []placeholder) {
	s.oauth = render.Object()
	for _, m := range oauthMembers {
		value, given := set["oauth."+m.key]
		if !given || s.integration.Variable("oauth."+m.key) != nil {
			s.oauth = s.oauth.With(m.key, render.String(m.text))
			unset = append(unset, m)
			continue
		}
		delete(set, "oauth."+m.key)
		s.oauth = s.oauth.With(m.key, render.String(value))
	}
	return unset
}

// An occasion is an event that a subject is shown with.
type occasion struct {
	name    string    // of the sample; "" for a file
	at      time.Time // of the attempt that is shown
	doc     render.Value
	event   *manifest.Event
	allowed *policyVerdict // nil for a ready context
}

// policyVerdict says whether the default policy lets the event through.
type policyVerdict struct {
	Allowed   bool                  `json:"allowed"`
	Statement policy.StatementIndex `json:"statement"` // which one decided, null when none did
	Reason    string                `json:"reason"`
}

// occasion reads the sample or the file that the flags name.
func (s *subject) occasion(cmd *cobra.Command, f previewFlags) (*occasion, error) {
	if f.event == "" {
		name := f.sample
		if name == "" {
			name = defaultSample
		}
		return s.sampleOccasion(name, f.at)
	}
	doc, err := readJSON(cmd, f.event)
	if err != nil {
		return nil, err
	}
	if doc.Kind() != render.KindObject {
		return nil, usagef("%s: an event is a JSON object", f.event)
	}
	if !isEvent(doc) {
		return &occasion{at: time.Now(), doc: doc, event: hooks.FromContext(doc)}, nil
	}
	return s.eventOccasion(f.event, doc)
}

// sampleOccasion stamps a sample with a time, "" for now.
func (s *subject) sampleOccasion(name, at string) (*occasion, error) {
	stamp := time.Now()
	if at != "" {
		var err error
		if stamp, err = time.Parse(time.RFC3339, at); err != nil {
			return nil, usagef("--at %s: it is not an RFC 3339 time such as 2026-01-31T12:00:00Z", at)
		}
	}
	doc, err := sample(name, stamp)
	if err != nil {
		return nil, err
	}
	o, err := s.eventOccasion(name, doc)
	if err != nil {
		return nil, err
	}
	o.name, o.at = name, stamp
	return o, nil
}

// sample reads one of the embedded events and stamps it.
func sample(name string, at time.Time) (render.Value, error) {
	data, ok := schemas.Sample(name)
	if !ok {
		return render.Value{}, usagef("there is no sample %q; there are: %s", name, strings.Join(schemas.SampleNames(), ", "))
	}
	doc, err := render.ParseJSON(data)
	if err != nil {
		return render.Value{}, fmt.Errorf("sample %s: %w", name, err)
	}
	return hooks.Restamp(doc, at), nil
}

// isEvent tells an event from a ready template context.
func isEvent(doc render.Value) bool {
	return doc.Has("accesses") || doc.Has("action") && doc.Has("resource")
}

// eventOccasion normalises an event and asks the default policy about it.
func (s *subject) eventOccasion(name string, doc render.Value) (*occasion, error) {
	event, err := hooks.NewEvent(doc, hooks.EventOptions{})
	if err != nil {
		return nil, usagef("%s: %w", name, err)
	}
	rules, err := policy.Parse(hooks.DefaultStatements(s.integration))
	if err != nil {
		return nil, fmt.Errorf("default policy of %s: %w", s.integration.Key, err)
	}
	decision := rules.Explain(event.Accesses())
	verdict := &policyVerdict{Allowed: decision.Allowed, Statement: decision.Statement, Reason: decision.Reason}
	if s.integration.DefaultStatements() == nil {
		verdict.Statement, verdict.Reason = policy.None, "the integration has no default policy: every event goes through"
	}
	return &occasion{at: time.Now(), doc: event.Doc(), event: event.Rendered(), allowed: verdict}, nil
}

// render renders as production does, and tells of each missing name.
func (s *subject) render(o *occasion, missing func(template string, m render.Missing)) (*manifest.Rendered, error) {
	return s.integration.Render(o.event, manifest.RenderInput{
		Config: s.config, OAuth: s.oauth, Delivery: manifest.Delivery{ID: s.delivery, Attempt: 1}, Template: s.template, OnMissing: missing,
	})
}
