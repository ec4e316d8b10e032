package manifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/flaghook/flaghook/render"
	"github.com/flaghook/flaghook/schemas"
)

// A Golden is one regression test of an integration: an event, the form
// variables of a subscription, and what must become of them. Its file is JSON:
//
//	{
//	  "sample": "flag-on",
//	  "formVariables": {"url": "https://example.com/hook"},
//	  "request": {"method": "POST", "url": "…", "headers": [{"name": "…", "value": "…"}], "body": {…}, "bodyEnd": "\n"}
//	}
//
// In place of sample there may be event: a posted event, or a ready template
// context. More members are oauth (baseURI, accessToken), template, which forces
// one, and reason, which goes with "request": null where nothing is sent. The
// headers are those that preview shows, the signatures among them.
//
// The body is compared byte for byte. A JSON object or list stands in the file
// exactly as it is sent, white space included, with the white space behind it in
// bodyEnd; any other body is a string. A golden without request is still to be
// recorded.
type Golden struct {
	Sample        string       // name of a sample event; "" where Event is given
	Event         render.Value // undefined where Sample is given
	FormVariables render.Value
	OAuth         render.Value // undefined without
	Template      string       // "" for the one that fits the event
	Outcome       *Outcome     // nil while it is not recorded
}

type (
	goldenFile struct {
		Sample        string          `json:"sample"`
		Event         render.Value    `json:"event"`
		FormVariables render.Value    `json:"formVariables"`
		OAuth         render.Value    `json:"oauth"`
		Template      string          `json:"template"`
		Request       json.RawMessage `json:"request"`
		Reason        string          `json:"reason"`
	}
	goldenRequest struct {
		Method  string          `json:"method"`
		URL     string          `json:"url"`
		Headers []goldenHeader  `json:"headers"`
		Body    json.RawMessage `json:"body"`
		BodyEnd string          `json:"bodyEnd"`
	}
	goldenHeader struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
)

// ParseGolden reads a golden's file. Members that it does not know are refused.
func ParseGolden(data []byte) (*Golden, error) {
	if _, err := render.ParseJSON(data); err != nil {
		return nil, err
	}
	var f goldenFile
	if err := decodeStrictly(data, &f); err != nil {
		return nil, err
	}
	if (f.Sample == "") == (f.Event.Kind() != render.KindObject) {
		return nil, errors.New(`a golden has either "sample", a name, or "event", an object`)
	}
	g := &Golden{Sample: f.Sample, Event: f.Event, FormVariables: f.FormVariables, OAuth: f.OAuth, Template: f.Template}
	switch {
	case f.Request == nil:
	case string(f.Request) == "null":
		g.Outcome = &Outcome{Reason: f.Reason}
	default:
		var r goldenRequest
		if err := decodeStrictly(f.Request, &r); err != nil {
			return nil, fmt.Errorf("request: %w", err)
		}
		body, err := r.body()
		if err != nil {
			return nil, err
		}
		request := &Request{Method: r.Method, URL: r.URL, Body: body}
		for _, h := range r.Headers {
			request.Headers = append(request.Headers, Header(h))
		}
		g.Outcome = &Outcome{Request: request}
	}
	return g, nil
}

func decodeStrictly(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// body is the exact body: the text of a string, or the file's own bytes.
func (r *goldenRequest) body() ([]byte, error) {
	if len(r.Body) > 0 && (r.Body[0] == '{' || r.Body[0] == '[') {
		return append(bytes.Clone(r.Body), r.BodyEnd...), nil
	}
	var text string
	if json.Unmarshal(r.Body, &text) != nil {
		return nil, errors.New("request: the body is a JSON object, a JSON list or a string")
	}
	return []byte(text + r.BodyEnd), nil
}

// Format writes the golden's file. It fails for a body that is not UTF-8.
func (g *Golden) Format() ([]byte, error) {
	w := goldenWriter{indent: "  "}
	if g.Sample != "" {
		w.member("sample", render.String(g.Sample))
	}
	w.member("event", g.Event)
	if g.Template != "" {
		w.member("template", render.String(g.Template))
	}
	w.member("formVariables", orObject(g.FormVariables))
	w.member("oauth", g.OAuth)
	if o := g.Outcome; o != nil && o.Request == nil {
		w.member("request", render.Null)
		w.member("reason", render.String(o.Reason))
	} else if o != nil {
		text, err := formatRequest(o.Request)
		if err != nil {
			return nil, err
		}
		w.raw("request", text)
	}
	return append(w.end("\n}"), '\n'), nil
}

func formatRequest(r *Request) ([]byte, error) {
	w := goldenWriter{indent: "    "}
	w.member("method", render.String(r.Method))
	w.member("url", render.String(r.URL))
	w.raw("headers", formatHeaders(r.Headers))
	text := bytes.TrimRight(r.Body, " \t\r\n")
	switch {
	case !utf8.Valid(r.Body):
		return nil, errors.New("the body is not UTF-8, and a golden cannot hold it")
	case len(text) > 0 && (text[0] == '{' || text[0] == '[') && json.Valid(text):
		w.raw("body", text)
		if end := r.Body[len(text):]; len(end) > 0 {
			w.member("bodyEnd", render.String(string(end)))
		}
	default:
		w.member("body", render.String(string(r.Body)))
	}
	return w.end("\n  }"), nil
}

// formatHeaders writes one header a line.
func formatHeaders(headers []Header) []byte {
	out := []byte{'['}
	for n, h := range headers {
		if n > 0 {
			out = append(out, ',')
		}
		out = append(out, "\n      {\"name\": "...)
		out = render.String(h.Name).AppendJSON(out)
		out = append(out, ", \"value\": "...)
		out = append(render.String(h.Value).AppendJSON(out), '}')
	}
	if len(headers) > 0 {
		out = append(out, "\n    "...)
	}
	return append(out, ']')
}

// A goldenWriter writes the members of an object, one a line; a value may have
// several.
type goldenWriter struct {
	out    []byte
	indent string
}

func (w *goldenWriter) raw(key string, value []byte) {
	start := ",\n"
	if w.out == nil {
		start = "{\n"
	}
	w.out = append(w.out, start+w.indent+`"`+key+`": `...)
	w.out = append(w.out, value...)
}

func (w *goldenWriter) member(key string, v render.Value) {
	if !v.IsDefined() {
		return
	}
	var b bytes.Buffer
	if json.Indent(&b, v.AppendJSON(nil), w.indent, "  ") != nil {
		return // it is JSON
	}
	w.raw(key, b.Bytes())
}

func (w *goldenWriter) end(with string) []byte { return append(w.out, with...) }

func orObject(v render.Value) render.Value {
	if v.Kind() == render.KindObject {
		return v
	}
	return render.Object()
}

// Document is the event's document: the golden's own, or that of the sample it
// names, with the sample's own time.
func (g *Golden) Document() (render.Value, error) {
	if g.Sample == "" {
		return g.Event, nil
	}
	data, ok := schemas.Sample(g.Sample)
	if !ok {
		return render.Value{}, fmt.Errorf("there is no sample %s; %s", shown(g.Sample), didYouMean(g.Sample, schemas.SampleNames()))
	}
	return render.ParseJSON(data)
}

// goldenDelivery and goldenTime stand for the delivery of a golden and the time
// of its attempt.
var (
	goldenDelivery = Delivery{ID: "00000000000000000000000000000000", Attempt: 1}
	goldenTime     = time.Date(2026, time.January, 31, 12, 0, 0, 0, time.UTC)
)

// Run renders the golden's event as production does and returns what becomes of
// it now; the golden is not changed. The event is that of [Golden.Document]; the
// delivery's id is 32 zeros, its attempt the first, in 2026-01-31T12:00:00Z. Form
// variables that no subscription could have are an error, and so is a request
// that could not be sent.
func (g *Golden) Run(i *Integration, e *Event) (*Outcome, error) {
	config := orObject(g.FormVariables)
	if err := i.CheckConfig(config); err != nil {
		return nil, fmt.Errorf("formVariables: %w", err)
	}
	rendered, err := i.Render(e, RenderInput{Config: config, OAuth: g.OAuth, Delivery: goldenDelivery, Template: g.Template})
	if err != nil {
		return nil, err
	}
	r := rendered.Request
	if r == nil {
		return &Outcome{Reason: rendered.Skipped}, nil
	}
	if i.hook.Endpoint != nil {
		if err := r.Check(); err != nil {
			return nil, err
		}
	}
	out := &Request{Method: r.Method, URL: r.URL, Headers: slices.Concat(r.Headers, r.Sign(goldenDelivery.ID, goldenTime)), Body: r.Body}
	return &Outcome{Request: out}, nil
}
