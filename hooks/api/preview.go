package api

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flaghook/flaghook/hooks"
	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/policy"
	"github.com/flaghook/flaghook/render"
	"github.com/flaghook/flaghook/schemas"
)

// defaultSample is what is previewed when nothing is named.
const defaultSample = "flag-on"

// maxWarnings bounds the warnings of one preview.
const maxWarnings = 100

// previewJSON is a rendered request: as `flaghook preview --format json` prints
// it, and what standard error has beside it.
type previewJSON struct {
	Integration string       `json:"integration"`
	Template    *string      `json:"template"` // null for a standard payload
	Event       render.Value `json:"event"`
	Request     *requestJSON `json:"request"`          // null when nothing is sent
	Reason      string       `json:"reason,omitempty"` // why
	Policy      *verdictJSON `json:"policy"`           // null for a ready context
	Warnings    []string     `json:"warnings"`
}

// verdictJSON says what the integration's default policy makes of the event.
type verdictJSON struct {
	Allowed   bool                  `json:"allowed"`
	Statement policy.StatementIndex `json:"statement"`
	Reason    string                `json:"reason"`
}

// A previewer renders one preview.
type previewer struct {
	integration *manifest.Integration
	at          time.Time
	input       manifest.RenderInput
	doc         render.Value
	event       *manifest.Event
	verdict     *verdictJSON
	warnings    []detail // of the config with its place
}

// POST /api/v1/catalog/{key}/preview renders the request that the integration
// would send, as production does; nothing is sent.
func (a *API) preview(r *request) (answer, error) {
	i, err := a.catalogEntry(r)
	if err != nil {
		return answer{}, err
	}
	if i.Hook() == nil {
		return answer{}, fail(kindConflict, "%s cannot be previewed: it has no auditLogEventsHook, so it receives no events", i.Key)
	}
	d, err := readObject(r, "config", "sample", "event", "context", "template", "strict")
	if err != nil {
		return answer{}, err
	}
	p := &previewer{integration: i, at: time.Now()}
	p.readInput(d)
	if err := p.readEvent(d); err != nil {
		return answer{}, err
	}
	strict := d.bool("strict", false)
	if err := d.err(); err != nil {
		return answer{}, err
	}
	shown, err := p.render()
	if err != nil {
		return answer{}, err
	}
	if strict && len(shown.Warnings) > 0 {
		return answer{}, invalid(p.warnings...)
	}
	return answer{body: shown}, nil
}

// readInput reads config and template. A form variable that the config leaves
// out is shown by its name: $API_KEY.
func (p *previewer) readInput(d *reader) {
	config, _ := d.member("config", render.KindObject)
	set := map[string]string{}
	for key, v := range config.Members() {
		switch v.Kind() {
		case render.KindString:
			set[key] = v.AsString()
		case render.KindBool:
			set[key] = strconv.FormatBool(v.AsBool())
		}
	}
	var warnings []string
	p.input.Config, warnings = p.integration.Placeholders(set)
	for _, w := range warnings {
		key, reason, _ := strings.Cut(w, ": ")
		p.warnConfig(key, reason)
	}
	for key, v := range config.Members() {
		_, text := set[key]
		if !text && given(v) && p.integration.Variable(key) != nil {
			p.input.Config = p.input.Config.With(key, v) // a list, or what no subscription could have
			if err := p.integration.CheckConfig(render.Object(render.Member{Key: key, Value: v})); err != nil {
				p.warnVariable(key, err)
			}
		}
	}
	if p.integration.Manifest.RequiresOAuth {
		p.input.OAuth = render.Object(
			render.Member{Key: "baseURI", Value: render.String("$OAUTH_BASE_URI")},
			render.Member{Key: "accessToken", Value: render.String("$OAUTH_ACCESS_TOKEN")})
	}
	p.input.Delivery = manifest.Delivery{ID: "$DELIVERY_ID", Attempt: 1}
	p.input.Template = d.text("template")
	templates := p.integration.Hook().Templates
	if _, known := templates[p.input.Template]; p.input.Template != "" && !known && len(templates) > 0 {
		d.fail("template", "there is no such template; there are %s", strings.Join(slices.Sorted(maps.Keys(templates)), ", "))
	}
}

// warnConfig notes what is wrong with one value of the config.
func (p *previewer) warnConfig(key, reason string) {
	p.warnings = append(p.warnings, detail{Attribute: "config." + key, Reason: reason})
}

// warn notes what is wrong with the request.
func (p *previewer) warn(reason string) {
	p.warnings = append(p.warnings, detail{Reason: reason})
}

// warnVariable takes over what a check found wrong with one variable.
func (p *previewer) warnVariable(key string, err error) {
	var all manifest.ConfigErrors
	if !errors.As(err, &all) {
		return
	}
	for _, e := range all {
		if e.Field == key {
			p.warnConfig(key, e.Message)
		}
	}
}

// readEvent finds what to render: a sample by name, an event, or a ready template
// context, used untouched.
func (p *previewer) readEvent(d *reader) error {
	name := d.text("sample")
	event, hasEvent := d.member("event", render.KindObject)
	context, hasContext := d.member("context", render.KindObject)
	switch {
	case name != "" && hasEvent, name != "" && hasContext, hasEvent && hasContext:
		d.fail("", "sample, event and context exclude each other")
		return nil
	case hasContext:
		p.doc, p.event = context, hooks.FromContext(context)
		return nil
	case !hasEvent:
		if name == "" {
			name = defaultSample
		}
		doc, err := sample(name)
		if err != nil {
			return err
		}
		if !doc.IsDefined() {
			d.fail("sample", "there is no such sample; there are: %s", strings.Join(schemas.SampleNames(), ", "))
			return nil
		}
		event = hooks.Restamp(doc, p.at)
	}
	normal, err := hooks.NewEvent(event, hooks.EventOptions{Now: p.at})
	if err != nil {
		d.details = append(d.details, eventDetails("/event", err)...)
		return nil
	}
	p.doc, p.event = normal.Doc(), normal.Rendered()
	return p.judge(normal)
}

// judge asks the default policy about the event.
func (p *previewer) judge(e *hooks.Event) error {
	rules, err := policy.Parse(hooks.DefaultStatements(p.integration))
	if err != nil {
		return fmt.Errorf("default policy of %s: %w", p.integration.Key, err)
	}
	decision := rules.Explain(e.Accesses())
	p.verdict = &verdictJSON{Allowed: decision.Allowed, Statement: decision.Statement, Reason: decision.Reason}
	if p.integration.DefaultStatements() == nil {
		p.verdict.Statement, p.verdict.Reason = policy.None, "the integration has no default policy: every event goes through"
	}
	return nil
}

func (p *previewer) render() (*previewJSON, error) {
	p.input.OnMissing = func(template string, m render.Missing) {
		p.warn(fmt.Sprintf("%s:%d:%d: %s is missing; it renders as empty", template, m.Line, m.Column, m.Name))
	}
	rendered, err := p.integration.Render(p.event, p.input)
	if err != nil {
		return nil, fail(kindInvalid, "the request cannot be rendered: %v", err)
	}
	shown := &previewJSON{
		Integration: p.integration.Key, Template: optional(rendered.Template), Event: p.doc,
		Reason: rendered.Skipped, Policy: p.verdict,
	}
	if q := rendered.Request; q != nil {
		if q.URL != "" {
			if err := q.Check(); err != nil {
				p.warn(err.Error())
			}
		}
		shown.Request = showRequest(q, q.Sign(p.input.Delivery.ID, p.at))
	}
	shown.Warnings = []string{}
	p.warnings = unique(p.warnings)
	for _, w := range p.warnings {
		text := w.Reason
		if key, ofConfig := strings.CutPrefix(w.Attribute, "config."); ofConfig {
			text = key + ": " + text
		}
		shown.Warnings = append(shown.Warnings, text)
	}
	if len(shown.Warnings) > maxWarnings {
		shown.Warnings = append(shown.Warnings[:maxWarnings], fmt.Sprintf("%d more are not shown", len(shown.Warnings)-maxWarnings))
	}
	return shown, nil
}
