package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/flaghook/flaghook/manifest"
	"github.com/flaghook/flaghook/render"
)

// previewJSON is what --format json prints.
type previewJSON struct {
	Sample      string          `json:"sample,omitempty"` // with --all
	Integration string          `json:"integration"`
	Template    *string         `json:"template"` // null for a standard payload
	Event       render.Value    `json:"event"`
	Request     *previewRequest `json:"request"` // null when nothing is sent
	Reason      string          `json:"reason,omitempty"`
	Policy      *policyVerdict  `json:"policy"` // null for a ready context
}

type previewRequest struct {
	Method  *string         `json:"method"` // null without an endpoint
	URL     *string         `json:"url"`
	Headers []previewHeader `json:"headers"`
	Body    string          `json:"body"`
}

type previewHeader struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func (p *preview) json() previewJSON {
	out := previewJSON{
		Integration: p.integration.Key, Template: optional(p.rendered.Template),
		Event: p.doc, Reason: p.rendered.Skipped, Policy: p.allowed,
	}
	if r := p.rendered.Request; r != nil {
		headers := []previewHeader{}
		for _, h := range p.signedHeaders() {
			headers = append(headers, previewHeader(h))
		}
		out.Request = &previewRequest{Method: optional(r.Method), URL: optional(r.URL), Headers: headers, Body: string(r.Body)}
	}
	return out
}

// writePreviewsJSON writes an object, or with all an array of them.
func writePreviewsJSON(w io.Writer, previews []*preview, all bool) error {
	list := make([]previewJSON, len(previews))
	for n, p := range previews {
		list[n] = p.json()
		if all {
			list[n].Sample = p.name
		}
	}
	if all {
		return encode(w, list)
	}
	return encode(w, list[0])
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// signedHeaders are the request's with the signatures that production adds, as
// for an attempt at the time of the occasion.
func (p *preview) signedHeaders() []manifest.Header {
	r := p.rendered.Request
	return slices.Concat(r.Headers, r.Sign(p.delivery, p.at))
}

// bodyStyle says how a body is shown.
type bodyStyle struct {
	raw    bool // byte for byte, without so much as a line feed behind it
	pretty bool // a JSON body is indented
	colour bool
	named  bool // the heading tells the sample's name
}

func (p *preview) writeText(w io.Writer, style bodyStyle) error {
	var b strings.Builder
	paint := painter(style.colour)
	show := func(text string) string { return text }
	if style.pretty && !style.raw {
		show = visible
	}
	name := p.integration.Key
	if style.named {
		name += " " + p.name
	}
	b.WriteString(paint(dim, "# "+name+": "+show(p.summary())) + "\n")
	if r := p.rendered.Request; r != nil {
		if r.Method != "" {
			fmt.Fprintf(&b, "%s %s\n", paint(bold, r.Method), show(r.URL))
		}
		for _, h := range p.signedHeaders() {
			fmt.Fprintf(&b, "%s: %s\n", paint(cyan, h.Name), show(h.Value))
		}
		b.WriteString("\n")
		b.Write(style.body(r.Body))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// body is what is shown of a body.
func (s bodyStyle) body(body []byte) []byte {
	if s.raw {
		return body
	}
	if s.pretty && json.Valid(body) {
		var b bytes.Buffer
		if json.Indent(&b, bytes.TrimSpace(body), "", "  ") == nil {
			body = b.Bytes()
		}
	}
	if s.pretty {
		body = []byte(visible(string(body)))
		if s.colour && json.Valid(body) {
			body = colourJSON(body)
		}
	}
	if !bytes.HasSuffix(body, []byte("\n")) {
		body = append(bytes.Clone(body), '\n')
	}
	return body
}

// visible replaces control characters by pictures of them: what an event says
// must not move the cursor or change the title of an author's terminal.
func visible(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r < ' ':
			return '\u2400' + r
		case r == 0x7f:
			return '\u2421'
		case r >= 0x80 && r < 0xa0:
			return '\ufffd'
		}
		return r
	}, text)
}

// summary says which template was used and what the default policy thinks.
func (p *preview) summary() string {
	parts := []string{"standard payload"}
	switch {
	case p.rendered.Request == nil:
		parts[0] = "nothing is sent: " + p.rendered.Skipped
	case p.rendered.Template != "":
		parts[0] = "template " + p.rendered.Template
	}
	if p.allowed != nil {
		verdict := "the default policy lets this event through"
		if !p.allowed.Allowed {
			verdict = "the default policy does not let this event through"
		}
		parts = append(parts, verdict+" ("+p.allowed.Reason+")")
	}
	return strings.Join(parts, "; ")
}
