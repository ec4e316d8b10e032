package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/flaghook/flaghook/render"
)

// ValidationTemplate is the template of the request that tries a subscription
// out.
const ValidationTemplate = "validation"

const defaultTemplate = "default"

// RenderInput is what one subscription adds to an event.
type RenderInput struct {
	Config     render.Value // the form variables' values, an object; defaults are filled in
	Prepared   *Prepared    // what Integration.Prepare gave, in the place of Config; nil: Config counts
	OAuth      render.Value // {baseURI, accessToken}; undefined where there is none
	Delivery   Delivery     // what URL and header values see as delivery
	Template   string       // key of the template to take, "" for the one that fits the event
	Validation bool         // take the template "validation" if there is one
	Strict     bool         // a name that is missing is an error

	// PreviousConfig is the config that Config took the place of, while
	// receivers may still know its signing secrets: where such a secret has
	// another value there, it signs too. Nothing else of it is used. Undefined:
	// there is none.
	PreviousConfig render.Value

	// OnMissing hears of each name that a template uses and the event does not
	// have; template is its file, with the member in parentheses where it stands
	// in manifest.json itself: the line and column then count in that string. It
	// may be nil.
	OnMissing func(template string, m render.Missing)
}

// A Delivery is what templates of URL and header values see under delivery.
// Bodies do not: they are shared between deliveries.
type Delivery struct {
	ID      string // the same over all attempts; "": delivery.id is missing
	Attempt int    // from 1; 0: delivery.attempt is missing
}

// value is the delivery as templates see it.
func (d Delivery) value() render.Value {
	members := make([]render.Member, 0, 2)
	if d.ID != "" {
		members = append(members, render.Member{Key: "id", Value: render.String(d.ID)})
	}
	if d.Attempt != 0 {
		members = append(members, render.Member{Key: "attempt", Value: render.Number(float64(d.Attempt))})
	}
	return render.Object(members...)
}

// Rendered is what became of an event.
type Rendered struct {
	Request  *Request // nil if nothing is to be sent
	Template string   // key of the template, "" for a standard payload
	Skipped  string   // why Request is nil
}

// Render makes the request that carries an event to a subscription. A nil
// Request with a reason in Skipped is no error: no template fits the event, or
// its body is empty. An error names the template by its path in the folder, and
// wraps *render.Error where rendering failed. The request may still be one that
// cannot be sent; see [Request.Check].
func (i *Integration) Render(e *Event, in RenderInput) (*Rendered, error) {
	if i.hook == nil {
		return nil, errNoHook
	}
	p := in.Prepared
	if p == nil {
		p = &Prepared{config: i.withDefaults(in.Config)}
	}
	key, chosen, err := i.choose(e, &in)
	if err != nil {
		return nil, err
	}
	var made struct { // at once
		rendered Rendered
		request  Request
	}
	out, request := &made.rendered, &made.request
	out.Template = key
	contentType := "application/json"
	switch {
	case chosen != nil:
		contentType = chosen.contentType
		if request.Body, err = i.body(chosen, e, p.config, &in); err != nil {
			return nil, inFile(chosen.file, err)
		}
	case i.hook.UseStandardWebhookPayload:
		request.Body = e.webhook.in(e.context)
	case len(i.hook.Templates) == 0:
		request.Body = e.standard.in(e.context)
	default:
		out.Skipped = fmt.Sprintf("no template for events of the kind %q and no default template", e.Kind())
		return out, nil
	}
	if len(bytes.TrimSpace(request.Body)) == 0 {
		out.Skipped = "the body is empty"
		return out, nil
	}
	if err := i.address(request, e, p, &in); err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(request.Headers, func(h Header) bool { return strings.EqualFold(h.Name, "Content-Type") }) {
		request.Headers = append(request.Headers, Header{"Content-Type", contentType})
	}
	out.Request = request
	return out, nil
}

// choose picks the template; a nil body without an error means that a standard
// payload is sent, or nothing.
func (i *Integration) choose(e *Event, in *RenderInput) (string, *body, error) {
	bodies := i.compiled.bodies
	if in.Template != "" {
		b, found := bodies[in.Template]
		if !found && len(bodies) > 0 {
			keys := slices.Sorted(maps.Keys(bodies))
			return "", nil, fmt.Errorf("%s has no template %q; it has %s", i.Key, in.Template, quoted(keys, "and"))
		}
		if found {
			return in.Template, b, nil
		}
		return "", nil, nil
	}
	if i.hook.UseStandardWebhookPayload || len(bodies) == 0 {
		return "", nil, nil
	}
	kind := e.Kind()
	keys := [...]string{ValidationTemplate, kind, defaultTemplate}
	from := 1
	if in.Validation {
		from = 0
	} else if kind == ValidationTemplate {
		from = 2 // an event of that kind is not the test request
	}
	for _, key := range keys[from:] {
		if b, found := bodies[key]; found {
			return key, b, nil
		}
	}
	return "", nil, nil
}

// body renders a body, for all subscriptions at once where it can be the same.
func (i *Integration) body(b *body, e *Event, config render.Value, in *RenderInput) ([]byte, error) {
	if b.shared && !in.Strict && in.OnMissing == nil {
		return e.shared(b)
	}
	root := e.context.WithAll(render.Member{Key: "formVariables", Value: config}, render.Member{Key: "oauth", Value: in.OAuth})
	text, err := renderOne(b.template, root, b.file, in)
	return []byte(text), err
}

func renderOne(t *render.Template, root render.Value, file string, in *RenderInput) (string, error) {
	if !in.Strict && in.OnMissing == nil {
		return t.Render(root)
	}
	options := render.RenderOptions{Strict: in.Strict}
	if hear := in.OnMissing; hear != nil {
		options.OnMissing = func(m render.Missing) { hear(file, m) }
	}
	return t.RenderWith(root, options)
}

// inFile adds the file to an error that does not name it yet.
func inFile(file string, err error) error {
	var e *render.Error
	if errors.As(err, &e) && e.Name == file {
		return err
	}
	return fmt.Errorf("%s: %w", file, err)
}
