package manifest

import (
	"slices"
	"strings"

	"github.com/flaghook/flaghook/render"
)

// A Prepared is a subscription's config, ready to render many events with: its
// defaults are filled in, and what URL, headers and signatures take from it
// alone is rendered. It never changes, and is safe for concurrent use.
type Prepared struct {
	config     render.Value
	texts      []fixedText // of the URL, then of the headers; nil: none is known
	fixed      bool        // all of texts are known
	signatures []Signature
}

// A fixedText is what a template gives for every event, where that is known.
type fixedText struct {
	text  string
	known bool
}

// Prepare makes a config ready, for RenderInput.Prepared. Any config can be:
// what is wrong with it is said when an event is rendered.
func (i *Integration) Prepare(config render.Value) *Prepared {
	p := &Prepared{config: i.withDefaults(config)}
	if i.hook == nil || i.hook.Endpoint == nil {
		return p
	}
	p.texts = append(p.texts, i.compiled.url.fixed(p.config))
	for _, h := range i.compiled.headers {
		p.texts = append(p.texts, h.fixed(p.config))
	}
	p.fixed = !slices.ContainsFunc(p.texts, func(t fixedText) bool { return !t.known })
	p.signatures = i.signatures(p.config, render.Value{})
	for n := range p.signatures {
		p.signatures[n].signers = p.signatures[n].newSigners()
	}
	return p
}

// fixed renders a template that only the config decides about.
func (t *inline) fixed(config render.Value) fixedText {
	for _, name := range addressNames {
		if t.template.Reaches(name) {
			return fixedText{}
		}
	}
	text, err := t.template.Render(config)
	return fixedText{text, err == nil} // an error is told to who renders an event
}

// addressNames is what URL and headers see beside the form variables.
var addressNames = [...]string{"context", "oauth", "delivery"}

// address renders URL and headers and says how to sign. They see the form
// variables at their root, the event under context, and the delivery.
func (i *Integration) address(r *Request, e *Event, p *Prepared, in *RenderInput) error {
	endpoint := i.hook.Endpoint
	if endpoint == nil {
		return nil
	}
	texts, root := p.texts, render.Value{}
	if in.Strict || in.OnMissing != nil {
		texts = nil // what is missing is to be heard of
	}
	if texts == nil || !p.fixed {
		root = i.addressRoot(e, p.config, in)
	}
	r.Method = endpoint.Method
	var err error
	if r.URL, err = i.compiled.url.text(0, texts, root, in); err != nil {
		return inFile(i.compiled.url.name, err)
	}
	r.Headers = make([]Header, 0, len(endpoint.Headers)+1) // one more for Content-Type
	for n := range endpoint.Headers {
		h, of := &endpoint.Headers[n], &i.compiled.headers[n]
		value, err := of.text(1+n, texts, root, in)
		if err != nil {
			return inFile(of.name, err)
		}
		if h.OmitEmpty && strings.TrimSpace(value) == "" {
			continue // HTTP takes the blanks around a value off
		}
		r.Headers = append(r.Headers, Header{h.Name, value})
	}
	if p.signatures != nil && !in.PreviousConfig.IsDefined() {
		r.Signatures = p.signatures
	} else {
		r.Signatures = i.signatures(p.config, in.PreviousConfig)
	}
	return nil
}

// text is what the template gives, the n-th of the address.
func (t *inline) text(n int, known []fixedText, root render.Value, in *RenderInput) (string, error) {
	if n < len(known) && known[n].known {
		return known[n].text, nil
	}
	return renderOne(t.template, root, t.name, in)
}

// addressRoot is what templates of the address see.
func (i *Integration) addressRoot(e *Event, config render.Value, in *RenderInput) render.Value {
	var delivery render.Value // undefined where no template asks for it
	if i.compiled.delivery {
		delivery = in.Delivery.value()
	}
	return config.WithAll(
		render.Member{Key: "context", Value: e.context},
		render.Member{Key: "oauth", Value: in.OAuth},
		render.Member{Key: "delivery", Value: delivery})
}

// signatures says how to sign with the secrets that are set.
func (i *Integration) signatures(config, previous render.Value) []Signature {
	endpoint := i.hook.Endpoint
	var all []Signature
	if s := endpoint.HMACSignature; s != nil {
		if secrets := i.secrets(s.SecretVariable, config, previous); secrets != nil {
			all = append(all, Signature{Header: s.HeaderName, Prefix: s.Prefix, Encoding: s.Encoding, Algorithm: s.Algorithm, Secrets: secrets})
		}
	}
	if s := endpoint.StandardWebhooks; s != nil {
		if secrets := i.secrets(s.SecretVariable, config, previous); secrets != nil {
			all = append(all, Signature{Standard: true, Secrets: secrets})
		}
	}
	return all
}

// secrets are the values of a variable that sign: the present one, then the
// previous one if it is another.
func (i *Integration) secrets(key string, config, previous render.Value) []string {
	var secrets []string
	if now := config.Get(key).AsString(); now != "" {
		secrets = append(secrets, now)
	}
	if !previous.IsDefined() {
		return secrets
	}
	if old := i.withDefaults(previous).Get(key).AsString(); old != "" && !slices.Contains(secrets, old) {
		secrets = append(secrets, old)
	}
	return secrets
}
