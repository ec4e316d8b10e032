package manifest

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/flaghook/flaghook/policy"
	"github.com/flaghook/flaghook/render"
	"github.com/flaghook/flaghook/schemas"
)

// A sampleEvent is one of the sample events, ready to render.
type sampleEvent struct {
	name     string
	kind     string
	hostile  bool // made to break templates
	doc      render.Value
	accesses []policy.ParsedAccess
}

// hostileSample is the sample whose texts hold all that breaks templates.
const hostileSample = "hostile-text"

// testSample is the one that the test request is rendered with.
const testSample = "flag-on"

// sampleEvents reads the samples once; the hostile one is the last.
var sampleEvents = sync.OnceValue(func() []sampleEvent {
	var ordinary, hostile []sampleEvent
	for _, name := range schemas.SampleNames() {
		data, _ := schemas.Sample(name)
		doc, err := render.ParseJSON(data)
		if err != nil {
			continue // a test reads them all
		}
		s := sampleEvent{name: name, kind: doc.Get("kind").AsString(), hostile: name == hostileSample, doc: doc}
		for a := range doc.Get("accesses").Items() {
			parsed, err := policy.ParseAccess(policy.Access{Action: a.Get("action").AsString(), Resource: a.Get("resource").AsString()})
			if err == nil {
				s.accesses = append(s.accesses, parsed)
			}
		}
		if s.hostile {
			hostile = append(hostile, s)
		} else {
			ordinary = append(ordinary, s)
		}
	}
	return append(ordinary, hostile...)
})

// samples renders the bodies with the sample events that they are for, with all
// settings filled in and with as few as possible.
func (l *linter) samples() {
	configs := l.configs()
	if b := l.i.compiled.bodies[ValidationTemplate]; b != nil {
		l.validation(b, configs[0])
	}
	done := map[*body]bool{}
	for _, key := range slices.Sorted(maps.Keys(l.i.compiled.bodies)) {
		if b := l.i.compiled.bodies[key]; !done[b] {
			done[b] = true
			l.body(b, l.eventsFor(b), configs)
		}
	}
}

// eventsFor lists the samples that a body may get: those of the kinds whose
// template it is; as default template those of kinds without one; where there
// are none, every sample.
func (l *linter) eventsFor(b *body) []sampleEvent {
	bodies := l.i.compiled.bodies
	var events []sampleEvent
	for _, s := range sampleEvents() {
		at := bodies[s.kind]
		if at == nil {
			at = bodies[defaultTemplate]
		}
		if at == b || bodies[ValidationTemplate] == b && (s.name == testSample || s.hostile) {
			events = append(events, s)
		}
	}
	if len(events) == 0 {
		return sampleEvents()
	}
	if last := sampleEvents()[len(sampleEvents())-1]; !slices.ContainsFunc(events, func(s sampleEvent) bool { return s.hostile }) {
		events = append(events, last)
	}
	return events
}

// configs makes two sets of settings: all filled in and switched on, and only
// what is required.
func (l *linter) configs() []render.Value {
	bare := l.bareVariables()
	var full, lean []render.Member
	for n := range l.i.Manifest.FormVariables {
		v := &l.i.Manifest.FormVariables[n]
		value := v.plausible(bare[v.Key])
		full = append(full, render.Member{Key: v.Key, Value: value})
		switch {
		case v.Type == TypeBoolean:
			value = render.Bool(false)
		case v.IsOptional:
			value = render.Value{}
		}
		if value.IsDefined() {
			lean = append(lean, render.Member{Key: v.Key, Value: value})
		}
	}
	return []render.Value{l.i.withDefaults(render.Object(full...)), l.i.withDefaults(render.Object(lean...))}
}

// plausible is a value that an admin may set; 1 for a text that stands in JSON
// without quotes, where no other text can.
func (v *FormVariable) plausible(bare bool) render.Value {
	switch {
	case v.Type == TypeEnum && len(v.AllowedValues) > 0:
		return render.String(v.AllowedValues[0])
	case v.DefaultValue.Kind() == render.KindString && v.DefaultValue.AsString() != "":
		return v.DefaultValue
	case bare && v.Type != TypeBoolean:
		return render.String("1")
	}
	return v.placeholder()
}

// bareVariables are those that stand in a JSON template without quotes.
func (l *linter) bareVariables() map[string]bool {
	bare := map[string]bool{}
	for n := range l.views {
		v := &l.views[n]
		places := map[[2]int]bool{}
		for _, p := range v.found.Prints {
			if p.Bare {
				places[[2]int{p.Line, p.Column}] = true
			}
		}
		for _, name := range v.found.Names {
			if places[[2]int{name.Line, name.Column}] {
				for _, key := range l.uses(v, name) {
					bare[key] = true
				}
			}
		}
	}
	return bare
}

// lintOAuth stands for an OAuth connection.
var lintOAuth = render.Object(
	render.Member{Key: "baseURI", Value: render.String("https://oauth.example.com")},
	render.Member{Key: "accessToken", Value: render.String("token")})

func renderSample(b *body, s *sampleEvent, config render.Value, origins *render.Origins) (string, error) {
	root := s.doc.With("formVariables", config).With("oauth", lintOAuth)
	return b.template.RenderWith(root, render.RenderOptions{Origins: origins})
}

// validation reports a test request without a body, which would not be sent.
func (l *linter) validation(b *body, config render.Value) {
	for _, s := range sampleEvents() {
		if s.name != testSample {
			continue
		}
		if text, err := renderSample(b, &s, config, nil); err == nil && strings.TrimSpace(text) == "" {
			l.inTemplate("validation-empty", b.file, 1, 1, "the validation template renders to nothing, so no test request is sent",
				"write a body, or take the template out: a sample event is sent then")
		}
	}
}

// body renders one body and reports the first thing that is wrong with it.
func (l *linter) body(b *body, events []sampleEvent, configs []render.Value) {
	if b.shared {
		configs = configs[:1]
	}
	isJSON, looksJSON, hostileJSON := b.escape == render.EscapeJSON, 0, true
	for n := range events {
		s := &events[n]
		for _, config := range configs {
			var origins render.Origins
			text, err := renderSample(b, s, config, &origins)
			if err != nil {
				l.failed(b, s, err)
				return
			}
			body := strings.TrimSpace(text)
			if body == "" {
				continue // not sent
			}
			bad := jsonProblem(text)
			switch {
			case isJSON && bad != nil:
				l.invalid(b, s, text, bad, &origins)
				return
			case !isJSON && bad != nil && !s.hostile:
				return
			case s.hostile:
				hostileJSON = hostileJSON && bad == nil
			case body[0] == '{' || body[0] == '[':
				looksJSON++
			}
		}
	}
	if looksJSON > 0 && !isJSON {
		message := "this is JSON, and values are not escaped for it, since the file's name does not end in .json or .json.hbs"
		if !hostileJSON {
			message += ": a quote in a name breaks it"
		}
		l.inTemplate("json-name", b.file, 1, 1, message, "rename the file")
	}
}

func jsonProblem(text string) *render.JSONError {
	_, err := render.ParseJSON([]byte(text))
	var bad *render.JSONError
	if errors.As(err, &bad) {
		return bad
	}
	return nil
}

// failed reports a template that cannot be rendered.
func (l *linter) failed(b *body, s *sampleEvent, err error) {
	var e *render.Error
	if !errors.As(err, &e) {
		e = &render.Error{Message: err.Error()}
	}
	told := func(f Finding) bool {
		return f.Severity == SeverityError && f.Path == b.file && f.Line == e.Line && f.Column == e.Column
	}
	if slices.ContainsFunc(l.findings, told) {
		return // what is wrong there has been said, and better
	}
	rule := "render"
	if s.hostile {
		rule = "json-hostile"
	}
	l.inTemplate(rule, b.file, e.Line, e.Column, fmt.Sprintf("rendering fails with the sample %s: %s", s.name, e.Message), e.Hint)
}

// invalid reports a body that is no JSON, at the place of the template that
// wrote what does not belong there.
func (l *linter) invalid(b *body, s *sampleEvent, text string, bad *render.JSONError, origins *render.Origins) {
	line, column := origins.At(byteOffset(text, bad.Line, bad.Column))
	rule, remedy := "json-invalid", ""
	if s.hostile {
		rule, remedy = "json-hostile", "in strings write {{{x}}}, elsewhere {{{json x}}}"
	}
	l.inTemplate(rule, b.file, line, column, fmt.Sprintf("with the sample %s the body is no JSON (%s, in line %d of it): %s",
		s.name, bad.Message, bad.Line, excerpt(text, bad)), remedy)
}

// excerpt is the line that is wrong, cut to what is around the place.
func excerpt(text string, bad *render.JSONError) string {
	const around = 40
	lines := strings.Split(text, "\n")
	line := []rune(strings.TrimRight(lines[min(bad.Line, len(lines))-1], "\r"))
	from, to := max(0, bad.Column-1-around), min(len(line), bad.Column-1+around)
	from = min(from, to)
	cut := strings.TrimSpace(string(line[from:to]))
	if from > 0 {
		cut = "…" + cut
	}
	if to < len(line) {
		cut += "…"
	}
	return cut
}
